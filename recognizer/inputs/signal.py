"""The canonical form of one file, with what is needed to speak of places in it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from recognizer.pages.dewarping import DewarpedLine


@dataclass(frozen=True)
class Signal:
    """A file as the network takes it.

    Args:
        values: first axis is time. Handwriting: uint8 (columns, height), 255 paper, 0 ink. Speech: int16 (samples,).
            Pen strokes: float32 (points, 3), x, y, pen down. Along that axis: columns, samples at 16 kHz, points.
        extent: length of the file along the reading direction, in `unit`.
        unit: "px", "s" or "points".
        mirrored: whether time runs against the file's own axis (right to left).
        notes: what was found odd and repaired, such as "light on dark, inverted".
        across: of an image, its side across the reading direction in pixels.
        vertical: whether the reading direction is from the top to the bottom.
        strip: of a line of a page, the strip that it was cut out as, in pixels of the page, where that is kept.
        places: (T + 1,) where each step of `values`, and the end, lies in the file, in `unit`; None where evenly.
    """

    values: np.ndarray
    extent: float
    unit: str
    mirrored: bool = False
    notes: tuple[str, ...] = ()
    across: float = 0.0
    vertical: bool = False
    places: np.ndarray | None = None
    strip: "DewarpedLine | None" = None

    def place(self, position: float) -> float:
        """Return the place in the file, in `unit`, of `position` counted in steps of `values`."""
        if self.places is not None:
            return float(np.interp(position, np.arange(len(self.places)), self.places))
        at = min(max(position / len(self.values), 0.0), 1.0) * self.extent
        return self.extent - at if self.mirrored else at
