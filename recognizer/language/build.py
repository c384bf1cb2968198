"""From text files to an n-gram model file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recognizer.corpus.alphabet import TextSettings
from recognizer.errors import RecognizerError
from recognizer.language import arpa
from recognizer.language.compact import CompactErrors
from recognizer.language.counts import count
from recognizer.language.kneser_ney import smooth, thresholds
from recognizer.language.ngram import STATED, About, of_trie
from recognizer.language.ngram_file import pack, pack_small
from recognizer.language.pruning import prune
from recognizer.language.quantization import BITS
from recognizer.language.spelling import spelling_model
from recognizer.language.text import UNITS, Progress, by_frequency, encode
from recognizer.language.trie import Trie

MOST = 10  # words of the longest n-gram; KenLM's own default stops at 6


@dataclass(frozen=True)
class BuildSettings:
    """How a model is built.

    Args:
        order: words of the longest n-gram, 2 to 10.
        unit: "character" or "word".
        cutoff: occurrences at or below which n-grams are left out, an order each from order 1 (which keeps all: 0);
            orders without a value take the last one.
        prune: n-grams whose loss raises the perplexity by less than this share are left out (`pruning`), 0 for none.
        quantize: bits of a probability in a small file; 0 keeps them whole, in a file that is mapped.
        vocabulary: the commonest words (or characters) that are kept, all others become <unk>; 0 keeps all.
        letters: words that hold other characters are counted as <unk>; "" for any.
        text: normalisation of the text, which should be the recognizer's own.
        weight: what the model's log-probabilities should count in a decoder, None to leave it open.
        word_bonus: of that decoder, likewise.
        beam: prefixes that it should keep, likewise.
        prior_weight: power of the network's label priors that it should divide by, likewise.
        temperature: what it should divide the network's log-probabilities by, likewise.
    """

    order: int = 6
    unit: str = "character"
    cutoff: tuple[int, ...] = (0,)
    prune: float = 0.0
    quantize: int = 0
    vocabulary: int = 0
    letters: str = ""
    text: TextSettings = field(default_factory=TextSettings)
    weight: float | None = None
    word_bonus: float | None = None
    beam: int | None = None
    prior_weight: float | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if not 2 <= self.order <= MOST:
            raise RecognizerError(f"order is {self.order}, expected 2 to {MOST}")
        if self.unit not in UNITS:
            raise RecognizerError(f"unit is {self.unit!r}, expected one of {', '.join(UNITS)}")
        thresholds(self.cutoff, self.order)
        if not 0 <= self.prune < 1:
            raise RecognizerError(f"prune is {self.prune}, expected a share from 0 (nothing) to below 1, such as 1e-8")
        if self.quantize and not BITS[0] <= self.quantize <= BITS[1]:
            raise RecognizerError(f"quantize is {self.quantize}, expected {BITS[0]} to {BITS[1]} bits, or 0 for none")
        if self.beam is not None and self.beam < 1:
            raise RecognizerError(f"beam is {self.beam}, expected the number of prefixes that a decoder keeps")
        if self.prior_weight is not None and self.prior_weight < 0:
            raise RecognizerError(f"prior-weight is {self.prior_weight}, expected 0 or more")
        if self.temperature is not None and self.temperature <= 0:
            raise RecognizerError(f"temperature is {self.temperature}, expected more than 0")
        if self.vocabulary < 0:
            raise RecognizerError(f"vocabulary is {self.vocabulary}, expected a number of words, 0 for all")


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
        errors: what quantisation costs, None where nothing was rounded.
    """

    lines: int
    blank: int
    tokens: int
    sizes: tuple[int, ...]
    counted: tuple[int, ...]
    discounts: tuple[tuple[float, float, float], ...]
    notes: tuple[str, ...]
    errors: CompactErrors | None = None


def is_arpa(path: Path) -> bool:
    """Return whether a model of this name is written as ARPA (.arpa, .arpa.gz) and not packed."""
    return path.suffix == ".arpa" or path.name.endswith(".arpa.gz")


def steps_of(texts: int, settings: BuildSettings) -> int:
    """Return how many steps `build` names: `texts` read, orders counted and linked, smoothed, pruned, written."""
    return texts + 2 * (settings.order - 1) + 2 + bool(settings.prune)


def build(texts: Sequence[Path], settings: BuildSettings, out: Path, progress: Progress) -> BuildReport:
    """Build a model of `texts` and write it to `out`: ARPA where the name ends in .arpa or .arpa.gz, else packed.

    Raises:
        RecognizerError: a text is at fault or all are empty, or `out` cannot be written.
    """
    if is_arpa(out) and settings.quantize:
        raise RecognizerError(f"{out}: an ARPA file holds numbers as they are, expected another name or no --quantize")
    stated = {name: getattr(settings, name) for name in STATED}
    if is_arpa(out) and (given := [name for name, value in stated.items() if value is not None]):
        raise RecognizerError(
            f"{out}: an ARPA file states nothing for decoders, expected another name, or no {', '.join(given)}"
        )
    whole = encode(texts, settings.unit, settings.text, progress)
    text = by_frequency(whole, settings.vocabulary, settings.letters)
    counts = count(text, settings.order, progress)
    smoothed = smooth(counts, settings.cutoff, progress)
    if settings.prune:
        progress("pruning")
    trie = prune(smoothed.trie, smoothed.occurrences, settings.prune)
    progress(f"writing {out.name}")
    about = About(settings.unit, settings.text, smoothed.notes, **stated)
    errors = _write(trie, about, by_frequency(whole, 0, settings.letters).words, settings, out)
    counted = tuple(map(len, counts.keys))
    tokens = len(text.tokens) - text.lines
    sizes = trie.sizes + (0,) * (len(counted) - trie.order)  # of the orders that pruning has emptied too
    return BuildReport(text.lines, text.blank, tokens, sizes, counted, smoothed.discounts, smoothed.notes, errors)


def _write(trie: Trie, about: About, words: Sequence[str], settings: BuildSettings, out: Path) -> CompactErrors | None:
    """Write the model in the form that `out` and `settings` ask for; a model of words learns to spell all `words`."""
    if is_arpa(out):
        arpa.write(trie, out)
        return None
    spelling = spelling_model(words, settings.text) if settings.unit == "word" else None
    if settings.quantize:
        return pack_small(trie, about, spelling, settings.quantize, out)
    pack(of_trie(trie, about, of_trie(*spelling) if spelling else None), out)
    return None
