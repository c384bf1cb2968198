"""Changes to batches of sound, or of its frames, while training."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from recognizer.errors import RecognizerError
from recognizer.inputs.features import Augmentation, Features
from recognizer.inputs.random_parameters import repeat_views
from recognizer.inputs.speech.log_mel import LogMel
from recognizer.network.masks import valid_mask

FULL_SCALE = 32768  # int16 steps of an amplitude of 1
SILENCE = 1e-10  # mean square below which there is nothing to set a noise against
ROOM_SECONDS = 0.6  # s: longest reverberation time that is drawn, and the length of a room's response
ROOM_SHORTEST = 0.1  # s: shortest reverberation time
DIRECT_DB = (0.0, 12.0)  # dB: direct sound above reverberation, drawn between
DECAY = math.log(1000)  # a reverberation time is what 60 dB take, a thousandth in amplitude
NOISE_SLOPES = (0.0, 0.5, 1.0)  # amplitude falls as f^-slope: white, pink, brown
NOISE_CORNER = 20.0  # Hz: below it noise rises no further
LOW_PASS_ORDER = 8  # of a Butterworth filter: 48 dB an octave
TALKERS = 3  # voices of a babble
TIME_SHARE = 0.2  # longest time mask as a share of the recording (Park et al. 2019, section 2)
SHARES = ("noise", "babble", "reverb", "low_pass", "silence")  # settings that are shares of the recordings
HISS_DB = (-75.0, -35.0)  # dB against full scale: the hiss of a quiet room, drawn between
SPEED_STEP = 100  # speeds are multiples of 1 / 100, which keeps the resampling filter short


@dataclass(frozen=True)
class SoundAugmentSettings:
    """How far training sound is changed; every strength 0 is off, and all are off by default.

    Args:
        speed: a recording plays at 1 - speed, 1 or 1 + speed times its speed (Ko et al. 2015).
        gain_db: level change drawn between -gain_db and gain_db.
        noise: share of recordings with white, pink or brown noise.
        noise_snr_low: dB, lowest speech-to-noise ratio.
        noise_snr_high: dB, highest speech-to-noise ratio.
        babble: share of recordings with other recordings of the batch behind them.
        babble_snr_low: dB, lowest speech-to-babble ratio.
        babble_snr_high: dB, highest speech-to-babble ratio.
        reverb: share of recordings put into a simulated room, reverberation time 0.1 to 0.6 s.
        low_pass: share of recordings whose high frequencies are cut.
        low_pass_low: Hz, lowest cut.
        low_pass_high: Hz, highest cut.
        time_masks: masks over time on the frames of a recording.
        time_width: frames, longest time mask; never more than a fifth of the recording.
        frequency_masks: masks over the mel bands of a recording.
        frequency_width: bands, widest frequency mask.
        silence: share of batches whose recordings get silence before and after, digital or with a hiss of quiet rooms.
        silence_seconds: s, longest silence at either end.
    """

    speed: float = 0.0
    gain_db: float = 0.0
    noise: float = 0.0
    noise_snr_low: float = 5.0
    noise_snr_high: float = 30.0
    babble: float = 0.0
    babble_snr_low: float = 10.0
    babble_snr_high: float = 25.0
    reverb: float = 0.0
    low_pass: float = 0.0
    low_pass_low: float = 3000.0
    low_pass_high: float = 7500.0
    time_masks: int = 0
    time_width: int = 40
    frequency_masks: int = 0
    frequency_width: int = 15
    silence: float = 0.0
    silence_seconds: float = 3.0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        shares = [(name, 0 <= getattr(self, name) <= 1, "0 to 1") for name in SHARES]
        pairs = [
            (f"{name}_high", getattr(self, f"{name}_high") >= getattr(self, f"{name}_low"), f"{name}_low or more")
            for name in ("noise_snr", "babble_snr", "low_pass")
        ]
        sizes = [
            (name, getattr(self, name) >= 0, "0 or more")
            for name in ("gain_db", "time_masks", "time_width", "frequency_masks", "frequency_width", "silence_seconds")
        ]
        steps = abs(self.speed * SPEED_STEP - round(self.speed * SPEED_STEP)) < 1e-6
        other = [
            ("speed", 0 <= self.speed <= 0.5 and steps, f"0 to 0.5 in steps of {1 / SPEED_STEP}"),
            ("low_pass_low", self.low_pass_low > 0, "more than 0 Hz"),
        ]
        for name, good, wanted in shares + pairs + sizes + other:
            if not good:
                raise RecognizerError(f"augment.sound.{name} is {getattr(self, name)}, expected {wanted}")


class SoundAugment(nn.Module):
    """Play, place and record a batch of sound differently: speed, voices behind, room, noise, microphone, level.

    Args:
        settings: what is changed how far.
        sample_rate: Hz of the sound.
    """

    def __init__(self, settings: SoundAugmentSettings, sample_rate: int = 16000) -> None:
        """Keep the settings."""
        super().__init__()
        self.settings, self.sample_rate = settings, sample_rate

    @torch.no_grad()
    def forward(self, x: Tensor, counts: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return changed sound (N, S'), float with full scale 1, zero beyond each end, with its counts (N,).

        Args:
            x: (N, S) int16, or float with full scale 1.
            counts: (N,) valid samples.
            generator: the only source of chance.
        """
        x = x / FULL_SCALE if x.dtype == torch.int16 else x.float()
        x = x * valid_mask(counts, x.shape[1])
        if self.settings.speed:
            x, counts = self._at_other_speeds(x, counts, generator)
        if self.settings.silence:
            x, counts = self._between_silences(x, counts, generator)
        if self.settings.babble and len(x) > 1:
            x = self._among_others(x, counts, generator)
        if self.settings.reverb or self.settings.noise or self.settings.low_pass:
            x = self._elsewhere(x, counts, generator)
        if self.settings.gain_db:
            level = _uniform(generator, x, len(x), -self.settings.gain_db, self.settings.gain_db)
            x = x * _amplitude(level)[:, None]
        return x * valid_mask(counts, x.shape[1]), counts

    def _at_other_speeds(self, x: Tensor, counts: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Play each recording slower, as it is, or faster; pitch moves too."""
        from torchaudio.functional import resample

        step = round(self.settings.speed * SPEED_STEP)
        choice = torch.randint(3, (len(x),), generator=generator, device=generator.device).to(x.device)
        speeds = SPEED_STEP + step * (choice - 1)
        counts = (counts * SPEED_STEP + speeds - 1) // speeds  # rounded up, as resample does
        out = x.new_zeros(len(x), int(counts.max()))
        for speed in (SPEED_STEP - step, SPEED_STEP, SPEED_STEP + step):
            rows = (speeds == speed).nonzero()[:, 0]
            if len(rows):
                played = resample(x[rows], speed, SPEED_STEP)[:, : out.shape[1]]
                out[rows, : played.shape[1]] = played
        return out * valid_mask(counts, out.shape[1]), counts

    def _between_silences(self, x: Tensor, counts: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Begin and end all recordings of a share of the batches with silence, half of them hissing throughout.

        Whole batches, as one recording with long silence among eight as long as each other without it would have half
        of the batch computed for padding.
        """
        N = len(x)
        if float(_chance(generator, x, 1)) >= self.settings.silence:
            return x, counts
        longest = self.settings.silence_seconds * self.sample_rate
        before, after = ((_chance(generator, x, N) * longest).long() for _ in range(2))
        padded = counts + before + after
        place = torch.arange(int(padded.max()), device=x.device) - before[:, None]  # (N, S') in the old recording
        inside = (place >= 0) & (place < counts[:, None])
        out = x.gather(1, place.clamp(0, x.shape[1] - 1)) * inside
        hissing = _chance(generator, x, N) < 0.5
        if len(rows := hissing.nonzero()[:, 0]):
            level = _amplitude(_uniform(generator, x, len(rows), *HISS_DB))
            out[rows] += _normal(generator, x, len(rows), out.shape[1]) * level[:, None]
        return out * valid_mask(padded, out.shape[1]), padded

    def _among_others(self, x: Tensor, counts: Tensor, generator: Generator) -> Tensor:
        """Add other recordings of the batch, each repeated from a drawn place on, behind a share of them."""
        rows = _drawn(self.settings.babble, generator, x)
        others = 1 + (_chance(generator, x, TALKERS, len(rows)) * (len(x) - 1)).long()
        voices = (rows + others) % len(x)  # (TALKERS, rows): never the recording itself
        starts = (_chance(generator, x, TALKERS, len(rows)) * counts[voices]).long()
        place = (starts[..., None] + torch.arange(x.shape[1], device=x.device)) % counts[voices][..., None]
        babble = x[voices].gather(2, place).sum(0) * valid_mask(counts[rows], x.shape[1])
        snr = _uniform(generator, x, len(rows), self.settings.babble_snr_low, self.settings.babble_snr_high)
        scale = _noise_scale(_power(x[rows], counts[rows]), _power(babble, counts[rows]), snr)
        return x.index_add(0, rows, babble * scale[:, None])

    def _elsewhere(self, x: Tensor, counts: Tensor, generator: Generator) -> Tensor:
        """Put recordings into a room, add noise, then cut the high frequencies; all as one pass over the spectrum."""
        room = round(ROOM_SECONDS * self.sample_rate)
        length = _quick_length(x.shape[1] + room)
        spectrum = torch.fft.rfft(x, length)
        hertz = torch.linspace(0, self.sample_rate / 2, spectrum.shape[1], device=x.device)
        if len(rows := _drawn(self.settings.reverb, generator, x)):
            spectrum[rows] *= torch.fft.rfft(self._rooms(x, len(rows), room, generator), length)
        if len(rows := _drawn(self.settings.noise, generator, x)):
            spectrum[rows] += self._noise(_power(x[rows], counts[rows]), hertz, length, generator)
        if len(rows := _drawn(self.settings.low_pass, generator, x)):
            cut = _uniform(generator, x, len(rows), self.settings.low_pass_low, self.settings.low_pass_high)
            spectrum[rows] *= (1 + (hertz / cut[:, None]) ** (2 * LOW_PASS_ORDER)).rsqrt()
        elsewhere: Tensor = torch.fft.irfft(spectrum, length)
        return elsewhere[:, : x.shape[1]]

    def _rooms(self, like: Tensor, many: int, room: int, generator: Generator) -> Tensor:
        """Return impulse responses (many, room) of energy 1: the direct sound, then noise that decays exponentially."""
        times = _uniform(generator, like, many, ROOM_SHORTEST, ROOM_SECONDS) * self.sample_rate
        decay = torch.exp(-DECAY * torch.arange(room, device=like.device) / times[:, None])
        response: Tensor = _normal(generator, like, many, room) * decay
        response[:, 0] = 0
        response = response / response.norm(dim=1, keepdim=True)
        response[:, 0] = _amplitude(_uniform(generator, like, many, *DIRECT_DB))
        response = response / response.norm(dim=1, keepdim=True)
        return response

    def _noise(self, speech: Tensor, hertz: Tensor, length: int, generator: Generator) -> Tensor:
        """Return spectra (N, bins) of coloured noise against speech of the powers (N,)."""
        slopes = torch.tensor(NOISE_SLOPES, device=speech.device)
        slope = slopes[(_chance(generator, speech, len(speech)) * len(NOISE_SLOPES)).long()]
        shape = (hertz / NOISE_CORNER).clamp(min=1) ** -slope[:, None] * math.sqrt(length)
        noise = torch.view_as_complex(_normal(generator, speech, *shape.shape, 2)) * shape
        power = 2 * noise.abs().square().sum(1) / length**2  # Parseval, for the two halves of the spectrum
        snr = _uniform(generator, speech, len(speech), self.settings.noise_snr_low, self.settings.noise_snr_high)
        return noise * _noise_scale(speech, power, snr)[:, None]


class SpecAugment(nn.Module):
    """Hide stretches of time and of frequency from the network (SpecAugment, Park et al. 2019).

    Args:
        settings: how many masks, how wide.
        bands: mel bands of a frame.
        parts: groups of coefficients that each begin with `bands`: 3 where differences are in the frame.
    """

    def __init__(self, settings: SoundAugmentSettings, bands: int, parts: int = 1) -> None:
        """Keep the settings."""
        super().__init__()
        self.settings, self.bands, self.parts = settings, bands, parts

    @torch.no_grad()
    def forward(self, features: Tensor, counts: Tensor, generator: Generator) -> Tensor:
        """Return (N, T, F) with masked parts 0, the mean of normalised frames; masks lie within `counts` (N,)."""
        N, T, F = features.shape
        longest = (counts * TIME_SHARE).clamp(max=self.settings.time_width)
        hidden = _masks(self.settings.time_masks, counts, longest, T, features, generator)
        bands = torch.full_like(counts, self.bands)
        widest = bands.float().clamp(max=self.settings.frequency_width)
        part = _masks(self.settings.frequency_masks, bands, widest, F // self.parts, features, generator)
        return features * ~hidden[:, :, None] * ~part.repeat(1, self.parts)[:, None, :]


class AugmentedSound(Augmentation):
    """Frames of recordings that were played elsewhere, partly hidden."""

    def __init__(self, settings: SoundAugmentSettings, features: LogMel) -> None:
        """Take strengths from `settings`, the form of frames from `features`."""
        super().__init__()
        self.sound = SoundAugment(settings, features.sample_rate)
        self.masks = SpecAugment(settings, features.statics, features.parts)

    def forward(
        self, features: Features, x: Tensor, counts: Tensor, least: Tensor, generator: Generator, views: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Return frames (views N, T', F); both views hear the same sound and miss other parts of it."""
        sound, lengths = self.sound(x, counts, generator)
        sound, lengths = _long_enough(x, counts, sound, lengths, features, least)
        frames, lengths = features(sound, lengths)
        frames, lengths = repeat_views(frames, lengths, views)
        return self.masks(frames, lengths, generator), lengths


def _long_enough(
    own: Tensor, own_counts: Tensor, x: Tensor, counts: Tensor, features: Features, least: Tensor
) -> tuple[Tensor, Tensor]:
    """Return changed sound x (N, S) with the recordings put back that play too fast for CTC to spell their text."""
    short = (features.counts(counts) < least.to(counts.device)).nonzero()[:, 0]
    if len(short) == 0:
        return x, counts
    counts = counts.index_copy(0, short, own_counts[short])
    x = functional.pad(x, (0, max(0, int(counts.max()) - x.shape[1])))
    back = functional.pad(own[short], (0, max(0, x.shape[1] - own.shape[1])))[:, : x.shape[1]]
    return x.index_copy(0, short, back.to(x.dtype) / FULL_SCALE), counts


def _masks(many: int, counts: Tensor, widest: Tensor, size: int, like: Tensor, generator: Generator) -> Tensor:
    """Return (N, size), true where one of `many` stretches of 0 to `widest` (N,) places lies, all before `counts`."""
    N = len(counts)
    widths = (_chance(generator, like, N, many) * (widest[:, None].floor() + 1)).long()
    starts = (_chance(generator, like, N, many) * (counts[:, None] - widths + 1)).long()
    place = torch.arange(size, device=like.device)
    return ((place >= starts[..., None]) & (place < (starts + widths)[..., None])).any(1)


def _chance(generator: Generator, like: Tensor, *shape: int) -> Tensor:
    """Draw from 0 to below 1 where the generator lives, so that its seed decides whatever the batch lives on."""
    return torch.rand(shape, generator=generator, device=generator.device).to(like.device)


def _normal(generator: Generator, like: Tensor, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device).to(like.device)


def _uniform(generator: Generator, like: Tensor, many: int, low: float, high: float) -> Tensor:
    return low + (high - low) * _chance(generator, like, many)


def _drawn(share: float, generator: Generator, x: Tensor) -> Tensor:
    """Return the rows of the recordings that are changed, about `share` of them."""
    return (_chance(generator, x, len(x)) < share).nonzero()[:, 0]


def _amplitude(decibels: Tensor) -> Tensor:
    return torch.pow(10.0, decibels / 20)


def _power(x: Tensor, counts: Tensor) -> Tensor:
    """Return the mean squares (N,) of (N, S), which is zero beyond `counts`."""
    return x.square().sum(1) / counts


def _noise_scale(speech: Tensor, noise: Tensor, snr: Tensor) -> Tensor:
    """Return the factors (N,) that bring noise powers (N,) to `snr` dB below speech; 0 where either is silent."""
    heard = (speech > SILENCE) & (noise > SILENCE)
    return torch.where(heard, (speech / noise.clamp(min=SILENCE)).sqrt() / _amplitude(snr), 0.0)


def _quick_length(samples: int) -> int:
    """Return the next length of a form that Fourier transforms do quickly: 8 to 15 times a power of two."""
    unit = 1 << max(0, samples.bit_length() - 4)
    return -(-samples // unit) * unit
