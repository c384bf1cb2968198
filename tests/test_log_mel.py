"""Log-mel frames: what they hold, and that padding changes none of them."""

import math

import pytest
import torch
from torch import Tensor

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.log_mel import LogMel, LogMelSettings

TIMIT = LogMelSettings(bands=40, energy=True, deltas=True)
PLAIN = LogMelSettings(utterance_mean=False)
ALL = [LogMelSettings(), PLAIN, TIMIT]


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 0.1


def tone(hertz: float, samples: int = 16000) -> Tensor:
    return 0.5 * torch.sin(2 * math.pi * hertz * torch.arange(samples) / 16000)[None]


@pytest.mark.parametrize("settings", ALL)
def test_a_recording_gives_the_same_frames_alone_and_padded(settings: LogMelSettings) -> None:
    log_mel, counts = LogMel(settings), torch.tensor([7001, 16000, 1, 399, 400, 560, 9999])
    x = noise(7, 17000)  # what stands beyond a count is noise too, and must not be looked at
    features, frames = log_mel(x, counts)
    for i, count in enumerate(counts):
        alone, frame = log_mel(x[i : i + 1, :count], counts[i : i + 1])
        assert frame == frames[i] and alone.shape[1] == frame
        assert torch.allclose(alone[0], features[i, : frames[i]], atol=1e-4)
        assert not features[i, frames[i] :].any()


def test_frames_are_the_windows_that_fit() -> None:
    assert LogMel(PLAIN).counts(torch.tensor([1, 400, 559, 560, 16000])).tolist() == [1, 1, 1, 2, 98]


def test_the_timit_recipe_has_123_coefficients() -> None:
    log_mel = LogMel(TIMIT)
    assert log_mel.size == 123 and log_mel(noise(1, 4000), torch.tensor([4000]))[0].shape == (1, 23, 123)


def test_integers_and_floats_give_the_same_frames() -> None:
    x = (noise(2, 4000) * 32768).to(torch.int16)
    counts = torch.tensor([4000, 3000])
    assert torch.equal(LogMel(PLAIN)(x, counts)[0], LogMel(PLAIN)(x / 32768, counts)[0])


def test_a_higher_tone_lights_a_higher_band() -> None:
    log_mel = LogMel(PLAIN)
    best = [int(log_mel(tone(hertz), torch.tensor([16000]))[0][0].mean(0).argmax()) for hertz in (300, 1000, 3000)]
    mels = [2595 * math.log10(1 + hertz / 700) for hertz in (20, 300, 1000, 3000, 5600)]
    wanted = [(mel - mels[0]) / (mels[-1] - mels[0]) * 81 - 1 for mel in mels[1:4]]
    assert best == pytest.approx(wanted, abs=1)


def test_ten_times_the_amplitude_adds_log_100_to_everything_heard() -> None:
    log_mel, counts = LogMel(LogMelSettings(utterance_mean=False, energy=True)), torch.tensor([4000])
    quiet, loud = (log_mel(noise(1, 4000) * by, counts)[0] for by in (1, 10))
    assert torch.allclose(loud - quiet, torch.tensor(math.log(100)), atol=1e-3)


def test_a_level_does_not_matter_once_the_mean_is_subtracted() -> None:
    log_mel, counts = LogMel(LogMelSettings()), torch.tensor([4000])
    assert torch.allclose(log_mel(noise(1, 4000), counts)[0], log_mel(noise(1, 4000) * 5, counts)[0], atol=1e-3)


def test_pre_emphasis_lifts_high_bands() -> None:
    frames = [
        LogMel(LogMelSettings(utterance_mean=False, preemphasis=by))(noise(1, 16000), torch.tensor([16000]))[0].mean(1)
        for by in (0.0, 0.97)
    ]
    lift = (frames[1] - frames[0])[0]
    assert lift[0] < -2 and lift[-1] > 0


def test_silence_is_a_finite_number() -> None:
    assert torch.isfinite(LogMel(TIMIT)(torch.zeros(1, 4000), torch.tensor([4000]))[0]).all()


