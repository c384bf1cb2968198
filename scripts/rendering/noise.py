"""Smooth random curves, surfaces, numbers."""

import numpy as np
from PIL import Image

from rendering.settings import Range

Rng = np.random.Generator


def within(rng: Rng, limits: Range) -> float:
    """Return a number inside `limits`, rarely near their ends, more often in the lower half."""
    return limits[0] + (limits[1] - limits[0]) * float(rng.beta(1.6, 2.2))


def happens(rng: Rng, share: float) -> bool:
    """Return True in `share` of the calls."""
    return bool(rng.random() < share)


def curve(rng: Rng, length: int, wavelength: float) -> np.ndarray:
    """Return float64 (length,) around 0, spread about 1, that changes over `wavelength` steps."""
    knots = rng.standard_normal(max(3, int(length / wavelength) + 3))
    at = np.linspace(0, len(knots) - 1.001, length)
    left = at.astype(int)
    part = at - left
    smooth = part * part * (3 - 2 * part)
    values: np.ndarray = knots[left] * (1 - smooth) + knots[left + 1] * smooth
    return values


def surface(rng: Rng, rows: int, columns: int, wavelength: float) -> np.ndarray:
    """Return float32 (rows, columns) around 0, spread about 1, that changes over `wavelength` pixels."""
    small = rng.standard_normal((int(rows / wavelength) + 3, int(columns / wavelength) + 3)).astype(np.float32)
    return np.asarray(Image.fromarray(small).resize((columns, rows), Image.Resampling.BICUBIC))


def grain(rng: Rng, rows: int, columns: int) -> np.ndarray:
    """Return float32 (rows, columns) of independent noise around 0, spread about 1."""
    return rng.standard_normal((rows, columns), dtype=np.float32)
