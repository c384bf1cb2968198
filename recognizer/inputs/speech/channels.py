"""Several channels of sound to one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError

CANCELLED = 0.02  # of the channels' mean power: less in their mean is no mix, it is a difference
AUDIBLE = 1e-8  # of full scale, squared (-80 dB): below it nothing can be told of the channels
LOUDER = 4.0  # times the power of what a choice was made by: sound so much louder is chosen by anew

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class ChannelChoice:
    """Which channel a recording is read from.

    Args:
        channel: its number from 1 on, 0 for the mean of all.
        note: what a user should know of the choice, "" for nothing.
        power: of the sound that it was chosen by, the mean of the channels, of full scale, squared.
    """

    channel: int
    note: str = ""
    power: float = 0.0

    def mono(self, samples: Samples) -> Samples:
        """Return (samples,) of (samples, channels)."""
        if self.channel:
            return np.ascontiguousarray(samples[:, self.channel - 1])
        return np.asarray(samples.mean(axis=1, dtype=np.float32), dtype=np.float32)


def choose_channel(samples: Samples, given: int, name: str) -> ChannelChoice:
    """Choose how (samples, channels) become one channel.

    Channels that cancel one another out, such as a stereo pair wired in opposite phase, are not averaged: the loudest
    is taken, and a note says so.

    Args:
        samples: full scale 1.
        given: what a user asks for: a channel from 1 on, 0 for what is best.
        name: of the recording, for messages.

    Raises:
        RecognizerError: there is no such channel.
    """
    channels = samples.shape[1]
    if not 0 <= given <= channels:
        raise RecognizerError(f"{name}: no channel {given}, expected 1 to {channels}, or none for their mean")
    if given or channels == 1:
        return ChannelChoice(given)
    power = np.square(samples, dtype=np.float32).mean(axis=0, dtype=np.float64) if len(samples) else np.zeros(channels)
    if power.mean() < AUDIBLE:
        return ChannelChoice(0)
    mixed = float(np.square(samples.mean(axis=1)).mean(dtype=np.float64))
    if mixed >= CANCELLED * power.mean():
        return ChannelChoice(0, power=float(power.mean()))
    loudest = int(np.argmax(power)) + 1
    note = f"its {channels} channels cancel one another out, channel {loudest} is read (--channel chooses)"
    return ChannelChoice(loudest, note, float(power.mean()))


class BlockChoice:
    """The choice of a channel for a recording that comes block by block: by the loudest sound so far.

    What comes first may be the hiss of a line that nobody speaks on yet, which cancels nothing.
    """

    def __init__(self, given: int, name: str, say: Callable[[str], None]) -> None:
        """Choose as `choose_channel` does; `say` takes the notes."""
        self.given, self.name, self.say = given, name, say
        self.choice: ChannelChoice | None = None

    def mono(self, samples: Samples) -> Samples:
        """Return (samples,) of the next (samples, channels).

        Raises:
            RecognizerError: there is no such channel.
        """
        found = choose_channel(samples, self.given, self.name)
        if self.choice is None or found.power > LOUDER * self.choice.power:
            if found.note and (self.choice is None or found.note != self.choice.note):
                self.say(f"{self.name}: {found.note}")
            self.choice = found
        return self.choice.mono(samples)