def test_a_steady_rise_has_one_slope_and_no_curve() -> None:
    x = noise(1, 400).repeat(1, 12)[:, : 400 * 12]
    rise = torch.exp(torch.arange(12).repeat_interleave(400) * 0.5)[None] * 0.01
    settings = LogMelSettings(bands=40, deltas=True, hop_ms=25.0, utterance_mean=False, preemphasis=0.0)
    features, _ = LogMel(settings)(x * rise, torch.tensor([4800]))
    assert torch.allclose(features[0, 2:-2, 40:80], torch.tensor(1.0), atol=1e-2)  # log power: twice 0.5 a frame
    assert torch.allclose(features[0, 4:-4, 80:], torch.tensor(0.0), atol=1e-2)


def test_the_first_difference_repeats_the_edge_frame() -> None:
    features, _ = LogMel(LogMelSettings(bands=40, deltas=True))(noise(1, 2000), torch.tensor([2000]))
    statics, slopes = features[0, :, :40], features[0, :, 40:80]
    wanted = (statics[1] - statics[0] + 2 * (statics[2] - statics[0])) / 10
    assert torch.allclose(slopes[0], wanted, atol=1e-5)


@pytest.mark.parametrize("settings", ALL)
def test_fitted_frames_have_mean_0_and_variance_1(settings: LogMelSettings) -> None:
    log_mel, counts = LogMel(settings), torch.tensor([16000, 9000, 4000])
    x = noise(3, 16000) * torch.linspace(0.1, 5, 16000)
    log_mel.fit([(x[:2], counts[:2]), (x[2:], counts[2:])])
    features, frames = log_mel(x, counts)
    kept = torch.cat([features[i, :count] for i, count in enumerate(frames)])
    assert kept.mean(0).abs().max() < 1e-3
    assert (kept.std(0, correction=0) - 1).abs().max() < 1e-2


def test_the_normalisation_travels_with_the_weights_and_nothing_else_does() -> None:
    log_mel, other = LogMel(PLAIN), LogMel(PLAIN)
    log_mel.fit([(noise(1, 16000), torch.tensor([16000]))])
    assert sorted(log_mel.state_dict()) == ["level", "mean", "std"]
    other.load_state_dict(log_mel.state_dict())
    x, counts = noise(1, 4000), torch.tensor([4000])
    assert torch.equal(other(x, counts)[0], log_mel(x, counts)[0])


def test_nothing_to_fit_on_is_refused() -> None:
    with pytest.raises(RecognizerError, match="no recordings"):
        LogMel(PLAIN).fit([])


@pytest.mark.parametrize("settings", ALL)
def test_the_inverse_sounds_at_the_same_pitch(settings: LogMelSettings) -> None:
    log_mel, counts = LogMel(settings), torch.tensor([16000])
    x = torch.cat((tone(500, 8000), tone(2000, 8000)), dim=1)
    log_mel.fit([(x, counts)])
    wave = log_mel.inverse(log_mel(x, counts)[0])
    peaks = [
        float(torch.fft.rfft(part).abs().argmax()) * 16000 / 6000 for part in (wave[0, 500:6500], wave[0, 9000:15000])
    ]
    assert peaks == pytest.approx([500, 2000], rel=0.1)


@pytest.mark.parametrize(
    "change, word",
    [
        ({"bands": 0}, "bands"),
        ({"hop_ms": 0.0}, "hop_ms"),
        ({"window_ms": 5.0}, "window_ms"),
        ({"low": 6000.0}, "low"),
        ({"preemphasis": 1.0}, "preemphasis"),
        ({"high": 8001.0}, "8000 Hz or less"),
        ({"bands": 200}, "fewer bands"),
    ],
)
def test_settings_that_mean_nothing_are_refused(change: dict[str, float], word: str) -> None:
    with pytest.raises(RecognizerError, match=word):
        LogMel(LogMelSettings(**change))  # type: ignore[arg-type]
