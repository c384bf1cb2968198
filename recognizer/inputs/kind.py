"""What one kind of input is to all the rest: the only place where handwriting, speech and strokes differ."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from recognizer.inputs.signal import Signal

if TYPE_CHECKING:
    from torch import Tensor

    from recognizer.inputs.features import Augmentation, Features
    from recognizer.inputs.speech.log_mel import LogMelSettings
    from recognizer.training.config import AugmentSettings, DataSettings


class Kind(ABC):
    """A kind of input: files to signals, signals to features, their padding, batches, augmentation and pictures.

    One object for each kind, named in `registry.py`; it is light to import, and loads its libraries where it is used.

    Args:
        name: as model files and prepared corpora state it.
        noun: one file of it, for messages.
        plural: several files of it.
        suffixes: of the files that are taken from a folder.
        unit: of places in a file.
        steps: what a step of the signal is, in the plural.
        speed: what training counts in a second, "lines" or "samples".
        dtype: of the values of a signal.
        padding: value behind the end of a signal in a batch: paper, silence, the pen in the air.
        read_budget: steps of a padded batch when files are read on a CPU, where some eight samples read fastest (32
            are slower by a quarter: they leave its caches).
        gpu_read_budget: likewise on a GPU.
        config: the configuration that `train` starts from where none is given.
        values: what the features of a signal are, for people; "" where the model's settings of features say it.
    """

    name: str
    noun: str
    plural: str
    suffixes: tuple[str, ...]
    unit: str
    steps: str
    speed: str
    dtype: str
    padding: int
    read_budget: int
    gpu_read_budget: int
    config: str
    values: str = ""

    @abstractmethod
    def recognizes(self, head: bytes, suffix: str) -> bool:
        """Return whether a file that begins with `head` and is called with `suffix` (lower case) is of this kind."""

    @abstractmethod
    def settings(self, data: dict[str, Any]) -> Any:
        """Return the settings of a signal that plain data state; what they lack has its default.

        Raises:
            RecognizerError: an unknown setting, or a value out of its range.
        """

    @abstractmethod
    def read(self, source: Path | BinaryIO, settings: Any, name: str, channel: int = 0) -> Signal:
        """Return the signal of a file.

        Args:
            source: the file.
            settings: what `settings` returned.
            name: of the file, for messages.
            channel: of recordings, from 1 on; 0 for the mean of all.

        Raises:
            RecognizerError: the file is at fault.
        """

    @abstractmethod
    def from_array(self, array: np.ndarray, settings: Any, rate: int | None) -> Signal:
        """Return the signal of an array; `rate` in Hz belongs to sound.

        Raises:
            RecognizerError: the array is none of this kind.
        """

    @abstractmethod
    def faults(self, values: np.ndarray, settings: Any) -> list[str]:
        """Return what is wrong with the values of a signal, each in a few words."""

    @abstractmethod
    def features(self, signal: dict[str, Any], frames: "LogMelSettings") -> "Features":
        """Return what makes features of padded signals; `frames` are the settings for kinds that have a choice."""

    @abstractmethod
    def augmentation(self, settings: "AugmentSettings", features: "Features") -> "Augmentation":
        """Return what makes features of padded signals while training."""

    @abstractmethod
    def batch_budget(self, data: "DataSettings", signal: dict[str, Any]) -> float:
        """Return the steps of a padded training batch, for one process."""

    @abstractmethod
    def log_sample(self, board: Any, tag: str, values: np.ndarray, step: int, signal: dict[str, Any]) -> None:
        """Show the values of a signal in TensorBoard."""

    @abstractmethod
    def write_sample(self, stem: Path, features: "Features", values: np.ndarray, signal: dict[str, Any]) -> list[Path]:
        """Write what the network sees or hears of a signal into files that begin with `stem`; return them."""

    def step_shape(self, signal: dict[str, Any]) -> tuple[int, ...]:
        """Return the shape of one step of a signal."""
        return ()

    def read_part(self, values: np.ndarray, signal: dict[str, Any]) -> slice:
        """Return which steps of a signal are read: all, or what is left of a recording without its quiet ends."""
        return slice(0, len(values))

    def frame_counts(self, counts: "Tensor", signal: dict[str, Any], frames: "LogMelSettings") -> "Tensor":
        """Return the frames (N,) that `features` makes of signals of `counts` (N,) steps, by arithmetic alone."""
        return counts

    def hop(self, signal: dict[str, Any], frames: "LogMelSettings") -> int:
        """Return the steps of a signal from one frame to the next."""
        return 1

    def counts_per_unit(self, signal: dict[str, Any]) -> float:
        """Return the steps of a signal in one `unit` of length."""
        return 1.0
