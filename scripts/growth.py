"""Measure what grows with a corpus: time and memory of every step at some numbers of made-up samples.

Run: python scripts/growth.py [--samples 10000 100000 1000000] [--columns 8] [--steps NAME ...]

Each step runs in a process of its own. Signals are as small as they may be (8 pixels high, `--columns` wide), since
what is looked for is what each sample costs beside its own bytes. Seconds are the processor's; memory is the most that
the process ever held, less what it held once the program was imported.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.corpus.sample import Sample  # noqa: E402
from recognizer.corpus.store import Header, Packed, Store, write_store  # noqa: E402

Step = Callable[[Path, int, int], float | None]  # returns seconds where not all that it does counts
SIGNAL = {"height": 8, "direction": "ltr", "contrast": "stretch"}
LINKS = 50_000  # names of one file: file systems allow some 65,000
WORDS = ("of", "letters", "and", "lines", "that", "nobody", "wrote")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--columns", type=int, default=8)
    steps = [step.__name__ for step in STEPS]
    parser.add_argument(
        "--steps", nargs="+", choices=steps, default=steps, metavar="NAME", help=f"of {', '.join(steps)}"
    )
    chosen = parser.parse_args()
    print("| step | " + " | ".join(f"{n:,}: s, MB" for n in chosen.samples) + " |")
    print("| --- |" + " --- |" * len(chosen.samples))
    with tempfile.TemporaryDirectory() as folder:
        for step in (step for step in STEPS if step is write or step.__name__ in chosen.steps):
            cells = [measured(step, Path(folder) / str(n), n, chosen.columns) for n in chosen.samples]
            print(f"| {(step.__doc__ or '').rstrip('.')} | " + " | ".join(cells) + " |", flush=True)


def measured(step: Step, folder: Path, samples: int, columns: int) -> str:
    """Return seconds and megabytes of a step in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, step, folder, samples, columns))
    process.start()
    theirs.close()
    try:
        seconds, size = ours.recv()
    except EOFError:
        return "died"
    process.join()
    return f"{seconds:.2f}, {size:.0f}"


def run(pipe: object, step: Step, folder: Path, samples: int, columns: int) -> None:
    """Take a step and send what it cost."""
    import recognizer.training.data  # noqa: F401  what most steps need, and training has loaded anyway

    before, begin = most_memory(), time.process_time()
    seconds = step(folder, samples, columns)
    pipe.send((seconds or time.process_time() - begin, most_memory() - before))  # type: ignore[attr-defined]


def most_memory() -> float:
    """Return the most memory that this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write(folder: Path, samples: int, columns: int) -> None:
    """prepare: writing the store."""
    header = Header("made up", "handwriting", SIGNAL, {}, {})
    write_store(folder, header, made_up(samples, columns))


def made_up(samples: int, columns: int) -> Iterator[Packed]:
    """Yield samples of a thousand writers, a tenth of them for validation."""
    for i in range(samples):
        text = " ".join(WORDS[(i * k) % len(WORDS)] for k in range(1, 6))
        split = "valid" if i % 10 == 0 else "train"
        sample = Sample(Path(f"lines/{i:07}.png"), text, split, f"writer {i % 1000}", f"manifest.tsv:{i}")
        values = np.full((columns + i % 5, 8), i % 251, np.uint8)
        yield Packed(sample, values, float(columns), i.to_bytes(32, "little"))


def open_store(folder: Path, samples: int, columns: int) -> None:
    """Opening the store."""
    assert len(Store(folder)) == samples


def first_batch(folder: Path, samples: int, columns: int) -> None:
    """Opening, then the signals of 32 samples here and there."""
    store = Store(folder)
    assert sum(int(store.signal(i * samples // 32).sum()) for i in range(32)) > 0


def epoch_order(folder: Path, samples: int, columns: int) -> None:
    """The batches of an epoch."""
    from recognizer.common.batching import batch_by_budget

    store = Store(folder)
    order = np.random.default_rng(0).permutation(samples).tolist()
    batches = batch_by_budget(order, store.counts[order].tolist(), 4000.0)
    assert sum(len(batch) for batch in batches) == samples


def split_rows(folder: Path, samples: int, columns: int) -> None:
    """Finding the samples of a split."""
    assert len(Store(folder).indices("valid")) == -(-samples // 10)


def fingerprint(folder: Path, samples: int, columns: int) -> None:
    """The hash of the corpus."""
    assert len(Store(folder).fingerprint()) == 64


def errors(folder: Path, samples: int, columns: int) -> None:
    """Counting the edits of every text (evaluate, without the network)."""
    from recognizer.evaluation.metrics import distance

    store = Store(folder)
    assert sum(distance(list(text), list(text[1:])) for text in store.column("text")) == samples


def sampler(folder: Path, samples: int, columns: int) -> None:
    """An epoch of training's sampler, made and gone through."""
    from recognizer.training.config import DataSettings
    from recognizer.training.data import BatchSampler, Corpora

    corpora = Corpora([Store(folder)])
    items = corpora.items("train")
    batches = BatchSampler(corpora, items, 4000.0, DataSettings(), 1)
    assert sum(len(batch) for _, batch in batches) == len(items)


def check_all(folder: Path, samples: int, columns: int) -> None:
    """check: every sample looked at once."""
    from recognizer.corpus.check_report import CheckSettings, check
    from recognizer.network.front import FrontSettings
    from recognizer.network.network import NetworkSettings

    network = NetworkSettings(front=FrontSettings(pool_features=[2, 1, 1, 1]))
    check(folder, CheckSettings(network=network))


def bootstrap(folder: Path, samples: int, columns: int) -> None:
    """The interval of an error rate (evaluate), samples drawn one by one."""
    from recognizer.evaluation.intervals import interval, units_of

    low, high = interval([i % 3 for i in range(samples)], [30] * samples, units_of([""] * samples))
    assert low < high


def shards(folder: Path, samples: int, columns: int) -> None:
    """Twenty shards: opening, then a sample of one of them."""
    from recognizer.corpus.shards import open_store, shard_name

    parts = folder.with_name(f"{folder.name} shards")
    parts.mkdir()
    for number in range(1, 21):
        (parts / shard_name(number, 20)).symlink_to(folder / "corpus.pack")
    store = open_store(parts)
    assert len(store) == 20 * samples and store.text(samples)


def first_text(folder: Path, samples: int, columns: int) -> float:
    """transcribe of a folder of so many files, to the first text (the model's loading included)."""
    import os
    import shutil

    from recognizer.decoding.options import DecoderOptions
    from recognizer.reading.transcription import TranscribeOptions, transcribe

    lines = folder.with_name(f"{folder.name} lines")
    line = made_line(lines)
    for i in range(1, samples):
        path = lines / f"{i:07}.png"
        if i % LINKS:
            os.link(line, path)
        else:
            line = shutil.copyfile(line, path)
    begun = time.process_time()
    options = TranscribeOptions("handwriting", "cpu", DecoderOptions(), lambda line: None)
    assert next(iter(transcribe([str(lines)], options))).records
    return time.process_time() - begun


def made_line(folder: Path) -> Path:
    """Write a file of a line, and return its path."""
    from PIL import Image

    folder.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 400), np.uint8)).save(folder / "0000000.png")
    return folder / "0000000.png"


# What is measured, in this order.
STEPS = (
    write,
    open_store,
    first_batch,
    epoch_order,
    sampler,
    split_rows,
    fingerprint,
    check_all,
    errors,
    bootstrap,
    shards,
    first_text,
)

if __name__ == "__main__":
    run_and_exit("growth", main)
