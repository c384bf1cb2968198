"""Train an LSTM and a plain RNN on short strings of two grammars, try them on longer ones, print a table."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grammars import Word, accepted, counted, learn, rebers  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.language.lstm import LanguageModel, LanguageModelSettings  # noqa: E402
from recognizer.network.cells import CellSettings  # noqa: E402


@dataclass(frozen=True)
class Task:
    """A language with strings to learn from and longer ones to try.

    Args:
        name: for the table.
        symbols: of the language.
        train: the strings to learn from.
        tests: a title and strings never trained on, longer and longer.
        hidden: units of the recurrent layer.
        steps: updates.
    """

    name: str
    symbols: tuple[str, ...]
    train: list[Word]
    tests: tuple[tuple[str, list[Word]], ...]
    hidden: int
    steps: int


def tasks(quick: bool) -> list[Task]:
    """Return both tasks, small ones where `quick`."""
    counts = [("n 11-20", 11, 20), ("n 21-40", 21, 40), ("n 41-100", 41, 100)]
    lengths = [("21-30", 21, 30), ("31-40", 31, 40), ("41-60", 41, 60)]
    known = rebers(1, 300, 9, 20, onward=0.5)
    number = 20 if quick else 200
    return [
        Task(
            "a^n b^n, n 1-10",
            tuple("ab"),
            [counted(n) for n in range(1, 11)],
            tuple((name, [counted(n) for n in range(low, high + 1)]) for name, low, high in counts),
            hidden=8,
            steps=100 if quick else 6000,
        ),
        Task(
            "embedded Reber, 9-20 symbols",
            tuple("BEPSTVX"),
            known[:250],
            (
                ("9-20, unseen", known[250:]),
                *((name, rebers(2, number, low, high, onward=0.75)) for name, low, high in lengths),
            ),
            hidden=16,
            steps=100 if quick else 3000,
        ),
    ]


def run(task: Task, cell: str, seed: int) -> list[float]:
    """Train one network; return the accepted share of the strings of training and of every test, in %."""
    torch.manual_seed(seed)
    settings = LanguageModelSettings(task.symbols, embedding=8, cell=CellSettings(cell=cell, hidden=task.hidden))
    model = LanguageModel(settings)
    learn(model, task.train, task.steps, batch=32, rate=0.01, seed=seed)
    sets = [task.train, *(words for _, words in task.tests)]
    return [100 * accepted(model, words) / len(words) for words in sets]


def table(task: Task, cells: Sequence[str], seeds: int) -> None:
    """Print one table: a row a cell, mean and best of the seeds a column."""
    print(
        f"\n{task.name}: strings accepted, mean (best) of {seeds} networks of {task.hidden} units, {task.steps} steps"
    )
    print("| cell | trained on | " + " | ".join(name for name, _ in task.tests) + " | seconds |")
    print("| --- |" + " ---: |" * (len(task.tests) + 2))
    for cell in cells:
        start = time.monotonic()
        columns = list(zip(*(run(task, cell, seed) for seed in range(seeds)), strict=True))
        cellular = " | ".join(f"{sum(c) / len(c):.0f} ({max(c):.0f}) %" for c in columns)
        print(f"| {cell} | {cellular} | {time.monotonic() - start:.0f} |", flush=True)


def main() -> None:
    """Read the options and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="few steps, seconds: shows that it runs, not what it learns"
    )
    parser.add_argument("--seeds", type=int, default=0, help="networks of each kind (5, with --quick 1)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for task in tasks(options.quick):
        table(task, ("lstm", "rnn"), options.seeds or (1 if options.quick else 5))


if __name__ == "__main__":
    run_and_exit("grammar", main)
