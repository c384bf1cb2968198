"""Trains phone recognizers as Graves, Mohamed and Hinton (2013) did, and prints their phone error rates side by side.

    python scripts/phone_table.py data/kathleen-phones --config configs/kathleen-phones.yaml --layers 3 5
    python scripts/phone_table.py data/librispeech-mini-phones --config configs/kathleen-phones.yaml --split valid

For each depth three models: "plain" learns without weight noise; "plain, longer" begins with its weights and goes on
without, "with noise" begins with them and goes on with noise, for as many epochs and at the same rate, so that what
noise brings is told from what time brings. A run that is finished is read and not trained anew, one that was stopped
goes on. Minutes are those of training on the processor, the plain part of the two others not counted.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import DONE, run_and_exit  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.evaluation.evaluate import evaluate  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402
from recognizer.training.checkpointing import LAST  # noqa: E402
from recognizer.training.history import read_history  # noqa: E402

HEAD = ("layers", "training", "epochs", "minutes", "phone error rate", "95 %", "of its training texts")
LEARNED = "train"  # the split


@dataclass(frozen=True)
class Training:
    """A way to train.

    Args:
        name: of the row.
        folder: what its run is called.
        noise: standard deviation of the noise on the recurrent weights.
        begins: the folder of the training whose weights it begins with, "" for none.
    """

    name: str
    folder: str
    noise: float
    begins: str


def main() -> int:
    """Print the table, a row as soon as it is measured."""
    chosen = parser().parse_args()
    print("| " + " | ".join(HEAD) + " |\n" + "| ---: | --- | ---: | ---: | ---: | --- | ---: |", flush=True)
    for layers in chosen.layers:
        for training in trainings(chosen.noise):
            run = folder(chosen, layers, training.folder)
            train(chosen, layers, training, run)
            last = read_history(run)[-1]
            cells = [str(layers), training.name, str(last.epoch + 1), f"{last.processor / 60:.1f}", *rates(chosen, run)]
            print("| " + " | ".join(cells) + " |", flush=True)
    return DONE


def parser() -> argparse.ArgumentParser:
    """Return what the script is told."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("corpus", type=Path, help="a prepared corpus of phones")
    told.add_argument("--config", type=Path, required=True, help="the recipe")
    told.add_argument("--layers", type=int, nargs="+", default=[3, 5])
    told.add_argument("--noise", type=float, default=0.075, help="standard deviation (default that of the paper)")
    told.add_argument("--epochs", type=int, default=24, help="of each of the three trainings")
    told.add_argument("--split", default="test", help="that is read (default test)")
    told.add_argument("--runs", type=Path, default=Path("runs/phones"), help="folder of the runs")
    told.add_argument("--settings", action="append", default=[], help="a further setting of train, --settings=--NAME=X")
    return told


def trainings(noise: float) -> list[Training]:
    """Return the three of a depth, in their order."""
    return [
        Training("plain", "plain", 0.0, ""),
        Training("plain, longer", "longer", 0.0, "plain"),
        Training(f"with noise {noise:g}", "noise", noise, "plain"),
    ]


def folder(chosen: argparse.Namespace, layers: int, training: str) -> Path:
    """Return the folder of a run."""
    runs: Path = chosen.runs
    return runs / f"{chosen.corpus.name}-{layers}-{training}"


def train(chosen: argparse.Namespace, layers: int, training: Training, run: Path) -> None:
    """Train a model, or go on with one that was stopped, or leave one that is finished.

    Raises:
        RecognizerError: train ended with a refusal.
    """
    if any(one.epoch + 1 >= chosen.epochs for one in read_history(run)):
        print(f"{run}: finished before, read as it is", file=sys.stderr)
        return
    words = [f"--resume={run}"]
    if not (run / LAST).is_file():
        words = [
            f"--config={chosen.config}", f"--data.corpus={chosen.corpus}", f"--run={run}",
            f"--network.layers={layers}", f"--learning.weight_noise={training.noise}",
            f"--trainer.max_epochs={chosen.epochs}", *chosen.settings,
        ]  # fmt: skip
        if training.begins:
            words.append(f"--init={folder(chosen, layers, training.begins)}")
    command = [sys.executable, "-m", "recognizer", "train", *words, "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != DONE:
        raise RecognizerError(f"{run}: train ended with {done.returncode}: {done.stderr.strip()[-300:]}")


def rates(chosen: argparse.Namespace, run: Path) -> list[str]:
    """Return the phone error rate of the split with its interval, and that of what was learned."""
    reader = Reader.load(str(run))
    read, learned = (
        evaluate(reader, str(run), chosen.corpus, split, lambda line: None) for split in (chosen.split, LEARNED)
    )
    low, high = read.interval("characters")
    return [f"{read.characters.rate:.1%}", f"{low:.1%} to {high:.1%}", f"{learned.characters.rate:.1%}"]


if __name__ == "__main__":
    run_and_exit("phone_table", main)
