"""Reads a corpus as worse cameras and rooms would have it: error rates for each fault, beside the samples as they are.

    python scripts/robustness.py handwriting data/copiste --split valid
    python scripts/robustness.py speech data/librispeech-mini --split valid

The faults are made here, not by the augmentation of training, and are the same at every call: seed and sample decide.
"""

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from torchaudio import functional

from recognizer.commands.exit_codes import run_and_exit
from recognizer.corpus.shards import open_store
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.evaluation.metrics import total
from recognizer.evaluation.report import score
from recognizer.inputs.lines.image import HandwritingSettings, picture
from recognizer.reading.reader import Reader

RATE = 16000  # samples a second
Fault = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def photograph(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light from one side, a lens slightly out of focus, grain, JPEG."""
    rows, columns = grey.shape
    light = np.linspace(1.0, 0.45, columns)[:: rng.choice([-1, 1])] * np.linspace(1.0, 0.8, rows)[:, None]
    image = Image.fromarray((grey * light).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7))
    return jpeg(np.clip(np.asarray(image) + rng.normal(0.0, 6.0, grey.shape), 0, 255).astype(np.uint8), rng, 50)


def jpeg(grey: np.ndarray, rng: np.random.Generator, quality: int = 12) -> np.ndarray:
    """Few bits."""
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def half_size(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half the pixels in each direction."""
    rows, columns = grey.shape
    return np.asarray(Image.fromarray(grey).resize((max(8, columns // 2), rows // 2), Image.Resampling.BOX))


def askew(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rise or fall by a third of the height from one end to the other."""
    rows, columns = grey.shape
    rise = rows / 3.0 * rng.choice([-1.0, 1.0])
    taller = Image.new("L", (columns, rows + rows // 3), 255)
    taller.paste(Image.fromarray(grey), (0, rows // 6))
    shear = (1, 0, 0, rise / columns, 1, -rise / 2.0)
    moved = taller.transform(taller.size, Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR, fillcolor=255)
    return np.asarray(moved)


def pencil(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A fifth of the contrast, on grainy paper."""
    faint = 220.0 - (255.0 - grey) * 0.2 + rng.normal(0.0, 5.0, grey.shape)
    return np.clip(faint, 0, 255).astype(np.uint8)


def dark(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Chalk on a board."""
    return 255 - grey


def noise(decibels: float) -> Fault:
    """Return the fault of noise, as strong at every octave, so far below the voice."""

    def fault(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        spectrum = np.fft.rfft(rng.normal(size=len(sound)))
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20.0 * len(sound) / RATE))
        hum = np.fft.irfft(spectrum, len(sound))
        hum *= np.sqrt(np.mean(sound**2) / np.mean(hum**2)) * 10.0 ** (-decibels / 20.0)
        return sound + hum

    return fault


def room(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A room whose echo falls by 60 dB in half a second, two metres from the voice."""
    times = np.arange(RATE // 2) / RATE
    echo = rng.normal(size=len(times)) * 10.0 ** (-3.0 * times / 0.5)
    echo *= 0.7 / np.sqrt(np.sum(echo**2))
    echo[0] = 1.0
    size = len(sound) + len(echo)
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)[: len(sound)]


def telephone(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """300 to 3,400 Hz, eight bits by the mu law."""
    wave = functional.resample(torch.from_numpy(sound).float(), RATE, 8000)
    wave = functional.lowpass_biquad(functional.highpass_biquad(wave, 8000, 300.0), 8000, 3400.0)
    peak = wave.abs().max().clamp(min=1e-6)
    coded = functional.mu_law_decoding(functional.mu_law_encoding(wave / peak, 256), 256) * peak
    return np.asarray(functional.resample(coded, 8000, RATE)[: len(sound)], float)


def quiet(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A fiftieth as loud, in 16 bits."""
    return np.round(sound * 32767.0 / 50.0) / 32767.0


def slow(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A fifth slower, and lower."""
    return np.asarray(functional.resample(torch.from_numpy(sound).float(), 5, 6), float)


FAULTS: dict[str, dict[str, Fault]] = {
    "handwriting": {
        "photograph": photograph, "JPEG of quality 12": jpeg, "half the pixels": half_size, "askew": askew,
        "pencil": pencil, "light on dark": dark,
    },
    "speech": {
        "noise, 20 dB below": noise(20.0), "noise, 10 dB below": noise(10.0), "room": room, "telephone": telephone,
        "quiet": quiet, "a fifth slower": slow,
    },
}  # fmt: skip


def main() -> None:
    """Print a row for each fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, run, or name of a shipped model")
    parser.add_argument("corpus", type=Path, help="prepared corpus")
    parser.add_argument("--split", default="valid", help="default valid: the test split is not to be chosen by")
    parser.add_argument("--samples", type=int, default=200, help="evenly spread over the split (default 200)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    reader, store = Reader.load(given.model), open_store(given.corpus)
    if store.header.kind != reader.kind:
        raise RecognizerError(
            f"{given.corpus} is {store.header.kind}, expected {reader.kind}, which {given.model} reads"
        )
    if reader.kind not in FAULTS:
        raise RecognizerError(f"{given.model} reads {reader.kind}, expected a model of {' or '.join(FAULTS)}")
    indices = store.indices(given.split)
    count = min(given.samples, len(indices))
    chosen = [indices[i * len(indices) // count] for i in range(count)]
    print(f"| {given.model} on {store.header.name} {given.split}, {count} samples | CER | WER |\n| --- | --- | --- |")
    rate = RATE if reader.kind == "speech" else None
    for name, fault in {"as they are": _nothing, **FAULTS[reader.kind]}.items():
        arrays = [fault(_array(store, index), np.random.default_rng([given.seed, index])) for index in chosen]
        heard = reader.transcribe(list(arrays), rate=rate)
        parts = []
        for index, hypothesis in zip(chosen, heard, strict=True):
            said = reader.alphabet.text.normalize(store.text(index))
            parts.append(score("", "", said, hypothesis.text, 0.0, reader.alphabet))
        characters, words = (total(getattr(part, unit) for part in parts) for unit in ("characters", "words"))
        print(f"| {name} | {characters.rate:.2%} | {words.rate:.2%} |", flush=True)


def _nothing(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return values


def _array(store: Store, index: int) -> np.ndarray:
    """Return a sample as an image (rows, columns) or as sound in -1 to 1."""
    values = np.array(store.signal(index))
    if store.header.kind == "handwriting":
        return np.array(picture(values, HandwritingSettings(**store.header.signal)))
    return values.astype(float) / 32768.0


if __name__ == "__main__":
    run_and_exit("robustness", main)
