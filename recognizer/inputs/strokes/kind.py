"""Online handwriting as a kind of input: the strokes of a pen."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from recognizer.common.plain_data import from_plain
from recognizer.inputs.kind import Kind
from recognizer.inputs.signal import Signal
from recognizer.pages.parse import form_of_head, plain_head

if TYPE_CHECKING:
    from recognizer.inputs.features import Augmentation, Features
    from recognizer.inputs.speech.log_mel import LogMelSettings
    from recognizer.training.config import AugmentSettings, DataSettings

STARTS = (b"{", b"[", b"<?xml", b"<ink")  # after white space and a byte order mark


class Strokes(Kind):
    """InkML, or JSON."""

    name = "strokes"
    noun, plural = "pen strokes", "files of pen strokes"
    suffixes = (".inkml",)
    unit, steps, speed = "points", "points", "lines"
    dtype = "float32"
    padding = 0  # the pen in the air
    read_budget, gpu_read_budget = 8_000, 100_000
    config = "strokes.yaml"
    values = "steps of the pen, its height, whether it is down, its turns"

    def recognizes(self, head: bytes, suffix: str) -> bool:
        """Take XML that is no page, JSON, and what is called InkML: reading it says what is wrong with it."""
        return not form_of_head(head) and (suffix in self.suffixes or plain_head(head).startswith(STARTS))

    def settings(self, data: dict[str, Any]) -> Any:
        """Return `StrokeSettings`."""
        from recognizer.inputs.strokes.strokes import StrokeSettings

        return from_plain(StrokeSettings, data, "signal")

    def read(self, source: Path | BinaryIO, settings: Any, name: str, channel: int = 0) -> Signal:
        """Read a file of strokes."""
        from recognizer.inputs.strokes.strokes import read_strokes_signal

        return read_strokes_signal(source, settings, name)

    def from_array(self, array: np.ndarray, settings: Any, rate: int | None) -> Signal:
        """Take points (points, 3): x, y, pen down."""
        from recognizer.inputs.strokes.strokes import strokes_from_array

        return strokes_from_array(array, settings)

    def faults(self, values: np.ndarray, settings: Any) -> list[str]:
        """Return what is wrong with points."""
        from recognizer.inputs.strokes.strokes import faults

        return faults(values)

    def step_shape(self, signal: dict[str, Any]) -> tuple[int, ...]:
        """Return x, y and whether the pen is down."""
        return (3,)

    def features(self, signal: dict[str, Any], frames: "LogMelSettings") -> "Features":
        """Return what turns points into steps of the pen."""
        from recognizer.inputs.strokes.features import StrokeFeatures

        return StrokeFeatures(signal["spacing"])

    def augmentation(self, settings: "AugmentSettings", features: "Features") -> "Augmentation":
        """Return the distortions of strokes."""
        from recognizer.inputs.strokes.augment import AugmentedStrokes

        return AugmentedStrokes(settings.strokes)

    def batch_budget(self, data: "DataSettings", signal: dict[str, Any]) -> float:
        """Return `batch_points`."""
        return float(data.batch_points)

    def log_sample(self, board: Any, tag: str, values: np.ndarray, step: int, signal: dict[str, Any]) -> None:
        """Show the strokes as an image."""
        import torch

        from recognizer.inputs.strokes.strokes import raster

        board.add_image(tag, torch.from_numpy(raster(values)), step, dataformats="HW")

    def write_sample(self, stem: Path, features: "Features", values: np.ndarray, signal: dict[str, Any]) -> list[Path]:
        """Write the strokes as PNG."""
        import torch
        from PIL import Image

        from recognizer.inputs.png import write_png
        from recognizer.inputs.strokes.features import StrokeFeatures
        from recognizer.inputs.strokes.strokes import raster

        assert isinstance(features, StrokeFeatures)
        steps, _ = features(torch.from_numpy(values)[None], torch.tensor([len(values)]))
        image = Image.fromarray(raster(features.inverse(steps)[0].numpy()))
        return [write_png(image, stem.with_name(f"{stem.name}.png"))]


KIND = Strokes()
