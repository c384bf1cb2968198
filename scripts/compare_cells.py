"""Train every recurrent cell on the same work and print the table: same recipe, same epochs, same number of weights.

A row is one cell (or one depth) with one seed; training it again replaces it. With --resume a run that was stopped goes
on from its last epoch, and one that is done is read and not trained anew. Examples:

    python scripts/compare_cells.py cells fsdd --seeds 1 2 3
    python scripts/compare_cells.py cells fsdd --names gru --seeds 2        (one row)
    python scripts/compare_cells.py cells copiste --epochs 10 --lines 1000
    python scripts/compare_cells.py depth fsdd
    python scripts/compare_cells.py show
"""

import argparse
import os
import shlex
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

sys.path[:0] = [str(folder) for folder in Path(__file__).resolve().parents[:2]]

import torch  # noqa: E402
from cell_table import Row, keep, read, tables  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.common.plain_data import from_plain  # noqa: E402
from recognizer.corpus.shards import open_store  # noqa: E402
from recognizer.corpus.store import Packed, write_store  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.model.model import Model  # noqa: E402
from recognizer.model.model_file import read_header  # noqa: E402
from recognizer.network.cells import CELLS  # noqa: E402
from recognizer.network.front import Front, FrontSettings  # noqa: E402
from recognizer.network.mdlstm import MultidimensionalSettings  # noqa: E402
from recognizer.network.network import Network, NetworkSettings  # noqa: E402
from recognizer.training.checkpointing import LAST, MODEL  # noqa: E402
from recognizer.training.config import Config  # noqa: E402
from recognizer.training.history import read_history  # noqa: E402
from recognizer.training.logging_setup import silence_libraries  # noqa: E402

TOLERANCE = 0.05  # of the number of weights
SCAN = "multidimensional"  # the front of that type under the recipe's own cell
SCAN_CHANNELS, SCAN_CELLS, SCAN_ROWS = [16, 48], 32, 4  # of convolutions before a scan; of a direction; of a frame
DEPTHS = {f"{n}-{way}": (n, way == "both") for way in ("both", "forward") for n in (1, 2, 3, 5)}
NAMES = {"cells": [*CELLS, SCAN], "depth": [*DEPTHS]}


@dataclass(frozen=True)
class Shape:
    """What a network reads and writes: numbers of a frame, groups of them, classes."""

    features: int
    parts: int
    classes: int

    def weights(self, settings: NetworkSettings) -> int:
        """Return how many weights a network of `settings` has, without making it."""
        with torch.device("meta"):
            network = Network(self.features, self.classes, settings, self.parts)
        return sum(weight.numel() for weight in network.parameters())

    def rows(self, front: FrontSettings) -> int:
        """Return the rows that a front leaves of the feature axis."""
        with torch.device("meta"):
            return Front(self.features, front, self.parts).rows


def main(words: Sequence[str] | None = None) -> None:
    """Train the rows asked for, then print all tables."""
    words = sys.argv[1:] if words is None else words
    chosen = _options(words)
    if chosen.table != "show":
        silence_libraries()
        config, trainer = recipe(chosen.config or Path("configs") / f"{chosen.corpus}.yaml")
        data = chosen.data or Path(config.data.folders[0])
        if chosen.lines:
            data = part_of(data, config.data.train, chosen.lines, chosen.runs / f"{chosen.corpus}-{chosen.lines}")
        config = replace(config, data=replace(config.data, corpus=str(data), weights=[]))
        if chosen.rate:
            config = replace(config, learning=replace(config.learning, rate=chosen.rate))
        for seed in chosen.seeds:
            for name in chosen.names or NAMES[chosen.table]:
                row = _trained(chosen, replace(config, seed=seed), trainer, name, shlex.join(words))
                keep(row, chosen.rows)
                print(f"{row.name}, seed {row.seed}: {row.weights} weights, CER {row.points[-1][1]:.2%}", flush=True)
    print("\n".join(tables(read(chosen.rows))))


