"""Columns of writing: the white ways between them, and the order in which their lines are read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognizer.pages.ridge_tracking import Ridge

# What each is worth: docs/lab/segmentation.md.
TALL, STEP = 8.0, 1.5  # of the spacing: how tall the windows are in which a way is sought, and how far apart
WIDE = 0.6  # of the spacing: the least width of a way
QUIET = 0.3  # of the ink of writing: what a way has at most
CLOSE = 0.5  # of the spacing: the height of a line's letters
CROSSED = 1.0  # of the ink of writing: what runs across a way
BESIDE, BUSY = 4.0, 0.4  # of the spacing: how far to both sides of a way writing is sought; of the ink of writing
WRITING = 60  # per cent of the places with ink that have less of it than writing
COLUMN, GUTTER = 3, 0.5  # lines that make a column of their own; of the spacing: the least gap between columns
ACROSS = 0.1  # of the lines: as many may run across a gap between columns
BESIDES = 0.5  # of the lower column's height: columns stand beside each other so far


def white_ways(ink: np.ndarray, spacing: float) -> np.ndarray:
    """Return which pixels (rows, columns) of a small picture no line of writing runs across.

    In a window as tall as some lines, spaces between words do not stand above each other, but those between columns do.
    """
    tall, step = round(TALL * spacing), max(1, round(STEP * spacing))
    ways = np.zeros(ink.shape, dtype=bool)
    if len(ink) < tall:
        return ways
    sums = np.pad(ink, ((1, 0), (0, 0))).cumsum(axis=0)
    tops = np.arange(0, len(ink) - tall + 1, step)
    means = (sums[tops + tall] - sums[tops]) / tall
    inked = means[means > 0.01]
    if not len(inked):
        return ways
    writing = float(np.percentile(inked, WRITING))
    beside, close = round(BESIDE * spacing), max(1, round(CLOSE * spacing))
    for top, profile in zip(tops, means, strict=True):
        total = np.pad(profile, (1, 0)).cumsum()
        edges = np.flatnonzero(np.diff(np.pad(profile < QUIET * writing, 1).astype(np.int8)))
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            before, after = max(0, left - beside), min(len(profile), right + beside)
            if right - left < WIDE * spacing or before == left or after == right:
                continue
            sides = (total[left] - total[before]) / beside, (total[after] - total[right]) / beside
            if min(sides) >= BUSY * writing:
                rows = np.convolve(ink[top : top + tall, left:right].mean(axis=1), np.ones(close) / close, mode="same")
                ways[top : top + tall, left:right] |= (rows < CROSSED * writing)[:, None]
    return ways


@dataclass(frozen=True)
class _Cut:
    """Lines parted by an upright gap: those on its left, on its right, and those that run across."""

    left: list[Ridge]
    right: list[Ridge]
    across: list[Ridge]


def in_reading_order(lines: Sequence[Ridge], spacing: float, rtl: bool = False) -> list[Ridge]:
    """Return lines from the top down, column by column where upright gaps part them, from the right with `rtl`.

    A heading above columns is read before them, a foot below them after them; what runs across amid them, such as two
    lines that an initial joins, is read with the first one.
    """
    cut = _best_cut(lines, spacing)
    if cut is None:
        return sorted(lines, key=_row)
    beside = [*cut.left, *cut.right]
    heads = [line for line in cut.across if sum(_row(other) < _row(line) for other in beside) < COLUMN]
    feet = [line for line in cut.across if sum(_row(other) > _row(line) for other in beside) < COLUMN]
    rest = [line for line in cut.across if line not in heads and line not in feet]
    top = max((_row(line) for line in heads), default=-np.inf)
    bottom = min((_row(line) for line in feet), default=np.inf)
    above = [*heads, *(line for line in beside if _row(line) < top)]
    below = [*feet, *(line for line in beside if _row(line) > bottom)]
    first, then = (cut.right, cut.left) if rtl else (cut.left, cut.right)
    amid = ([line for line in part if top <= _row(line) <= bottom] for part in ([*first, *rest], then))
    columns = [line for part in amid for line in in_reading_order(part, spacing, rtl)]
    return [*sorted(above, key=_row), *columns, *sorted(below, key=_row)]


def _best_cut(lines: Sequence[Ridge], spacing: float) -> _Cut | None:
    """Return the cut that the fewest lines run across, the widest of these; None where nothing makes two columns."""
    found = []
    for begin in sorted({float(line.columns[0]) for line in lines}):
        right = [line for line in lines if line.columns[0] >= begin]
        left = [line for line in lines if line.columns[-1] < begin - GUTTER * spacing]
        across = len(lines) - len(left) - len(right)
        if min(len(left), len(right)) < COLUMN:
            continue
        if across == 0 or (across <= ACROSS * len(lines) and _beside(left, right)):
            gap = begin - max(float(line.columns[-1]) for line in left)
            found.append((across, -gap, begin, left, right))
    if not found:
        return None
    _, _, _, left, right = min(found, key=lambda one: one[:3])
    return _Cut(left, right, [line for line in lines if line not in left and line not in right])


def _beside(left: Sequence[Ridge], right: Sequence[Ridge]) -> bool:
    """Return whether columns stand beside each other, not one above the other."""
    (top, bottom), (upper, lower) = (
        (min(rows), max(rows)) for rows in ([_row(one) for one in side] for side in (left, right))
    )
    return min(bottom, lower) - max(top, upper) >= BESIDES * min(bottom - top, lower - upper)


def _row(line: Ridge) -> float:
    return float(line.rows.mean())
