"""Intervals of error rates by the bootstrap over what is independent: writers, speakers, pages; lines where need be."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.evaluation.metrics import NO_REFERENCE, known

RESAMPLES = 1000  # draws of the bootstrap, and of the exchanges that a probability is counted from
SEED = 1
BLOCK = 1 << 20  # numbers drawn at once, so that memory does not grow with samples times draws
FEW = 10  # groups below which an interval is rough: so few say little of how others would differ
NAMED = 3  # groups in a description
LEVEL = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Units:
    """What is drawn: groups of samples that depend on each other, or the samples themselves.

    Args:
        members: (samples,) int64, the unit that each sample belongs to.
        names: of the groups, empty where samples are drawn.
        why: samples are drawn, "" where groups are.
    """

    members: NDArray[np.int64]
    names: tuple[str, ...] = ()
    why: str = ""

    @property
    def number(self) -> int:
        """How many units there are."""
        return int(self.members.max()) + 1 if len(self.members) else 0

    @property
    def too_few(self) -> bool:
        """Whether no difference can be told from chance: all exchanges or none of n units come in 2 of 2^n cases."""
        return 2.0 ** (1 - self.number) >= 1 - LEVEL

    def describe(self) -> str:
        """Return in words what is drawn, and how far to trust it."""
        if not self.names:
            return f"{self.number} samples, since {self.why}: too narrow where samples share a hand or a voice"
        first = ", ".join(self.names[:NAMED]) + (", ..." if len(self.names) > NAMED else "")
        rough = "; of so few the interval is rough" if self.number < FEW else ""
        return f"{self.number} groups ({first}){rough}"


def units_of(groups: Sequence[str]) -> Units:
    """Return what to draw of samples with the names of their groups, "" where unknown.

    Groups, where there are at least two; a sample of no group stands for itself. Else samples.
    """
    named = list(dict.fromkeys(group for group in groups if group))
    if not named:
        return Units(np.arange(len(groups)), why="no groups are known")
    if len(named) == 1 and all(groups):
        return Units(np.arange(len(groups)), why=f"all are of one group ({named[0]})")
    number = {name: i for i, name in enumerate(named)}
    alone = iter(range(len(named), len(named) + len(groups)))
    return Units(np.array([number[group] if group else next(alone) for group in groups], np.int64), tuple(named))


def interval(errors: Sequence[int], sizes: Sequence[int], units: Units) -> tuple[float, float]:
    """Return the 95 % interval of sum(errors) / sum(sizes), units drawn anew (percentile bootstrap, Efron 1979).

    Draws of empty references only have no rate and are left out; where all references are empty, both ends are NaN, or
    0 where there are no errors either.

    Args:
        errors: (samples,) edits.
        sizes: (samples,) characters or words of the references.
        units: what is drawn.
    """
    if not any(sizes) and not any(errors):
        return 0.0, 0.0
    table = _sums(units, errors, sizes)
    return _middle(np.concatenate([_rates(sums[:, 0], sums[:, 1]) for sums in _draws(table)]))


def interval_words(ends: tuple[float, float], form: str = ".2%") -> str:
    """Return an interval as people read it, "no reference" where there is nothing to read."""
    return f"[{ends[0]:{form}}, {ends[1]:{form}}]" if known(ends[0]) is not None else NO_REFERENCE


@dataclass(frozen=True)
class Difference:
    """Two readings of the same samples held against each other: the second's rate less the first's.

    Args:
        rate: sum over all samples; it and the ends are NaN where all references are empty and something was read.
        low: lower end of its 95 % interval.
        high: upper end.
        p: how often a difference at least as large comes about when chance decides in each unit which reading is
            whose (approximate randomisation, Noreen 1989).
    """

    rate: float
    low: float
    high: float
    p: float

    @property
    def certain(self) -> bool:
        """Whether it can be told from chance: the interval leaves out 0, and so does chance in 95 of 100 cases."""
        return (self.low > 0 or self.high < 0) and self.p < 1 - LEVEL


def difference(first: Sequence[int], second: Sequence[int], sizes: Sequence[int], units: Units) -> Difference:
    """Return the difference of two readings' rates on the same samples, drawn in pairs.

    Args:
        first: (samples,) edits of one reading.
        second: (samples,) edits of the other.
        sizes: (samples,) characters or words of the references, which both share.
        units: what is drawn.
    """
    if not any(sizes) and not any(first) and not any(second):
        return Difference(0.0, 0.0, 0.0, 1.0)
    apart = np.asarray(second, np.int64) - np.asarray(first, np.int64)
    table = _sums(units, apart, sizes)
    rates = np.concatenate([_rates(sums[:, 0], sums[:, 1]) for sums in _draws(table)])
    whole = table.sum(0)
    low, high = _middle(rates)
    return Difference(float(_rates(whole[:1], whole[1:])[0]), low, high, _exchanged(table[:, 0]))


def _sums(units: Units, *values: Sequence[int] | NDArray[np.int64]) -> Floats:
    """Return the sums (units, values) over the samples of each unit."""
    number = units.number
    return np.stack([np.bincount(units.members, np.asarray(v, np.float64), number) for v in values], 1)


def _draws(table: Floats) -> Iterator[Floats]:
    """Yield the sums (draws, columns) of as many rows as `table` has, drawn with replacement, in blocks of draws."""
    random = np.random.default_rng(SEED)
    for number in _blocks(len(table)):
        chosen = random.integers(0, len(table), (number, len(table)))
        yield np.stack([column[chosen].sum(1) for column in table.T], 1)


def _exchanged(apart: Floats) -> float:
    """Return the share of random exchanges in which the sum of (units,) differences is as large as it is, or larger."""
    random, seen = np.random.default_rng(SEED), abs(apart.sum())
    larger = 0
    for number in _blocks(len(apart)):
        signs = random.integers(0, 2, (number, len(apart)), np.int8) * 2 - 1
        larger += int((abs(signs @ apart) >= seen - 1e-9).sum())
    return (larger + 1) / (RESAMPLES + 1)


def _blocks(size: int) -> Iterator[int]:
    """Yield how many of the draws are made at once, each of `size` numbers."""
    most = max(1, BLOCK // max(1, size))
    for done in range(0, RESAMPLES, most):
        yield min(most, RESAMPLES - done)


def _rates(errors: Floats, sizes: Floats) -> Floats:
    """Return errors over sizes, NaN where there is nothing to read."""
    return np.asarray(np.divide(errors, sizes, out=np.full(len(sizes), np.nan), where=sizes > 0), np.float64)


def _middle(rates: Floats) -> tuple[float, float]:
    """Return the ends of the middle 95 % of the draws that have a rate, NaN where none has."""
    outside, have = (1 - LEVEL) / 2, rates[~np.isnan(rates)]
    if not len(have):
        return math.nan, math.nan
    low, high = np.quantile(have, [outside, 1 - outside])
    return float(low), float(high)
