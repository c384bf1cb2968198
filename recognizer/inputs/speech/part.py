"""A stretch of a recording, FILE[1.5-3.25], or one of its channels, as manifests name them."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recognizer.errors import RecognizerError
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.audio import SpeechSettings
from recognizer.inputs.speech.streaming import open_recording

PART = re.compile(r"(.+)\[(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)?(?:,(\d+))?\]")
LIKE_MILLISECONDS = 300.0  # s: a stretch of so many is hardly one of seconds, of so many milliseconds it is
SLACK = 0.1  # s: by which a stretch may reach beyond the end of its recording, since lists round


@dataclass(frozen=True)
class SoundPart:
    """A stretch of a recording.

    Args:
        path: of the recording.
        start: seconds.
        end: seconds; infinite for its end.
        channel: from 1 on; 0 for the mean of all.
    """

    path: Path
    start: float
    end: float
    channel: int


def sound_part(path: Path) -> SoundPart | None:
    """Return the stretch that a name FILE[1.5-3.25] or FILE[1.5-3.25,2] speaks of; None for the name of a file."""
    found = PART.fullmatch(path.name)
    if not found or path.exists():
        return None
    name, start, end, channel = found.groups()
    return SoundPart(path.with_name(name), float(start), float(end) if end else math.inf, int(channel or 0))


def read_part(part: SoundPart, settings: SpeechSettings, name: str, channel: int = 0) -> Signal:
    """Return the signal of a stretch of a recording.

    Raises:
        RecognizerError: as `read_recording` does, or the stretch reaches beyond the recording, is empty or too long.
    """
    seconds = part.end - part.start
    if seconds <= 0 or (seconds > settings.max_seconds and math.isfinite(seconds)):
        raise RecognizerError(
            f"{name}: from {part.start:g} to {part.end:g} s, expected a stretch of up to {settings.max_seconds:g} s"
            + (" (are these milliseconds?)" if seconds >= LIKE_MILLISECONDS else ""),
            "bad stretch",
        )
    notes: list[str] = []
    rate, blocks, at = settings.sample_rate, [], 0
    first = round(part.start * rate)
    last = round(part.end * rate) if math.isfinite(part.end) else 1 << 62
    with open_recording(part.path, settings, name, notes.append, part.channel or channel) as recording:
        for block in recording.blocks():
            if at + len(block) > first and at < last:
                blocks.append(block[max(0, first - at) : last - at])
            at += len(block)
            if at >= last:
                break
    if at < first or (last < 1 << 62 and at + SLACK * rate < last):
        raise RecognizerError(
            f"{name}: the recording ends at {at / rate:.2f} s, expected a stretch inside it", "bad stretch"
        )
    values = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    if len(values) > settings.max_seconds * rate:
        raise RecognizerError(f"{name}: {len(values) / rate:.1f} s, longer than {settings.max_seconds:g} s", "too long")
    said = tuple(note.removeprefix(f"{name}: ") for note in notes)
    return Signal(values, len(values) / rate, "s", notes=said)
