"""Which kind of input a file is, and its signal."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recognizer.errors import RecognizerError
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.media import CONTAINERS, is_container
from recognizer.pages.page import IMAGES, page_and_line
from recognizer.pages.parse import HEAD, form_of, form_of_head, read_page
from recognizer.plain_data import from_plain

SOUND_STARTS = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"NIST", b"FORM", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"caff")
SOUNDS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".sph", ".aif", ".aiff", ".au", ".caf")
INKS = (".inkml",)
MEDIA = (*IMAGES, *SOUNDS, *CONTAINERS, *INKS)  # suffixes of what is taken from a folder
NOUNS = {"handwriting": "an image of a line", "speech": "a recording", "strokes": "pen strokes"}
PLURALS = {"handwriting": "images", "speech": "recordings", "strokes": "files of pen strokes"}
INK_STARTS = (b"{", b"[", b"<?xml", b"<ink")  # after white space and a byte order mark


def kind_of(source: Path | BinaryIO) -> str:
    """Return "handwriting", "speech" or "strokes" from a file's first bytes; a WebP is a RIFF file too, and no sound.

    A page, and the line FILE#ID of a page, are handwriting.
    """
    if isinstance(source, Path):
        if found := page_and_line(source):
            source = found[0]
        if not source.exists():
            raise RecognizerError(f"{source}: no such file", "no such file")
        try:
            with open(source, "rb") as file:
                head = file.read(HEAD)
        except OSError as error:
            raise RecognizerError(f"{source}: cannot be read ({error.strerror or error}), wanted a file") from None
    else:
        head = source.read(HEAD)
        source.seek(0)
    if form_of_head(head):
        return "handwriting"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(INK_STARTS):
        return "strokes"
    sound = head.startswith(SOUND_STARTS) and head[8:12] != b"WEBP" or is_container(head)
    if not sound and isinstance(source, Path) and source.suffix.lower() in SOUNDS:
        sound = True
    return "speech" if sound else "handwriting"


def default_signal(kind: str) -> dict[str, Any]:
    """Return the default signal settings of a kind as plain data."""
    return asdict(_settings(kind, {}))


def refuse_bad_signal(kind: str, settings: dict[str, Any]) -> None:
    """Refuse signal settings that mean nothing.

    Raises:
        RecognizerError: a value out of its range.
    """
    _settings(kind, settings)


def read_signal(
    kind: str, settings: dict[str, Any], source: Path | BinaryIO, name: str = "", channel: int = 0
) -> Signal:
    """Read a file as the signal of a model of `kind`; of a recording one `channel`, 0 for the mean of all.

    Raises:
        RecognizerError: the file is at fault, or it is of another kind.
    """
    name = str(source) if isinstance(source, Path) else name or "the file"
    if kind_of(source) != kind and not _is_empty(source):
        wanted = NOUNS[kind]
        raise RecognizerError(
            f"{name}: {NOUNS[kind_of(source)]}, the model reads {kind}: wanted {wanted}", "of another kind"
        )
    made = _settings(kind, settings)
    if kind == "handwriting":
        from recognizer.inputs.lines.image import read_line
        from recognizer.inputs.lines.page_line import read_page_line

        if isinstance(source, Path) and (found := page_and_line(source)):
            return read_page_line(*found, made, name)
        _refuse_page(source, name)
        return read_line(source, made, name)
    if kind == "strokes":
        from recognizer.inputs.strokes.strokes import read_strokes_signal

        return read_strokes_signal(source, made, name)
    from recognizer.inputs.speech.audio import read_recording

    return read_recording(source, made, name, channel)


def array_signal(kind: str, settings: dict[str, Any], array: np.ndarray, rate: int | None) -> Signal:
    """Make the signal of an array.

    Args:
        kind: of the model.
        settings: of the signal, as plain data.
        array: an image (rows, columns[, 3]), sound (samples[, channels]) at `rate` Hz, or strokes (points, 3).
        rate: samples per second of sound.
    """
    made = _settings(kind, settings)
    if kind == "handwriting":
        from recognizer.inputs.lines.image import line_from_array

        return line_from_array(array, made)
    if kind == "strokes":
        from recognizer.inputs.strokes.strokes import strokes_from_array

        return strokes_from_array(array, made)
    from recognizer.inputs.speech.audio import signal_from_array

    if rate is None:
        raise RecognizerError("an array of sound came without its sample rate, wanted rate=... in Hz")
    values = signal_from_array(array, rate, made)
    return Signal(values, len(values) / made.sample_rate, "s")


def signal_faults(kind: str, settings: dict[str, Any], values: np.ndarray) -> list[str]:
    """Return what is wrong with a signal, each in a few words."""
    if kind == "handwriting":
        from recognizer.inputs.lines.image import faults as line_faults

        return line_faults(values)
    if kind == "strokes":
        from recognizer.inputs.strokes.strokes import faults as ink_faults

        return ink_faults(values)
    from recognizer.inputs.speech.audio import faults as sound_faults

    return sound_faults(values, _settings(kind, settings))


def _settings(kind: str, data: dict[str, Any]) -> Any:
    """Return the signal settings of a kind from plain data; each kind's library is loaded where it is wanted."""
    if kind == "handwriting":
        from recognizer.inputs.lines.image import HandwritingSettings

        return from_plain(HandwritingSettings, data, "signal")
    if kind == "strokes":
        from recognizer.inputs.strokes.strokes import StrokeSettings

        return from_plain(StrokeSettings, data, "signal")
    from recognizer.inputs.speech.audio import SpeechSettings

    return from_plain(SpeechSettings, data, "signal")


def _refuse_page(source: Path | BinaryIO, name: str) -> None:
    """Refuse a whole page where one line is wanted."""
    if isinstance(source, Path) and form_of(source):
        page = read_page(source)
        first = f", such as {page.name_of(page.lines[0])}" if page.lines else ""
        raise RecognizerError(f"{name}: a page of {len(page.lines)} lines, wanted one of them{first}", "a page")


def _is_empty(source: Path | BinaryIO) -> bool:
    return isinstance(source, Path) and source.exists() and source.stat().st_size == 0
