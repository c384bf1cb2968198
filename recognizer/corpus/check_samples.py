"""Samples of a corpus written as the network sees them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from recognizer.common.atomic_write import write_atomically
from recognizer.corpus.store import Store
from recognizer.inputs.features import Features
from recognizer.inputs.registry import kind_named

TABLE = "samples.tsv"


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
    if fit and features.has_statistics:
        _fit(features, store, indices)
    kind = kind_named(store.header.kind)
    written, rows = [], ["file\tsplit\ttext\tsource"]
    for index in indices:
        sample = store.sample(index)
        stem = folder / f"{index:06d}-{_portable(sample.path.stem)}"
        made = kind.write_sample(stem, features, np.array(store.signal(index)), store.header.signal)
        written += made
        text = " ".join(sample.text.split())
        rows += [f"{path.name}\t{sample.split}\t{text}\t{sample.path}" for path in made]
    write_atomically(folder / TABLE, "\n".join([*rows, ""]).encode(errors="backslashreplace"))
    return [*written, folder / TABLE]


def _fit(features: Features, store: Store, indices: Sequence[int]) -> None:
    """Take the mean level from the samples that are shown; features without it cannot be made sound again."""
    signals = [torch.from_numpy(np.array(store.signal(index)))[None] for index in indices]
    features.fit((signal, torch.tensor([signal.shape[1]])) for signal in signals)


def _portable(name: str) -> str:
    """Return a name that every file system takes."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)[:80]
