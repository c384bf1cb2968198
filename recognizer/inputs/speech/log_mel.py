"""Log-mel frames of padded batches of sound."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.inputs.features import Features
from recognizer.network.masks import valid_mask

FLOOR = 1e-7  # power below what rounding to int16 leaves in a band
STD_FLOOR = 0.01  # a band that never moves in the data is not blown up
FULL_SCALE = 32768  # int16 steps of an amplitude of 1
DELTA_WIDTH = 2  # frames on each side of a difference
LARGEST = 1 << 26  # bands times frequencies


@dataclass(frozen=True)
class LogMelSettings:
    """How sound becomes frames.

    Args:
        bands: mel bands.
        window_ms: length of the Hann window.
        hop_ms: from one window to the next.
        low: Hz, where the first band starts.
        high: Hz, where the last band ends; the default lies below the cut of speech MP3 files.
        preemphasis: x[t] - preemphasis x[t - 1], 0 = off.
        energy: adds the log energy of the window as one further coefficient.
        deltas: adds first and second differences, three times the coefficients.
        utterance_mean: subtracts each recording's own mean of each coefficient.
        speech_range_db: dB below the loudest frame down to which frames count for `utterance_mean`, so that silence
            around speech does not move it; 0 counts every frame.
    """

    bands: int = 80
    window_ms: float = 25.0
    hop_ms: float = 10.0
    low: float = 20.0
    high: float = 5600.0
    preemphasis: float = 0.97
    energy: bool = False
    deltas: bool = False
    utterance_mean: bool = True
    speech_range_db: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name, good, wanted in (
            ("bands", self.bands >= 1, "1 or more"),
            ("hop_ms", self.hop_ms > 0, "more than 0"),
            ("window_ms", self.window_ms >= self.hop_ms, "hop_ms or more, or sound is lost between windows"),
            ("low", 0 <= self.low < self.high, "0 or more and less than high"),
            ("speech_range_db", self.speech_range_db >= 0, "0 or more"),
            ("preemphasis", 0 <= self.preemphasis < 1, "from 0 to less than 1"),
        ):
            if not good:
                raise RecognizerError(f"features.{name} is {getattr(self, name)}, expected {wanted}")

    def window_and_hop(self, sample_rate: int) -> tuple[int, int]:
        """Return the samples of a window, and those from one window to the next.

        Raises:
            RecognizerError: the settings do not fit the sample rate.
        """
        window, hop = (round(milliseconds * sample_rate / 1000) for milliseconds in (self.window_ms, self.hop_ms))
        if hop < 1 or bins_of(window) * self.bands > LARGEST:
            raise RecognizerError(
                f"features: {self.bands} bands of windows of {window} samples, {hop} from one to the "
                f"next, expected at least 1 and less of the others"
            )
        return window, hop

    def counts(self, counts: Tensor, sample_rate: int) -> Tensor:
        """Return the frames (N,) that `counts` (N,) samples make; less than a window makes one frame."""
        window, hop = self.window_and_hop(sample_rate)
        return 1 + (counts.clamp(min=window) - window) // hop


class LogMel(Features):
    """Sound (N, S) to frames (N, T, F), none of which depends on padding or on the other recordings.

    Args:
        settings: what a frame is.
        sample_rate: Hz of the sound.

    Raises:
        RecognizerError: the settings do not fit the sample rate.
    """

    has_statistics = True
    mean: Tensor
    std: Tensor
    level: Tensor
    taper: Tensor
    filters: Tensor

    def __init__(self, settings: LogMelSettings, sample_rate: int = 16000) -> None:
        """Compute window and filters, start with a normalisation that changes nothing."""
        super().__init__()
        self.settings, self.sample_rate = settings, sample_rate
        self.window, self.hop = settings.window_and_hop(sample_rate)
        self.parts = 3 if settings.deltas else 1  # with differences
        self.size = self.statics * self.parts
        self.bins = bins_of(self.window)
        with torch.device("cpu"):  # also where the weights are only shapes: these are not in a model file
            self.register_buffer("taper", torch.hann_window(self.window, periodic=False), persistent=False)
            self.register_buffer("filters", _filters(settings, sample_rate, self.bins), persistent=False)
        self.register_buffer("mean", torch.zeros(self.size))
        self.register_buffer("std", torch.ones(self.size))
        self.register_buffer("level", torch.zeros(self.statics))

    @property
    def statics(self) -> int:
        """Coefficients of a frame before differences."""
        return self.settings.bands + self.settings.energy

    def counts(self, counts: Tensor) -> Tensor:
        """Return the frames (N,) that `counts` (N,) samples make; less than a window makes one frame."""
        return self.settings.counts(counts, self.sample_rate)

    def forward(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return normalised frames (N, T, F), zero beyond each recording's end, with their counts (N,).

        Args:
            x: (N, S) int16, or float with full scale 1.
            counts: (N,) valid samples.
        """
        statics, frames = self._statics(x, counts)
        features = self._with_deltas(self._centred(statics, frames), frames)
        features = (features - self.mean) / self.std
        return features * valid_mask(frames, features.shape[1])[..., None], frames

    @torch.no_grad()
    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set mean, deviation, level from (x, counts) batches, so that all frames together have mean 0, variance 1.

        Raises:
            RecognizerError: there is no batch.
        """
        device = self.mean.device
        total = torch.zeros((), dtype=torch.float64, device=device)
        sums = torch.zeros(2, self.size, dtype=torch.float64, device=device)
        level = torch.zeros(self.statics, dtype=torch.float64, device=device)
        for x, counts in batches:
            statics, frames = self._statics(x.to(device), counts.to(device))
            features = self._with_deltas(self._centred(statics, frames), frames)
            valid = valid_mask(frames, features.shape[1])
            kept = features[valid].double()
            total += len(kept)
            sums += torch.stack((kept.sum(0), kept.square().sum(0)))
            level += statics[valid].double().sum(0)
        if not total:
            raise RecognizerError("log_mel: no recordings to take mean and deviation from, expected one batch or more")
        mean, square = sums / total
        self.mean.copy_(mean)
        self.std.copy_((square - mean.square()).clamp(min=STD_FLOOR**2).sqrt())
        self.level.copy_(level / total)

    @torch.no_grad()
    def inverse(self, features: Tensor, iterations: int = 32) -> Tensor:
        """Return sound (N, S'), float, that has about the frames (N, T, F); what the network sees can thus be heard.

        Phases are found by Griffin-Lim (Griffin and Lim 1984); a recording's own mean, where it was
        subtracted, is replaced by the mean of the recordings that `fit` saw.
        """
        from torchaudio.functional import deemphasis, griffinlim

        bands = self.settings.bands
        log_mel = (features * self.std + self.mean)[..., :bands]
        if self.settings.utterance_mean:
            log_mel = log_mel + self.level[:bands]
        power = (log_mel.exp() @ torch.linalg.pinv(self.filters)).clamp(min=0)
        samples = (features.shape[1] - 1) * self.hop
        args = (self.bins, self.hop, self.window, 2.0, iterations, 0.99, samples, False)
        wave = griffinlim(power.transpose(1, 2), self.taper, *args)
        sound: Tensor = deemphasis(wave, self.settings.preemphasis)
        return sound

    def _statics(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return log bands (N, T, statics) with their counts (N,); frames beyond a count are not zero yet."""
        frames = self.counts(counts)
        x = x.float() / FULL_SCALE if x.dtype == torch.int16 else x.float()
        x = x * valid_mask(counts, x.shape[1])
        x = nn.functional.pad(x, (0, max(0, self.window - x.shape[1])))
        previous = nn.functional.pad(x[:, :-1], (1, 0))
        pieces = (x - self.settings.preemphasis * previous).unfold(1, self.window, self.hop)  # (N, T, window)
        spectrum = torch.fft.rfft(pieces * self.taper, n=self.bins)
        power = torch.view_as_real(spectrum).square().sum(-1)
        logs = (power @ self.filters).clamp(min=FLOOR).log()
        if self.settings.energy:
            energy = x.square().unfold(1, self.window, self.hop).sum(-1, keepdim=True)
            logs = torch.cat((logs, energy.clamp(min=FLOOR).log()), dim=-1)
        return logs, frames

    def _centred(self, statics: Tensor, frames: Tensor) -> Tensor:
        """Subtract each recording's mean of its own frames from (N, T, statics)."""
        if not self.settings.utterance_mean:
            return statics
        counted = valid_mask(frames, statics.shape[1])
        if self.settings.speech_range_db:
            counted = self._loud(statics, counted)
        total = counted.sum(1)[:, None, None]
        return statics - (statics * counted[..., None]).sum(1, keepdim=True) / total

    def _loud(self, statics: Tensor, valid: Tensor) -> Tensor:
        """Return (N, T), true for the valid frames within `speech_range_db` of their recording's loudest."""
        power = statics[..., : self.settings.bands].logsumexp(-1)  # (N, T) natural logarithm of the bands' sum
        loudest = power.masked_fill(~valid, -math.inf).amax(1, keepdim=True)
        return valid & (power >= loudest - self.settings.speech_range_db * math.log(10) / 10)

    def _with_deltas(self, statics: Tensor, frames: Tensor) -> Tensor:
        """Append first and second differences to (N, T, statics)."""
        if not self.settings.deltas:
            return statics
        first = _delta(statics, frames)
        return torch.cat((statics, first, _delta(first, frames)), dim=-1)


def bins_of(window: int) -> int:
    """Return the length of the transform of a window: the power of two that holds it."""
    return 1 << (window - 1).bit_length()


def _delta(values: Tensor, frames: Tensor) -> Tensor:
    """Return the regression slope of (N, T, F) over time; edge frames are repeated (HTK book, equation 5.16)."""
    last = (frames - 1)[:, None]
    place = torch.arange(values.shape[1], device=values.device)
    slope = torch.zeros_like(values)
    for step in range(1, DELTA_WIDTH + 1):
        after, before = (place + step).minimum(last), (place - step).clamp(min=0).minimum(last)
        ahead, behind = (values.gather(1, at[..., None].expand_as(values)) for at in (after, before))
        slope = slope + step * (ahead - behind)
    return slope / (2 * sum(step * step for step in range(1, DELTA_WIDTH + 1)))


def _filters(settings: LogMelSettings, sample_rate: int, bins: int) -> Tensor:
    """Return triangular mel filters (bins // 2 + 1, bands)."""
    if settings.high > sample_rate / 2:
        raise RecognizerError(f"features.high is {settings.high:g} Hz, expected {sample_rate / 2:g} Hz or less")
    from torchaudio.functional import melscale_fbanks

    filters: Tensor = melscale_fbanks(
        bins // 2 + 1, settings.low, settings.high, settings.bands, sample_rate, None, "htk"
    )
    if empty := int((filters.sum(0) == 0).sum()):
        raise RecognizerError(
            f"features.bands is {settings.bands}, of which {empty} would be narrower than the spectrum's step of"
            f" {sample_rate / bins:.0f} Hz; expected fewer bands or a longer window"
        )
    return filters
