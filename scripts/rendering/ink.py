"""From the form of strokes to ink: how thick, how dark, how even."""

from statistics import NormalDist

import numpy as np
from PIL import Image, ImageFilter

from rendering.bend import FINE
from rendering.noise import Rng, curve, grain, happens, surface, within
from rendering.settings import RenderSettings

THICKEST = 0.21  # of the height of an "x"
NORMAL = NormalDist()
WEAKEST = 0.55  # of the peak of a blurred stroke: a higher threshold would break it


def stroke_width(ink: np.ndarray) -> float:
    """Return the mean thickness in pixels of strokes, uint8 ink 255 on 0: area over half the length of the outline."""
    dark = ink > 127
    edges = (dark[1:] != dark[:-1]).sum() + (dark[:, 1:] != dark[:, :-1]).sum()
    # Edges counted along rows and columns overstate a slanted outline by 4/pi on average (Cauchy-Crofton).
    return float(dark.sum() / max(edges * np.pi / 8, 1.0))


def thicken(image: Image.Image, x_height: float, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Make strokes as thick as this line's pen.

    Args:
        image: ink 255 on 0, FINE times as high as the line.
        x_height: of the letters, in pixels of the line: a pen too thick for it fills them.
        settings: of the line.
        rng: draws the pen.

    Returns:
        float32 (height, columns) share of each pixel that is ink.
    """
    width = stroke_width(np.asarray(image))
    wanted = min(within(rng, settings.thickness) * settings.height, THICKEST * x_height)
    change = wanted * FINE - width
    sigma = float(np.clip(0.75 * abs(change), 0.8, max(0.8, 0.09 * x_height * FINE))) * float(rng.uniform(1.0, 1.2))
    peak = 2 * NORMAL.cdf(width / 2 / sigma) - 1
    threshold = float(np.clip(NORMAL.cdf(-change / 2 / sigma), 0.08, WEAKEST * peak))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(sigma)), dtype=np.float32)
    thresholds = (threshold * np.exp(settings.pressure * 0.22 * curve(rng, image.width, 50))).astype(np.float32)[None]
    softness = float(rng.uniform(0.25, 0.9))
    assert FINE == 2, "the four pixels that make one are added by hand: numpy's mean over two axes is slow"
    ink = np.clip((blurred / 255 - thresholds) / (2 * softness * thresholds) + 0.5, 0, 1)
    return ((ink[::2, ::2] + ink[1::2, ::2] + ink[::2, 1::2] + ink[1::2, 1::2]) / 4).astype(np.float32)


def darken(ink: np.ndarray, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Return how much light the ink takes, float32 0..1 like `ink`: pen or pencil, even or faded."""
    rows, columns = ink.shape
    strength = np.full((1, columns), 1 - within(rng, settings.ink) / 255, dtype=np.float32)
    if happens(rng, settings.faded):
        depth = float(rng.uniform(0.2, 0.65))
        strength *= 1 - depth * (0.5 + 0.5 * np.tanh(1.5 * curve(rng, columns, float(rng.uniform(40, 200)))))
    taken = ink * strength
    if happens(rng, settings.pencil):
        taken = _pencil(taken, rng)
    elif happens(rng, 0.3 * settings.pressure):
        taken *= 1 - 0.25 * np.clip(surface(rng, rows, columns, 6), 0, 1)
    return taken.astype(np.float32)


def _pencil(taken: np.ndarray, rng: Rng) -> np.ndarray:
    """Return what a pencil leaves: paler, and paper showing through its grain."""
    rows, columns = taken.shape
    rough = grain(rng, rows, columns) * 0.5 + surface(rng, rows, columns, 2.0) * 0.7
    depth = float(rng.uniform(0.15, 0.6))
    pale = float(rng.uniform(0.6, 1.0))
    result: np.ndarray = taken * pale * np.clip(1 - depth * (rough + 0.3), 0, 1.15)
    return result
