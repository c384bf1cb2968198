"""Numbers as codes of few bits: each stands for one of the values of a table that is fitted to them (Lloyd 1982)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recognizer.errors import RecognizerError
from recognizer.language.trie import Floats

Codes = npt.NDArray[np.uint8]
BITS = (2, 8)  # fewest and most bits of a code
ROUNDS = 25  # of Lloyd's algorithm; the error no longer falls after some twenty


@dataclass(frozen=True)
class Quantized:
    """Numbers as codes.

    Args:
        table: float32, rising, the value of every code.
        codes: of each number.
        rms: root mean square of the errors.
        worst: the largest error.
    """

    table: Floats
    codes: Codes
    rms: float
    worst: float


def quantize(values: Floats, bits: int) -> Quantized:
    """Return `values` as codes of `bits` bits, the table chosen so that the mean squared error is small.

    Raises:
        RecognizerError: `bits` is outside 2 to 8.
    """
    if not BITS[0] <= bits <= BITS[1]:
        raise RecognizerError(f"quantize is {bits} bits, expected {BITS[0]} to {BITS[1]}")
    exact = _table(np.sort(values).astype(np.float64), 1 << bits)
    codes = np.searchsorted((exact[1:] + exact[:-1]) / 2, values).astype(np.uint8)
    table: Floats = exact.astype(np.float32)
    errors = np.abs(table[codes] - values) if len(values) else np.zeros(1)
    return Quantized(table, codes, float(np.sqrt(np.mean(np.square(errors)))), float(errors.max()))


def _table(ordered: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """Return at most `size` values that stand for sorted numbers; all of them where they are no more than that."""
    distinct = np.unique(ordered)
    if len(distinct) <= size:
        return distinct
    sums = np.concatenate(([0.0], np.cumsum(ordered)))
    # Half of the first values by share of the numbers, half by range, so that rare extremes have neighbours too.
    shares = ordered[np.linspace(0, len(ordered) - 1, size // 2).astype(np.int64)]
    table = np.unique(np.concatenate((shares, np.linspace(ordered[0], ordered[-1], size - size // 2))))
    for _ in range(ROUNDS):
        edges = np.searchsorted(ordered, (table[1:] + table[:-1]) / 2)
        starts, stops = np.append(0, edges), np.append(edges, len(ordered))
        full = stops > starts
        table = ((sums[stops] - sums[starts])[full]) / (stops - starts)[full]
    return table
