"""The canonical form of one file, with what is needed to speak of places in it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Signal:
    """A file as the network takes it.

    Args:
        values: first axis is time. Handwriting: uint8 (columns, height), 255 paper, 0 ink. Speech: int16 (samples,).
        extent: length of the file along the reading direction, in `unit`.
        unit: "px" or "s".
        mirrored: whether time runs against the file's own axis (right to left).
        notes: what was found odd and repaired, such as "light on dark, inverted".
    """

    values: np.ndarray
    extent: float
    unit: str
    mirrored: bool = False
    notes: tuple[str, ...] = ()

    def place(self, position: float) -> float:
        """Return the place in the file, in `unit`, of `position` counted in steps of `values`."""
        at = min(max(position / len(self.values), 0.0), 1.0) * self.extent
        return self.extent - at if self.mirrored else at
