"""One line of text as the image of a written line."""

import numpy as np

from recognizer.errors import RecognizerError
from rendering.bend import bend, moved, shape_of
from rendering.fonts import UNIT, Font
from rendering.ink import darken, thicken
from rendering.noise import Rng, happens
from rendering.paper import blot, compressed, paper, rules, shining, torn
from rendering.pen import draw
from rendering.settings import RenderSettings

EDGE = 2  # columns of paper that every line has on its left and right


def render_line(text: str, font: Font, seed: int, settings: RenderSettings) -> np.ndarray:
    """Write `text` with the hand of `font`.

    Args:
        text: one line, without white space outside or twice inside.
        font: has every character of it.
        seed: the same seed gives the same image.
        settings: how much lines vary.

    Returns:
        uint8 (settings.height, columns), 255 paper, dark ink.

    Raises:
        RecognizerError: the text is empty or not one line, or the font lacks a character of it.
    """
    if not text or text != " ".join(text.split()):
        raise RecognizerError(f"text {text!r}: expected one line with single spaces inside and none outside")
    if missing := font.missing(text):
        raise RecognizerError(f"{font.name} has no {''.join(missing)!r} for {text!r}, expected a font that has")
    rng = np.random.default_rng(seed)
    drawing = draw(text, font, settings.wobble, rng)
    shape = shape_of(drawing, len(text), font, settings, rng)
    ink = _crop(thicken(bend(drawing, shape, settings, rng), shape.up * UNIT, settings, rng), settings, rng)
    return _on_paper(ink, shape.baseline, settings, rng)


def _on_paper(ink: np.ndarray, baseline: float, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Return the grey image of ink, other lines' ink, rules, stains, paper."""
    rows, columns = ink.shape
    ink = np.maximum(ink, _others(ink, settings, rng))
    taken = darken(np.maximum(ink, blot(ink, baseline, settings, rng)), settings, rng)
    for more in (rules(rows, columns, baseline, settings, rng), shining(ink, settings, rng)):
        taken = 1 - (1 - taken) * (1 - more)
    return compressed(paper(rows, columns, settings, rng) * (1 - taken), settings, rng)


def _crop(ink: np.ndarray, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Cut the columns left and right of the text down to this line's margins."""
    columns = np.flatnonzero((ink > 0.25).any(axis=0))
    first, last = (int(columns[0]), int(columns[-1])) if len(columns) else (0, ink.shape[1] - 1)
    left, right = (EDGE + int(rng.exponential(settings.margin)) if settings.margin else EDGE for _ in range(2))
    kept = ink[:, max(0, first - left) : last + 1 + right]
    before, after = max(0, left - first), max(0, last + 1 + right - ink.shape[1])
    return np.pad(kept, ((0, 0), (before, after)))


def _others(ink: np.ndarray, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Return the ink of lines above and below: this line moved along and away, of which only the ends show."""
    rows, columns = ink.shape
    if not happens(rng, settings.neighbours):
        return np.zeros_like(ink)
    found = np.zeros_like(ink)
    if happens(rng, 0.6):
        found = moved(
            np.roll(ink, int(rng.integers(columns)), axis=1), -round(rows * float(rng.uniform(0.55, 0.95))), 0
        )
    if happens(rng, 0.5):
        other = np.roll(ink, int(rng.integers(columns)), axis=1)
        found = np.maximum(found, moved(other, round(rows * float(rng.uniform(0.55, 0.95))), 0))
    return torn(found, rows * float(rng.uniform(0.02, 0.14)), rng)
