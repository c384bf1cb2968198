"""Hold exported models against the model that they came from: texts, log-probabilities, errors, size, speed.

Run: python scripts/export_table.py MODEL CORPUS EXPORTED.onnx ... [--split test] [--samples N]

Every sample is read alone, by one thread; seconds are the processor's, so that other work on the machine tells little.
Errors are counted as `recognizer evaluate` does.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
from error_rate import error_rate, rate_name  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.common.processors import Division  # noqa: E402
from recognizer.corpus.alphabet import Alphabet  # noqa: E402
from recognizer.corpus.shards import open_store  # noqa: E402
from recognizer.pretrained import find_model  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402


@dataclass(frozen=True)
class Read:
    """What a reader made of all samples: texts, log-probabilities (frames, classes) of each, samples a second."""

    texts: list[str]
    log_probs: list[np.ndarray]
    speed: float


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, run, or name of a shipped model")
    parser.add_argument("corpus", type=Path, help="prepared corpus")
    parser.add_argument("exported", nargs="+", help="files that `recognizer export` wrote of it")
    parser.add_argument("--split", default="test")
    parser.add_argument("--samples", type=int, default=0, help="the first so many (default all)")
    chosen = parser.parse_args(words)
    store = open_store(chosen.corpus)
    indices = store.indices(chosen.split)[: chosen.samples or None]
    signals = [np.array(store.signal(index)) for index in indices]
    first = Reader.load(chosen.model, "cpu", division=Division())
    said, alphabet = [store.text(index) for index in indices], first.decoder.written
    rate = rate_name(alphabet)
    print(f"| model | MB | samples a second alone | {rate} | other texts | largest difference of a log-probability |")
    print("| --- | --- | --- | --- | --- | --- |")
    reference = read(first, signals)
    print(row(chosen.model, reference, reference, said, alphabet))
    for name in chosen.exported:
        found = read(Reader.load(name, "cpu", division=Division()), signals)
        print(row(name, found, reference, said, alphabet), flush=True)


def read(reader: Reader, signals: list[np.ndarray]) -> Read:
    """Read every signal alone; the first twice, since it warms up."""
    reader.read_values(signals[:1])
    begin = time.process_time()
    texts = [reader.read_values([signal])[0].text for signal in signals]
    seconds = time.process_time() - begin
    log_probs = []
    for signal in signals:
        found, counts = reader.log_probs([signal])
        log_probs.append(found[0, : int(counts[0])].numpy())
    return Read(texts, log_probs, len(signals) / seconds)


def row(name: str, found: Read, reference: Read, said: list[str], alphabet: Alphabet) -> str:
    """Return a line of the table."""
    others = sum(a != b for a, b in zip(found.texts, reference.texts, strict=True))
    pairs = zip(found.log_probs, reference.log_probs, strict=True)
    difference = max(float(np.abs(a - b).max()) for a, b in pairs)
    size = find_model(name).stat().st_size / 1e6
    rate = error_rate(said, found.texts, alphabet)
    return (
        f"| {Path(name).name} | {size:.1f} | {found.speed:.1f} | {rate:.2%} | "
        f"{others} of {len(said)} | {difference:.1e} |"
    )


if __name__ == "__main__":
    run_and_exit("export_table", main)
