"""Sound files and arrays to mono 16-bit signals at one sample rate, and back."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recognizer.common.atomic_write import replacing
from recognizer.common.needed import taking_torch
from recognizer.errors import RecognizerError
from recognizer.inputs.signal import Signal as RecordingSignal
from recognizer.inputs.speech.channels import choose_channel
from recognizer.inputs.speech.media import is_container, open_media
from recognizer.inputs.speech.sound_file import UNKNOWN, OpenSound, open_sound

FULL_SCALE = 32768  # int16 steps of an amplitude of 1
MIN_SECONDS = 0.02  # s: less is not one analysis window of speech
MIN_RATE = 4000  # Hz: below it hardly a vowel can be told from another
MAX_PEAK = 8.0  # times full scale: floats beyond it are numbers of another scale, not loud sound
MAGIC = 12  # bytes that tell a container
BLOCK = 4096  # samples that are decoded at once: how exactly the place where a file broke off is told
MAX_KERNEL = 1 << 24  # coefficients: rates that share no divisor would need more memory than the sound
ZEROS = 32  # zero crossings of the resampling filter on each side
ROLLOFF = 0.96  # share of the smaller Nyquist frequency that resampling keeps
KAISER_BETA = 14.77  # stop band below -120 dB

TOO_LONG = "too long"  # the reason of a refusal
CURE = "cut it, or name stretches of it by start and end in a manifest"
SILENT_PEAK = 33  # int16 steps, -60 dBFS
SHORT_SECONDS = 0.1  # s
CLIPPED_LEVEL = 32440  # int16 steps, 0.99 of full scale
CLIPPED_RUN = 3  # samples in a row at CLIPPED_LEVEL: a lone peak may touch full scale
CLIPPED_SHARE = 0.001  # of all samples
OFFSET_SHARE = 0.05  # of full scale: a mean so far from zero is a fault of the sound card

Signal = NDArray[np.int16]
Decoded = tuple[NDArray[np.float32], int, str]


@dataclass(frozen=True)
class SpeechSettings:
    """What every recording becomes before anything else sees it.

    Args:
        sample_rate: Hz of all signals.
        max_seconds: longest recording that is taken, in seconds.
    """

    sample_rate: int = 16000
    max_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if self.sample_rate < MIN_RATE:
            raise RecognizerError(f"speech.sample_rate is {self.sample_rate}, expected {MIN_RATE} Hz or more")
        if not self.max_seconds > MIN_SECONDS:
            raise RecognizerError(f"speech.max_seconds is {self.max_seconds}, expected more than {MIN_SECONDS} s")


def read_speech(source: Path | BinaryIO, settings: SpeechSettings, name: str = "") -> Signal:
    """Return the recording in `source` as a signal (samples,): int16, mono, at `settings.sample_rate`.

    Raises:
        RecognizerError: missing, empty, not a sound, cut off, too long, too short, or not finite; `name` says where.
    """
    return np.asarray(read_recording(source, settings, name).values)


def read_recording(
    source: Path | BinaryIO, settings: SpeechSettings, name: str = "", channel: int = 0
) -> RecordingSignal:
    """Return the recording in `source` with its length in seconds, and with a note where its channels cancel.

    Args:
        source: the file.
        settings: of the signal.
        name: of the file, for messages.
        channel: from 1 on; 0 for the mean of all.

    Raises:
        RecognizerError: as `read_speech`, or there is no such channel.
    """
    name = name or _name_of(source)
    samples, rate, note = (_container_samples if in_container(source) else _file_samples)(source, settings, name)
    check_array(samples, name)
    choice = choose_channel(samples, channel, name)
    _check_length(len(samples), rate, settings, name)
    values = _signal(choice.mono(samples), rate, settings)
    return RecordingSignal(
        values, len(values) / settings.sample_rate, "s", notes=tuple(filter(None, (note, choice.note)))
    )


def _file_samples(source: Path | BinaryIO, settings: SpeechSettings, name: str) -> Decoded:
    """Return all samples (samples, channels) of what libsndfile reads, their rate, and a note or ""."""
    with opened_sound(source, name) as sound:
        if sound.frames < UNKNOWN:
            _check_length(sound.frames, sound.samplerate, settings, name)
        samples = _decoded(sound, round(settings.max_seconds * sound.samplerate), name)
        peak = peak_of(samples) if sound.floats else 0.0
        if peak <= 1:
            return samples, sound.samplerate, sound.note
        check_array(samples, name)  # what is no sound is not made one
        return samples / peak, sound.samplerate, ", ".join(filter(None, (sound.note, loud_note(peak))))


def _container_samples(source: Path | BinaryIO, settings: SpeechSettings, name: str) -> Decoded:
    """Return all samples (samples, channels) of what PyAV reads, their rate, and a note or ""."""
    with open_media(source, name) as media:
        if media.seconds > settings.max_seconds:
            _check_length(round(media.seconds * media.rate), media.rate, settings, name)
        blocks = list(media.blocks())
        return np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32), media.rate, media.note


def in_container(source: Path | BinaryIO) -> bool:
    """Return whether a file is one that PyAV reads."""
    try:
        if isinstance(source, Path):
            with open(source, "rb") as file:
                return is_container(file.read(MAGIC))
        if not source.seekable():
            return False
        source.seek(0)
        return is_container(source.read(MAGIC))
    except OSError:
        return False
    finally:
        if not isinstance(source, Path) and source.seekable():
            source.seek(0)


def signal_from_array(array: NDArray[Any], rate: int, settings: SpeechSettings, name: str = "the array") -> Signal:
    """Return sound in memory as a signal (samples,): int16, mono, at `settings.sample_rate`.

    Channels become one as those of files do. Floats beyond full scale are divided by their peak.

    Args:
        array: (samples,) or (samples, channels), int16 or float with full scale 1.
        rate: Hz of `array`.

    Raises:
        RecognizerError: a number type, shape, length or value that cannot be used.
    """
    check_array(array, name)
    _check_length(len(array), rate, settings, name)
    if array.dtype == np.int16 and array.ndim == 1 and rate == settings.sample_rate:
        return np.array(array, order="C")
    scale = FULL_SCALE if array.dtype == np.int16 else max(1.0, peak_of(array))
    samples = array.reshape(len(array), -1).astype(np.float32) / np.float32(scale)
    return _signal(choose_channel(samples, 0, name).mono(samples), rate, settings)


def _signal(mono: NDArray[np.float32], rate: int, settings: SpeechSettings) -> Signal:
    """Return sound (samples,) of full scale 1 at `settings.sample_rate`, 16 bits; what lies beyond is clipped."""
    return to_int16(resampled(mono, rate, settings.sample_rate))


def peak_of(samples: NDArray[Any]) -> float:
    """Return the largest amplitude of floats, 0 where there are none."""
    return float(np.abs(samples).max(initial=0.0))


def loud_note(peak: float) -> str:
    """Return what a user should know of floats beyond full scale, which have lost nothing."""
    return f"its samples reach {peak:.3g} times full scale and are divided by that"


def to_int16(mono: NDArray[np.float32]) -> Signal:
    """Return sound (samples,) with full scale 1 as 16-bit samples; what is louder is clipped."""
    return np.clip(np.rint(mono * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def write_speech(path: Path, signal: Signal, settings: SpeechSettings) -> None:
    """Write a signal (samples,) as the 16-bit WAV or FLAC file `path`, so that it can be listened to."""
    import soundfile

    kind = path.suffix.lower().lstrip(".")
    if kind not in ("wav", "flac"):
        raise RecognizerError(f"{path}: sound is written as .wav or .flac, not as {path.suffix or 'a bare name'!r}")
    with replacing(path) as file:
        soundfile.write(file, signal, settings.sample_rate, format=kind.upper(), subtype="PCM_16")


def seconds(source: Path | BinaryIO, name: str = "") -> float:
    """Return how long a recording lasts by its header, in seconds, nan where that leaves it open.

    Args:
        source: the file.
        name: of a file object, for messages.

    Raises:
        RecognizerError: it is no sound.
    """
    if in_container(source):
        with open_media(source, name or str(source)) as media:
            return media.seconds
    with opened_sound(source, name or str(source)) as sound:
        return sound.frames / sound.samplerate if sound.frames < UNKNOWN else math.nan


def faults(signal: Signal, settings: SpeechSettings) -> list[str]:
    """Return what is suspect about a signal (samples,), one short phrase each; an empty list for a sound one."""
    found = []
    peak = int(np.abs(signal.astype(np.int32)).max(initial=0))
    clipped = clipped_samples(signal)
    if len(signal) < SHORT_SECONDS * settings.sample_rate:
        found.append(f"shorter than {SHORT_SECONDS} s")
    if len(signal) > settings.max_seconds * settings.sample_rate:
        found.append(f"longer than max_seconds = {settings.max_seconds:g}")
    if peak < SILENT_PEAK:
        found.append("silent (peak below -60 dBFS)")
    if clipped > CLIPPED_SHARE * len(signal):
        found.append(f"clipped ({clipped / len(signal):.1%} of the samples)")
    if len(signal) and abs(float(signal.mean())) > OFFSET_SHARE * FULL_SCALE:
        found.append(f"off centre (mean {float(signal.mean()) / FULL_SCALE:+.0%} of full scale)")
    return found


def clipped_samples(signal: Signal) -> int:
    """Count the samples of (samples,) that stand at full scale for CLIPPED_RUN samples in a row or longer."""
    flat = np.abs(signal.astype(np.int32)) >= CLIPPED_LEVEL
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flat, [False]))))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= CLIPPED_RUN].sum())


@contextmanager
def opened_sound(source: Path | BinaryIO, name: str) -> Iterator[OpenSound]:
    """Yield what libsndfile reads of a file, to be read from its start block by block; `name` is for messages.

    Raises:
        RecognizerError: it cannot be read, is empty, is no sound, is broken off or damaged.
    """
    with _opened(source, name) as file:
        if file.seek(0, io.SEEK_END) == 0:
            raise RecognizerError(f"{name}: empty file, expected a sound", "empty file")
        with open_sound(file, name) as sound:
            yield sound


def _name_of(source: Path | BinaryIO) -> str:
    return str(source) if isinstance(source, Path) else "the sound"


@contextmanager
def _opened(source: Path | BinaryIO, name: str) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source if source.seekable() else io.BytesIO(source.read())
        return
    try:
        file = source.open("rb")
    except OSError as error:
        raise RecognizerError(f"{name}: cannot be read ({error.strerror or error}), expected a sound file") from error
    with file:
        yield file


def check_rate(rate: int, name: str) -> None:
    """Refuse a sample rate too low for speech."""
    if rate < MIN_RATE:
        raise RecognizerError(f"{name}: sample rate {rate} Hz, expected {MIN_RATE} Hz or more", "sample rate too low")


def _check_length(samples: int, rate: int, settings: SpeechSettings, name: str) -> None:
    check_rate(rate, name)
    if samples > settings.max_seconds * rate:
        limit = f"max_seconds = {settings.max_seconds:g}"
        raise RecognizerError(f"{name}: {samples / rate:.1f} s long, longer than {limit}: {CURE}", TOO_LONG)
    if samples < MIN_SECONDS * rate:
        raise RecognizerError(
            f"{name}: {samples} samples ({samples / rate:.3f} s), expected {MIN_SECONDS} s or more", "too short"
        )


def check_array(array: NDArray[Any], name: str) -> None:
    """Refuse an array that is no sound."""
    if array.dtype != np.int16 and array.dtype.kind != "f":
        raise RecognizerError(f"{name}: numbers of type {array.dtype}, expected int16 or float with full scale 1")
    if array.ndim not in (1, 2) or array.shape[-1] == 0 and array.ndim == 2:
        raise RecognizerError(f"{name}: shape {array.shape}, expected (samples,) or (samples, channels)")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise RecognizerError(
            f"{name}: {int((~np.isfinite(array)).sum())} samples are not finite numbers", "not finite"
        )
    if array.dtype.kind == "f" and array.size and np.abs(array).max() > MAX_PEAK:
        raise RecognizerError(f"{name}: peak {np.abs(array).max():.0f}, expected floats with full scale 1")


def _decoded(sound: OpenSound, most: int, name: str) -> NDArray[np.float32]:
    """Return all samples (samples, channels), or say where the file broke off, or that there are more than `most`."""
    blocks: list[NDArray[np.float32]] = []
    got, expected = 0, sound.expected()
    for block in sound_blocks(sound, BLOCK, expected, name):
        blocks.append(block)
        got += len(block)
        if got > max(most, expected):
            raise RecognizerError(
                f"{name}: longer than max_seconds = {most / sound.samplerate:g} (its header leaves the length open): "
                f"{CURE}",
                "too long",
            )
    return np.concatenate(blocks) if blocks else np.zeros((0, sound.channels), np.float32)


def sound_blocks(sound: OpenSound, size: int, expected: int, name: str) -> Iterator[NDArray[np.float32]]:
    """Yield (samples, channels) of a sound in blocks of `size`.

    Raises:
        RecognizerError: fewer samples than `expected` can be decoded, or a later block cannot be.
    """
    import soundfile

    got, fault = 0, False
    try:
        while len(block := sound.read(size)):
            got += len(block)
            yield block
    except soundfile.SoundFileError:
        fault = True  # the decoder's own words name no place, the count does
    if got < expected:
        raise RecognizerError(
            f"{name}: broken off, {got} samples can be decoded, its header says {expected}", "cut short or damaged"
        )
    if fault:
        raise RecognizerError(f"{name}: damaged behind {got} samples, expected a whole sound", "cut short or damaged")
    sound.verify()


def resampled(mono: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """Return (samples,) at the rate `wanted`, through a Kaiser-windowed sinc or, for odd rates, a Fourier transform."""
    if rate == wanted:
        return mono
    common = math.gcd(rate, wanted)
    if (wanted // common) * (rate // common + 2 * ZEROS) > MAX_KERNEL:
        return _fourier_resampled(mono, rate, wanted)
    with taking_torch(f"sound of {rate} Hz, expected {wanted}: resampling"):
        import torch
        from torchaudio.functional import resample

    wave = resample(torch.from_numpy(mono), rate, wanted, ZEROS, ROLLOFF, "sinc_interp_kaiser", KAISER_BETA)
    return np.asarray(wave.numpy(), dtype=np.float32)


def _fourier_resampled(mono: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """Return (samples,) at the rate `wanted` by cutting or padding its spectrum; exact but for both edges."""
    samples = math.ceil(len(mono) * wanted / rate)
    spectrum = np.fft.rfft(mono)
    return np.asarray(np.fft.irfft(spectrum, samples) * (samples / len(mono)), dtype=np.float32)
