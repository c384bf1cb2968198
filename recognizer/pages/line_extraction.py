"""Cutting a line out of the image of its page."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from recognizer.errors import RecognizerError
from recognizer.pages.dewarping import DewarpedLine, dewarp
from recognizer.pages.page import LineRegion, clipped

MAX_PIXELS = 50_000_000  # of a cut line
PAPER_PERCENTILE, INK_PERCENTILE = 80.0, 0.5  # of the grey values inside the outline
MARGIN = 0.05  # of a line's height: paper that is left around the ink
LEAST_CONTRAST = 16.0  # grey levels between paper and ink; with less there is no ink to go by


@dataclass(frozen=True)
class ExtractedLine:
    """A line cut out of its page.

    Args:
        values: uint8 (rows, columns), its baseline level, paper around its outline, trimmed to its ink.
        strip: in which it lies, not trimmed.
        left: columns of the strip that were trimmed away before the first of `values`.
        top: rows, likewise.
    """

    values: np.ndarray
    strip: DewarpedLine
    left: int
    top: int


def extract_line(grey: np.ndarray, area: LineRegion, straight: bool = False) -> ExtractedLine:
    """Cut a line out of a page.

    Args:
        grey: the page, uint8 (rows, columns).
        area: where the line stands; what lies beyond the page's edges is left out.
        straight: cut the upright box around the outline and bend nothing.

    Raises:
        RecognizerError: the outline is empty, outside the page, or of too many pixels.
    """
    rows, columns = grey.shape
    area = clipped(area, (columns, rows))
    strip = dewarp(area, straight)
    width, height = strip.size
    if width * height > MAX_PIXELS:
        raise RecognizerError(f"{width} x {height} pixels, expected at most {MAX_PIXELS:,} in all", "too large")
    page, paper, origin = _alone(grey, area, strip.spread)
    level = np.asarray(
        page.transform(
            (width, height), Image.Transform.MESH, _mesh(strip, origin), Image.Resampling.BILINEAR, fillcolor=paper
        )
    )
    top, bottom, left, right = _ink_box(level, round(MARGIN * height))
    return ExtractedLine(level[top:bottom, left:right], strip, left, top)


def _alone(grey: np.ndarray, area: LineRegion, spread: float) -> tuple[Image.Image, int, np.ndarray]:
    """Return the part of a page that holds an outline, all else in it as paper; the paper's grey; where it begins."""
    low = np.floor(np.min(area.outline, axis=0) - spread).clip(0).astype(int)
    high = np.ceil(np.max(area.outline, axis=0) + spread).clip(0).astype(int)
    inner = Image.fromarray(np.ascontiguousarray(grey[low[1] : high[1], low[0] : high[0]]))
    mask = Image.new("L", inner.size)
    if min(inner.size):
        corners = [(x - float(low[0]), y - float(low[1])) for x, y in area.outline]
        draw = ImageDraw.Draw(mask)
        draw.polygon(corners, fill=255)
        draw.line([*corners, *corners[:2]], fill=255, width=round(2 * spread) + 1, joint="curve")
    inside = np.asarray(inner)[np.asarray(mask) > 0]
    if not inside.size:
        raise RecognizerError("its outline holds no pixel of the page, expected one on it", "outside the page")
    paper = int(np.percentile(inside, PAPER_PERCENTILE))
    return Image.composite(inner, Image.new("L", inner.size, paper), mask), paper, low


def _mesh(strip: DewarpedLine, origin: np.ndarray) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    """Return the parts of the level image with the quadrilaterals of the page that they show, as Pillow wants them."""
    width, height = strip.size
    places = np.unique(np.clip(np.rint(strip.along), 0, width).astype(int))
    ends = [strip.corners(place) for place in places.tolist()]
    parts = []
    for left, right, (upper, lower), (next_upper, next_lower) in zip(
        places[:-1].tolist(), places[1:].tolist(), ends[:-1], ends[1:], strict=True
    ):
        corners = (upper - origin, lower - origin, next_lower - origin, next_upper - origin)
        parts.append(((left, 0, right, height), tuple(float(v) for corner in corners for v in corner)))
    return parts


def _ink_box(level: np.ndarray, margin: int) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right of what is nearer to ink than to paper, with a margin; all where nothing is."""
    low, high = np.percentile(level, [INK_PERCENTILE, PAPER_PERCENTILE])
    ink = level < (low + high) / 2
    if high - low < LEAST_CONTRAST or not ink.any():
        return 0, level.shape[0], 0, level.shape[1]
    ends = []
    for axis, size in ((1, level.shape[0]), (0, level.shape[1])):
        found = np.flatnonzero(ink.any(axis=axis))
        ends += [max(0, int(found[0]) - margin), min(size, int(found[-1]) + 1 + margin)]
    return ends[0], ends[1], ends[2], ends[3]