def recipe(path: Path) -> tuple[Config, dict[str, Any]]:
    """Return what a configuration file says of a run and of Lightning's Trainer."""
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Config, None)
    parser.add_argument("--trainer", type=dict[str, Any], default={})
    made = parser.instantiate(parser.parse_path(str(path)))
    return Config(**{field.name: getattr(made, field.name) for field in fields(Config)}), made.trainer


def part_of(corpus: Path, split: str, lines: int, out: Path) -> Path:
    """Pack every so-many-th sample of a split, `lines` in all, with all of the other splits, into `out`."""
    store = open_store(corpus)
    of_split = store.indices(split)
    if lines >= len(of_split):
        raise RecognizerError(f"{corpus}: {len(of_split)} samples in {split!r}, expected --lines below that")
    kept = {of_split[i * len(of_split) // lines] for i in range(lines)} | set(range(len(store))) - set(of_split)

    def packed() -> Iterator[Packed]:
        for i in sorted(kept):
            extent, digest = float(store.extents[i]), bytes.fromhex(store.digest(i))
            yield Packed(store.sample(i), store.signal(i), extent, digest)

    left = {**store.header.left_out, "left out to learn from fewer": len(of_split) - lines}
    write_store(out, replace(store.header, left_out=left), packed())
    return out


def settings_of(table: str, name: str, base: NetworkSettings, shape: Shape) -> NetworkSettings:
    """Return the network of a row: a cell with as many weights as the lstm has, or the recipe's cell in a depth."""
    if table == "depth":
        layers, both = DEPTHS[name]
        return replace(base, layers=layers, bidirectional=both)
    lstm = replace(base, cell="lstm")
    wanted, step = shape.weights(lstm), 1
    if name == SCAN:
        other = replace(lstm, front=FrontSettings(type=SCAN, multidimensional=scan(shape.features, base.front.stride)))
    elif name == "convolutional":
        step = shape.rows(base.front)
        other = replace(lstm, cell=name, features=step, hidden=step)
    else:
        other = replace(lstm, cell=name)
    hidden = matching_hidden(lambda size: shape.weights(replace(other, hidden=size)), step, wanted)
    return replace(other, hidden=hidden)


def scan(features: int, stride: int) -> MultidimensionalSettings:
    """Return a scan with as many columns a frame as another front, behind as many convolutions as the stride halves."""
    channels = SCAN_CHANNELS[: 2 - bool(stride % 4) - bool(stride % 2)]
    halved = 2 ** len(channels)
    block = [-(-features // halved // SCAN_ROWS), stride // halved]
    return MultidimensionalSettings(
        sizes=[SCAN_CELLS], blocks=[block], between=[], convolutions=channels, collapse="concatenate"
    )


def matching_hidden(weights: Callable[[int], int], step: int, wanted: int) -> int:
    """Return the multiple of `step` whose number of weights is nearest to `wanted`.

    Raises:
        RecognizerError: none is near enough.
    """
    high = 1
    while weights(high * step) < wanted:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if weights(middle * step) < wanted else (low, middle)
    near = min((max(low, 1) * step, high * step), key=lambda size: abs(weights(size) - wanted))
    off = weights(near) / wanted - 1.0
    if abs(off) > TOLERANCE:
        raise RecognizerError(f"hidden {near} has {off:+.0%} of {wanted} weights, expected within {TOLERANCE:.0%}")
    return near


def _trained(chosen: argparse.Namespace, config: Config, trainer: dict[str, Any], name: str, command: str) -> Row:
    """Train one row in a folder of its own, in the place of an earlier run there or going on with it.

    Raises:
        RecognizerError: a run that was stopped learned by another recipe.
    """
    from recognizer.training.setup import make_setup
    from recognizer.training.train import train

    task = make_setup(config)
    model = Model(task.settings, task.alphabet.classes)
    shape = Shape(model.features.size, getattr(model.features, "parts", 1), task.alphabet.classes)
    network = settings_of(chosen.table, name, config.network, shape)
    epochs = chosen.epochs or trainer["max_epochs"]
    if chosen.validate_every < 1 or epochs % chosen.validate_every:
        raise RecognizerError(f"--validate-every {chosen.validate_every}, expected a divisor of the {epochs} epochs")
    run = chosen.runs / f"{chosen.table}-{chosen.corpus}-{len(task.train)}-{epochs}-{name}-{config.seed}"
    config = replace(config, network=network)
    goes_on = chosen.resume and (run / LAST).is_file()
    if goes_on:
        _refuse_other_recipe(config, run)
    else:
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(parents=True)
    if not any(one.epoch + 1 >= epochs for one in read_history(run)):
        settings = _trainer(chosen, trainer, epochs)
        train(config, settings, run, goes_on, f"scripts/compare_cells.py {command}", lambda line: None)
    history = read_history(run)
    points = [(one.processor if chosen.accelerator == "cpu" else one.seconds, one.cer) for one in history]
    return Row(
        chosen.table, chosen.corpus, len(task.train), epochs, name, config.seed, network.hidden,
        shape.weights(network), round(len(task.train) * epochs / points[-1][0], 1),
        " ".join(f"{seconds:.1f}:{cer}" for seconds, cer in points),
    )  # fmt: skip


def _refuse_other_recipe(config: Config, run: Path) -> None:
    """Refuse to go on with a run whose configuration was another one."""
    # Read as a configuration, so that settings which did not exist when it began stand at their defaults.
    before = from_plain(Config, read_header(run / MODEL)["training"]["config"], f"{run}: its configuration")
    other = sorted(one.name for one in fields(Config) if getattr(before, one.name) != getattr(config, one.name))
    if other:
        raise RecognizerError(
            f"{run}: began with other settings of {', '.join(other)}, expected the same or no --resume"
        )


def _trainer(chosen: argparse.Namespace, trainer: dict[str, Any], epochs: int) -> dict[str, Any]:
    """Return the trainer's settings: one process of one thread, validated after every so many epochs."""
    if chosen.accelerator == "cpu":
        os.environ["OMP_NUM_THREADS"] = "1"
    fixed = {
        "accelerator": chosen.accelerator,
        "devices": 1,
        "precision": chosen.precision,
        "max_epochs": epochs,
        "check_val_every_n_epoch": chosen.validate_every,
        "log_every_n_steps": 1,
    }
    quiet = ("enable_progress_bar", "enable_model_summary", "enable_checkpointing", "use_distributed_sampler")
    return {**trainer, **fixed, **dict.fromkeys(quiet, False), "num_sanity_val_steps": 0}


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tables = parser.add_subparsers(dest="table", required=True)
    for table, names in NAMES.items():
        one = tables.add_parser(table)
        one.add_argument("corpus", help="name of the corpus and of its configuration, such as fsdd")
        one.add_argument("--names", nargs="+", choices=names, help="rows (default all)")
        one.add_argument("--seeds", nargs="+", type=int, default=[1])
        one.add_argument("--epochs", type=int, help="default: the recipe's")
        one.add_argument("--validate-every", type=int, default=1, help="epochs between validations (default 1)")
        one.add_argument("--rate", type=float, help="highest learning rate (default: the recipe's, tuned for lstm)")
        one.add_argument("--lines", type=int, help="learn from so many samples, evenly chosen (default all)")
        one.add_argument("--config", type=Path, help="default configs/CORPUS.yaml")
        one.add_argument("--data", type=Path, help="prepared corpus (default: the recipe's)")
        one.add_argument("--runs", type=Path, default=Path("runs/compare"), help="folder of the runs")
        one.add_argument("--resume", action="store_true", help="go on with the runs of a command that was stopped")
        one.add_argument("--accelerator", default="cpu")
        one.add_argument("--precision", default="32-true")
    tables.add_parser("show")
    for one in tables.choices.values():
        one.add_argument("--rows", type=Path, default=Path("docs/lab/cells.tsv"), help="file of the rows")
    return parser.parse_args(words)


if __name__ == "__main__":
    # jsonargparse renamed a method in a version later than the oldest that is allowed.
    warnings.simplefilter("ignore", DeprecationWarning)
    run_and_exit("compare_cells", main)
