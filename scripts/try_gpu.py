"""Try what a GPU changes and print one table.

Run: bash scripts/try_gpu.sh CORPUS [SPEECH_CORPUS], or without any corpus: bash scripts/try_gpu.sh --quick

--quick takes what comes with the package: the rendered lines of the demo, made-up sound, the shipped models. It leaves
out what would begin after --seconds, needs no network, and writes into temporary folders alone.

For each corpus its shipped model reads the same samples on the CPU and on the GPU, by the best path and by a beam; then
a network is trained for some epochs in float32 and in bf16. Without a GPU the CPU does what it can, as the table says.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from recognizer.commands.demo import DATA, HEIGHT  # noqa: E402
from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.corpus.shards import open_store  # noqa: E402
from recognizer.corpus.store import Store  # noqa: E402
from recognizer.decoding.options import DecoderOptions  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402
from recognizer.training.history import read_history  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
Row = tuple[str, str, str]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="*", type=Path, help="prepared corpora of lines or recordings")
    parser.add_argument("--quick", action="store_true", help="with shipped models and generated inputs alone")
    parser.add_argument("--seconds", type=float, default=50, help="after which --quick begins nothing (default 50)")
    parser.add_argument("--samples", type=int, default=64, help="that are read (default 64)")
    parser.add_argument("--train", type=int, default=2, help="epochs of each training (default 2, 0 for none)")
    chosen = parser.parse_args()
    if chosen.quick == bool(chosen.corpora):
        parser.error("expected either prepared corpora or --quick")
    gpu = torch.cuda.is_available()
    print(f"device: {torch.cuda.get_device_name() if gpu else 'no GPU here, the CPU does what it can'}")
    print(f"torch {torch.__version__}, numpy {np.__version__}, Python {sys.version.split()[0]}")
    print("\n| what | CPU | GPU |\n| --- | --- | --- |", flush=True)
    if chosen.quick:
        quick(gpu, chosen.samples, chosen.seconds)
    for corpus in chosen.corpora:
        store = open_store(corpus)
        for row in reading_rows(store, chosen.samples, gpu):
            show(row)
        if chosen.train:
            for row in training_rows(corpus, chosen.train, gpu):
                show(row)


def show(row: Row) -> None:
    """Print a line of the table."""
    print(f"| {row[0]} | {row[1]} | {row[2]} |", flush=True)


def quick(gpu: bool, samples: int, seconds: float) -> None:
    """Print the rows of --quick, those that matter most first; a row that fails or is left out says so."""
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        with zipfile.ZipFile(DATA) as archive:
            archive.extractall(here / "samples")
        names = ("handwriting", "speech", "digits")
        steps: list[tuple[str, Callable[[], list[Row]]]] = [
            (f"{name}: log-probabilities", lambda name=name: agreement_rows(name, here, samples, gpu))  # type: ignore[misc]
            for name in names
        ]
        steps += [
            (f"training, {kind}", lambda kind=kind: quick_training(here, kind, gpu, end))  # type: ignore[misc]
            for kind in ("bf16-mixed", "32-true")
        ]
        steps += [(f"{name}: beam", lambda name=name: beam_rows(name, here, samples, gpu)) for name in names]  # type: ignore[misc]
        for what, step in steps:
            for row in step_rows(what, step, end):
                show(row)


def step_rows(what: str, step: Callable[[], list[Row]], end: float) -> list[Row]:
    """Return the rows of a step, or one that says why there are none; nothing begins after `end`, by the clock."""
    if time.monotonic() > end:
        return [(what, "left out, no time", "left out, no time")]
    try:
        return step()
    except Exception as error:  # one row that fails must not cost the others their turn on the GPU
        message = " ".join(str(error).split()).replace("|", "/")[:200]
        return [(what, f"failed: {type(error).__name__}: {message}", "")]


def agreement_rows(name: str, folder: Path, samples: int, gpu: bool) -> list[Row]:
    """Return how a shipped model reads on both devices by the best path, and how far the log-probabilities differ."""
    signals = quick_signals(name, folder, samples)
    rows = compared_rows(name, signals, "greedy", gpu)
    if gpu:
        cpu, counts = Reader.load(name, "cpu").log_probs(signals[:8])
        card, other = Reader.load(name, "cuda").log_probs(signals[:8])
        widest = max(float((a[:n] - b[:n].cpu()).abs().max()) for a, b, n in zip(cpu, card, counts, strict=True))
        same = bool((counts == other.cpu()).all())
        rows.append((f"{name}: log-probabilities apart by", "-", f"{widest:.1e}{'' if same else ', other lengths'}"))
    return rows


def beam_rows(name: str, folder: Path, samples: int, gpu: bool) -> list[Row]:
    """Return how a shipped model reads on both devices by a beam."""
    return compared_rows(name, quick_signals(name, folder, samples), "beam", gpu)


def quick_signals(name: str, folder: Path, samples: int) -> list[np.ndarray]:
    """Return the demo's lines as the model takes them, or tones of changing pitch in noise, a second and more each."""
    reader = Reader.load(name, "cpu")
    if reader.kind == "handwriting":
        images = sorted((folder / "samples" / "lines").glob("*.png"))[:samples]
        return [reader.signal(image).values for image in images]
    random = np.random.default_rng(1)
    rate, sounds = 16000, []
    for _ in range(samples):
        pitch = np.repeat(random.uniform(100, 2000, int(random.integers(10, 30))), rate // 10)
        wave = np.sin(2 * np.pi * np.cumsum(pitch) / rate)
        sounds.append((0.2 * wave + 0.02 * random.standard_normal(len(wave))).astype(np.float32))
    return [reader.signal(sound, rate).values for sound in sounds]


def quick_training(folder: Path, precision: str, gpu: bool, end: float) -> list[Row]:
    """Return the speed of an epoch over the demo's lines: on the GPU, or without one on the CPU."""
    from recognizer.corpus.prepare import PrepareSettings, prepare

    corpus = folder / "corpus"
    if not corpus.exists():
        prepare(
            str(folder / "samples" / "manifest.tsv"),
            None,
            corpus,
            PrepareSettings({"height": HEIGHT}),
            lambda line: None,
        )
    said = trained(corpus, 1, "gpu" if gpu else "cpu", precision, max(20.0, end - time.monotonic()))
    return [(f"training, an epoch of the demo, {precision}", *(("-", said) if gpu else (said, "-")))]


def reading_rows(store: Store, samples: int, gpu: bool) -> list[Row]:
    """Return the speeds of a shipped model on both devices, and how many texts are the same, by each decoder."""
    name = {"handwriting": "handwriting", "speech": "speech"}[store.header.kind]
    signals = [np.array(store.signal(index)) for index in range(min(samples, len(store)))]
    return [row for engine in ("greedy", "beam") for row in compared_rows(name, signals, engine, gpu)]


def compared_rows(name: str, signals: list[np.ndarray], engine: str, gpu: bool) -> list[Row]:
    """Return the speeds of a shipped model on both devices by one decoder, and how many texts are the same."""
    options = DecoderOptions(engine=engine)
    cpu, cpu_speed = read(Reader.load(name, "cpu", options), signals)
    what = f"{name} reads {len(signals)} by {engine}, samples a second"
    if not gpu:
        return [(what, f"{cpu_speed:.1f}", "-")]
    found, speed = read(Reader.load(name, "cuda", options), signals)
    same = sum(a == b for a, b in zip(cpu, found, strict=True))
    texts = (f"{name}, {engine}: texts as on the CPU", "-", f"{same} of {len(signals)}")
    return [(what, f"{cpu_speed:.1f}", f"{speed:.1f}"), texts]


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


def trained(corpus: Path, epochs: int, accelerator: str, precision: str, seconds: float | None = None) -> str:
    """Train and return what the run says of its speed: samples a second of the last epoch, and the shares of its time.

    A run is ended after `seconds`, by the clock, if these are given.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", f"--data.corpus={corpus}", f"--run={folder}/run", f"--trainer.max_epochs={epochs}"]
        words += [f"--trainer.accelerator={accelerator}", f"--trainer.precision={precision}", "--trainer.devices=1"]
        begin = time.perf_counter()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "recognizer", *words],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return f"not done in {seconds:.0f} s"
        took = time.perf_counter() - begin
        if done.returncode:
            return f"failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
        spent = last_epoch(Path(folder) / "run")
    samples = int(re.findall(r"(\d+) samples to learn", done.stdout)[0])
    shares = re.findall(r"time of training steps: ([^\n]*)", done.stdout)
    return f"{took:.0f} s in all, {samples / spent:.0f} a second in the last epoch; {'; '.join(shares)}"


def last_epoch(run: Path) -> float:
    """Return the seconds of training in a run's last epoch, validation not counted."""
    ends = [0.0, *(one.seconds for one in read_history(run))]
    return ends[-1] - ends[-2]


if __name__ == "__main__":
    run_and_exit("try_gpu", main)
