"""Cutting a line out of the image of its page."""

import numpy as np
from PIL import Image, ImageDraw

from recognizer.errors import RecognizerError
from recognizer.pages.page import Area, clipped
from recognizer.pages.strip import Strip, strip_of

MAX_PIXELS = 50_000_000  # of a cut line
PAPER_PERCENTILE = 80.0  # of the grey values inside the outline: what is put outside


def cut_line(grey: np.ndarray, area: Area, straight: bool = False) -> tuple[np.ndarray, Strip]:
    """Return a line as an image (rows, columns) with its baseline level, paper around its outline; and its strip.

    Args:
        grey: the page, uint8 (rows, columns).
        area: where the line stands; what lies beyond the page's edges is left out.
        straight: cut the upright box around the outline and bend nothing.

    Raises:
        RecognizerError: the outline is empty, outside the page, or of too many pixels.
    """
    rows, columns = grey.shape
    area = clipped(area, (columns, rows))
    outline = area.outline
    left, top = (int(min(values)) for values in zip(*outline, strict=True))
    right, bottom = (int(np.ceil(max(values))) for values in zip(*outline, strict=True))
    inner = Image.fromarray(np.ascontiguousarray(grey[top:bottom, left:right]))
    mask = Image.new("L", inner.size)
    if min(inner.size):
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in outline], fill=255)
    inside = np.asarray(inner)[np.asarray(mask) > 0]
    if not inside.size:
        raise RecognizerError("its outline holds no pixel of the page, wanted one on it", "outside the page")
    paper = int(np.percentile(inside, PAPER_PERCENTILE))
    strip = strip_of(area, straight)
    width, height = strip.size
    if width * height > MAX_PIXELS:
        raise RecognizerError(f"{width} x {height} pixels, wanted at most {MAX_PIXELS:,} in all", "too large")
    clean = Image.composite(inner, Image.new("L", inner.size, paper), mask)
    level = clean.transform(
        (width, height),
        Image.Transform.MESH,
        _mesh(strip, np.array([left, top])),
        Image.Resampling.BILINEAR,
        fillcolor=paper,
    )
    return np.asarray(level), strip


def _mesh(strip: Strip, origin: np.ndarray) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
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
