"""Finding speech, cutting at pauses."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.segmentation import LIVE, Piece, SegmentationSettings, Segmenter
from recognizer.inputs.speech.voice_activity import (
    BANDS,
    HOP,
    VoiceActivitySettings,
    band_levels,
    speech_frames,
)

RATE = 16000
SHORT = SegmentationSettings(longest=4.0, shortest=1.0, long_pause=1.5, overlap=1.0)


def pieces_of(
    blocks: Iterable[NDArray[np.int16]], rate: int, settings: SegmentationSettings | None = None
) -> Iterator[Piece]:
    """Yield the pieces with speech of sound that comes in `blocks` (n,) of any size."""
    segmenter = Segmenter(rate, settings)
    for block in blocks:
        yield from segmenter.push(block)
    yield from segmenter.finish()


def voice(seconds: float, seed: int = 0) -> NDArray[np.float64]:
    """Return something like vowels: harmonics of a wandering pitch, five syllables a second."""
    random = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    pitch = 120 + 15 * np.sin(2 * np.pi * 0.7 * at + random.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = sum(np.sin(n * phase) / n for n in range(1, 20))
    return 3000 * sound * (0.15 + np.square(np.sin(np.pi * 2.5 * at)))


def hush(seconds: float) -> NDArray[np.float64]:
    return np.zeros(round(seconds * RATE))


def recorded(*parts: NDArray[np.float64], noise: float = 10.0) -> NDArray[np.int16]:
    sound = np.concatenate(parts)
    return (sound + np.random.default_rng(9).normal(0, noise, len(sound))).astype(np.int16)


def blocks(signal: NDArray[np.int16], size: int) -> Iterator[NDArray[np.int16]]:
    return (signal[i : i + size] for i in range(0, len(signal), size))


def places(pieces: list[Piece]) -> list[tuple[int, int, bool]]:
    return [(piece.start, piece.end, piece.overlaps) for piece in pieces]


@pytest.mark.parametrize("noise", [1.0, 30.0, 300.0])
def test_speech_is_found_between_silences_at_any_noise(noise: float) -> None:
    signal = recorded(hush(2), voice(2), hush(3), voice(1), hush(2), noise=noise)
    speech = speech_frames(band_levels(signal, RATE), VoiceActivitySettings())
    at = np.arange(len(speech)) * HOP
    spoken = ((at > 2.05) & (at < 3.9)) | ((at > 7.05) & (at < 7.9))
    silent = (at < 1.8) | ((at > 4.2) & (at < 6.8)) | (at > 8.2)
    assert speech[spoken].mean() > 0.97
    assert speech[silent].mean() < 0.03


def test_noise_of_any_level_is_no_speech() -> None:
    for noise in (0.0, 1.0, 100.0, 3000.0):
        assert not speech_frames(band_levels(recorded(hush(8), noise=noise), RATE), VoiceActivitySettings()).any()


def test_a_click_is_no_speech_and_less_than_a_frame_is_none() -> None:
    signal = recorded(hush(4))
    signal[32000:32100] = 20000
    assert not speech_frames(band_levels(signal, RATE), VoiceActivitySettings()).any()
    assert band_levels(signal[:399], RATE).shape == (0, BANDS) and band_levels(signal[:400], RATE).shape == (1, BANDS)


def test_a_long_recording_is_cut_in_its_pauses() -> None:
    signal = recorded(voice(3), hush(0.6), voice(2), hush(0.5), voice(3.5), hush(6), voice(1))
    pieces = list(pieces_of(blocks(signal, 5000), RATE, SHORT))
    ends = [piece.end / RATE for piece in pieces]
    assert [round(end) for end in ends] == [3, 6, 10, 17] and 3.0 <= ends[0] <= 3.6 and 5.6 <= ends[1] <= 6.1
    assert not any(piece.overlaps for piece in pieces)
    assert all(len(piece.values) <= 4 * RATE for piece in pieces)
    assert np.array_equal(np.concatenate([p.values for p in pieces[:2]]), signal[: pieces[1].end])


def test_silence_is_left_out_and_counted() -> None:
    signal = recorded(hush(20), voice(2), hush(40))
    segmenter = Segmenter(RATE)
    pieces = [*segmenter.push(signal), *segmenter.finish()]
    assert len(pieces) == 1 and 19 < pieces[0].start / RATE <= 20 and 22 <= pieces[0].end / RATE < 23
    assert segmenter.silence + len(pieces[0].values) == len(signal) == segmenter.heard


def test_a_recording_of_nothing_has_no_pieces() -> None:
    segmenter = Segmenter(RATE)
    signal = np.zeros(61 * RATE, np.int16)
    assert [*segmenter.push(signal), *segmenter.finish()] == [] and segmenter.silence == len(signal)


def test_where_there_is_no_pause_pieces_overlap() -> None:
    at = np.arange(15 * RATE) / RATE
    signal = recorded(voice(15) + 3000 * np.sin(2 * np.pi * (700 + 100 * np.sin(at)) * at))
    pieces = list(pieces_of(blocks(signal, 4000), RATE, SHORT))
    assert [piece.overlaps for piece in pieces] == [False] + [True] * (len(pieces) - 1) and len(pieces) >= 5
    for one, other in zip(pieces, pieces[1:], strict=False):
        assert one.end - other.start == RATE
    assert pieces[0].start == 0 and pieces[-1].end == len(signal)


@pytest.mark.parametrize("settings", [SHORT, LIVE, SegmentationSettings()])
def test_the_size_of_blocks_changes_nothing(settings: SegmentationSettings) -> None:
    signal = recorded(*(part for i in range(9) for part in (voice(1 + i % 4, i), hush(0.1 + 0.3 * (i % 5)))))
    whole = list(pieces_of([signal], RATE, settings))
    assert places(whole) == places(list(pieces_of(blocks(signal, 999), RATE, settings)))
    assert all(np.array_equal(piece.values, signal[piece.start : piece.end]) for piece in whole)


def test_a_live_piece_comes_soon_after_its_pause() -> None:
    signal = recorded(hush(1), voice(2), hush(2), voice(1), hush(1))
    segmenter = Segmenter(RATE, LIVE)
    heard = [(piece, piece.heard / RATE) for block in blocks(signal, 1600) for piece in segmenter.push(block)]
    assert len(heard) == 2
    assert 3.5 < heard[0][1] < 4.0 and 6.5 < heard[1][1] <= 7.0


def test_memory_holds_no_more_than_a_window() -> None:
    segmenter = Segmenter(RATE, SHORT)
    for i in range(40):
        for part in (voice(2, i), hush(1)):
            list(segmenter.push(recorded(part)))
            assert len(segmenter._sound) <= 6 * RATE and len(segmenter._levels) <= 1800


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(RecognizerError, match="segmentation.longest is 0.5, expected 1 s or more"):
        SegmentationSettings(longest=0.5)
    with pytest.raises(RecognizerError, match="voice activity: expected"):
        VoiceActivitySettings(strongest=0)
