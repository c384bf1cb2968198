"""Which frames of a recording hold speech, told by the energy of its bands above their own noise floor."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError

FULL_SCALE = 32768  # int16 steps of an amplitude of 1
HOP = 0.01  # s from one frame to the next
WINDOW = 0.025  # s of a frame
BANDS = 16
LOW, HIGH = 150.0, 5000.0  # Hz: what lies below is hum and handling, above it many recordings have nothing
SILENCE = -90.0  # dB of full scale in a band: digital silence and the last bit count as no more
BLOCK = 3000  # frames transformed at once

Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class VoiceActivitySettings:
    """What counts as speech.

    Args:
        floor_share: share of the frames of a band that are taken to lie below its noise floor.
        strongest: bands of a frame that are looked at: voiced sounds stand out of noise in a few bands only.
        above_db: by how much the mean of those must stand above their floors.
        range_db: frames so far below the loudest ones are no speech, whatever the floor is.
        smooth: s over which band energies are averaged first.
        bridge: s: a shorter gap in speech is part of it.
        burst: s: speech shorter than this is a click.
        edge: s added on both sides of what stands out: sounds begin and end below the noise.
    """

    floor_share: float = 0.1
    strongest: int = 4
    above_db: float = 6.5
    range_db: float = 40.0
    smooth: float = 0.07
    bridge: float = 0.2
    burst: float = 0.08
    edge: float = 0.08

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        positive = self.above_db, self.range_db, self.smooth, self.bridge, self.burst, self.edge
        if not 0 < self.floor_share < 1 or not 1 <= self.strongest <= BANDS or min(positive) <= 0:
            raise RecognizerError(
                f"voice activity: expected floor_share between 0 and 1, strongest 1 to {BANDS}, all else above 0"
            )


def band_levels(signal: NDArray[np.int16], rate: int) -> Levels:
    """Return the level of each band (T, BANDS) of sound (samples,) in dB of full scale; frame t begins at t * HOP.

    A frame is made where a whole window of samples is there: T = 1 + (samples - window) // hop, 0 for less.
    """
    hop, window = round(HOP * rate), round(WINDOW * rate)
    count = 1 + (len(signal) - window) // hop if len(signal) >= window else 0
    taper, filters = _filters(rate, window)
    rows = []
    for start in range(0, count, BLOCK):
        frames = min(BLOCK, count - start)
        piece = signal[start * hop : (start + frames - 1) * hop + window].astype(np.float32) / FULL_SCALE
        pieces = np.lib.stride_tricks.sliding_window_view(piece, window)[::hop]
        power = np.square(np.abs(np.fft.rfft(pieces * taper, axis=1))) @ filters
        rows.append(np.maximum(10 * np.log10(power + 1e-12), SILENCE).astype(np.float32))
    return np.concatenate(rows) if rows else np.zeros((0, BANDS), np.float32)


def speech_score(levels: Levels, settings: VoiceActivitySettings) -> NDArray[np.float32]:
    """Return by how many dB each frame (T,) stands above the noise floor, in its strongest bands of (T, BANDS).

    The floor of a band is a low quantile of its own smoothed level, so that steady noise of any colour is taken off
    (after minimum statistics, Martin 2001, with a quantile in the place of the minimum).
    """
    if not len(levels):
        return np.zeros(0, np.float32)
    smooth = _averaged(levels, max(1, round(settings.smooth / HOP)))
    floor = np.quantile(smooth, settings.floor_share, axis=0)
    strongest = np.sort(smooth - floor, axis=1)[:, -settings.strongest :]
    return np.asarray(np.maximum(strongest, 0).mean(axis=1), dtype=np.float32)


def speech_frames(levels: Levels, settings: VoiceActivitySettings) -> Mask:
    """Return which frames (T,) of band levels (T, BANDS) hold speech."""
    score = speech_score(levels, settings)
    if not len(score):
        return np.zeros(0, bool)
    loudness = levels.max(axis=1)
    speech = (score >= settings.above_db) & (loudness >= loudness.max() - settings.range_db)
    speech = _without_runs(speech, True, round(settings.burst / HOP))
    speech = _widened(speech, round(settings.edge / HOP))
    return _without_runs(speech, False, round(settings.bridge / HOP))


def runs(mask: Mask, value: bool) -> list[tuple[int, int]]:
    """Return (start, end) of each run of `value` in a mask (T,), end exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask == value, [False]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _without_runs(mask: Mask, value: bool, shortest: int) -> Mask:
    """Turn the runs of `value` that are shorter than `shortest` frames; gaps at both ends are no gaps."""
    mask = mask.copy()
    for start, end in runs(mask, value):
        inner = value or (start > 0 and end < len(mask))
        if end - start < shortest and inner:
            mask[start:end] = not value
    return mask


def _widened(mask: Mask, frames: int) -> Mask:
    """Let each run of true in a mask (T,) begin and end so many frames farther out."""
    sums = np.cumsum(np.pad(mask.astype(np.int64), (frames + 1, frames)))
    return np.asarray(sums[2 * frames + 1 :] > sums[: -2 * frames - 1])


def _averaged(levels: Levels, width: int) -> Levels:
    """Return the mean of `width` frames around each of (T, BANDS); edge frames are repeated."""
    before = width // 2
    padded = np.pad(levels, ((before, width - 1 - before), (0, 0)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0, dtype=np.float64)
    return ((sums[width:] - sums[:-width]) / width).astype(np.float32)


@cache
def _filters(rate: int, window: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a Hann window, by which a full-scale sine has about 0 dB, and mel filters (window // 2 + 1, BANDS)."""
    taper = np.hanning(window).astype(np.float32)
    high = min(HIGH, 0.95 * rate / 2)
    edges = _hertz(np.linspace(_mel(LOW), _mel(high), BANDS + 2))
    bins = np.fft.rfftfreq(window, 1 / rate)[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return taper * (2 / taper.sum()), np.clip(np.minimum(rise, fall), 0, None).astype(np.float32)


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))
