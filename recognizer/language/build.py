"""From text files to an n-gram model file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.language import arpa
from recognizer.language.counts import count
from recognizer.language.kneser_ney import smooth, thresholds
from recognizer.language.ngram import About, of_trie, pack
from recognizer.language.text import UNITS, Progress, encode

MOST = 10  # words of the longest n-gram; KenLM's own default stops at 6


@dataclass(frozen=True)
class BuildSettings:
    """How a model is built.

    Args:
        order: words of the longest n-gram, 2 to 10.
        unit: "character" or "word".
        prune: occurrences at or below which n-grams are left out, an order each from order 1 (which keeps all: 0);
            orders without a value take the last one.
        text: normalisation of the text, which should be the recognizer's own.
    """

    order: int = 6
    unit: str = "character"
    prune: tuple[int, ...] = (0,)
    text: TextSettings = field(default_factory=TextSettings)

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if not 2 <= self.order <= MOST:
            raise RecognizerError(f"order is {self.order}, wanted 2 to {MOST}")
        if self.unit not in UNITS:
            raise RecognizerError(f"unit is {self.unit!r}, wanted one of {', '.join(UNITS)}")
        thresholds(self.prune, self.order)


@dataclass(frozen=True)
class BuildReport:
    """What was built.

    Args:
        lines: sentences counted.
        blank: lines without text, left out.
        tokens: words or characters, sentence ends included.
        sizes: n-grams of every order that were kept.
        counted: n-grams of every order in the text.
        discounts: D1, D2, D3+ of every order.
        notes: what was not done by the book.
    """

    lines: int
    blank: int
    tokens: int
    sizes: tuple[int, ...]
    counted: tuple[int, ...]
    discounts: tuple[tuple[float, float, float], ...]
    notes: tuple[str, ...]


def is_arpa(path: Path) -> bool:
    """Return whether a model of this name is written as ARPA (.arpa, .arpa.gz) and not packed."""
    return path.suffix == ".arpa" or path.name.endswith(".arpa.gz")


def build(texts: Sequence[Path], settings: BuildSettings, out: Path, progress: Progress) -> BuildReport:
    """Build a model of `texts` and write it to `out`: ARPA where the name ends in .arpa or .arpa.gz, else packed.

    Raises:
        RecognizerError: a text is at fault or all are empty, or `out` cannot be written.
    """
    text = encode(texts, settings.unit, settings.text, progress)
    counts = count(text, settings.order, progress)
    model = smooth(counts, settings.prune, progress)
    progress(f"writing {out.name}")
    if is_arpa(out):
        arpa.write(model.trie, out)
    else:
        pack(of_trie(model.trie, About(settings.unit, settings.text, model.notes)), out)
    counted = tuple(map(len, counts.keys))
    tokens = len(text.tokens) - text.lines
    return BuildReport(text.lines, text.blank, tokens, model.trie.sizes, counted, model.discounts, model.notes)
