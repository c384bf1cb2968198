"""Speech as a kind of input: recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from recognizer.common.plain_data import from_plain
from recognizer.errors import RecognizerError
from recognizer.inputs.kind import Kind
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.media import CONTAINERS, is_container

if TYPE_CHECKING:
    from torch import Tensor

    from recognizer.inputs.features import Augmentation, Features
    from recognizer.inputs.speech.log_mel import LogMelSettings
    from recognizer.training.config import AugmentSettings, DataSettings

STARTS = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"NIST", b"FORM", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"caff")


class Speech(Kind):
    """Recordings that libsndfile reads, and sound in containers, which PyAV does."""

    name = "speech"
    noun, plural = "a recording", "recordings"
    suffixes = (
        *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".sph", ".nist", ".aif", ".aiff", ".aifc", ".au"),
        *(".snd", ".caf", ".w64", ".rf64", ".voc", ".amr", ".mp2", ".spx", ".3gp"),
        *CONTAINERS,
    )
    unit, steps, speed = "s", "samples of sound", "samples"
    dtype = "int16"
    padding = 0  # silence
    read_budget, gpu_read_budget = 16_000 * 60, 16_000 * 600
    config = "sound.yaml"

    def recognizes(self, head: bytes, suffix: str) -> bool:
        """Go by the first bytes, else by the suffix; a WebP is a RIFF file too, and no sound."""
        sound = head.startswith(STARTS) and head[8:12] != b"WEBP"
        return sound or is_container(head) or suffix in self.suffixes[: -len(CONTAINERS)]

    def settings(self, data: dict[str, Any]) -> Any:
        """Return `SpeechSettings`."""
        from recognizer.inputs.speech.audio import SpeechSettings

        return from_plain(SpeechSettings, data, "signal")

    def read(self, source: Path | BinaryIO, settings: Any, name: str, channel: int = 0) -> Signal:
        """Read a recording, or the stretch FILE[1.5-3.25] of one."""
        from recognizer.inputs.speech.audio import read_recording
        from recognizer.inputs.speech.part import read_part, sound_part

        if isinstance(source, Path) and (part := sound_part(source)):
            return read_part(part, settings, name, channel)
        return read_recording(source, settings, name, channel)

    def from_array(self, array: np.ndarray, settings: Any, rate: int | None) -> Signal:
        """Take sound (samples[, channels]) at `rate` Hz."""
        from recognizer.inputs.speech.audio import signal_from_array

        if rate is None:
            raise RecognizerError("an array of sound came without its sample rate, expected rate=... in Hz")
        values = signal_from_array(array, rate, settings)
        return Signal(values, len(values) / settings.sample_rate, "s")

    def faults(self, values: np.ndarray, settings: Any) -> list[str]:
        """Return what is wrong with samples."""
        from recognizer.inputs.speech.audio import faults

        return faults(values, settings)

    def features(self, signal: dict[str, Any], frames: "LogMelSettings") -> "Features":
        """Return what turns sound into log-mel frames."""
        from recognizer.inputs.speech.log_mel import LogMel

        return LogMel(frames, signal["sample_rate"])

    def augmentation(self, settings: "AugmentSettings", features: "Features") -> "Augmentation":
        """Return other speeds, rooms, noises, microphones, and masks over the frames."""
        from recognizer.inputs.speech.augment import AugmentedSound
        from recognizer.inputs.speech.log_mel import LogMel

        assert isinstance(features, LogMel)
        return AugmentedSound(settings.sound, features)

    def batch_budget(self, data: "DataSettings", signal: dict[str, Any]) -> float:
        """Return `batch_seconds` in samples."""
        return data.batch_seconds * self.counts_per_unit(signal)

    def log_sample(self, board: Any, tag: str, values: np.ndarray, step: int, signal: dict[str, Any]) -> None:
        """Let the recording be heard."""
        import torch

        board.add_audio(tag, torch.from_numpy(values / 32768.0)[None], step, signal["sample_rate"])

    def write_sample(self, stem: Path, features: "Features", values: np.ndarray, signal: dict[str, Any]) -> list[Path]:
        """Write the signal, and what can be heard of its features, as WAV."""
        from recognizer.inputs.speech.log_mel import LogMel
        from recognizer.inputs.speech.resynthesis import write_heard

        assert isinstance(features, LogMel)
        return write_heard(stem, features, values, self.settings(signal))

    def read_part(self, values: np.ndarray, signal: dict[str, Any]) -> slice:
        """Leave out long silence at both ends."""
        from recognizer.inputs.speech.quiet_ends import spoken_part

        return spoken_part(values, signal["sample_rate"])

    def frame_counts(self, counts: "Tensor", signal: dict[str, Any], frames: "LogMelSettings") -> "Tensor":
        """Return the windows that fit in."""
        return frames.counts(counts, signal["sample_rate"])

    def hop(self, signal: dict[str, Any], frames: "LogMelSettings") -> int:
        """Return the samples from one window to the next."""
        return frames.window_and_hop(signal["sample_rate"])[1]

    def counts_per_unit(self, signal: dict[str, Any]) -> float:
        """Return the sample rate."""
        return float(signal["sample_rate"])


KIND = Speech()
