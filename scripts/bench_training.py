"""Measure where the time of a training step goes, then how many samples a second a whole run learns from.

Run: python scripts/bench_training.py --config configs/trial.yaml [--steps 20] [--whole] [flags of train]

Flags that this script does not know go over the configuration, as with `recognizer train`. The first table is of one
process of one thread, step by step; the second figure is of `recognizer train` as a user runs it for two epochs:
reading, augmentation, validation and writing included, the start of the program not.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.commands.train import read_config  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.inputs.registry import kind_named  # noqa: E402
from recognizer.model.model import Model  # noqa: E402
from recognizer.training.config import Config  # noqa: E402
from recognizer.training.data import Batch, BatchSampler  # noqa: E402
from recognizer.training.learner import Learner  # noqa: E402
from recognizer.training.losses import ctc_loss  # noqa: E402
from recognizer.training.setup import make_setup  # noqa: E402

PARTS = ("reading", "augmenting", "front", "stack", "loss", "backward", "optimiser")
WARMING = 2  # steps, which choose their kernels


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--precision", choices=["bf16", "float32"], default="bf16")
    parser.add_argument("--whole", action="store_true", help="also time a whole run of two epochs")
    chosen, flags = parser.parse_known_args()
    arguments = ["--config", chosen.config, *flags]
    torch.set_num_threads(1)
    seconds, lines, steps = divide(read_config(arguments), chosen.steps, chosen.precision == "bf16")
    whole = sum(seconds.values())
    print(f"one process, one thread, {chosen.precision}: {lines / whole:.1f} samples/s")
    for part in PARTS:
        print(f"{part:<12}{seconds[part] / steps:8.4f} s a step {seconds[part] / whole:6.1%}")
    if chosen.whole:
        print(f"a whole run of two epochs: {whole_run(arguments):.1f} samples/s")


def divide(config: Config, steps: int, half: bool) -> tuple[dict[str, float], int, int]:
    """Return the seconds of each part over `steps` steps at most, with the samples they learned from and their number.

    Raises:
        RecognizerError: an epoch has no step after the first ones.
    """
    task = make_setup(config)
    model = Model(task.settings, task.alphabet.classes).train()
    learner = Learner(config, model, task.alphabet, task.corpora)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    budget = kind_named(task.corpora.kind).batch_budget(config.data, task.corpora.stores[0].header.signal)
    sampler = BatchSampler(task.corpora, task.train, budget, config.data, config.seed)
    seconds, lines = dict.fromkeys(PARTS, 0.0), 0
    runs = list(sampler)[: steps + WARMING]
    if len(runs) <= WARMING:
        raise RecognizerError(
            f"{len(runs)} steps with --steps {steps}, expected more than {WARMING}: a larger corpus, or smaller batches"
        )
    for at, (number, items) in enumerate(runs):
        parts = _step(learner, optimizer, partial(task.corpora.batch, items, number, task.alphabet), half)
        if at >= WARMING:
            lines += len(items)
            seconds = {part: seconds[part] + parts[part] for part in PARTS}
    return seconds, lines, len(runs) - WARMING


def _step(
    learner: Learner, optimizer: torch.optim.Optimizer, read: Callable[[], Batch], half: bool
) -> dict[str, float]:
    """Return the seconds of each part of one step."""
    network, marks = learner.model.network, [time.perf_counter()]
    batch = read()
    marks.append(time.perf_counter())
    features, counts = learner._features(batch, torch.Generator().manual_seed(batch.number))
    marks.append(time.perf_counter())
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        ended: list[float] = []
        hook = network.front.register_forward_hook(lambda *unused: ended.append(time.perf_counter()))
        output = network(features, counts)
        hook.remove()
    marks += [ended[0], time.perf_counter()]
    loss = _loss(output.log_probs, output.counts, batch)
    if output.auxiliary_log_probs is not None:
        loss = loss + 0.3 * _loss(output.auxiliary_log_probs, output.counts, batch)
    marks.append(time.perf_counter())
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    marks.append(time.perf_counter())
    optimizer.step()
    marks.append(time.perf_counter())
    return {part: b - a for part, a, b in zip(PARTS, marks, marks[1:], strict=False)}


def _loss(log_probs: Tensor, counts: Tensor, batch: Batch) -> Tensor:
    return ctc_loss(log_probs, counts, batch).sum() / batch.label_counts.sum()


def whole_run(arguments: list[str]) -> float:
    """Return the samples per second of `recognizer train` over two epochs, less its start, timed alone."""
    with tempfile.TemporaryDirectory() as folder:
        whole = _seconds([*arguments, "--run", f"{folder}/run", "--trainer.max_epochs", "2"])
        one_batch = ["--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1"]
        start = _seconds([*arguments, "--run", f"{folder}/start", "--trainer.max_epochs", "1", *one_batch])
    return 2 * len(make_setup(read_config(arguments)).train) / (whole - start)


def _seconds(arguments: list[str]) -> float:
    """Return how long `recognizer train` with these arguments and a validation after every epoch takes."""
    begin = time.perf_counter()
    every = ["--trainer.check_val_every_n_epoch", "1"]
    subprocess.run([sys.executable, "-m", "recognizer", "train", *arguments, *every], check=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    run_and_exit("bench_training", main)
