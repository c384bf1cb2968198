"""Train recurrent cells on short strings of three grammars, see how far beyond them they know the rule; print tables.

A row is one cell with its way to learn; every network is trained anew from its seed. Examples:

    python scripts/grammar.py                                        (all tables, three seeds)
    python scripts/grammar.py --languages anbn reber --rows lstm-exact --seeds 1
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grammars import Course, Predictor, accepts, counted, counts_to, learn, rebers  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.network.cells import CellSettings  # noqa: E402

COUNTING = {"anbn": "ab", "anbncn": "abc"}
LEARNED, MOST = 10, 1000  # n of the strings that are learned, of the longest that are tried
REBER_SYMBOLS = "BEPSTVX"
REBER_TESTS = {"21-30": (21, 30), "31-40": (31, 40), "41-60": (41, 60)}  # symbols of a string


@dataclass(frozen=True)
class Way:
    """A cell with its way to learn.

    Args:
        title: for the table.
        counting: the cell that counts, with its noise.
        recalling: the cell that reads the Reber grammar, with its noise.
    """

    title: str
    counting: CellSettings
    recalling: CellSettings
    noises: tuple[float, float] = field(default=(0.0, 0.0))


def ways() -> dict[str, Way]:
    """Return the rows of the tables by their names."""
    made = {}
    for cell in ("rnn", "lstm", "peephole-diagonal"):
        small, large = CellSettings(cell=cell, hidden=8), CellSettings(cell=cell, hidden=24)
        made[cell] = Way(f"`{cell}`", small, large)
    for cell in ("lstm", "peephole-diagonal"):
        open_ = CellSettings(cell=cell, hidden=8, forget_bias=16.0)
        lags = CellSettings(cell=cell, hidden=24, forget_bias="chrono:60")
        made[f"{cell}-open"] = Way(f"`{cell}`, open", open_, lags)
        made[f"{cell}-exact"] = Way(f"`{cell}`, open, noise", open_, lags, (1.0, 0.3))
    return made


def counting_table(language: str, rows: Sequence[str], seeds: Sequence[int], steps: int) -> None:
    """Print how far networks count that learned from n = 1 ... 10."""
    symbols = COUNTING[language]
    title = " ".join(f"{symbol}^n" for symbol in symbols)
    print(f"\n{title}, learned from n = 1 to {LEARNED} in {steps:,} updates: largest N with all n up to N accepted\n")
    print("| cell | " + " | ".join(f"seed {seed}" for seed in seeds) + " | seconds |")
    print("| --- |" + " ---: |" * (len(seeds) + 1))
    for way in (ways()[row] for row in rows):
        start, reached = time.process_time(), []
        for seed in seeds:
            torch.manual_seed(seed)
            model = Predictor(symbols, way.counting)
            words = [counted(n, symbols) for n in range(1, LEARNED + 1)]
            learn(model, words, Course(steps, 0.05, way.noises[0], seed=seed))
            reached.append(counts_to(model, MOST))
        spent = time.process_time() - start
        print(f"| {way.title} | " + " | ".join(f"{n:,}" for n in reached) + f" | {spent:.0f} |", flush=True)


def reber_table(rows: Sequence[str], seeds: Sequence[int], steps: int, number: int) -> None:
    """Print which share of longer strings is accepted by networks that learned 250 strings of 9 to 20 symbols."""
    known = rebers(1, 300, 9, 20, onward=0.5)
    longer = {title: rebers(2, number, *span, onward=0.75) for title, span in REBER_TESTS.items()}
    tests = {"learned": known[:250], "9-20, unseen": known[250:], **longer}
    print(f"\nembedded Reber grammar, 250 strings of 9 to 20 symbols, {steps:,} updates: strings accepted, mean ")
    print(f"(worst) of {len(seeds)} seeds\n")
    print("| cell | " + " | ".join(tests) + " | seconds |")
    print("| --- |" + " ---: |" * (len(tests) + 1))
    for way in (ways()[row] for row in rows):
        start, shares = time.process_time(), []
        for seed in seeds:
            torch.manual_seed(seed)
            model = Predictor(REBER_SYMBOLS, way.recalling)
            learn(model, known[:250], Course(steps, 0.03, way.noises[1], seed=seed))
            shares.append([mean(accepts(model, words)) for words in tests.values()])
        cells = [f"{mean(column):.0%} ({min(column):.0%})" for column in zip(*shares, strict=True)]
        print(f"| {way.title} | " + " | ".join(cells) + f" | {time.process_time() - start:.0f} |", flush=True)


def main(words: Sequence[str] | None = None) -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    languages = (*COUNTING, "reber")
    parser.add_argument("--languages", nargs="+", choices=languages, default=languages)
    parser.add_argument("--rows", nargs="+", choices=[*ways()], default=[*ways()], help="cells (default all)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--steps", type=int, help="updates (default 2,000; 3,000 for three symbols)")
    parser.add_argument("--number", type=int, default=200, help="longer strings of the Reber grammar")
    options = parser.parse_args(words)
    torch.set_num_threads(1)
    for language in options.languages:
        if language == "reber":
            reber_table(options.rows, options.seeds, options.steps or 2000, options.number)
        else:
            steps = options.steps or (3000 if language == "anbncn" else 2000)
            counting_table(language, options.rows, options.seeds, steps)


if __name__ == "__main__":
    run_and_exit("grammar", main)
