"""Augmentation of sound: each strength does its own thing, chance comes from the generator alone."""

import math

import pytest
import torch
from torch import Generator, Tensor

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.augment import SoundAugment, SoundAugmentSettings, SpecAugment

COUNTS = torch.tensor([16000, 12000, 9000, 5001])
EVERYTHING = SoundAugmentSettings(speed=0.1, gain_db=6.0, noise=0.5, babble=0.5, reverb=0.5, low_pass=0.5)
EACH = [
    SoundAugmentSettings(speed=0.1),
    SoundAugmentSettings(gain_db=6.0),
    SoundAugmentSettings(noise=1.0),
    SoundAugmentSettings(babble=1.0),
    SoundAugmentSettings(reverb=1.0),
    SoundAugmentSettings(low_pass=1.0),
    EVERYTHING,
]


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def speech() -> Tensor:
    valid = torch.arange(16000) < COUNTS[:, None]
    return torch.randn(4, 16000, generator=seeded(9)) * 0.1 * valid


def power(x: Tensor) -> Tensor:
    return x.square().sum(1) / COUNTS


def test_everything_off_changes_nothing() -> None:
    x, counts = SoundAugment(SoundAugmentSettings())(speech(), COUNTS, seeded())
    assert torch.equal(x, speech()) and torch.equal(counts, COUNTS)


def test_integers_come_out_as_floats_with_full_scale_1() -> None:
    x, _ = SoundAugment(SoundAugmentSettings())(torch.full((1, 400), 16384, dtype=torch.int16), COUNTS[:1], seeded())
    assert torch.equal(x, torch.full((1, 400), 0.5))


@pytest.mark.parametrize("settings", EACH)
def test_the_seed_alone_decides(settings: SoundAugmentSettings) -> None:
    augment = SoundAugment(settings)
    first, counts = augment(speech(), COUNTS, seeded(1))
    torch.manual_seed(5)
    assert torch.equal(augment(speech(), COUNTS, seeded(1))[0], first)
    others = [augment(speech(), COUNTS, seeded(seed))[0] for seed in (2, 3, 4)]
    assert not all(other.shape == first.shape and torch.equal(other, first) for other in others)


@pytest.mark.parametrize("settings", EACH)
def test_padding_stays_zero_and_sound_stays_finite(settings: SoundAugmentSettings) -> None:
    for seed in range(4):
        x, counts = SoundAugment(settings)(speech(), COUNTS, seeded(seed))
        assert torch.isfinite(x).all() and x.shape[1] >= counts.max()
        assert not x[torch.arange(x.shape[1]) >= counts[:, None]].any()


@pytest.mark.parametrize("settings", EACH)
def test_what_stands_in_the_padding_does_not_matter(settings: SoundAugmentSettings) -> None:
    dirty = speech() + (torch.arange(16000) >= COUNTS[:, None])
    clean, dirtied = (SoundAugment(settings)(x, COUNTS, seeded(1))[0] for x in (speech(), dirty))
    assert torch.equal(clean, dirtied)


@pytest.mark.parametrize("settings", EACH)
def test_silence_and_a_single_recording_do_no_harm(settings: SoundAugmentSettings) -> None:
    x, _ = SoundAugment(settings)(torch.zeros(2, 4000), torch.tensor([4000, 1]), seeded(1))
    assert not x.any()
    x, _ = SoundAugment(settings)(speech()[:1], COUNTS[:1], seeded(1))
    assert torch.isfinite(x).all()


def test_speed_changes_length_and_pitch_alike() -> None:
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(16000) / 16000).repeat(12, 1)
    x, counts = SoundAugment(SoundAugmentSettings(speed=0.1))(tone, torch.full((12,), 16000), seeded())
    assert set(counts.tolist()) == {17778, 16000, 14546}
    for row, count in zip(x, counts.tolist(), strict=True):
        hertz = float(torch.fft.rfft(row[:count]).abs().argmax()) * 16000 / count
        assert hertz == pytest.approx(1000 * 16000 / count, abs=2)


def test_a_share_of_the_batches_begins_and_ends_with_silence_in_every_recording() -> None:
    quiet = SoundAugment(SoundAugmentSettings(silence=0.5, silence_seconds=0.5))
    longer = [quiet(speech(), COUNTS, seeded(seed))[1] - COUNTS for seed in range(40)]
    changed = [bool(more.any()) for more in longer]
    assert 10 < sum(changed) < 30
    # Recordings of a batch without silence keep their lengths, those of one with it grow, each by a length of its own.
    assert all(more.all() and len(set(more.tolist())) > 1 for more, drawn in zip(longer, changed, strict=True) if drawn)
    assert max(int(more.max()) for more in longer) <= 2 * 8000


def test_gain_stays_within_its_range() -> None:
    x, _ = SoundAugment(SoundAugmentSettings(gain_db=6.0))(speech(), COUNTS, seeded())
    decibels = 10 * (power(x) / power(speech())).log10()
    assert decibels.abs().max() <= 6 and decibels.std() > 0.5


@pytest.mark.parametrize("kind", ["noise", "babble"])
def test_what_is_added_has_the_ratio_that_was_asked_for(kind: str) -> None:
    settings = SoundAugmentSettings(**{kind: 1.0, f"{kind}_snr_low": 10.0, f"{kind}_snr_high": 10.0})  # type: ignore[arg-type]
    x, _ = SoundAugment(settings)(speech(), COUNTS, seeded())
    snr = 10 * (power(speech()) / power(x - speech())).log10()
    assert torch.allclose(snr, torch.tensor(10.0), atol=0.01 if kind == "babble" else 2.0)


