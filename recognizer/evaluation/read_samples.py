"""Reading the samples of a corpus, saying how far it is."""

import math
from collections.abc import Callable, Sequence

from recognizer.corpus.store import Store
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.reading.reader import Reader
from recognizer.reading.recordings import read_blocks

RUN = 256  # samples from one word of progress to the next
BLOCK = 10  # seconds of a long recording that are taken at once
Progress = Callable[[int, int], None]  # samples done, samples in all


def no_progress(_done: int, _total: int) -> None:
    """Say nothing."""


def read_samples(reader: Reader, store: Store, indices: Sequence[int], progress: Progress) -> list[Hypothesis]:
    """Return what is read of samples as `transcribe` does, spans in output frames; the batch changes nothing.

    Recordings that are too long to be read whole are read piece by piece, all others together in runs.
    """
    found: list[Hypothesis] = []
    for start in range(0, len(indices), RUN):
        found += _read_run(reader, store, indices[start : start + RUN])
        progress(len(found), len(indices))
    return found


def _read_run(reader: Reader, store: Store, indices: Sequence[int]) -> list[Hypothesis]:
    longest, rate = (store.header.signal.get(name, math.inf) for name in ("max_seconds", "sample_rate"))
    long = {index for index in indices if store.counts[index] > longest * rate}
    rest = iter(reader.read_values([store.signal(index) for index in indices if index not in long]))
    return [
        read_blocks(reader, store.blocks(index, BLOCK * int(rate))) if index in long else next(rest)
        for index in indices
    ]
