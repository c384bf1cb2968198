"""Opening a corpus in the form that a model reads."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recognizer.corpus.store import FILE, Store
from recognizer.errors import RecognizerError
from recognizer.reader import Reader


@contextmanager
def opened(reader: Reader, corpus: Path, say: Callable[[str], None]) -> Iterator[Store]:
    """Yield the store of a corpus whose signals are those of the model.

    Raises:
        RecognizerError: the corpus is of another kind or was prepared in another form.
    """
    if (corpus / FILE).is_file() or corpus.suffix == ".pack":
        store = Store(corpus)
        _refuse_other_form(reader, store)
        yield store
        return
    if not corpus.exists():
        raise RecognizerError(f"{corpus}: not there, wanted a prepared corpus, a manifest or a folder")
    from recognizer.corpus.prepare import PrepareSettings, prepare

    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(str(corpus), None, Path(folder), PrepareSettings(reader.bundle.settings.signal), say)
        for line in prepared.bad:
            say(f"left out: {line}")
        store = Store(prepared.path)
        _refuse_other_form(reader, store)
        yield store


def refuse_test(split: str, verb: str) -> None:
    """Refuse to fit anything on a test split.

    Raises:
        RecognizerError: the split's name begins with "test".
    """
    if split.casefold().startswith("test"):
        raise RecognizerError(f"{verb} does not look at the split {split!r}: wanted validation samples, --split valid")


def _refuse_other_form(reader: Reader, store: Store) -> None:
    if store.header.kind != reader.kind:
        raise RecognizerError(f"{store.path}: {store.header.kind}, but the model reads {reader.kind}")
    own, other = reader.bundle.settings.signal, store.header.signal
    for name in own:
        if own[name] != other.get(name):
            raise RecognizerError(
                f"{store.path}: prepared with {name} {other.get(name)}, the model wants {own[name]}: prepare it again "
                f"with --{name.replace('_', '-')} {own[name]}"
            )
