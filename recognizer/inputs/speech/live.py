"""Sound as it happens: a microphone, or raw samples on standard input."""

import os
import queue
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.audio import FULL_SCALE, to_int16
from recognizer.inputs.speech.streaming import Resampler

STEP = 0.1  # s of a block, and the longest time until a stop is noticed
WIDTH = 2  # bytes of a sample

Signal = NDArray[np.int16]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Live:
    """Sound that goes on until somebody stops it.

    Args:
        name: of where it comes from.
        rate: Hz.
        blocks: yields int16 mono samples (n,) at `rate` as they come.
    """

    name: str
    rate: int
    blocks: Iterator[Signal]

    def signal(self, wanted: int) -> Iterator[Signal]:
        """Yield the blocks at the rate `wanted`."""
        resampler = Resampler(self.rate, wanted)
        for block in self.blocks:
            scaled = block.astype(np.float32) / np.float32(FULL_SCALE)
            yield block if self.rate == wanted else to_int16(resampler.push(scaled))
        if self.rate != wanted:
            yield to_int16(resampler.finish())


def pcm(file: BinaryIO, rate: int, stopped: Stopped) -> Live:
    """Return the 16-bit little-endian mono samples at `rate` Hz that come in on `file`, until it ends."""
    return Live("-", rate, _pcm_blocks(file.fileno(), round(STEP * rate) * WIDTH, stopped))


def _pcm_blocks(descriptor: int, size: int, stopped: Stopped) -> Iterator[Signal]:
    rest = b""
    while not stopped():
        if not select.select([descriptor], [], [], STEP)[0]:
            continue
        data = os.read(descriptor, size)
        if not data:
            return
        data = rest + data
        whole = len(data) // WIDTH * WIDTH
        rest = data[whole:]
        yield np.frombuffer(data[:whole], "<i2").astype(np.int16)


@contextmanager
def microphone(device: str | None, stopped: Stopped) -> Iterator[Live]:
    """Open a microphone at its own rate: the default one, or the one with a number or a part of a name.

    Raises:
        RecognizerError: sounddevice or PortAudio is not installed, or there is no such microphone.
    """
    sounddevice = _sounddevice()
    heard: queue.Queue[bytes] = queue.Queue()
    try:
        chosen = sounddevice.query_devices(int(device) if device and device.isdigit() else device, "input")
        rate = round(chosen["default_samplerate"])
        stream = sounddevice.RawInputStream(
            samplerate=rate,
            blocksize=round(STEP * rate),
            device=chosen["index"],
            channels=1,
            dtype="int16",
            callback=lambda data, *_: heard.put(bytes(data)),
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise RecognizerError(
            f"microphone {device or 'of the system'}: {reason}, expected one of `python -m sounddevice`, or raw sound:"
            " ... | recognizer listen - --rate HZ"
        ) from None
    with stream:
        yield Live(str(chosen["name"]), rate, _queue_blocks(heard, stopped))


def _queue_blocks(heard: "queue.Queue[bytes]", stopped: Stopped) -> Iterator[Signal]:
    while not (stopped() and heard.empty()):
        try:
            yield np.frombuffer(heard.get(timeout=STEP), np.int16)
        except queue.Empty:
            continue


def _sounddevice() -> Any:
    """Return the library that opens microphones."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: without PortAudio
        raise RecognizerError(
            f"the microphone needs sounddevice and PortAudio ({error}): pip install 'recognizer[microphone]', or give"
            " raw sound: ... | recognizer listen - --rate HZ"
        ) from None
    return sounddevice