def test_noise_has_three_colours() -> None:
    x = speech()[:1].repeat(24, 1)
    added = SoundAugment(SoundAugmentSettings(noise=1.0))(x, COUNTS[:1].repeat(24), seeded())[0] - x
    spectrum = torch.fft.rfft(added).abs().square()
    slope = (spectrum[:, 400:800].mean(1) / spectrum[:, 3200:6400].mean(1)).log2() / 3  # three octaves apart
    assert set(slope.round().int().tolist()) == {0, 1, 2}


def test_babble_is_made_of_the_others() -> None:
    x = torch.zeros(2, 4000)
    x[0], x[1] = 0.1, torch.sin(torch.arange(4000) * 0.3)
    added = SoundAugment(SoundAugmentSettings(babble=1.0))(x, torch.tensor([4000, 4000]), seeded())[0] - x
    assert added[1].std() < 1e-6 < added[1].mean()
    assert int(torch.fft.rfft(added[0]).abs().argmax()) == round(0.3 * 4000 / (2 * math.pi))


def test_a_share_is_a_share() -> None:
    x = torch.ones(400, 400)
    counts = torch.full((400,), 400)
    changed = SoundAugment(SoundAugmentSettings(babble=0.25))(x, counts, seeded())[0] != x
    assert 70 <= int(changed.any(1).sum()) <= 130


def test_a_room_rings_on_after_a_click_and_dies_away() -> None:
    click = torch.zeros(8, 16000)
    click[:, 100] = 1.0
    x, _ = SoundAugment(SoundAugmentSettings(reverb=1.0))(click, torch.full((8,), 16000), seeded())
    assert torch.allclose(x.square().sum(1), torch.tensor(1.0), atol=1e-3)
    assert x[:, :100].abs().max() < 1e-5 and torch.equal(x.abs().argmax(1), torch.full((8,), 100))
    early, late = x[:, 101:900].square().sum(1), x[:, 4900:9700].square().sum(1)
    assert (early > 1e-3).all() and (late < 0.3 * early).all()


def test_a_low_pass_cuts_what_is_above() -> None:
    settings = SoundAugmentSettings(low_pass=1.0, low_pass_low=3000.0, low_pass_high=3000.0)
    x, _ = SoundAugment(settings)(speech(), torch.full((4,), 16000), seeded())
    before, after = (torch.fft.rfft(part[:1]).abs().square()[0] for part in (speech(), x))
    assert after[4500:].sum() < 1e-3 * before[4500:].sum()
    assert after[:2000].sum() == pytest.approx(float(before[:2000].sum()), rel=0.02)


def test_masks_hide_stretches_of_time_and_frequency() -> None:
    settings = SoundAugmentSettings(time_masks=2, time_width=10, frequency_masks=1, frequency_width=8)
    counts = torch.tensor([100, 60, 3])
    kept = SpecAugment(settings, bands=40)(torch.ones(3, 100, 40), counts, seeded(2)) != 0
    times, bands = ~kept.any(2), ~kept.any(1)
    assert 0 < times.sum(1).max() <= 20 and 0 < bands.sum(1).max() <= 8
    assert torch.equal(kept, ~times[:, :, None] & ~bands[:, None, :])
    assert not (times & (torch.arange(100) >= counts[:, None])).any()
    assert not times[2].any()  # a fifth of three frames is none


def test_differences_are_hidden_with_their_band_and_energy_never() -> None:
    settings = SoundAugmentSettings(frequency_masks=3, frequency_width=10)
    kept = SpecAugment(settings, bands=40, parts=3)(torch.ones(8, 5, 123), torch.full((8,), 5), seeded()) != 0
    parts = kept.reshape(8, 5, 3, 41)
    assert torch.equal(parts[:, :, 0], parts[:, :, 1]) and torch.equal(parts[:, :, 0], parts[:, :, 2])
    assert parts[..., 40].all() and not parts[..., :40].all()


def test_masks_follow_the_seed_and_none_change_nothing() -> None:
    features, counts = torch.ones(4, 50, 40), torch.full((4,), 50)
    masks = SpecAugment(SoundAugmentSettings(time_masks=2, frequency_masks=2), bands=40)
    assert torch.equal(masks(features, counts, seeded(1)), masks(features, counts, seeded(1)))
    assert not torch.equal(masks(features, counts, seeded(1)), masks(features, counts, seeded(2)))
    assert torch.equal(SpecAugment(SoundAugmentSettings(), bands=40)(features, counts, seeded()), features)


@pytest.mark.parametrize(
    "change, word",
    [
        ({"speed": 0.6}, "speed"),
        ({"speed": 0.105}, "speed"),
        ({"noise": 1.5}, "noise"),
        ({"reverb": -0.1}, "reverb"),
        ({"noise_snr_high": 0.0}, "noise_snr_low or more"),
        ({"low_pass_low": 0.0}, "low_pass_low"),
        ({"time_masks": -1}, "time_masks"),
        ({"frequency_width": -1}, "frequency_width"),
    ],
)
def test_settings_that_mean_nothing_are_refused(change: dict[str, float], word: str) -> None:
    with pytest.raises(RecognizerError, match=word):
        SoundAugmentSettings(**change)  # type: ignore[arg-type]
