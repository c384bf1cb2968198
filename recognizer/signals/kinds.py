"""Which kind of input a file is, and its signal."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recognizer.errors import RecognizerError
from recognizer.signals.signal import Signal

SOUND_STARTS = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"NIST", b"FORM", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"caff")
SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".sph", ".aiff", ".aif", ".au", ".caf")
NOUNS = {"handwriting": "an image of a line", "speech": "a recording"}


def kind_of(source: Path | BinaryIO) -> str:
    """Return "handwriting" or "speech" from a file's first bytes; a WebP is a RIFF file too, and no sound."""
    if isinstance(source, Path):
        if not source.exists():
            raise RecognizerError(f"{source}: no such file", "no such file")
        try:
            with open(source, "rb") as file:
                head = file.read(12)
        except OSError as error:
            raise RecognizerError(f"{source}: cannot be read ({error.strerror or error}), wanted a file") from None
    else:
        head = source.read(12)
        source.seek(0)
    sound = head.startswith(SOUND_STARTS) and head[8:12] != b"WEBP"
    if not sound and isinstance(source, Path) and source.suffix.lower() in SOUND_SUFFIXES:
        sound = True
    return "speech" if sound else "handwriting"


def default_signal(kind: str) -> dict[str, Any]:
    """Return the default signal settings of a kind as plain data."""
    if kind == "handwriting":
        from recognizer.signals.handwriting import HandwritingSettings

        return asdict(HandwritingSettings())
    from recognizer.signals.speech import SpeechSettings

    return asdict(SpeechSettings())


def read_signal(kind: str, settings: dict[str, Any], source: Path | BinaryIO, name: str = "") -> Signal:
    """Read a file as the signal of a model of `kind`.

    Raises:
        RecognizerError: the file is at fault, or it is of the other kind.
    """
    name = str(source) if isinstance(source, Path) else name or "the file"
    if kind_of(source) != kind and not _is_empty(source):
        wanted = NOUNS[kind]
        raise RecognizerError(
            f"{name}: {NOUNS[kind_of(source)]}, the model reads {kind}: wanted {wanted}", "of another kind"
        )
    if kind == "handwriting":
        from recognizer.signals.handwriting import HandwritingSettings, read_line

        return read_line(source, HandwritingSettings(**settings), name)
    from recognizer.signals.speech import SpeechSettings, read_speech

    speech = SpeechSettings(**settings)
    values = read_speech(source, speech, name)
    return Signal(values, len(values) / speech.sample_rate, "s")


def array_signal(kind: str, settings: dict[str, Any], array: np.ndarray, rate: int | None) -> Signal:
    """Make the signal of an array: an image (rows, columns[, 3]), or sound (samples[, channels]) at `rate` Hz."""
    if kind == "handwriting":
        from recognizer.signals.handwriting import HandwritingSettings, line_from_array

        return line_from_array(array, HandwritingSettings(**settings))
    from recognizer.signals.speech import SpeechSettings, signal_from_array

    if rate is None:
        raise RecognizerError("an array of sound came without its sample rate, wanted rate=... in Hz")
    speech = SpeechSettings(**settings)
    values = signal_from_array(array, rate, speech)
    return Signal(values, len(values) / speech.sample_rate, "s")


def signal_faults(kind: str, settings: dict[str, Any], values: np.ndarray) -> list[str]:
    """Return what is wrong with a signal, each in a few words."""
    if kind == "handwriting":
        from recognizer.signals.handwriting import faults as line_faults

        return line_faults(values)
    from recognizer.signals.speech import SpeechSettings
    from recognizer.signals.speech import faults as sound_faults

    return sound_faults(values, SpeechSettings(**settings))


def _is_empty(source: Path | BinaryIO) -> bool:
    return isinstance(source, Path) and source.stat().st_size == 0
