"""Build an n-gram model of a text that has been held against the test lines of a corpus."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from recognizer.corpus.manifest import read_corpus
from recognizer.corpus.shards import is_packed, open_store
from recognizer.errors import RecognizerError
from recognizer.language.build import BuildReport, BuildSettings, build
from recognizer.language.overlap import Overlap, overlap, refuse_overlap
from recognizer.language.text import Line, read_lines


@dataclass(frozen=True)
class Built:
    """What was built, and what its text was held against.

    Args:
        report: of the model.
        shared: what text and test lines have in common, None where no corpus was given.
    """

    report: BuildReport
    shared: Overlap | None


def build_checked(
    texts: list[Path], settings: BuildSettings, out: Path, against: Path | None, say: Callable[[str], None]
) -> Built:
    """Build a model of `texts` as `out`; first refuse a text that holds test lines of the corpus `against`.

    Raises:
        RecognizerError: the text holds test lines, the corpus has none, or `build` refuses.
    """
    shared = compare(texts, against, settings) if against else None
    return Built(build(texts, settings, out, say), shared)


def compare(texts: list[Path], against: Path, settings: BuildSettings) -> Overlap:
    """Return what texts and the test lines of a corpus have in common.

    Raises:
        RecognizerError: the text holds test lines, or the corpus has none.
    """
    test = test_lines(against)
    found = overlap(_all_lines(texts, settings), test)
    refuse_overlap(found)
    return found


def test_lines(corpus: Path) -> list[str]:
    """Return the transcripts of all splits of a corpus whose names begin with "test".

    Raises:
        RecognizerError: it has no such split.
    """
    if is_packed(corpus):
        store = open_store(corpus)
        pairs = list(zip(store.column("split"), store.column("text"), strict=True))
    else:
        pairs = [(sample.split, sample.text) for sample in read_corpus(corpus)]
    found = [text for split, text in pairs if split.casefold().startswith("test")]
    if not found:
        names = ", ".join(repr(split) for split in dict.fromkeys(split for split, _ in pairs))
        raise RecognizerError(f"{corpus}: no test lines to compare the text with, there are the splits {names}")
    return found


def _all_lines(texts: list[Path], settings: BuildSettings) -> Iterator[Line]:
    for path in texts:
        yield from read_lines(path, settings.text)
