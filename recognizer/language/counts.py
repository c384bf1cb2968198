"""Counting n-grams with numpy in blocks, so that memory grows with the text and never with Python objects."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recognizer.language.text import Encoded, Progress
from recognizer.language.trie import Ints

BLOCK = 1 << 21  # positions that are sorted at once
END_ID = 2


@dataclass(frozen=True)
class Counts:
    """How often every n-gram of a text occurs, inside sentences only.

    Args:
        words: the word of every number.
        keys: per order, sorted int64: number of the (n-1)-gram it begins with, times len(words), plus its last word;
            for order 1 the word.
        counts: per order int64, occurrences.
    """

    words: tuple[str, ...]
    keys: tuple[Ints, ...]
    counts: tuple[Ints, ...]


def count(text: Encoded, order: int, progress: Progress) -> Counts:
    """Count all n-grams of orders 1 to `order`; none crosses the end of a sentence."""
    size = len(text.words)
    keys = [np.arange(size, dtype=np.int64)]
    counts = [np.bincount(text.tokens, minlength=size).astype(np.int64)]
    # The number of the n-gram that begins at each position, -1 where it would cross the end of a sentence.
    numbers = text.tokens.astype(np.int32)
    for length in range(1, order):
        progress(f"counting {length + 1}-grams")
        found, times = _lengthen(text.tokens, numbers, length, size)
        keys.append(found)
        counts.append(times)
    return Counts(text.words, tuple(keys), tuple(counts))


def _lengthen(
    tokens: npt.NDArray[np.int32], numbers: npt.NDArray[np.int32], length: int, size: int
) -> tuple[Ints, Ints]:
    """Turn the numbers of n-grams of `length` into those of one word more, in place; return their keys and counts."""
    blocks = []
    for start in range(0, len(tokens), BLOCK):
        stop = max(start, min(start + BLOCK, len(tokens) - length))
        last = tokens[start + length - 1 : stop + length - 1]
        inside = np.flatnonzero((numbers[start:stop] >= 0) & (last != END_ID)) + start
        wanted = numbers[inside].astype(np.int64) * size + tokens[inside + length]
        found, order, times = np.unique(wanted, return_inverse=True, return_counts=True)
        numbers[start : start + BLOCK] = -1
        numbers[inside] = order
        blocks.append((found, times))
    keys, counts = merge(blocks)
    for start, (found, _) in zip(range(0, len(tokens), BLOCK), blocks, strict=True):
        part = numbers[start : start + BLOCK]
        inside = np.flatnonzero(part >= 0)
        places: Ints = np.asarray(np.searchsorted(keys, found))
        part[inside] = places[part[inside]]
    return keys, counts


def merge(blocks: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Return sorted keys, each once, with the sum of its counts, of several such pairs; neighbours are joined first."""
    assert blocks, "nothing to merge"
    while len(blocks) > 1:
        joined = [_join(*pair) for pair in zip(blocks[::2], blocks[1::2], strict=False)]
        blocks = joined + blocks[len(joined) * 2 :]
    return blocks[0]


def _join(left: tuple[Ints, Ints], right: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    keys = np.concatenate([left[0], right[0]])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    counts = np.concatenate([left[1], right[1]])[order]
    return keys[first], np.add.reduceat(counts, first) if len(first) else counts
