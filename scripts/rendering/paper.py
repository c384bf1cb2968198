"""What lies under and around the ink: paper, rules, other lines, stains."""

import io

import numpy as np
from PIL import Image

from rendering.noise import Rng, curve, grain, happens, surface
from rendering.settings import RenderSettings


def paper(rows: int, columns: int, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Return float32 (rows, columns) grey of the empty paper, 255 white."""
    sheet = np.full((rows, columns), 255, dtype=np.float32)
    if not happens(rng, settings.stained):
        return sheet
    if happens(rng, 0.7):
        sheet -= float(rng.uniform(2, 14)) * np.abs(surface(rng, rows, columns, float(rng.uniform(8, 60))))
    if happens(rng, 0.4):
        dirt = grain(rng, rows, columns) * float(rng.uniform(1, 14))
        sheet -= np.abs(dirt) * np.clip(0.5 + surface(rng, rows, columns, float(rng.uniform(4, 40))), 0, 1)
    if happens(rng, 0.15):
        sheet -= float(rng.uniform(5, 40)) * np.linspace(0, 1, columns, dtype=np.float32)[:: rng.choice([-1, 1])]
    return np.clip(sheet, 150, 255)


def rules(rows: int, columns: int, baseline: float, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Return float32 (rows, columns) of the light that printed rules take: a line, dots below it, squares, a margin."""
    taken = np.zeros((rows, columns), dtype=np.float32)
    if not happens(rng, settings.rules):
        return taken
    small = rows / 64
    grey = float(rng.uniform(0.08, 0.45))
    y = baseline + small * float(rng.uniform(-1, 5))
    slope = float(rng.normal(0, 0.004))
    kind = rng.choice(["line", "dots", "squares"], p=[0.4, 0.3, 0.3])
    if kind == "squares":
        pitch = small * float(rng.uniform(14, 30))
        for k in range(-4, 5):
            _across(taken, y + k * pitch, slope, 1.1 * small, grey)
        for x in np.arange(rng.uniform(0, pitch), columns, pitch):
            _down(taken, x, -slope, grey)
    else:
        _across(taken, y, slope, small * float(rng.uniform(0.8, 1.6)), min(1.0, grey * (2.2 if kind == "dots" else 1)))
        if kind == "dots":
            period, length = float(rng.uniform(3.5, 7)) * small, float(rng.uniform(1.8, 3)) * small
            taken *= (np.arange(columns) % period < length)[None]
    if happens(rng, 0.1):
        _down(taken, float(rng.uniform(0, 10)), 0, float(rng.uniform(0.2, 0.9)))
    return taken * np.clip(1 + 0.3 * surface(rng, rows, columns, 12), 0, 1.2)


def _across(taken: np.ndarray, y: float, slope: float, thickness: float, grey: float) -> None:
    """Draw a nearly level line into `taken`."""
    rows, columns = taken.shape
    centre = y + slope * (np.arange(columns) - columns / 2)
    distance = np.abs(np.arange(rows)[:, None] - centre[None])
    np.maximum(taken, grey * np.clip(thickness / 2 + 0.5 - distance, 0, 1), out=taken)


def _down(taken: np.ndarray, x: float, slope: float, grey: float) -> None:
    """Draw a nearly upright line, one pixel wide, into `taken`."""
    rows, columns = taken.shape
    at = x + slope * np.arange(rows)
    for column in (np.floor(at).astype(int), np.floor(at).astype(int) + 1):
        inside = np.flatnonzero((column >= 0) & (column < columns))
        share = 1 - np.abs(at[inside] - column[inside])
        taken[inside, column[inside]] = np.maximum(taken[inside, column[inside]], grey * share)


def shining(ink: np.ndarray, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Return float32 like `ink`: mirrored writing of the other side that shows faintly in places."""
    if not happens(rng, settings.shining):
        return np.zeros_like(ink)
    other = np.roll(ink[:, ::-1], int(rng.integers(-ink.shape[0] // 2, ink.shape[0] // 2)), axis=0)
    other = (other + np.roll(other, 1, 0) + np.roll(other, 1, 1) + np.roll(other, -1, 1)) / 4
    where = np.clip(0.5 + 0.7 * surface(rng, len(ink), ink.shape[1], 70), 0, 1)
    faint: np.ndarray = other * where * np.float32(rng.uniform(0.12, 0.5))
    return faint


def blot(ink: np.ndarray, baseline: float, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Return float32 like `ink` of further ink: a blot, a stroke below some letters, dust."""
    rows, columns = ink.shape
    more = np.zeros_like(ink)
    if not happens(rng, settings.blots):
        return more
    small = rows / 64
    x, y = float(rng.uniform(0, columns)), float(rng.uniform(0, rows))
    if happens(rng, 0.5):
        radius = small * float(rng.uniform(1.0, 4.5))
        distance = np.hypot(np.arange(rows)[:, None] - y, np.arange(columns)[None] - x)
        more[:] = np.clip(radius + 1.2 * surface(rng, rows, columns, 4) - distance, 0, 1)
        return more
    _across(more, baseline + small * float(rng.uniform(2, 7)), float(rng.normal(0, 0.02)), 2.0 * small, 0.9)
    start, end = sorted(rng.uniform(0, columns, 2).astype(int))
    more[:, :start], more[:, end:] = 0, 0
    return more


def torn(ink: np.ndarray, depth: float, rng: Rng) -> np.ndarray:
    """Return `ink` of the lines above and below, cut off along wavy borders `depth` rows inside the image."""
    rows, columns = ink.shape
    row = np.arange(rows)[:, None]
    top = depth * np.clip(1 + 0.5 * curve(rng, columns, 90), 0, 2)
    bottom = rows - 1 - depth * np.clip(1 + 0.5 * curve(rng, columns, 90), 0, 2)
    return np.where((row <= top[None]) | (row >= bottom[None]), ink, 0).astype(np.float32)


def compressed(grey: np.ndarray, settings: RenderSettings, rng: Rng) -> np.ndarray:
    """Return uint8 like `grey` after a coarse scan, a lossy file, or neither."""
    image = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
    if not happens(rng, settings.artefacts):
        return np.asarray(image)
    if happens(rng, 0.5):
        part = float(rng.uniform(0.5, 0.85))
        few = image.resize((max(8, int(image.width * part)), int(image.height * part)), Image.Resampling.BILINEAR)
        image = few.resize(image.size, Image.Resampling.BICUBIC)
    if happens(rng, 0.7):
        memory = io.BytesIO()
        image.save(memory, "JPEG", quality=int(rng.integers(25, 80)))
        image = Image.open(memory)
    return np.asarray(image)
