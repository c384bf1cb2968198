"""Train every cell on the tasks of the long time lag; print updates until each is learned, draw the figure.

A row is one cell with one lag and one seed; training it again replaces it. Examples:

    python scripts/time_lag.py lag --steps 50 100 200 --seeds 1 2 3
    python scripts/time_lag.py adding --steps 100 --names lstm lstm-chrono
    python scripts/time_lag.py show --picture docs/lab/time_lag.svg
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.network.cells import CellSettings, build_direction  # noqa: E402

GATED = ("lstm", "lstm-1997", "coupled", "peephole", "peephole-diagonal", "gru")
CHRONO = {f"{cell}-chrono": cell for cell in GATED}
NAMES = ("rnn", "rnn-orthogonal", *GATED, *CHRONO)
WINDOW = 10  # batches, each seen for the first time, that decide whether a task is learned
ENOUGH = 0.99  # of them right
COPIED = 10  # symbols of the copy task
NEAR = 0.04  # error of a right sum (Hochreiter and Schmidhuber 1997, experiment 4)


@dataclass(frozen=True)
class Batch:
    """Sequences with what is to be said of them.

    Args:
        x: (N, T, F).
        target: (N, K) classes after each of the last K frames, or (N, 1) numbers after the last.
    """

    x: Tensor
    target: Tensor


@dataclass(frozen=True)
class Task:
    """One of the artificial tasks.

    Args:
        features: numbers of a frame.
        outputs: classes, or 1 where a number is asked for.
        draw: a batch of so many sequences with a lag of so many steps.
        chance: share of right answers of who knows nothing.
    """

    features: int
    outputs: int
    draw: Callable[[int, int, torch.Generator], Batch]
    chance: float

    def loss(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return cross-entropy of scores (N, K, outputs), the mean squared error of numbers (N, 1, 1)."""
        if self.outputs == 1:
            return F.mse_loss(scores[..., 0], target)
        return F.cross_entropy(scores.flatten(0, 1), target.flatten())

    def right(self, scores: Tensor, target: Tensor) -> float:
        """Return the share of right answers."""
        hits = (scores[..., 0] - target).abs() < NEAR if self.outputs == 1 else scores.argmax(2) == target
        return hits.double().mean().item()


def draw_lag(number: int, steps: int, generator: torch.Generator) -> Batch:
    """Name the first of steps + 1 symbols; four classes, four symbols that distract."""
    symbols = torch.randint(4, 8, (number, steps + 1), generator=generator)
    classes = torch.randint(0, 4, (number, 1), generator=generator)
    symbols[:, :1] = classes
    return Batch(F.one_hot(symbols, 8).float(), classes)


def draw_adding(number: int, steps: int, generator: torch.Generator) -> Batch:
    """Add the two numbers in [0, 1) that are marked, one in each half of `steps` frames."""
    values = torch.rand(number, steps, generator=generator)
    marks, rows, half = torch.zeros(number, steps), torch.arange(number), steps // 2
    for start, end in ((0, half), (half, steps)):
        marks[rows, torch.randint(start, end, (number,), generator=generator)] = 1.0
    return Batch(torch.stack((values, marks), 2), (values * marks).sum(1, keepdim=True))


def draw_copy(number: int, steps: int, generator: torch.Generator) -> Batch:
    """Repeat ten symbols of eight, `steps` blanks after them, when a sign asks for it."""
    symbols = torch.randint(0, 8, (number, COPIED), generator=generator)
    frames = torch.full((number, steps + 2 * COPIED), 8)
    frames[:, :COPIED] = symbols
    frames[:, -COPIED - 1] = 9
    return Batch(F.one_hot(frames, 10).float(), symbols)


def draw_order(number: int, steps: int, generator: torch.Generator) -> Batch:
    """Say in which order two of X, Y came, in the first and sixth tenth of `steps` frames; four distract, E and B.

    Hochreiter and Schmidhuber 1997, experiment 6a: there between frames 10 to 20 and 50 to 60 of 100.
    """
    frames = torch.randint(2, 6, (number, steps + 1), generator=generator)
    signs, rows, tenth = torch.randint(0, 2, (number, 2), generator=generator), torch.arange(number), steps // 10
    for place, start in enumerate((tenth, 5 * tenth)):
        frames[rows, torch.randint(start, start + tenth, (number,), generator=generator)] = signs[:, place]
    frames[:, 0], frames[:, -1] = 6, 7
    return Batch(F.one_hot(frames, 8).float(), 2 * signs[:, :1] + signs[:, 1:])


