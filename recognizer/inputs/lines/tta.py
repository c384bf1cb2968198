"""Views of a line: the same ink larger, smaller, slanted, for a reader that takes its surest reading of several."""

from dataclasses import dataclass

import numpy as np

PAPER = 255


@dataclass(frozen=True)
class View:
    """How a view is made of a line.

    Args:
        width: of the writing, relative.
        height: likewise.
        slant: columns to the right that each row moves more than the row below it.
    """

    width: float = 1.0
    height: float = 1.0
    slant: float = 0.0

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return the view (T', H) uint8 of a line's grey values (T, H), 255 being paper; the middle stays there."""
        from PIL import Image

        rows, columns = values.shape[1], len(values)
        wide = self.columns(columns, rows)
        # Places of the line's pixels from those of the view's, as Pillow wants them: x and y as sums of a x + b y + c.
        across = (1 / self.width, self.slant / self.width, columns / 2 - (wide + self.slant * rows) / 2 / self.width)
        down = (0.0, 1 / self.height, rows / 2 - rows / 2 / self.height)
        line = Image.fromarray(np.ascontiguousarray(values.T))
        method = Image.Transform.AFFINE
        seen = line.transform((wide, rows), method, across + down, Image.Resampling.BICUBIC, fillcolor=PAPER)
        return np.ascontiguousarray(np.asarray(seen).T)

    def columns(self, columns: int, rows: int) -> int:
        """Return how many columns the view of a line of `columns` and `rows` has."""
        return max(1, round(columns * self.width)) + 2 * int(abs(self.slant) * rows / 2)

    def place(self, at: float, columns: int, rows: int) -> float:
        """Return where a column of the view of a line of `columns` and `rows` stands in the line, within its bounds."""
        middle = self.columns(columns, rows) / 2
        return min(max(columns / 2 + (at - middle) / self.width, 0.0), float(columns))


# The best of a dozen tried, each beside those before it, on validation lines of four corpora (docs/lab/decoding.md).
VIEWS = (View(), View(1.2, 1.2), View(1.1, 1.0, 0.35), View(1.1, 1.0, -0.35), View(0.8, 0.8))
