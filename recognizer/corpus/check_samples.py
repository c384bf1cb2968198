"""Samples of a corpus written as the network sees them."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recognizer.atomic_write import write_atomically
from recognizer.corpus.store import Store
from recognizer.inputs.lines.features import LineFeatures
from recognizer.inputs.speech.log_mel import FULL_SCALE, LogMel
from recognizer.inputs.strokes.features import StrokeFeatures

if TYPE_CHECKING:
    from PIL import Image

TABLE = "samples.tsv"
Features = LineFeatures | LogMel | StrokeFeatures


def show_samples(store: Store, features: Features, indices: Sequence[int], folder: Path, fit: bool) -> list[Path]:
    """Write samples through `features` and back into `folder`, and a table of them with their texts.

    Lines and strokes become one PNG each. Recordings become two WAV files: the signal, and what can be heard of its
    features. The table's first column is the file, the others are split, text and source.

    Args:
        store: the corpus.
        features: what the network reads.
        indices: of the samples.
        folder: where to.
        fit: takes the normalisation of sound from these samples; else it is what a training run found.

    Raises:
        RecognizerError: the folder cannot be written.
    """
    if fit and isinstance(features, LogMel):
        _fit(features, store, indices)
    written, rows = [], ["file\tsplit\ttext\tsource"]
    for index in indices:
        sample = store.sample(index)
        stem = folder / f"{index:06d}-{_portable(sample.path.stem)}"
        made = _show(store, features, index, stem)
        written += made
        text = " ".join(sample.text.split())
        rows += [f"{path.name}\t{sample.split}\t{text}\t{sample.path}" for path in made]
    write_atomically(folder / TABLE, "\n".join([*rows, ""]).encode(errors="backslashreplace"))
    return [*written, folder / TABLE]


def _show(store: Store, features: Features, index: int, stem: Path) -> list[Path]:
    values = np.array(store.signal(index))
    if isinstance(features, LineFeatures):
        return [_show_line(store, features, values, stem.with_name(stem.name + ".png"))]
    if isinstance(features, StrokeFeatures):
        return [_show_strokes(features, values, stem.with_name(stem.name + ".png"))]
    return _show_sound(store, features, values, stem)


def _show_line(store: Store, features: LineFeatures, values: np.ndarray, path: Path) -> Path:
    from recognizer.inputs.lines.image import HandwritingSettings, picture

    ink, _ = features(torch.from_numpy(values)[None], torch.tensor([len(values)]))
    return _write_png(picture(features.inverse(ink)[0].numpy(), HandwritingSettings(**store.header.signal)), path)


def _show_strokes(features: StrokeFeatures, values: np.ndarray, path: Path) -> Path:
    from PIL import Image

    from recognizer.inputs.strokes.strokes import raster

    steps, _ = features(torch.from_numpy(values)[None], torch.tensor([len(values)]))
    return _write_png(Image.fromarray(raster(features.inverse(steps)[0].numpy())), path)


def _write_png(image: "Image.Image", path: Path) -> Path:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())
    return path


def _show_sound(store: Store, features: LogMel, values: np.ndarray, stem: Path) -> list[Path]:
    from recognizer.inputs.speech.audio import SpeechSettings, write_speech

    frames, _ = features(torch.from_numpy(values)[None], torch.tensor([len(values)]))
    heard = _heard(features, frames).clamp(-1, 1 - 1 / FULL_SCALE) * FULL_SCALE
    settings = SpeechSettings(**store.header.signal)
    paths = [stem.with_name(stem.name + ".wav"), stem.with_name(stem.name + "-features.wav")]
    write_speech(paths[0], values, settings)
    write_speech(paths[1], heard.round().short().numpy(), settings)
    return paths


def _heard(features: LogMel, frames: Tensor) -> Tensor:
    """Return the sound (S,) of frames (1, T, F), however few."""
    # Phases are found over half a spectrum's width of reflected sound: the last frame stands for what is not there.
    least = features.bins // (2 * features.hop) + 2
    more = frames[:, -1:].expand(-1, max(0, least - frames.shape[1]), -1)
    return features.inverse(torch.cat((frames, more), dim=1))[0][: frames.shape[1] * features.hop]


def _fit(features: LogMel, store: Store, indices: Sequence[int]) -> None:
    """Take the mean level from the samples that are shown; features without it cannot be made sound again."""
    signals = [torch.from_numpy(np.array(store.signal(index)))[None] for index in indices]
    features.fit((signal, torch.tensor([signal.shape[1]])) for signal in signals)


def _portable(name: str) -> str:
    """Return a name that every file system takes."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)[:80]
