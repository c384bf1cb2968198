"""Several channels of sound to one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError

CANCELLED = 0.02  # of the channels' mean power: less in their mean is no mix, it is a difference
AUDIBLE = 1e-8  # of full scale, squared (-80 dB): below it nothing can be told of the channels

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class ChannelChoice:
    """Which channel a recording is read from.

    Args:
        channel: its number from 1 on, 0 for the mean of all.
        note: what a user should know of the choice, "" for nothing.
        sure: whether there was sound to choose by.
    """

    channel: int
    note: str = ""
    sure: bool = True

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
        return ChannelChoice(0, sure=False)
    mixed = float(np.square(samples.mean(axis=1)).mean(dtype=np.float64))
    if mixed >= CANCELLED * power.mean():
        return ChannelChoice(0)
    loudest = int(np.argmax(power)) + 1
    note = f"its {channels} channels cancel one another out, channel {loudest} is read (--channel chooses)"
    return ChannelChoice(loudest, note)
