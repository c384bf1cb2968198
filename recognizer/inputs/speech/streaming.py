"""Recordings of any length as blocks of the canonical signal, so that memory holds a few seconds at a time."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from recognizer.inputs.speech.audio import (
    MAX_KERNEL,
    ROLLOFF,
    ZEROS,
    Signal,
    SpeechSettings,
    check_array,
    check_rate,
    in_container,
    loud_note,
    opened_sound,
    peak_of,
    resampled,
    sound_blocks,
    to_int16,
)
from recognizer.inputs.speech.channels import BlockChoice
from recognizer.inputs.speech.media import open_media
from recognizer.inputs.speech.sound_file import UNKNOWN

BLOCK_SECONDS = 10.0

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """A recording that is open.

    Args:
        seconds: its length by its header, or nan where that says nothing.
        blocks: yields its signal (samples,) block by block, once; raises RecognizerError where it breaks off.
    """

    seconds: float
    blocks: Callable[[], Iterator[Signal]]


@contextmanager
def open_recording(
    source: Path | BinaryIO, settings: SpeechSettings, name: str, say: Callable[[str], None], channel: int = 0
) -> Iterator[Recording]:
    """Open the recording in `source`, however long, for reading in blocks.

    Args:
        source: the file.
        settings: of the signal; `max_seconds` is no limit here.
        name: of the file, for messages.
        say: takes what a user should know, such as channels that cancel.
        channel: the channel to read, from 1 on; 0 for their mean.

    Raises:
        RecognizerError: missing, empty, not a sound, or of a rate too low; while blocks are taken: not finite, broken
            off, no such channel.
    """
    if in_container(source):
        with open_media(source, name) as media:
            check_rate(media.rate, name)

            def media_blocks() -> Iterator[Signal]:
                if media.note:
                    say(f"{name}: {media.note}")
                return signal_blocks(media.blocks(), media.rate, settings.sample_rate, name, say, channel)

            yield Recording(media.seconds, media_blocks)
        return
    with opened_sound(source, name) as sound:
        check_rate(sound.samplerate, name)
        expected = sound.expected()
        rate, wanted = sound.samplerate, settings.sample_rate

        def blocks() -> Iterator[Signal]:
            if sound.note:
                say(f"{name}: {sound.note}")
            made = sound_blocks(sound, round(BLOCK_SECONDS * rate), expected, name)
            if sound.floats and (peak := _peak(source, name)) > 1:
                say(f"{name}: {loud_note(peak)}")
                made = _divided(made, peak, name)
            return signal_blocks(made, rate, wanted, name, say, channel)

        yield Recording(sound.frames / rate if sound.frames < UNKNOWN else math.nan, blocks)


def _peak(source: Path | BinaryIO, name: str) -> float:
    """Return the largest amplitude of a file of floats; a file object stays where it stands."""
    import soundfile

    place, peak = (0 if isinstance(source, Path) else source.tell()), 0.0
    # Reading it for good says where it is damaged.
    with opened_sound(source, name) as sound, suppress(soundfile.SoundFileError):
        while len(block := sound.read(round(BLOCK_SECONDS * sound.samplerate))):
            peak = max(peak, peak_of(block))
    if not isinstance(source, Path):
        source.seek(place)
    return peak


def _divided(blocks: Iterator[Samples], peak: float, name: str) -> Iterator[Samples]:
    """Yield blocks divided by their peak; what is no sound is refused as it is."""
    for block in blocks:
        check_array(block, name)
        yield block / np.float32(peak)


def file_signal(path: Path, settings: SpeechSettings) -> Iterator[Signal]:
    """Yield the signal of a file, however long, in blocks (samples,)."""
    with open_recording(path, settings, str(path), lambda _: None) as recording:
        yield from recording.blocks()


def signal_blocks(
    blocks: Iterator[Samples], rate: int, wanted: int, name: str, say: Callable[[str], None], channel: int = 0
) -> Iterator[Signal]:
    """Yield the signal (samples,) int16 at the rate `wanted` of blocks (samples, channels) at `rate`."""
    resampler = Resampler(rate, wanted)
    choice = BlockChoice(channel, name, say)
    for block in blocks:
        check_array(block, name)
        yield to_int16(resampler.push(choice.mono(block)))
    yield to_int16(resampler.finish())


class Resampler:
    """Another sample rate, block by block: the same filter as for a whole recording, with the context that it needs."""

    def __init__(self, rate: int, wanted: int) -> None:
        """Take sound at `rate` Hz, give sound at `wanted` Hz."""
        common = math.gcd(rate, wanted)
        self.rate, self.wanted = rate, wanted
        self.step, self.made = rate // common, wanted // common  # so many samples in are so many out, exactly
        reach = ZEROS * max(1.0, rate / wanted) / ROLLOFF + 2  # samples of the filter on each side
        if self.made * (self.step + 2 * ZEROS) > MAX_KERNEL:  # a Fourier transform instead, second by second
            self.step, self.made, reach = rate, wanted, rate
        self.context = math.ceil(reach / self.step) * self.step
        self._held = np.zeros(0, np.float32)
        self._before = 0  # samples of `_held` that have been given

    def push(self, block: Samples) -> Samples:
        """Take the next samples (n,), return (m,) those of which all neighbours are known."""
        if self.rate == self.wanted:
            return block
        self._held = np.concatenate((self._held, block))
        ready = (len(self._held) - self.context) // self.step * self.step
        if ready <= self._before:
            return self._held[:0]
        made = self._resampled(self._before, ready)
        forgotten = max(0, ready - self.context)
        self._held, self._before = self._held[forgotten:], ready - forgotten
        return made

    def finish(self) -> Samples:
        """Return what is left at the end."""
        if self.rate == self.wanted or len(self._held) == self._before:
            return self._held[:0]
        return self._resampled(self._before, len(self._held))

    def _resampled(self, start: int, end: int) -> Samples:
        """Return the samples of `_held` from `start`, a multiple of the step, to `end`, at the other rate."""
        first = start // self.step * self.made
        last = math.ceil(end * self.wanted / self.rate)
        return resampled(self._held[: end + self.context], self.rate, self.wanted)[first:last]
