"""The verb demo: learn to read a small corpus that comes with the package, then show it."""

import argparse
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console, Say
from recognizer.commands.exit_codes import DONE
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    import numpy as np

    from recognizer.decoding.hypothesis import Hypothesis
    from recognizer.evaluation.report import Report

DATA = Path(__file__).resolve().parents[1] / "demo_data" / "demo.zip"
SHOWN = 40  # lines on the page
HEIGHT = 48  # pixels of the lines that come with it
BLOCKS = " ░▒▓█"  # from paper to ink


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Args:
        report: on lines that were not learned.
        page: HTML with pictures, what they say and what was read.
        model: the trained model file.
        sample: the image that was transcribed.
        hypothesis: what was read of it.
        said: what it says.
    """

    report: "Report"
    page: Path
    model: Path
    sample: Path
    hypothesis: "Hypothesis"
    said: str


def add_demo(verbs: Any, console: Console) -> None:
    """Add demo to `verbs`, what argparse's add_subparsers returned."""
    demo = verbs.add_parser(
        "demo",
        help="learn to read a small shipped corpus in some minutes, then show it",
        epilog="Further settings go to train, such as --network.cell gru.",
    )
    demo.add_argument("--out", type=Path, default=Path("demo"), help="folder for all of it (default demo)")
    demo.set_defaults(act=partial(_run, console), takes_more=True)


def _run(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.corpus.store import Store

    done = run_demo(chosen.out, chosen.rest, console.say)
    c, w = done.report.characters, done.report.words
    store = Store(chosen.out / "corpus")
    console.say(f"\n{len(done.report.scored)} lines that it has not seen: CER {c.rate:.2%}, WER {w.rate:.2%}\n")
    console.say(in_terminal(store.signal(store.indices("test")[0])))
    console.say(
        f"says {done.said}\nread {done.hypothesis.text}   (confidence {done.hypothesis.confidence:.2f})\n\n"
        f"Pictures with what was read: {done.page}\nNext:\n"
        f"  recognizer transcribe {quote(str(done.sample))} --model {quote(str(done.model))}\n"
        f"  recognizer evaluate {quote(str(done.model))} {quote(str(chosen.out / 'corpus'))} --split test\n"
        "  recognizer prepare PATH_OF_YOUR_LINES --out data/mine\n"
        "  recognizer check data/mine\n"
        "  recognizer train --data.corpus data/mine --run runs/mine"
    )
    return DONE


def run_demo(out: Path, arguments: list[str], say: Say) -> Demo:
    """Unpack, prepare, train, evaluate, transcribe, show.

    Args:
        out: folder for all of it; a run that is there already is not trained again.
        arguments: further arguments of `recognizer train`.
        say: takes lines for people.
    """
    from recognizer.corpus.prepare import PrepareSettings, prepare
    from recognizer.corpus.store import Store
    from recognizer.evaluation.evaluate import evaluate
    from recognizer.evaluation.html_report import write_html
    from recognizer.reading.reader import Reader

    samples, packed, run = out / "samples", out / "corpus", out / "run"
    if not (samples / "manifest.tsv").exists():
        with zipfile.ZipFile(DATA) as archive:
            archive.extractall(samples)
    prepared = prepare(str(samples / "manifest.tsv"), None, packed, PrepareSettings({"height": HEIGHT}), say)
    say(f"{sum(prepared.splits.values())} rendered lines in {samples}, packed into {packed}")
    model = run / "model.safetensors"
    if not (run / "done").exists():
        _train(packed, run, arguments)
        (run / "done").touch()
    reader = Reader.load(model)
    store = Store(packed)
    report = evaluate(reader, str(model), packed, "test", say)
    index = store.indices("test")[0]
    sample = store.sample(index)
    page = out / "report.html"
    lines = [(store.signal(i), one) for i, one in zip(store.indices("test")[:SHOWN], report.scored, strict=False)]
    write_html(page, f"{model} on lines it has not learned from", report, lines)
    return Demo(report, page, model, sample.path, reader.transcribe(sample.path), sample.text)


def in_terminal(values: "np.ndarray", columns: int = 110) -> str:
    """Return a line image (columns, height) as text, darker characters for more ink."""
    import numpy as np

    width = min(columns, max(1, len(values) // 2))
    rows = max(1, round(values.shape[1] * width / len(values) / 2))  # a character cell is twice as high as wide
    across = np.array_split(255.0 - values.T.astype(np.float32), rows, axis=0)
    cells = np.array([[part.mean() for part in np.array_split(row, width, axis=1)] for row in across])
    levels = np.clip(cells / max(cells.max(), 1.0) * len(BLOCKS) * 1.2, 0, len(BLOCKS) - 1).astype(int)
    lines = ["".join(BLOCKS[level] for level in row).rstrip() for row in levels]
    return "\n".join(line for line in lines if line)


def _train(packed: Path, run: Path, arguments: list[str]) -> None:
    """Run `recognizer train` as a user would, in a process of its own, its progress bar on this terminal."""
    from recognizer.corpus.recipes import folder

    config = folder("configs") / "demo.yaml"
    command = [sys.executable, "-m", "recognizer", "train", "--config", str(config), "--data.corpus", str(packed)]
    command += ["--run", str(run), *(["--resume", str(run)] if (run / "last.ckpt").exists() else []), *arguments]
    code = subprocess.run(command, check=False).returncode
    if code:
        raise RecognizerError(f"the training ended with exit code {code}, see above")
