"""Outlines that lie apart from the baselines of their lines, as tools leave them that scale one and not the other."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recognizer.pages.page import LineRegion, Page, PageLine, Points

INSIDE = 0.5  # share of a baseline that has to lie in the box around its outline, lest the outline is not believed
BESIDE = 0.25  # of the outline's height: how far outside a baseline may lie
PLACES = 20  # along a baseline
ABOVE, BELOW = 0.75, 0.35  # of the distance between lines: from the baseline to the edges of a new outline
AROUND = 0.3  # likewise at its ends

Coordinates = NDArray[np.float64]


def with_believable_outlines(page: Page) -> Page:
    """Return a page whose lines all stand where their baselines are.

    An outline that its baseline leaves is drawn anew around the baseline, as high as the lines of the page are apart.
    Where the page has no two lines that tell, it stays as it is.
    """
    strays = {i for i, line in enumerate(page.lines) if line.area is not None and _astray(line.area)}
    distance = _distance(page.lines) if strays else 0.0
    if not distance:
        return page
    lines = tuple(_redrawn(line, distance) if i in strays else line for i, line in enumerate(page.lines))
    note = f"{len(strays)} outlines apart from their baselines, drawn anew around these"
    return replace(page, lines=lines, notes=(*page.notes, note))


def _astray(area: LineRegion) -> bool:
    if len(area.baseline) < 2:
        return False
    outline = np.array(area.outline)
    low, high = outline.min(0), outline.max(0)
    beside = BESIDE * max(high[1] - low[1], 1.0)
    baseline = np.array(area.baseline)
    at = np.linspace(0.0, len(baseline) - 1.0, PLACES)
    places = np.stack([np.interp(at, np.arange(len(baseline)), axis) for axis in baseline.T], 1)
    inside = ((places >= low - beside) & (places <= high + beside)).all(1)
    return bool(inside.mean() < INSIDE)


def _distance(lines: tuple[PageLine, ...]) -> float:
    """Return the median distance downwards from a baseline to the next one below it; 0 where none is below another."""
    baselines = [
        np.array(line.area.baseline) for line in lines if line.area is not None and len(line.area.baseline) > 1
    ]
    steps = []
    for one in baselines:
        below = [float(other[:, 1].mean() - one[:, 1].mean()) for other in baselines if _over_each_other(one, other)]
        if further := [step for step in below if step > 1.0]:
            steps.append(min(further))
    return float(np.median(steps)) if steps else 0.0


def _over_each_other(one: Coordinates, other: Coordinates) -> bool:
    return bool(one[:, 0].min() < other[:, 0].max() and other[:, 0].min() < one[:, 0].max())


def _redrawn(line: PageLine, distance: float) -> PageLine:
    """Return a line whose outline is a band along its baseline."""
    assert line.area is not None  # only such lines go astray
    baseline = line.area.baseline
    (left, first), (right, last) = min(baseline), max(baseline)
    ends: Points = ((left - AROUND * distance, first), *sorted(baseline), (right + AROUND * distance, last))
    top = tuple((x, y - ABOVE * distance) for x, y in ends)
    bottom = tuple((x, y + BELOW * distance) for x, y in reversed(ends))
    return replace(line, area=replace(line.area, outline=(*top, *bottom)))
