"""Recordings of any length: read piece by piece beside other requests, and as a browser plays and draws them."""

import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import anyio
import numpy as np
from numpy.typing import NDArray

from recognizer.common.atomic_write import replacing
from recognizer.decoding.hypothesis import Span
from recognizer.formats.sound_documents import words_in_parts
from recognizer.inputs.registry import default_signal
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.audio import SpeechSettings
from recognizer.inputs.speech.streaming import open_recording
from recognizer.reading.long_recordings import LongRecording
from recognizer.reading.reader import Reader
from recognizer.reading.recordings import PieceReading, is_long
from recognizer.web.drafts import digest_of
from recognizer.web.models import Models
from recognizer.web.project import ProjectFile

DECODING = anyio.CapacityLimiter(2)  # files that are decoded at once: each may take as much memory as the bounds allow
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


async def read_recording(
    source: Path | bytes, name: str, models: Models, say: Callable[[str], None] = lambda line: None
) -> list[PieceReading]:
    """Return what is read of a recording, spans in seconds: of a long one by pieces, between which others are read.

    Args:
        source: its file, or what is in it.
        name: of it, for messages.
        models: that of speech reads it.
        say: takes what was found odd about it, a line each.

    Raises:
        RecognizerError: the recording is at fault.
    """

    def opened() -> Path | BinaryIO:
        return BytesIO(source) if isinstance(source, bytes) else source

    reader = await models.with_reader("speech", lambda reader: reader)
    if not await anyio.to_thread.run_sync(lambda: is_long(opened(), name, reader), limiter=DECODING):
        signal: Signal = await anyio.to_thread.run_sync(lambda: reader.signal(opened(), name=name), limiter=DECODING)
        for note in signal.notes:
            say(f"{name}: {note}")
        (found,) = await models.read("speech", [signal])
        return [PieceReading(0.0, signal.extent, found)]

    def begun(reader: Reader) -> Iterator[PieceReading]:
        return LongRecording(reader, opened(), name, 0, say, lambda done, total: None).readings()

    pieces = await models.with_reader("speech", begun)
    done: list[PieceReading] = []
    while (piece := await models.with_reader("speech", lambda _: next(pieces, None))) is not None:
        done.append(piece)
    return done


def words_of(pieces: list[PieceReading]) -> list[Span]:
    """Return the words of all pieces, those that are too long for a stretch in parts."""
    return [word for piece in pieces for word in words_in_parts(piece.hypothesis)]


def playable(file: ProjectFile, folder: Path) -> Path:
    """Return the recording as WAV, just as the model hears it, so that all times fit; made once for each content."""
    path = folder / f"{file.id}-{digest_of(file.path)[:16]}.wav"
    if not path.is_file():
        rate = _settings().sample_rate
        with replacing(path) as out, wave.open(out, "wb") as sound:
            sound.setparams((1, 2, rate, 0, "NONE", ""))
            for block in _blocks(file):
                sound.writeframes(block.astype("<i2").tobytes())
    return path


def waveform(file: ProjectFile, parts: int) -> Waveform:
    """Return the lowest and the highest value of each of `parts` equal parts of a recording."""
    rate = _settings().sample_rate
    step = rate // 100  # hundredths of a second are kept while it is read
    fine = [_extremes(block, step) for block in _blocks(file) if len(block)]
    low, high = (np.concatenate([pair[i] for pair in fine]) for i in (0, 1))
    seconds = sum(pair[2] for pair in fine) / rate
    starts = np.unique(np.linspace(0, len(low), min(parts, len(low)) + 1).astype(int)[:-1])
    low, high = np.minimum.reduceat(low, starts) / FULL, np.maximum.reduceat(high, starts) / FULL
    return Waveform(seconds, np.round(low, 3).tolist(), np.round(high, 3).tolist())


def stretch(file: ProjectFile, start: float, end: float) -> NDArray[np.int16]:
    """Return the samples of a recording between two times, in seconds."""
    rate, at = _settings().sample_rate, 0
    kept: list[NDArray[np.int16]] = []
    for block in _blocks(file):
        first, last = round(start * rate) - at, round(end * rate) - at
        kept.append(block[max(first, 0) : max(last, 0)])
        at += len(block)
    return np.concatenate(kept)


def _extremes(block: NDArray[np.int16], step: int) -> tuple[NDArray[np.int16], NDArray[np.int16], int]:
    starts = np.arange(0, len(block), step)
    return np.minimum.reduceat(block, starts), np.maximum.reduceat(block, starts), len(block)


def _blocks(file: ProjectFile) -> Iterator[NDArray[np.int16]]:
    with open_recording(file.path, _settings(), file.name, lambda _: None) as recording:
        yield from recording.blocks()


def _settings() -> SpeechSettings:
    return SpeechSettings(**default_signal("speech"))
