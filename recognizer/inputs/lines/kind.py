"""Offline handwriting as a kind of input: images of lines, and lines of pages."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from recognizer.common.plain_data import from_plain
from recognizer.errors import RecognizerError
from recognizer.inputs.kind import Kind
from recognizer.inputs.signal import Signal
from recognizer.pages.page import IMAGES, page_and_line
from recognizer.pages.parse import form_of, read_page

if TYPE_CHECKING:
    from recognizer.inputs.features import Augmentation, Features
    from recognizer.inputs.speech.log_mel import LogMelSettings
    from recognizer.training.config import AugmentSettings, DataSettings


class Lines(Kind):
    """Images of lines."""

    name = "handwriting"
    noun, plural = "an image of a line", "images"
    suffixes = IMAGES
    unit, steps, speed = "px", "columns", "lines"
    dtype = "uint8"
    padding = 255  # paper
    read_budget, gpu_read_budget = 8_000, 100_000
    config = "lines.yaml"
    values = "ink from 0 (paper) to 1, from grey 255 to 0"

    def recognizes(self, head: bytes, suffix: str) -> bool:
        """Take every file that is of no other kind; reading it says what is wrong with one that is no image."""
        return True

    def settings(self, data: dict[str, Any]) -> Any:
        """Return `HandwritingSettings`."""
        from recognizer.inputs.lines.image import HandwritingSettings

        return from_plain(HandwritingSettings, data, "signal")

    def read(self, source: Path | BinaryIO, settings: Any, name: str, channel: int = 0) -> Signal:
        """Read an image of a line, or the line FILE#ID of a page; a whole page is refused."""
        from recognizer.inputs.lines.image import read_line
        from recognizer.inputs.lines.page_line import read_page_line

        if isinstance(source, Path) and (found := page_and_line(source)):
            return read_page_line(*found, settings, name)
        if isinstance(source, Path) and form_of(source):
            page = read_page(source)
            first = f", such as {page.name_of(page.lines[0])}" if page.lines else ""
            raise RecognizerError(f"{name}: a page of {len(page.lines)} lines, expected one of them{first}", "a page")
        return read_line(source, settings, name)

    def from_array(self, array: np.ndarray, settings: Any, rate: int | None) -> Signal:
        """Take an image (rows, columns[, 3])."""
        from recognizer.inputs.lines.image import line_from_array

        return line_from_array(array, settings)

    def faults(self, values: np.ndarray, settings: Any) -> list[str]:
        """Return what is wrong with grey columns."""
        from recognizer.inputs.lines.image import faults

        return faults(values)

    def step_shape(self, signal: dict[str, Any]) -> tuple[int, ...]:
        """Return the rows of a column."""
        return (int(signal["height"]),)

    def features(self, signal: dict[str, Any], frames: "LogMelSettings") -> "Features":
        """Return what turns grey into ink."""
        from recognizer.inputs.lines.features import LineFeatures

        return LineFeatures(signal["height"])

    def augmentation(self, settings: "AugmentSettings", features: "Features") -> "Augmentation":
        """Return the distortions of lines."""
        from recognizer.inputs.lines.augment import AugmentedLines

        return AugmentedLines(settings.lines)

    def batch_budget(self, data: "DataSettings", signal: dict[str, Any]) -> float:
        """Return `batch_columns`."""
        return float(data.batch_columns)

    def log_sample(self, board: Any, tag: str, values: np.ndarray, step: int, signal: dict[str, Any]) -> None:
        """Show the line as an image."""
        import torch

        board.add_image(tag, torch.from_numpy(values.T.copy()), step, dataformats="HW")

    def write_sample(self, stem: Path, features: "Features", values: np.ndarray, signal: dict[str, Any]) -> list[Path]:
        """Write the line as PNG."""
        import torch

        from recognizer.inputs.lines.features import LineFeatures
        from recognizer.inputs.lines.image import picture
        from recognizer.inputs.png import write_png

        assert isinstance(features, LineFeatures)
        ink, _ = features(torch.from_numpy(values)[None], torch.tensor([len(values)]))
        image = picture(features.inverse(ink)[0].numpy(), self.settings(signal))
        return [write_png(image, stem.with_name(f"{stem.name}.png"))]


KIND = Lines()
