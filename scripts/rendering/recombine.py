"""New lines out of the words that one hand has written: real ink under texts that nobody wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recognizer.errors import RecognizerError
from rendering.bend import moved
from rendering.noise import Rng
from rendering.text import plain

PAPER = 255  # grey
INK = 170  # grey value below which a pixel is ink
GAP = 2  # columns without ink that part two words at least
TRIED = 4  # writings of a word, of which the one most like the rest of the line is taken
FEWEST, MOST = 4, 10  # words of a line
TRIES = 2000  # places in the texts


@dataclass(frozen=True)
class Word:
    """One word as it was written in a line.

    Args:
        image: uint8 (rows, columns), no empty columns at its ends.
        middle: row of the middle of the whole line's ink.
        spread: standard deviation of the rows of the whole line's ink.
        darkness: mean grey of the line's ink.
    """

    image: np.ndarray
    middle: float
    spread: float
    darkness: float


@dataclass(frozen=True)
class Hand:
    """What lines are made of.

    Args:
        words: every writing of each word.
        gaps: columns between words that follow each other.
        margin: columns of paper before the first and behind the last word.
        longest: columns that no line exceeds.
    """

    words: Mapping[str, Sequence[Word]]
    gaps: Sequence[int]
    margin: int
    longest: int


def cut_words(
    image: np.ndarray, text: str, places: Sequence[tuple[int, int]]
) -> tuple[list[tuple[str, Word]], list[int]]:
    """Cut a line into its words where paper parts them; a word that touches its neighbour is left out.

    Args:
        image: uint8 (rows, columns) of one line, dark on light.
        text: what stands there, single spaces inside.
        places: first column, and the column behind the last, of each character of `text`.

    Returns:
        The words with their texts, and the columns of each gap that parts two words.

    Raises:
        RecognizerError: places and characters differ in number.
    """
    if len(places) != len(text):
        raise RecognizerError(f"{len(places)} places for the {len(text)} characters of {text!r}, expected one each")
    dark = image < INK
    if not dark.any():
        return [], []
    ends: list[tuple[int, int] | None] = [(0, 0)]
    for at, character in enumerate(text):
        if character == " ":
            ends.append(_gap(dark, places[at - 1], places[at + 1]))
    ends.append((image.shape[1], image.shape[1]))
    look = _look(image, dark)
    found = []
    for name, left, right in zip(text.split(" "), ends, ends[1:], strict=False):
        if left and right and dark[:, left[1] : right[0]].any():
            inked = np.flatnonzero(dark[:, left[1] : right[0]].any(axis=0)) + left[1]
            found.append((name, Word(image[:, inked[0] : inked[-1] + 1], *look)))
    return found, [right - left for left, right in (end for end in ends[1:-1] if end)]


def new_line(hand: Hand, sentences: Sequence[str], rng: Rng) -> tuple[str, np.ndarray]:
    """Return words of a sentence that the hand has written all, and their image, uint8 (rows, columns).

    Raises:
        RecognizerError: the hand has too few words of the texts.
    """
    for _ in range(TRIES):
        words = plain(sentences[int(rng.integers(len(sentences)))]).split(" ")
        first = int(rng.integers(len(words)))
        wanted = int(rng.integers(FEWEST, MOST + 1))
        chosen = []
        for word in words[first : first + wanted]:
            if word not in hand.words:
                break
            chosen.append(word)
        if len(chosen) >= FEWEST:
            return _join(hand, chosen, rng)
    raise RecognizerError(f"no {FEWEST} words in a row at {TRIES} places of the texts were written by this hand")


def _join(hand: Hand, texts: Sequence[str], rng: Rng) -> tuple[str, np.ndarray]:
    """Set the words beside each other, the middles of their lines on one row; stop before the line is too long."""
    parts: list[np.ndarray] = []
    taken: list[str] = []
    columns, like = hand.margin, None  # the margin behind the last word
    for text in texts:
        word = _choose(hand.words[text], like, rng)
        like = like or word
        gap = int(hand.gaps[int(rng.integers(len(hand.gaps)))]) if taken else hand.margin
        if taken and columns + gap + word.image.shape[1] > hand.longest:
            break
        parts += [
            np.full((len(word.image), gap), PAPER, np.uint8),
            moved(word.image, round(like.middle - word.middle), PAPER),
        ]
        columns += gap + word.image.shape[1]
        taken.append(text)
    parts.append(np.full((len(parts[0]), hand.margin), PAPER, np.uint8))
    return " ".join(taken), np.hstack(parts)


def _choose(writings: Sequence[Word], like: Word | None, rng: Rng) -> Word:
    """Return one of the writings, of several tries the one whose line is most like that of `like`."""
    tried = [writings[int(rng.integers(len(writings)))] for _ in range(TRIED if like else 1)]
    if like is None:
        return tried[0]
    return min(tried, key=lambda word: abs(word.spread - like.spread) / 4 + abs(word.darkness - like.darkness) / 40)


def _gap(dark: np.ndarray, before: tuple[int, int], after: tuple[int, int]) -> tuple[int, int] | None:
    """Return the first column of the widest run without ink between two characters, and the column behind its last."""
    first, last = (before[0] + before[1]) // 2, (after[0] + after[1]) // 2
    edges = np.flatnonzero(np.diff(np.concatenate(([True], dark[:, first:last].any(axis=0), [True])).astype(np.int8)))
    runs = [(first + int(a), first + int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    widest = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    return widest if widest[1] - widest[0] >= GAP else None


def _look(image: np.ndarray, dark: np.ndarray) -> tuple[float, float, float]:
    """Return the middle row of the ink, its spread in rows, its mean grey."""
    rows = np.nonzero(dark)[0]
    return float(rows.mean()), float(rows.std()), float(image[dark].mean())
