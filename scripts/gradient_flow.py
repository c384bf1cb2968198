"""Measure how far the error reaches back through each cell, then which cell can learn from that far.

Run: python scripts/gradient_flow.py [--quick] [--picture docs/lab/gradient_flow.svg]
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.network.cells import CellSettings, build_direction  # noqa: E402

KINDS = {
    "rnn": CellSettings(cell="rnn"),
    "gru": CellSettings(cell="gru"),
    "lstm": CellSettings(),
    "lstm, forget bias 6": CellSettings(forget_bias=6.0),
    "lstm-1997": CellSettings(cell="lstm-1997"),
    "peephole": CellSettings(cell="peephole"),
    "peephole, forget bias 6": CellSettings(cell="peephole", forget_bias=6.0),
}
STEPS = (10, 50, 100, 200, 500)
SYMBOLS = 8
CLASSES = 4
COLOURS = ("#c0392b", "#d68910", "#7fb3d5", "#1f618d", "#7d3c98", "#7dcea0", "#1e8449")


@dataclass(frozen=True)
class Lag:
    """The long time lag task.

    Args:
        steps: frames between the symbol to remember and the answer.
        hidden: size of the cell.
        batch: sequences an update.
        updates: most updates before giving up.
        rate: learning rate of Adam.
        seed: of weights, as well as of the sequences.
    """

    steps: int
    hidden: int = 32
    batch: int = 64
    updates: int = 2000
    rate: float = 3e-3
    seed: int = 1


@dataclass(frozen=True)
class Outcome:
    """Updates until 99 % of fresh sequences were right (None: never), with the last such share."""

    updates: int | None
    accuracy: float


class Rememberer(nn.Module):
    """Name the first symbol of a sequence after its last."""

    def __init__(self, settings: CellSettings) -> None:
        """Make a cell with a linear layer on its last output."""
        super().__init__()
        self.cell = build_direction(SYMBOLS, settings)
        self.head = nn.Linear(settings.output_size, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (N, T, SYMBOLS) to scores (N, CLASSES)."""
        counts = torch.full((len(x),), x.shape[1])
        return self.head(self.cell.outputs(x, counts)[:, -1])  # type: ignore[no-any-return]


def reach(settings: CellSettings, steps: int, seed: int) -> list[float]:
    """Return, for k = 0 ... steps, the gradient's norm k frames before the output over that at the output itself."""
    torch.manual_seed(seed)
    cell = build_direction(SYMBOLS, settings).double()
    x = torch.randn(8, steps + 1, SYMBOLS, dtype=torch.float64, requires_grad=True)
    y = cell.outputs(x, torch.full((8,), steps + 1))
    (gradient,) = torch.autograd.grad((y[:, -1] * torch.randn(8, cell.output_size)).sum(), x)
    norms = gradient.norm(dim=(0, 2)).flip(0)
    return (norms / norms[0]).tolist()  # type: ignore[no-any-return]


