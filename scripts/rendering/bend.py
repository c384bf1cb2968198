"""A large flat drawing bent into a line of a given height."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from rendering.fonts import UNIT, Font
from rendering.noise import Rng, curve, surface, within
from rendering.pen import ABOVE, Drawing
from rendering.settings import RenderSettings

FINE = 2  # pixels of the bent drawing for one of the line
CELL = 20  # pixels of the bent drawing between two nodes, across
ROWS = 3  # cells from top to bottom
OVERFLOW = 0.03  # share of the height that a tall stroke may lose
STRETCH = (0.72, 1.6)  # how much wider than high letters may be scaled


@dataclass(frozen=True)
class Shape:
    """Where a line lies; lengths in pixels of the finished line.

    Args:
        baseline: row.
        up: pixels of the line for one of the drawing, from top to bottom.
        across: likewise from left to right.
        shear: shift to the right per pixel upwards, beyond the font's own.
        columns: of the line before it is cropped.
        left: column where the text starts.
    """

    baseline: float
    up: float
    across: float
    shear: float
    columns: int
    left: float


def shape_of(drawing: Drawing, characters: int, font: Font, settings: RenderSettings, rng: Rng) -> Shape:
    """Choose size, place and slant of a line so that its text fits."""
    height = settings.height
    left, top, right, bottom = drawing.box
    baseline = height * float(np.clip(rng.normal(0.66, 0.035), 0.56, 0.76))
    up = within(rng, settings.x_height) * height / UNIT
    up = min(up, (baseline + OVERFLOW * height) / max(ABOVE - top, 1))
    up = min(up, (height - baseline + OVERFLOW * height) / max(bottom - ABOVE, 1))
    wanted = within(rng, settings.advance) * height * characters / (right - left)
    across = float(np.clip(wanted, STRETCH[0] * up, STRETCH[1] * up))
    low, high = settings.slant
    slant = float(np.clip(rng.normal(0.35, 0.3), low, high)) if low < high else low
    shear = float(np.clip(slant - font.slant, -0.6, 0.6))
    room = abs(shear) * height + 8
    return Shape(baseline, up, across, shear, int((right - left) * across + 2 * room), room)


def bend(drawing: Drawing, shape: Shape, settings: RenderSettings, rng: Rng) -> Image.Image:
    """Return the ink of a line, 255 on 0, FINE times as high as the line."""
    columns = -(-shape.columns * FINE // CELL)
    size = (columns * CELL, settings.height * FINE)
    nodes = _nodes(drawing, shape, columns, settings, rng)
    rows = np.linspace(0, size[1], ROWS + 1).astype(int).tolist()
    corners = np.concatenate([nodes[:-1, :-1], nodes[1:, :-1], nodes[1:, 1:], nodes[:-1, 1:]], axis=-1).tolist()
    mesh = [
        ((j * CELL, rows[i], (j + 1) * CELL, rows[i + 1]), tuple(corners[i][j]))
        for i in range(ROWS)
        for j in range(columns)
    ]
    return drawing.image.transform(size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _nodes(drawing: Drawing, shape: Shape, columns: int, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Return (ROWS + 1, columns + 1, 2): where in the drawing the nodes of the mesh come from."""
    n, step, small = columns + 1, CELL / FINE, settings.height / 64
    x = np.arange(n)[None] * step
    y = np.linspace(0, settings.height, ROWS + 1)[:, None]
    wobble, bent = settings.wobble, settings.bend
    letters = curve(rng, n, 16 * small / step) * 0.7 + curve(rng, n, 45 * small / step)
    level = rng.normal(0, 0.006) * (x - shape.columns / 2) + curve(rng, n, 300 / step) * 1.1
    height = shape.baseline + small * (0.6 * wobble * letters + bent * level) - y  # above the baseline
    size = 1 + wobble * 0.07 * curve(rng, n, 22 * small / step)
    slant = shape.shear + wobble * 0.06 * curve(rng, n, 60 * small / step)
    shift = 2.2 * curve(rng, n, 60 * small / step) + 0.9 * surface(rng, ROWS + 1, n, 1.4)
    lift = 0.5 * surface(rng, ROWS + 1, n, 1.4)
    from_x = x - shape.left - slant * height + small * wobble * shift
    from_y = height / size + small * wobble * lift
    return np.stack([drawing.box[0] + from_x / shape.across, ABOVE - from_y / shape.up], axis=-1)


def moved(image: np.ndarray, down: int, empty: int) -> np.ndarray:
    """Return the image (rows, columns) shifted by `down` rows, `empty` where nothing comes in."""
    result = np.full_like(image, empty)
    rows = np.arange(len(image)) - down
    inside = (rows >= 0) & (rows < len(image))
    result[inside] = image[rows[inside]]
    return result
