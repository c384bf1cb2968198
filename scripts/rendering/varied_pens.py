"""Pen strokes drawn as different pens would on different papers."""

import hashlib
import random
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

FINER = 2  # times: drawn so large, then scaled down
LEAST_HEIGHT = 30.0  # units of the tablet: a dash alone is no taller letter
RULED, SQUARED, GRAINY, FADED = 0.35, 0.15, 0.5, 0.4  # shares of the lines


def varied_line(name: str, strokes: Sequence[np.ndarray]) -> Image.Image:
    """Return the grey image of a line; its name alone decides on slant, size, pen and paper.

    Args:
        name: of the line.
        strokes: (points, 2) each, y downwards, in any unit.
    """
    seed = int(hashlib.md5(name.encode()).hexdigest(), 16) % 2**31
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    places, size = _placed(strokes, rng)
    taken = _ink(places, size, rng)
    light = _paper(taken.shape, rng, numbers) - _faded(taken, rng, numbers) * rng.uniform(0.55, 1.0)
    return Image.fromarray(np.clip(light * 255.0, 0.0, 255.0).astype(np.uint8))


def _placed(strokes: Sequence[np.ndarray], rng: random.Random) -> tuple[list[np.ndarray], float]:
    """Return the strokes in pixels, slanted and scaled, with paper around them, and pixels a unit."""
    low = np.min([stroke.min(0) for stroke in strokes], axis=0)
    tall = max(float(max(stroke[:, 1].max() for stroke in strokes) - low[1]), LEAST_HEIGHT)
    slant, size, margin = rng.gauss(0.0, 0.12), min(rng.uniform(60, 110) / tall, 1.2), rng.uniform(4, 14)
    placed = [(stroke - low) * size for stroke in strokes]
    for stroke in placed:
        stroke[:, 0] += slant * (tall * size - stroke[:, 1])
    corner = np.min([stroke.min(0) for stroke in placed], axis=0) - margin
    return [stroke - corner for stroke in placed], size


def _ink(strokes: list[np.ndarray], size: float, rng: random.Random) -> np.ndarray:
    """Return the share of each pixel that is ink: a round pen, or one that is broad in one direction."""
    pen = rng.choice([rng.uniform(2.2, 4.0), rng.uniform(3.0, 7.0)]) * max(0.7, 1.6 * size)
    broad, margin = rng.uniform(0.0, 0.45), rng.uniform(4, 14)
    columns, rows = (np.max([stroke.max(0) for stroke in strokes], axis=0) + margin).astype(int) + 1
    image = Image.new("L", (int(columns) * FINER, int(rows) * FINER))
    brush = ImageDraw.Draw(image)
    for stroke in strokes:
        points = [(float(x) * FINER, float(y) * FINER) for x, y in stroke]
        for (left, top), (right, bottom) in zip(points, points[1:] or points, strict=False):
            angle = np.arctan2(bottom - top, right - left)
            width = max(1.5, pen * FINER * (1.0 + broad * float(np.sin(angle - 0.8))))
            brush.line((left, top, right, bottom), 255, round(width))
            brush.ellipse((right - width / 2, bottom - width / 2, right + width / 2, bottom + width / 2), 255)
    soft = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.6) * FINER / 2))
    return np.asarray(soft.resize((int(columns), int(rows)), Image.Resampling.BOX), np.float32) / 255.0


def _faded(taken: np.ndarray, rng: random.Random, numbers: np.random.Generator) -> np.ndarray:
    """Return ink that runs thin in places."""
    if rng.random() >= FADED:
        return taken
    knots = numbers.normal(0.0, 1.0, (3, max(2, taken.shape[1] // 60))).astype(np.float32)
    flow = Image.fromarray(knots).resize(taken.shape[::-1], Image.Resampling.BICUBIC)
    return np.asarray(taken * np.clip(1.0 - 0.3 * np.abs(np.asarray(flow)), 0.25, 1.0))


def _paper(shape: tuple[int, ...], rng: random.Random, numbers: np.random.Generator) -> np.ndarray:
    """Return the light of paper, 1 being white: plain, ruled, squared, with grain."""
    rows, columns = shape
    paper = np.ones((rows, columns), np.float32)
    if rng.random() < RULED:
        top = int(rows * rng.uniform(0.55, 0.8))
        paper[top : top + rng.choice((1, 1, 2))] -= rng.uniform(0.1, 0.35)
    if rng.random() < SQUARED:
        step = rng.randrange(22, 50)
        paper[:, rng.randrange(step) :: step] -= rng.uniform(0.08, 0.25)
        paper[rng.randrange(step) :: step] -= rng.uniform(0.08, 0.25)
    if rng.random() < GRAINY:
        paper -= np.abs(numbers.normal(0.0, rng.uniform(0.01, 0.05), shape)).astype(np.float32)
    return paper
