"""The skew of the image of one line, which is levelled where it is large."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

WORK_COLUMNS, WORK_ROWS = 600, 200  # of the picture in which the skew is measured, at most
STEEPEST = 0.3  # rows a column, 17 degrees
STEP = 0.01  # rows a column
LEAST = math.tan(math.radians(2.5))  # less is how people write, and what networks have learned to read
PROPORTION = 3.0  # times its height: the skew of a shorter image cannot be told from its writing
GAIN = 1.15  # times as sharp as it stands: a levelled line gains at least so much
PAPER_PERCENTILE, INK_PERCENTILE = 80.0, 0.5
MARGIN = 0.15  # of the height of the ink: paper that is left above and below it
INK = 0.35  # of the contrast between paper and ink: what is darker is ink


@dataclass(frozen=True)
class LevelLine:
    """A line image, level.

    Args:
        grey: uint8 (rows', columns): as many columns as before, which stay where they were.
        degrees: by which it fell to the right before; 0 where it was left as it was.
    """

    grey: np.ndarray
    degrees: float = 0.0


def levelled(grey: np.ndarray) -> LevelLine:
    """Return the image of one line, uint8 (rows, columns), dark on light, level where it was skewed.

    The sums of ink along rows are sharpest where the rows follow the line (Postl 1986): the image is sheared by
    columns, which leaves places along the line as they are, by the slope whose sums have the largest squares.
    """
    rows, columns = grey.shape
    if columns < PROPORTION * rows:
        return LevelLine(grey)
    slope = skew_of(grey)
    if abs(slope) < LEAST:
        return LevelLine(grey)
    return LevelLine(_trimmed(_sheared(grey, slope)), math.degrees(math.atan(slope)))


def skew_of(grey: np.ndarray) -> float:
    """Return by how many rows a column the line falls to the right, 0.0 where no slope is clearly sharper than none."""
    rows, columns = grey.shape
    share = min(1.0, WORK_COLUMNS / columns, WORK_ROWS / rows)
    size = max(8, round(columns * share)), max(8, round(rows * share))
    small = np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize(size, Image.Resampling.BOX), np.float32)
    paper, dark = np.percentile(small, [PAPER_PERCENTILE, INK_PERCENTILE])
    ink = np.clip((paper - small) / max(float(paper - dark), 1.0) - INK, 0.0, 1.0)
    at_row, at_column = np.nonzero(ink)
    if not len(at_row):
        return 0.0
    weights, middle = ink[at_row, at_column], (size[0] - 1) / 2
    slopes = np.arange(-round(STEEPEST / STEP), round(STEEPEST / STEP) + 1) * STEP
    reach = math.ceil(STEEPEST * size[0] / 2) + 1
    sharpness = []
    for slope in slopes:
        moved = at_row - slope * (at_column - middle) + reach
        low = np.floor(moved).astype(int)
        part = (moved - low) * weights
        sums = np.bincount(low, weights - part, size[1] + 2 * reach) + np.bincount(low + 1, part, size[1] + 2 * reach)
        sharpness.append(float((sums**2).sum()))
    best = int(np.argmax(sharpness))
    if sharpness[best] < GAIN * sharpness[len(slopes) // 2] or best in (0, len(slopes) - 1):
        return 0.0
    return float(slopes[best])


def _sheared(grey: np.ndarray, slope: float) -> np.ndarray:
    """Return the image with each column moved up by what the line falls there, paper where nothing comes in."""
    rows, columns = grey.shape
    more = math.ceil(abs(slope) * columns / 2)
    paper = int(np.percentile(grey, PAPER_PERCENTILE))
    middle = (columns - 1) / 2
    matrix = (1.0, 0.0, 0.0, slope, 1.0, -slope * middle - more)
    image = Image.fromarray(np.ascontiguousarray(grey))
    return np.asarray(
        image.transform(
            (columns, rows + 2 * more), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=paper
        )
    )


def _trimmed(grey: np.ndarray) -> np.ndarray:
    """Return the rows that hold ink, with a margin."""
    paper, dark = np.percentile(grey, [PAPER_PERCENTILE, INK_PERCENTILE])
    ink = (grey < paper - INK * (paper - dark)).sum(axis=1)
    rows = np.flatnonzero(ink > max(1, 0.02 * ink.max()))
    if not len(rows):
        return grey
    margin = round(MARGIN * (rows[-1] + 1 - rows[0]))
    return grey[max(0, rows[0] - margin) : rows[-1] + 1 + margin]