def draw(lag: Lag, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return one-hot sequences (N, steps + 1, SYMBOLS) with the class of their first symbol; the others distract."""
    symbols = torch.randint(CLASSES, SYMBOLS, (lag.batch, lag.steps + 1), generator=generator)
    classes = torch.randint(0, CLASSES, (lag.batch,), generator=generator)
    symbols[:, 0] = classes
    return F.one_hot(symbols, SYMBOLS).float(), classes


def learn(settings: CellSettings, lag: Lag) -> Outcome:
    """Train until 99 % of the last ten batches were right, each seen for the first time, or the updates are spent."""
    torch.manual_seed(lag.seed)
    generator = torch.Generator().manual_seed(lag.seed)
    model = Rememberer(settings)
    optimiser = torch.optim.Adam(model.parameters(), lr=lag.rate)
    right: list[float] = []
    for update in range(1, lag.updates + 1):
        x, classes = draw(lag, generator)
        scores = model(x)
        right.append((scores.argmax(1) == classes).double().mean().item())
        if len(right) >= 10 and sum(right[-10:]) / 10 >= 0.99:
            return Outcome(update, sum(right[-10:]) / 10)
        optimiser.zero_grad()
        torch.autograd.backward(F.cross_entropy(scores, classes))
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return Outcome(None, sum(right[-10:]) / len(right[-10:]))


def picture(curves: dict[str, list[float]]) -> str:
    """Return an SVG of relative gradients on a logarithmic axis from 1e4 down to 1e-16."""
    width, height, left, top, above, decades = 760, 420, 60, 20, 4, 20
    across, down = 500, 360
    steps = max(map(len, curves.values())) - 1
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">']
    parts.append(f'<rect width="{width}" height="{height}" fill="white"/>')
    for decade in range(0, decades + 1, 4):
        y = top + down * decade / decades
        parts.append(f'<path d="M{left} {y}h{across}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4}" font-size="12" text-anchor="end">1e{above - decade}</text>')
    for tick in (0, *(step for step in STEPS if step <= steps)):
        x = left + across * tick / steps
        parts.append(f'<text x="{x}" y="{top + down + 18}" font-size="12" text-anchor="middle">{tick}</text>')
    title = "steps back from the output"
    parts.append(
        f'<text x="{left + across / 2}" y="{top + down + 36}" font-size="12" text-anchor="middle">{title}</text>'
    )
    for n, ((name, curve), colour) in enumerate(zip(curves.items(), COLOURS, strict=True)):
        heights = [min(max(above - math.log10(max(value, 1e-300)), 0.0), decades) for value in curve]
        points = " ".join(
            f"{left + across * k / steps:.1f},{top + down * h / decades:.1f}" for k, h in enumerate(heights)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        y = top + 16 + 20 * n
        parts.append(f'<path d="M{left + across + 14} {y - 4}h18" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{left + across + 38}" y="{y}" font-size="12">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Print both tables; write the picture."""
    options = _options()
    torch.set_num_threads(options.threads)
    steps = [step for step in STEPS if not options.quick or step <= 100]
    curves = _print_reach(steps, options.seeds)
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    options.picture.write_text(picture(curves), encoding="utf-8")
    print(f"\npicture: {options.picture}\n")
    _print_lags([10] if options.quick else STEPS[1:], options.updates or (300 if options.quick else 2000))


def _print_reach(steps: Sequence[int], seeds: int) -> dict[str, list[float]]:
    """Print the gradient that reaches back, a geometric mean over seeds; return the curves."""
    print("gradient k steps back over that of the last step, before training, hidden 256\n")
    print(f"| {'cell':<24} | " + " | ".join(f"k = {step:<5}" for step in steps) + " |")
    print(f"| {'-' * 24} | " + " | ".join(["-" * 9] * len(steps)) + " |")
    curves = {}
    for name, settings in KINDS.items():
        runs = [reach(settings, max(steps), seed) for seed in range(seeds)]
        logs = [[math.log(max(value, 1e-300)) for value in run] for run in runs]
        curves[name] = [math.exp(sum(values) / seeds) for values in zip(*logs, strict=True)]
        print(f"| {name:<24} | " + " | ".join(f"{curves[name][step]:<9.1e}" for step in steps) + " |", flush=True)
    return curves


def _print_lags(steps: Sequence[int], updates: int) -> None:
    lag = Lag(steps[0], updates=updates)
    print(
        f"updates of {lag.batch} sequences until the first symbol is named (hidden {lag.hidden}, at most {updates})\n"
    )
    print(f"| {'cell':<24} | " + " | ".join(f"T = {step:<14}" for step in steps) + " |")
    print(f"| {'-' * 24} | " + " | ".join(["-" * 18] * len(steps)) + " |")
    for name, settings in KINDS.items():
        small = CellSettings(cell=settings.cell, hidden=lag.hidden, forget_bias=settings.forget_bias)
        cells = []
        for step in steps:
            outcome = learn(small, Lag(step, updates=updates))
            text = str(outcome.updates) if outcome.updates else f"no ({100 * outcome.accuracy:.0f} % right)"
            cells.append(f"{text:<18}")
        print(f"| {name:<24} | " + " | ".join(cells) + " |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short lengths, few updates")
    parser.add_argument("--picture", type=Path, default=Path("docs/lab/gradient_flow.svg"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--updates", type=int, help="at most (default 2000, --quick 300)")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    run_and_exit("gradient_flow", main)
