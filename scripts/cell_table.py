"""The rows of the comparison of cells: kept in a file, printed as tables."""

import csv
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from recognizer.common.atomic_write import write_atomically


@dataclass(frozen=True)
class Row:
    """One trained network.

    Args:
        table: "cells" or "depth".
        corpus: what it learned.
        samples: that it learned from.
        epochs: that it learned for.
        name: of the cell or the depth.
        seed: of the run.
        hidden: units of each recurrent layer and direction.
        weights: of the whole network.
        speed: samples learned from per second of training without validation; on a CPU, processor time of one thread.
        course: "seconds:CER" after each epoch, of the same seconds.
    """

    table: str
    corpus: str
    samples: int
    epochs: int
    name: str
    seed: int
    hidden: int
    weights: int
    speed: float
    course: str

    @property
    def work(self) -> tuple[str, str, int, int]:
        """What rows of one printed table share."""
        return self.table, self.corpus, self.samples, self.epochs

    @property
    def points(self) -> list[tuple[float, float]]:
        """(seconds, CER) after each epoch."""
        return [(float(a), float(b)) for a, b in (point.split(":") for point in self.course.split())]


def keep(row: Row, path: Path) -> None:
    """Write a row into the table file in the place of an earlier one of the same work, name and seed."""
    same = (*row.work, row.name, row.seed)
    rows = [other for other in read(path) if (*other.work, other.name, other.seed) != same]
    lines = ["\t".join(field.name for field in fields(Row))]
    lines += ["\t".join(map(str, astuple(one))) for one in [*rows, row]]
    write_atomically(path, ("\n".join(lines) + "\n").encode())


def read(path: Path) -> list[Row]:
    """Return the rows of a table file, none where there is no file."""
    if not path.is_file():
        return []
    kinds = {field.name: field.type for field in fields(Row)}
    with open(path, encoding="utf-8", newline="") as file:
        plain = list(csv.DictReader(file, delimiter="\t"))
    return [Row(**{name: kinds[name](value) for name, value in one.items()}) for one in plain]  # type: ignore[operator]


def tables(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of a markdown table for each work, best CER first.

    The speed is that of the lowest seed; the time in which rows are compared is that of the quickest row of a seed.
    """
    every = list(rows)
    for work in dict.fromkeys(row.work for row in every):
        same = [row for row in every if row.work == work]
        seeds = sorted({row.seed for row in same})
        # Rows of a seed were made one after the other, those of another perhaps on another machine.
        quickest = {seed: min(row.points[-1][0] for row in same if row.seed == seed) for seed in seeds}
        shown = ", ".join(f"{seconds:.0f}" for seconds in quickest.values())
        yield f"\n{work[1]}, {work[2]} samples, {work[3]} epochs, seeds {seeds}\n"
        yield f"| {work[0]} | hidden | weights | samples/s | CER after {work[3]} epochs | CER after {shown} s |"
        yield "| --- | ---: | ---: | ---: | ---: | ---: |"
        names = dict.fromkeys(row.name for row in same)
        groups = [[row for row in same if row.name == name] for name in names]
        for group in sorted(groups, key=lambda group: statistics.mean(row.points[-1][1] for row in group)):
            yield _line(group, quickest)


def _line(group: list[Row], quickest: dict[int, float]) -> str:
    first = min(group, key=lambda row: row.seed)
    last = _rates([row.points[-1][1] for row in group])
    timely = [cer_after(row, quickest[row.seed]) for row in group]
    known = [rate for rate in timely if rate is not None]
    after = _rates(known) if len(known) == len(timely) else "no epoch done"
    return f"| {first.name} | {first.hidden} | {first.weights:,} | {first.speed:.0f} | {last} | {after} |"


def cer_after(row: Row, seconds: float) -> float | None:
    """Return the CER of the last epoch that ended within `seconds` of training, None where none did."""
    rates = [rate for at, rate in row.points if at <= seconds]
    return rates[-1] if rates else None


def _rates(rates: list[float]) -> str:
    mean = f"{statistics.mean(rates):.2%}"
    return mean if len(rates) == 1 else f"{mean} ({min(rates):.2%} to {max(rates):.2%})"
