"""Measures what fine-tuning to single hands brings, with 100 lines of each, 300, 500, and what is forgotten.

    python scripts/finetuning_table.py --model handwriting data/hand-a data/hand-b --others data/old
    python scripts/finetuning_table.py --model handwriting data/hand-a --lines 100 --replay data/peraire \\
        --settings=--learning.rate=3e-4

A hand is a prepared corpus with the splits train, valid and test. Of each, the first lines of train are taken, page
after page, as somebody transcribes them, and a ninth as many of valid. `recognizer train --init MODEL` learns them with
its own defaults; both models read all of test, and all of a split of --others. --replay mixes a tenth as many train
lines of old corpora in. A row whose hand has too few lines is left out, and said. Minutes are those of the clock and of
the processor, of training alone.
"""

import argparse
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import DONE, run_and_exit  # noqa: E402
from recognizer.corpus.shards import open_store  # noqa: E402
from recognizer.corpus.store import Packed, Store, write_store  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.evaluation.evaluate import evaluate  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

HEAD = ("hand", "lines", "CER before", "after", "others before", "after", "minutes", "of the processor")
VALID = 9  # train lines to one of valid
LEAST_VALID = 5  # lines
REPLAYED = 0.1  # old lines to one of the hand's
OLD_LINES = 200  # at most, of every corpus that is replayed: an epoch draws from them anew


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned model: where it is, how long it took in minutes of the clock and of the processor."""

    model: Path
    minutes: float
    processor: float


def main() -> int:
    """Print the table, a row as soon as it is measured."""
    chosen = parser().parse_args()
    print("| " + " | ".join(HEAD) + " |\n" + "| --- " * len(HEAD) + "|", flush=True)
    before = cer(chosen.model, chosen.others, chosen.others_split)
    for hand in chosen.hands:
        stranger = cer(chosen.model, hand, "test")
        for lines in chosen.lines:
            if open_store(hand).column("split").count("train") < lines:
                print(f"{hand}: fewer than {lines} lines to learn from", file=sys.stderr)
                continue
            run = chosen.runs / f"{hand.name}-{lines}{'-replay' if chosen.replay else ''}"
            tuned = tune(chosen, hand, lines, run)
            after, others = cer(tuned.model, hand, "test"), cer(tuned.model, chosen.others, chosen.others_split)
            rates = [stranger, after, before, others]
            cells = [hand.name, str(lines), *rates, f"{tuned.minutes:.1f}", f"{tuned.processor:.1f}"]
            print("| " + " | ".join(cells) + " |", flush=True)
    return DONE


def parser() -> argparse.ArgumentParser:
    """Return what the script is told."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("hands", type=Path, nargs="+", help="prepared corpora, a hand each")
    told.add_argument("--model", default="handwriting", help="where all begin")
    told.add_argument("--lines", type=int, nargs="+", default=[100, 300, 500, 1000], help="train lines of a row")
    told.add_argument("--others", type=Path, help="prepared corpus of other hands")
    told.add_argument("--others-split", default="test", help="its split that is read (default test)")
    told.add_argument(
        "--replay", type=Path, nargs="+", default=[], help="prepared corpora whose train lines are mixed in"
    )
    told.add_argument("--runs", type=Path, default=Path("runs/finetuning"), help="folder for packs and runs")
    told.add_argument(
        "--settings", action="append", default=[], help="a further setting of train, --settings=--NAME=VALUE"
    )
    return told


def tune(chosen: argparse.Namespace, hand: Path, lines: int, run: Path) -> Tuned:
    """Fine-tune to the first lines of a hand.

    Raises:
        RecognizerError: train ended with a refusal.
    """
    pack = run.with_name(f"{run.name}-pack")
    first_lines(hand, lines, pack)
    words = [f"--data.corpus={pack}", f"--init={chosen.model}", f"--run={run}"]
    if chosen.replay:
        old = run.with_name(f"{run.name}-old")
        each = min(OLD_LINES, min(open_store(path).column("split").count("train") for path in chosen.replay))
        old_lines(chosen.replay, each, old)
        share = REPLAYED * lines / (each * len(chosen.replay))
        words[0] = f"--data.corpus=[{pack},{old}]"
        words.append(f"--data.weights=[1,{share:.6f}]")
    began, used = time.monotonic(), processor_seconds()
    command = [sys.executable, "-m", "recognizer", "train", *words, *chosen.settings, "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != DONE:
        raise RecognizerError(f"{run}: train ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return Tuned(run, (time.monotonic() - began) / 60, (processor_seconds() - used) / 60)


def processor_seconds() -> float:
    """Return what processes that have ended took of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def first_lines(hand: Path, lines: int, pack: Path) -> None:
    """Write a corpus of the first train lines and a share of valid."""
    store = open_store(hand)
    valid = store.indices("valid")[: max(LEAST_VALID, lines // VALID)]
    write_store(
        pack, replace(store.header, name=hand.name, left_out={}), taken(store, store.indices("train")[:lines] + valid)
    )


def old_lines(corpora: list[Path], each: int, pack: Path) -> None:
    """Write a corpus of random train lines of other hands, `each` of every corpus, none to choose by."""
    stores = [open_store(path) for path in corpora]
    draw = random.Random(1)
    chosen = [(store, sorted(draw.sample(store.indices("train"), each))) for store in stores]
    samples = (packed for store, indices in chosen for packed in taken(store, indices))
    write_store(pack, replace(stores[0].header, name="old", left_out={}), samples)


def taken(store: Store, indices: list[int]) -> Iterator[Packed]:
    """Yield samples as they are packed already."""
    for i in indices:
        digest = bytes.fromhex(store.digest(i))
        yield Packed(store.sample(i), store.signal(i), float(store.extents[i]), digest, store.notes(i))


def cer(model: str | Path, corpus: Path | None, split: str) -> str:
    """Return the CER of a split in per cent, "" where there is no corpus."""
    if corpus is None:
        return ""
    report = evaluate(Reader.load(str(model)), str(model), corpus, split, lambda line: None)
    return f"{100 * report.characters.rate:.2f}%"


if __name__ == "__main__":
    run_and_exit("finetuning_table", main)
