"""Silence before the first and behind the last sound of speech, which a network reads worse with than without."""

import numpy as np
from numpy.typing import NDArray

from recognizer.inputs.speech.voice_activity import HOP, WINDOW, VoiceActivitySettings, band_levels, speech_frames

LONGEST = 1.0  # s of silence at an end that stays as it is: recordings cut close are read as they are
KEPT = 0.3  # s that are left of longer silence, as pieces of long recordings keep


def spoken_part(signal: NDArray[np.int16], rate: int) -> slice:
    """Return the stretch of sound (samples,) that is read: all of it where nothing is heard as speech."""
    frames = np.flatnonzero(speech_frames(band_levels(signal, rate), VoiceActivitySettings()))
    if not len(frames):
        return slice(0, len(signal))
    first, last = float(frames[0]) * HOP, float(frames[-1]) * HOP + WINDOW
    seconds = len(signal) / rate
    start = round((first - KEPT) * rate) if first > LONGEST else 0
    end = round((last + KEPT) * rate) if seconds - last > LONGEST else len(signal)
    return slice(start, end)