TASKS = {
    "lag": Task(8, 4, draw_lag, 1 / 4),
    "adding": Task(2, 1, draw_adding, 0.06),
    "copy": Task(10, 8, draw_copy, 1 / 8),
    "order": Task(8, 4, draw_order, 1 / 4),
}


@dataclass(frozen=True)
class Run:
    """How one cell is trained.

    Args:
        task: name of the task.
        name: of the row, one of `NAMES`.
        steps: of the lag.
        seed: of weights, as well as of the sequences.
        hidden: units.
        batch: sequences an update.
        updates: most updates before giving up.
        rate: learning rate of Adam.
        clip: largest norm of the gradient.
    """

    task: str
    name: str
    steps: int
    seed: int = 1
    hidden: int = 32
    batch: int = 64
    updates: int = 1500
    rate: float = 3e-3
    clip: float = 1.0

    @property
    def cell(self) -> CellSettings:
        """The cell of the row; chrono draws its biases for just this lag."""
        if self.name == "rnn-orthogonal":
            return CellSettings(cell="rnn", hidden=self.hidden, recurrent_init="orthogonal")
        if self.name in CHRONO:
            return CellSettings(cell=CHRONO[self.name], hidden=self.hidden, forget_bias=f"chrono:{self.steps}")
        return CellSettings(cell=self.name, hidden=self.hidden)


@dataclass(frozen=True)
class Row:
    """What came of a run.

    Args:
        learned: updates until 99 % of the last ten fresh batches were right; 0 is never.
        right: the share of right answers in the last ten batches.
        seconds: of the processor.
    """

    task: str
    name: str
    steps: int
    seed: int
    updates: int
    rate: float
    clip: float
    learned: int
    right: float
    seconds: float


class Reader(nn.Module):
    """A cell in one direction with a linear layer on its outputs."""

    def __init__(self, task: Task, settings: CellSettings) -> None:
        """Make the layers."""
        super().__init__()
        self.cell = build_direction(task.features, settings)
        self.head = nn.Linear(settings.output_size, task.outputs)

    def forward(self, x: Tensor, last: int) -> Tensor:
        """Map x (N, T, F) to scores (N, last, outputs) of the last frames."""
        counts = torch.full((len(x),), x.shape[1])
        return self.head(self.cell.outputs(x, counts)[:, -last:])  # type: ignore[no-any-return]


def learn(run: Run) -> Row:
    """Train until 99 % of the last ten batches were right, each seen for the first time, or the updates are spent."""
    torch.manual_seed(run.seed)
    generator = torch.Generator().manual_seed(run.seed)
    task, start = TASKS[run.task], process_time()
    model = Reader(task, run.cell)
    optimiser = torch.optim.Adam(model.parameters(), lr=run.rate)
    right: list[float] = []
    update = 0
    while update < run.updates and not _learned(right):
        update += 1
        batch = task.draw(run.batch, run.steps, generator)
        scores = model(batch.x, batch.target.shape[1])
        right = [*right[-WINDOW + 1 :], task.right(scores, batch.target)]
        optimiser.zero_grad()
        torch.autograd.backward(task.loss(scores, batch.target))
        nn.utils.clip_grad_norm_(model.parameters(), run.clip)
        optimiser.step()
    done = update if _learned(right) else 0
    seconds = round(process_time() - start, 1)
    kept = (run.task, run.name, run.steps, run.seed, run.updates, run.rate, run.clip)
    return Row(*kept, done, round(sum(right) / len(right), 4), seconds)


def _learned(right: Sequence[float]) -> bool:
    return len(right) == WINDOW and sum(right) / WINDOW >= ENOUGH


