"""What a text shares with the lines of a test split, found before a language model learns the answers."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from recognizer.errors import RecognizerError
from recognizer.language.text import Line
from recognizer.language.unspaced import IN_UNSPACED, UNSPACED

RUN = 7  # words; two texts rarely share so many in a row unless one quotes the other
LEAST = 3  # words; an equal line of fewer says nothing
PER_WORD = 2  # characters that count as much as a word, in scripts that part no words
LINES = 20_000  # text lines that are compared at once
# An odd multiplier, so that multiplying modulo 2**64 loses nothing.
BASE = np.uint64(0x9E3779B97F4A7C15)
Hashes = npt.NDArray[np.uint64]
# Vowel signs, viramas, points: all marks of Unicode but those that only choose between shapes of a character.
CHOOSERS = "\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
MARKS = "".join(c for c in map(chr, range(0x300, 0x20000)) if unicodedata.category(c) in ("Mn", "Mc", "Me"))
WORD = re.compile(rf"\w[\w{MARKS}]*")
# What is not seen (soft hyphens, joiners and non-joiners, marks of direction) parts no words.
UNSEEN = re.compile(rf"[\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff{CHOOSERS}]")
UNIT = re.compile(f"[{UNSPACED}][{MARKS}]*|[^{UNSPACED}]+")


@dataclass(frozen=True)
class Match:
    """A test line that stands in the text.

    Args:
        line: the line of the text, by file and number.
        test: the test line as it was given.
    """

    line: Line
    test: str


@dataclass(frozen=True)
class Overlap:
    """What a text and a test split have in common.

    Args:
        whole: test lines of `run` words or more that stand whole in a line of the text, and shorter ones (three words
            or more) that are equal to a line of it; in scripts that part no words, two characters count as a word.
        short: test lines too short to tell (fewer words than that) that stand somewhere in the text.
        runs: different runs of `run` words (or characters, in such scripts) that both hold.
        test_runs: different runs of `run` words (likewise) of the test lines.
        lines: test lines compared.
    """

    whole: tuple[Match, ...]
    short: int
    runs: int
    test_runs: int
    lines: int


def words_of(text: str) -> list[str]:
    """Return the words of `text` without case, punctuation or compatibility forms, so that editions compare.

    In scripts that part no words each character stands for itself, with its marks.
    """
    plain = UNSEEN.sub("", unicodedata.normalize("NFKC", text).casefold())
    words = WORD.findall(plain)
    return [unit for word in words for unit in UNIT.findall(word)] if IN_UNSPACED.search(plain) else words


def overlap(text: Iterable[Line], test: Sequence[str], run: int = RUN) -> Overlap:
    """Compare a text with the lines of a test split; only runs of equal hash are looked at word by word."""
    wanted = _Wanted(test, run)
    whole: dict[str, tuple[int, Match]] = {}  # with the number of the line in the text, by which they are sorted
    short: set[str] = set()
    shared: set[tuple[str, ...]] = set()
    lines, before = iter(text), 0
    while block := list(islice(lines, LINES)):
        rows = [words_of(line.text) for line in block]
        for length, row, start in _candidates(rows, wanted.hashes, wanted.numbers):
            words = tuple(rows[row][start : start + length])
            if words in wanted.runs:
                shared.add(words)
            for line in wanted.lines.get(words, ()):
                worth = _worth(words)
                if worth >= run or (length == len(rows[row]) and worth >= LEAST):
                    whole.setdefault(line, (before + row, Match(block[row], line)))
                else:
                    short.add(line)
        before += len(block)
    matches = tuple(match for _, match in sorted(whole.values(), key=lambda one: one[0]))
    return Overlap(matches, len(short - set(whole)), len(shared), len(wanted.runs), len(test))


def refuse_overlap(found: Overlap) -> None:
    """Refuse a text that holds lines of the test split.

    Raises:
        RecognizerError: it does; the first such line is named.
    """
    if found.whole:
        first = found.whole[0]
        raise RecognizerError(
            f"{first.line.path}:{first.line.number}: holds the test line {first.test[:60]!r}"
            f" ({len(found.whole)} of {found.lines} test lines stand in the text), take them out of it"
        )


class _Wanted:
    """The test lines and their runs, by length, as numbers that a text can be compared with quickly."""

    def __init__(self, test: Sequence[str], run: int) -> None:
        rows = [(line, tuple(words_of(line))) for line in test]
        self.numbers: dict[str, int] = {}
        for _, row in rows:
            for word in row:
                self.numbers.setdefault(word, len(self.numbers) + 1)
        self.runs = {row[i : i + run] for _, row in rows for i in range(len(row) - run + 1)}
        self.lines: dict[tuple[str, ...], list[str]] = {}
        for line, row in rows:
            if row:
                self.lines.setdefault(row, []).append(line)
        by_length: dict[int, list[list[int]]] = {}
        for words in self.runs | set(self.lines):
            by_length.setdefault(len(words), []).append([self.numbers[word] for word in words])
        self.hashes = {n: np.unique(_hashes(np.array(r, np.uint64).ravel(), n)[::n]) for n, r in by_length.items()}


def _worth(words: Sequence[str]) -> float:
    """Return how many words `words_of` has found, where each stands for as much."""
    return sum(1 / PER_WORD if IN_UNSPACED.match(word) else 1 for word in words)


def _hashes(numbers: Hashes, length: int) -> Hashes:
    """Return the hash of every run of `length` numbers."""
    out = np.zeros(max(len(numbers) - length + 1, 0), np.uint64)
    for i in range(length):
        out = out * BASE + numbers[i : i + len(out)]
    return out


def _candidates(
    rows: list[list[str]], hashes: dict[int, Hashes], known: dict[str, int]
) -> Iterator[tuple[int, int, int]]:
    """Yield length, row and start of runs whose hash is wanted."""
    counts = np.array([len(row) for row in rows])
    starts = np.cumsum(counts) - counts
    numbers = np.array([known.get(word, 0) for row in rows for word in row], np.uint64)
    row_of = np.repeat(np.arange(len(rows)), counts)
    for length, wanted in hashes.items():
        here = _hashes(numbers, length)
        at = np.minimum(np.searchsorted(wanted, here), len(wanted) - 1)
        for place in np.flatnonzero(wanted[at] == here):
            row = int(row_of[place])
            if place + length <= starts[row] + counts[row]:
                yield length, row, int(place - starts[row])
