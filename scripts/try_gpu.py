"""Try what a GPU changes and print one table.

Run: bash scripts/try_gpu.sh CORPUS [SPEECH_CORPUS]

For each corpus its shipped model reads the same samples on the CPU and on the GPU, by the best path and by a beam; then
a network is trained for some epochs in float32 and in bf16. Without a GPU the CPU does what it can, as the table says.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.corpus.store import Store  # noqa: E402
from recognizer.decoding.options import DecoderOptions  # noqa: E402
from recognizer.reader import Reader  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
Row = tuple[str, str, str]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", type=Path, help="prepared corpora of lines or recordings")
    parser.add_argument("--samples", type=int, default=64, help="that are read (default 64)")
    parser.add_argument("--train", type=int, default=2, help="epochs of each training (default 2, 0 for none)")
    chosen = parser.parse_args()
    gpu = torch.cuda.is_available()
    print(f"device: {torch.cuda.get_device_name() if gpu else 'no GPU here, the CPU does what it can'}")
    print("\n| what | CPU | GPU |\n| --- | --- | --- |")
    for corpus in chosen.corpora:
        store = Store(corpus)
        for row in reading_rows(store, chosen.samples, gpu):
            show(row)
        if chosen.train:
            for row in training_rows(corpus, chosen.train, gpu):
                show(row)


def show(row: Row) -> None:
    """Print a line of the table."""
    print(f"| {row[0]} | {row[1]} | {row[2]} |", flush=True)


def reading_rows(store: Store, samples: int, gpu: bool) -> list[Row]:
    """Return the speeds of a shipped model on both devices, and how many texts are the same, by each decoder."""
    name = {"handwriting": "handwriting", "speech": "speech"}[store.header.kind]
    signals = [np.array(store.signal(index)) for index in range(min(samples, len(store)))]
    rows = []
    for engine in ("greedy", "beam"):
        options = DecoderOptions(engine=engine)
        cpu, cpu_speed = read(Reader.load(name, "cpu", options), signals)
        if not gpu:
            rows.append((f"{name} reads {len(signals)} by {engine}, samples a second", f"{cpu_speed:.1f}", "-"))
            continue
        found, speed = read(Reader.load(name, "cuda", options), signals)
        same = sum(a == b for a, b in zip(cpu, found, strict=True))
        rows.append((f"{name} reads by {engine}, samples a second", f"{cpu_speed:.1f}", f"{speed:.1f}"))
        rows.append((f"{name}, {engine}: texts as on the CPU", "-", f"{same} of {len(signals)}"))
    return rows


def read(reader: Reader, signals: list[np.ndarray]) -> tuple[list[str], float]:
    """Return the texts and the samples a second, after a first reading that warms up."""
    reader.read_values(signals[:8])
    begin = time.perf_counter()
    texts = [one.text for one in reader.read_values(signals)]
    return texts, len(signals) / (time.perf_counter() - begin)


def training_rows(corpus: Path, epochs: int, gpu: bool) -> list[Row]:
    """Return the training speeds of the default network in float32 and bf16, on the CPU and on the GPU."""
    rows = []
    for precision in ("32-true", "bf16-mixed"):
        cpu = trained(corpus, epochs, "cpu", precision)
        card = trained(corpus, epochs, "gpu", precision) if gpu else "-"
        rows.append((f"{corpus.name}: training, {precision}", cpu, card))
    return rows


def trained(corpus: Path, epochs: int, accelerator: str, precision: str) -> str:
    """Train and return what the run says of its speed: lines a second of the last epoch, and the shares of its time."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", f"--data.corpus={corpus}", f"--run={folder}/run", f"--trainer.max_epochs={epochs}"]
        words += [f"--trainer.accelerator={accelerator}", f"--trainer.precision={precision}", "--trainer.devices=1"]
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "recognizer", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - begin
    if done.returncode:
        return f"failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
    speeds = re.findall(r"([\d.,]+) (?:lines|samples)/s", done.stdout + done.stderr)
    shares = re.findall(r"time of training steps: ([^\n]*)", done.stdout)
    return f"{seconds:.0f} s in all, {speeds[-1] + ' a second' if speeds else 'speed not said'}; {'; '.join(shares)}"


if __name__ == "__main__":
    run_and_exit("try_gpu", main)
