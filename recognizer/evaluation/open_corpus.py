"""Opening a corpus in the form that a model reads."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recognizer.corpus.shards import is_packed, open_store
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.export.onnx_model import OnnxSettings
from recognizer.model.model import ModelSettings
from recognizer.reading.reader import Reader


@contextmanager
def open_corpus(reader: Reader, corpus: Path, say: Callable[[str], None], long: bool = False) -> Iterator[Store]:
    """Yield the store of a corpus whose signals are those of the model; with `long` recordings of any length.

    Raises:
        RecognizerError: the corpus is of another kind or was prepared in another form.
    """
    if is_packed(corpus):
        store = open_store(corpus)
        refuse_other_form(reader.model_file.settings, store)
        yield store
        return
    if not corpus.exists():
        raise RecognizerError(f"{corpus}: not there, expected a prepared corpus, a manifest or a folder")
    from recognizer.corpus.prepare import PrepareSettings, prepare

    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(
            str(corpus), None, Path(folder), PrepareSettings(reader.model_file.settings.signal, long=long), say
        )
        for line in prepared.bad:
            say(f"left out: {line}")
        store = Store(prepared.path)
        refuse_other_form(reader.model_file.settings, store)
        yield store


def refuse_test(split: str, verb: str) -> None:
    """Refuse to fit anything on a test split.

    Raises:
        RecognizerError: the split's name begins with "test".
    """
    if split.casefold().startswith("test"):
        raise RecognizerError(
            f"{verb} does not look at the split {split!r}: expected validation samples, --split valid"
        )


def refuse_other_form(model: ModelSettings | OnnxSettings, store: Store) -> None:
    """Refuse a corpus that is not what a model reads.

    Raises:
        RecognizerError: it is of another kind, or was prepared in another form.
    """
    if store.header.kind != model.kind:
        raise RecognizerError(f"{store.path}: {store.header.kind}, but the model reads {model.kind}")
    for name, own in model.signal.items():
        if own != (other := store.header.signal.get(name)):
            raise RecognizerError(
                f"{store.path}: prepared with {name} {other}, the model wants {own}: prepare it again with "
                f"--{name.replace('_', '-')} {own}"
            )
