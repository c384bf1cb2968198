"""Silence at both ends of a recording is left out before it is read."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny import Run

from recognizer.inputs.speech.quiet_ends import KEPT, LONGEST, spoken_part
from recognizer.reading.reader import Reader

RATE = 16000


def speech(seconds: float = 1.5) -> NDArray[np.int16]:
    """Return a buzz with the syllables of speech: harmonics whose loudness rises and falls four times a second."""
    t = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * 140 * n * t) / n for n in range(1, 20))
    return np.asarray(4000 * buzz * np.abs(np.sin(2 * np.pi * 2 * t + 0.3)), dtype=np.int16)


def padded(before: float, after: float, noise: float) -> NDArray[np.int16]:
    sound = np.concatenate([np.zeros(round(before * RATE)), speech(), np.zeros(round(after * RATE))])
    return np.asarray(sound + np.random.default_rng(1).normal(0, noise, len(sound)), dtype=np.int16)


@pytest.mark.parametrize("noise", [0.0, 30.0])
@pytest.mark.parametrize(("before", "after"), [(5.0, 5.0), (20.0, 0.0), (0.0, 8.0)])
def test_long_silence_goes_and_a_little_of_it_stays(before: float, after: float, noise: float) -> None:
    part = spoken_part(padded(before, after, noise), RATE)
    assert part.start / RATE == pytest.approx(max(0.0, before - KEPT), abs=0.15) if before else part.start == 0
    assert (before + 1.5 + after - part.stop / RATE) == pytest.approx(max(0.0, after - KEPT), abs=0.15)


def test_short_silence_stays() -> None:
    sound = padded(LONGEST / 2, LONGEST / 2, 10.0)
    assert spoken_part(sound, RATE) == slice(0, len(sound))


@pytest.mark.parametrize("sound", [np.zeros(3 * RATE, np.int16), np.zeros(0, np.int16), np.zeros(50, np.int16)])
def test_what_holds_no_speech_is_left_whole(sound: NDArray[np.int16]) -> None:
    assert spoken_part(sound, RATE) == slice(0, len(sound))


def test_silence_changes_no_text_and_moves_its_places(sound_run: Run) -> None:
    reader = Reader.load(sound_run.folder)
    assert reader.model_file.settings.signal["sample_rate"] == RATE
    sound = padded(4.0, 4.0, 0.0)
    part = spoken_part(sound, RATE)
    assert part.start > 3 * RATE
    long, cut = (reader.transcribe(one, rate=RATE) for one in (sound, sound[part]))
    assert long.text == cut.text != ""
    for one, other in zip(long.characters, cut.characters, strict=True):
        assert one.start == pytest.approx(other.start + part.start / RATE, abs=0.02)
