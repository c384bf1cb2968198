"""Finding the lines of writing on a page of which nothing is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognizer.pages.columns import in_reading_order, white_ways
from recognizer.pages.page import LineRegion
from recognizer.pages.ridge_tracking import Ridge, follow_ridges
from recognizer.pages.rules import blurred, ink_of, small_picture, spacing_of, without_rules

# Set on the five pages of docs/guides/pages.md; what a change of each does to others: docs/lab/segmentation.md.
LEAST_SIDE = 40  # pixels of the small picture: no line is found on less
ACROSS, ALONG = 0.16, 0.55  # of the spacing: standard deviations that ink is smeared by, across and along the lines
REACH = 0.3  # of the spacing: how far from its ridge the middle of a line's letters reaches
LEAST_STROKES = 0.4  # strokes on a way as long as the spacing: fewer are no writing
EDGE = 0.3  # of the spacing: what is so near to the page's upper or lower edge is the edge
LEAST_SHARE = 0.3  # of the ink of the page's middle line: less is no writing
DARK = 0.35  # ink that makes a stroke
ASCENT, DESCENT = 1.0, 0.75  # of the spacing: how far a line reaches where no other is near
BESIDE = 1.0  # of the spacing: so far beyond its ends a line still parts others from itself
INNER = 0.25  # of the way between two lines, at both ends: where nothing parts them
LETTERS = 0.45  # of a line's densest row: its letters end where there is less


@dataclass(frozen=True)
class _Small:
    """The small picture that lines are sought in.

    Args:
        ink: (rows, columns) in 0 to 1.
        spacing: rows from a line to the next.
        share: of the page's pixels that make one of its own.
    """

    ink: np.ndarray
    spacing: float
    share: float


def find_lines(grey: np.ndarray, rtl: bool = False) -> list[LineRegion]:
    """Return where lines of writing stand on an evenly lit page, uint8 (rows, columns), in reading order.

    In a small picture ink is smeared along the lines and the ridges of what comes out are followed from the left to the
    right, as far as a white way between columns; what has too few strokes is no writing; between two lines the rows
    with the least ink part them. It is made for writing that is roughly level and of one size. Columns are read from
    the left, with `rtl` from the right.
    """
    ink = without_rules(ink_of(small_picture(grey)))
    if min(ink.shape) < LEAST_SIDE:
        return []
    small = _Small(ink, spacing_of(ink), len(ink) / len(grey))
    density = blurred(ink, ACROSS * small.spacing, ALONG * small.spacing)
    lines = _written(follow_ridges(density, small.spacing, white_ways(ink, small.spacing)), small)
    return [_area(line, lines, small) for line in in_reading_order(lines, small.spacing, rtl)]


def _written(ridges: Sequence[Ridge], small: _Small) -> list[Ridge]:
    """Return the ridges that are lines of writing."""
    strokes = [(line, *_strokes(line, small)) for line in ridges]
    edge = EDGE * small.spacing
    strokes = [
        (line, count, ink)
        for line, count, ink in strokes
        if count >= LEAST_STROKES and edge <= line.rows.mean() <= len(small.ink) - edge
    ]
    if not strokes:
        return []
    usual = float(np.median([ink for _, _, ink in strokes]))
    return [line for line, _, ink in strokes if ink >= LEAST_SHARE * usual]


def _band(line: Ridge, small: _Small, above: float, below: float) -> np.ndarray:
    """Return the ink (offsets, columns) around a ridge, from `above` to `below` spacings from it."""
    columns = np.arange(int(line.columns[0]), int(line.columns[-1]) + 1)
    middle = np.rint(np.interp(columns, line.columns, line.rows)).astype(int)
    offsets = np.arange(-round(above * small.spacing), round(below * small.spacing) + 1)
    at = np.clip(middle[None] + offsets[:, None], 0, len(small.ink) - 1)
    return np.asarray(small.ink[at, columns[None]])


def _strokes(line: Ridge, small: _Small) -> tuple[float, float]:
    """Return how many strokes a line crosses on a way as long as the spacing, and the mean of its ink."""
    band = _band(line, small, REACH, REACH)
    dark = band.max(axis=0) > DARK
    begun = int(dark[0]) + int((dark[1:] & ~dark[:-1]).sum())
    return begun * small.spacing / len(dark), float(band.mean())


def _area(line: Ridge, lines: Sequence[Ridge], small: _Small) -> LineRegion:
    """Return the outline and the baseline of a line in pixels of the page."""
    columns = np.concatenate(
        [[line.columns[0] - small.spacing / 2], line.columns, [line.columns[-1] + small.spacing / 2]]
    )
    columns = np.clip(columns, 0, small.ink.shape[1] - 1)
    rows = np.interp(columns, line.columns, line.rows)
    upper = _parting(line, lines, columns, rows, small, -1)
    lower = _parting(line, lines, columns, rows, small, 1)
    baseline = rows + _below(line, small)
    around = [*zip(columns, upper, strict=True), *zip(columns[::-1], lower[::-1], strict=True)]
    outline = tuple((float(x / small.share), float(y / small.share)) for x, y in around)
    level = tuple((float(x / small.share), float(y / small.share)) for x, y in zip(columns, baseline, strict=True))
    return LineRegion(outline, level, spread=0.0)


def _below(line: Ridge, small: _Small) -> float:
    """Return how far below its ridge the letters of a line end."""
    profile = _band(line, small, 0.0, REACH * 2).mean(axis=1)
    profile = np.convolve(np.pad(profile, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    under = np.flatnonzero(profile < LETTERS * profile.max())
    return float(under[0]) if len(under) else REACH * small.spacing


def _parting(
    line: Ridge, lines: Sequence[Ridge], columns: np.ndarray, rows: np.ndarray, small: _Small, side: int
) -> np.ndarray:
    """Return the rows above (side -1) or below (1) a line at which it ends."""
    reach = (ASCENT if side < 0 else DESCENT) * small.spacing
    beyond = BESIDE * small.spacing  # letters lie farther along a line than its ridge
    ends = []
    for column, row in zip(columns, rows, strict=True):
        near = [at for other in lines if other is not line and (at := other.at(column, beyond)) is not None]
        near = [at for at in near if 0 < side * (at - row) < 2 * reach]
        if not near:
            ends.append(row + side * reach)
            continue
        other = min(near, key=lambda at: abs(at - row))
        low, high = sorted((row + INNER * (other - row), other - INNER * (other - row)))
        left, right = int(max(0, column - small.spacing / 2)), int(column + small.spacing / 2) + 1
        between = np.arange(int(low), int(high) + 1).clip(0, len(small.ink) - 1)
        ink = small.ink[between, left:right].mean(axis=1)
        ends.append(float(between[int(np.argmin(ink + 0.05 * np.abs(between - (low + high) / 2) / small.spacing))]))
    padded = np.pad(np.array(ends), 1, mode="edge")
    steady = np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)
    return np.asarray(np.clip(steady, 0, len(small.ink)))
