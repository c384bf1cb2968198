"""Recordings as a browser plays and draws them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recognizer.inputs.kind import default_signal
from recognizer.inputs.speech.audio import SpeechSettings, read_speech, write_speech
from recognizer.web.drafts import digest_of
from recognizer.web.project import ProjectFile

FULL = 32768.0  # of int16


@dataclass(frozen=True)
class Waveform:
    """The shape of a recording.

    Args:
        seconds: of the whole.
        low: of each part the lowest value, in -1 to 1.
        high: likewise the highest.
    """

    seconds: float
    low: list[float]
    high: list[float]


def playable(file: ProjectFile, folder: Path) -> Path:
    """Return the recording as WAV, just as the model hears it, so that all times fit; made once for each content."""
    path = folder / f"{file.id}-{digest_of(file.path)[:16]}.wav"
    if not path.is_file():
        settings = SpeechSettings(**default_signal("speech"))
        folder.mkdir(parents=True, exist_ok=True)
        write_speech(path, read_speech(file.path, settings), settings)
    return path


def waveform(file: ProjectFile, parts: int) -> Waveform:
    """Return the lowest and the highest value of each of `parts` equal parts of a recording."""
    settings = SpeechSettings(**default_signal("speech"))
    values = read_speech(file.path, settings)
    starts = np.linspace(0, len(values), min(parts, len(values)) + 1).astype(int)[:-1]
    low, high = np.minimum.reduceat(values, starts) / FULL, np.maximum.reduceat(values, starts) / FULL
    return Waveform(len(values) / settings.sample_rate, np.round(low, 3).tolist(), np.round(high, 3).tolist())
