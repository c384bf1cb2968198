"""Measure a model as its users meet it: size, seconds to load, samples a second alone and by 32, files, best path.

Run: python scripts/bench_reading.py MODEL CORPUS [--split test] [--samples 200] [--workers N]

Reads what `prepare` packed, with the model's own decoder; the opening of files is a figure of its own, beside that of
the best path by 32. Of the repeats the quickest counts; one and 32 at a time take turns.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.common.processors import divide  # noqa: E402
from recognizer.corpus.shards import open_store  # noqa: E402
from recognizer.corpus.store import Store  # noqa: E402
from recognizer.decoding.greedy import greedy  # noqa: E402
from recognizer.pretrained import find_model  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

SIZES = (1, 32)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, run, or name of a shipped model")
    parser.add_argument("corpus", type=Path, help="prepared corpus")
    parser.add_argument("--split", default="test")
    parser.add_argument("--samples", type=int, default=200, help="evenly spread over the split (default 200)")
    parser.add_argument("--workers", type=int, help="batches at once (default: the processors that may be used)")
    parser.add_argument("--threads", type=int, help="of each worker (default 1)")
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    division = divide(chosen.workers, chosen.threads)
    torch.set_num_threads(division.threads)
    begin = time.perf_counter()
    reader = Reader.load(chosen.model, "cpu", division=division)
    loaded = time.perf_counter() - begin
    path = find_model(chosen.model)
    store = open_store(chosen.corpus)
    indices = store.indices(chosen.split)
    count = min(chosen.samples, len(indices))
    signals = [np.array(store.signal(indices[i * len(indices) // count])) for i in range(count)]
    best = dict.fromkeys(SIZES, float("inf"))
    for _ in range(chosen.repeats):
        for size in SIZES:
            best[size] = min(best[size], seconds(reader, signals, size))
    print(f"{chosen.model}: {path.stat().st_size / 1e6:.2f} MB, loaded in {loaded:.2f} s (torch already imported)")
    unit = 16000.0 if reader.kind == "speech" else 1.0
    length = sum(map(len, signals)) / unit
    for size in SIZES:
        speech = f", {length / best[size]:.0f} s of sound a second" if reader.kind == "speech" else ""
        rate = f"{count / best[size]:.1f} samples a second{speech}"
        print(f"{size} at a time, {division.workers} workers of {division.threads} threads: {rate}")
    print(f"10,000 files opened in {1e4 / count * opening(reader, store, indices, count):.1f} s", end="; ")
    print(f"best path of 10,000 samples in {1e4 / count * spelling(reader, signals, chosen.repeats):.1f} s")


def opening(reader: Reader, store: Store, indices: Sequence[int], count: int) -> float:
    """Return how long it takes to make signals of `count` files."""
    paths = [Path(store.sample(indices[i * len(indices) // count]).path) for i in range(count)]
    begin = time.perf_counter()
    for path in paths:
        reader.signal(path)
    return time.perf_counter() - begin


def spelling(reader: Reader, signals: list[np.ndarray], repeats: int) -> float:
    """Return how long the best path of the signals takes, 32 at a time, once the network has spoken."""
    ordered = sorted(signals, key=len)
    batches = [reader.log_probs(ordered[i : i + SIZES[1]]) for i in range(0, len(ordered), SIZES[1])]
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        for log_probs, counts in batches:
            greedy(log_probs, counts, reader.alphabet)
        best = min(best, time.perf_counter() - begin)
    return best


def seconds(reader: Reader, signals: list[np.ndarray], size: int) -> float:
    """Return how long the signals take, `size` at a time, those of like length together."""
    ordered = sorted(signals, key=len)
    begin = time.perf_counter()
    for i in range(0, len(ordered), size):
        reader.read_values(ordered[i : i + size])
    return time.perf_counter() - begin


if __name__ == "__main__":
    run_and_exit("bench_reading", main)