def read(path: Path) -> list[Row]:
    """Return the rows of a file, none where there is none yet."""
    if not path.exists():
        return []
    kinds = {field.name: field.type for field in fields(Row)}
    with open(path, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    return [Row(**{name: kinds[name](text) for name, text in line.items()}) for line in lines]  # type: ignore[operator]


def keep(row: Row, path: Path) -> None:
    """Write a row among those of the file, in the place of an earlier one of the same run."""
    place = (row.task, row.steps, NAMES.index(row.name), row.seed)
    others = {(old.task, old.steps, NAMES.index(old.name), old.seed): old for old in read(path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(one) for _, one in sorted({**others, place: row}.items()))


def tables(rows: Sequence[Row]) -> Iterable[str]:
    """Yield a table a task: a row a cell, a column a lag."""
    for task in TASKS:
        own = [row for row in rows if row.task == task]
        lags = sorted({row.steps for row in own})
        if own:
            yield f"\n{task}: median of updates until learned (seeds that learned it, of how many); chance "
            yield f"{TASKS[task].chance:.0%}\n"
            yield "| cell | " + " | ".join(f"T = {lag}" for lag in lags) + " |"
            yield "| --- |" + " ---: |" * len(lags)
        for name in (name for name in NAMES if any(row.name == name for row in own)):
            cells = [cell_of([row for row in own if (row.name, row.steps) == (name, lag)]) for lag in lags]
            yield f"| {title(name)} | " + " | ".join(cells) + " |"


def title(name: str) -> str:
    """Return a name as the tables show it."""
    cell, _, start = name.rpartition("-")
    return f"`{cell}`, {start}" if start in ("chrono", "orthogonal") else f"`{name}`"


def cell_of(rows: Sequence[Row]) -> str:
    """Return the median of those that learned, beside their number; how much was right where none did."""
    if not rows:
        return ""
    learned = sorted(row.learned for row in rows if row.learned)
    if not learned:
        return f"no ({sum(row.right for row in rows) / len(rows):.0%} right)"
    middle = learned[len(learned) // 2]
    return f"{middle:,}" if len(learned) == len(rows) else f"{middle:,} ({len(learned)} of {len(rows)})"


def picture(rows: Sequence[Row], path: Path) -> None:
    """Draw updates against the lag, a panel a task; a cross where a cell did not learn in the updates it had."""
    from matplotlib import pyplot, rcParams

    rcParams["svg.hashsalt"] = "time_lag"  # the same rows give the same file
    tasks = [task for task in TASKS if len({row.steps for row in rows if row.task == task}) > 1]
    figure, panels = pyplot.subplots(1, len(tasks), figsize=(5 * len(tasks) + 2, 4.5), squeeze=False)
    for task, panel in zip(tasks, panels[0], strict=True):
        for number, name in enumerate(NAMES):
            own = [row for row in rows if (row.task, row.name) == (task, name)]
            if not own:
                continue
            lags = sorted({row.steps for row in own})
            medians = [[row.learned for row in own if row.steps == lag and row.learned] for lag in lags]
            learned = {lag: sorted(one)[len(one) // 2] for lag, one in zip(lags, medians, strict=True) if one}
            colour = f"C{number % 8}"
            style = {"color": colour, "linestyle": "-" if name in CHRONO else ":"}
            panel.plot(learned.keys(), learned.values(), marker="o", label=title(name).replace("`", ""), **style)
            never = [lag for lag in lags if lag not in learned]
            panel.plot(never, [max((row.updates for row in own), default=0)] * len(never), "x", color=colour)
        panel.set(xscale="log", yscale="log", title=task, xlabel="lag in steps", ylabel="updates until learned")
        panel.set_xticks(lags := sorted({row.steps for row in rows if row.task == task}), map(str, lags), minor=False)
        panel.minorticks_off()
    panels[0][-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)


def main(words: Sequence[str] | None = None) -> None:
    """Train the rows asked for, then print all tables."""
    chosen = _options(words)
    torch.set_num_threads(1)
    if chosen.task != "show":
        for steps in chosen.steps:
            for name in chosen.names:
                for seed in chosen.seeds:
                    settings = {name: getattr(chosen, name) for name in ("hidden", "batch", "updates", "rate", "clip")}
                    row = learn(replace(Run(chosen.task, name, steps, seed), **settings))
                    keep(row, chosen.rows)
                    print(
                        f"{row.task} {row.steps} {row.name} seed {seed}: {row.learned} updates, {row.right:.0%}",
                        flush=True,
                    )
    rows = read(chosen.rows)
    print("\n".join(tables(rows)))
    if chosen.picture:
        picture(rows, chosen.picture)
        print(f"\npicture: {chosen.picture}")


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    for task in TASKS:
        one = tasks.add_parser(task)
        one.add_argument("--steps", nargs="+", type=int, required=True, help="lags")
        one.add_argument("--names", nargs="+", choices=NAMES, default=NAMES, help="cells (default all)")
        one.add_argument("--seeds", nargs="+", type=int, default=[1])
        for field in fields(Run):
            if field.name in ("hidden", "batch", "updates", "rate", "clip"):
                one.add_argument(f"--{field.name}", type=field.type, default=field.default)
    tasks.add_parser("show")
    for one in tasks.choices.values():
        one.add_argument("--rows", type=Path, default=Path("docs/lab/time_lag.tsv"), help="file of the rows")
        one.add_argument("--picture", type=Path, help="draw the figure there (needs the extra `study`)")
    return parser.parse_args(words)


if __name__ == "__main__":
    run_and_exit("time_lag", main)
