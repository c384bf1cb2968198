"""Hold reading in bf16 against reading in float32: texts, errors, speed.

Run: python scripts/precision_table.py MODEL CORPUS [--split test] [--samples N] [--batch 32]

Errors are counted as `recognizer evaluate` does. Samples of like length are read together, by one thread; both take
turns, and seconds are the processor's, so that other work on the machine tells little.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from error_rate import error_rate, rate_name  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.common.processors import Division  # noqa: E402
from recognizer.corpus.shards import open_store  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

PRECISIONS = ("float32", "bf16")


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, run, or name of a shipped model")
    parser.add_argument("corpus", type=Path, help="prepared corpus")
    parser.add_argument("--split", default="test")
    parser.add_argument("--samples", type=int, default=0, help="the first so many (default all)")
    parser.add_argument("--batch", type=int, default=32, help="samples that are given at once (default 32)")
    chosen = parser.parse_args(words)
    torch.set_num_threads(1)
    store = open_store(chosen.corpus)
    counts = store.counts
    indices = sorted(store.indices(chosen.split)[: chosen.samples or None], key=lambda i: int(counts[i]))
    signals = [np.array(store.signal(index)) for index in indices]
    readers = [Reader.load(chosen.model, "cpu", None, Division(), precision) for precision in PRECISIONS]
    said, alphabet = [store.text(index) for index in indices], readers[0].decoder.written
    texts: list[list[str]] = [[], []]
    seconds = [0.0, 0.0]
    for reader in readers:
        reader.read_values(signals[:1])  # warms up
    for start in range(0, len(signals), chosen.batch):
        for number, reader in enumerate(readers):
            begin = time.process_time()
            texts[number] += [one.text for one in reader.read_values(signals[start : start + chosen.batch])]
            seconds[number] += time.process_time() - begin
    name = rate_name(alphabet)
    print(f"| {chosen.model}, {len(signals)} samples by {chosen.batch} | samples a second | {name} | other texts |")
    print("| --- | --- | --- | --- |")
    for precision, read, took in zip(PRECISIONS, texts, seconds, strict=True):
        other = sum(a != b for a, b in zip(texts[0], read, strict=True))
        rate = f"{len(signals) / took:.1f} | {100 * error_rate(said, read, alphabet):.2f} %"
        print(f"| {precision} | {rate} | {other} ({100 * other / len(signals):.2f} %) |")


if __name__ == "__main__":
    run_and_exit("precision_table", main)
