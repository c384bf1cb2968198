"""Measure a model as its users meet it: size, seconds to load, samples a second alone and by 32.

Run: python scripts/bench_reading.py MODEL CORPUS [--split test] [--samples 200] [--threads 2]

Reads what `prepare` packed, with the model's own decoder; the decoding of files is not in the figures. Of the repeats
the quickest counts; one and 32 at a time take turns.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from recognizer.corpus.store import Store  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.reader import Reader  # noqa: E402
from recognizer.shipped import find_model  # noqa: E402

SIZES = (1, 32)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, run, or name of a shipped model")
    parser.add_argument("corpus", type=Path, help="prepared corpus")
    parser.add_argument("--split", default="test")
    parser.add_argument("--samples", type=int, default=200, help="evenly spread over the split (default 200)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    begin = time.perf_counter()
    reader = Reader.load(chosen.model, "cpu")
    loaded = time.perf_counter() - begin
    path = find_model(chosen.model)
    store = Store(chosen.corpus)
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
        print(f"{size} at a time, {chosen.threads} threads: {count / best[size]:.1f} samples a second{speech}")


def seconds(reader: Reader, signals: list[np.ndarray], size: int) -> float:
    """Return how long the signals take, `size` at a time, those of like length together."""
    ordered = sorted(signals, key=len)
    begin = time.perf_counter()
    for i in range(0, len(ordered), size):
        reader.read_values(ordered[i : i + size])
    return time.perf_counter() - begin


if __name__ == "__main__":
    try:
        main()
    except RecognizerError as error:
        sys.exit(f"bench_reading: {error}")
