"""Measure how reading is best divided among workers and threads where other programs, or a quota, take processors away.

Run: python scripts/threads_table.py MODEL FOLDER [--files 64] [--repeats 3]

The first images of FOLDER are read, their files opened included, by what is chosen by itself and by three divisions
that --workers and --threads ask for: on the machine as it is, beside one and two busy loops, and under a quota of one
processor, for which a cgroup is made for as long as it takes, or where none can be made, an affinity of one processor.
A cell is "seconds of the clock / of the processor", medians of the repeats, of which none begins once those of a cell
have taken 25 seconds; the model is loaded and warm.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.common.processors import Division, divide  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402

IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
ASKED = (Division(1, 1), Division(2, 1), Division(1, 2))  # the threads of one last, since their pool stays
LONG = 25.0  # seconds of a cell
HOMES = (  # of cgroups of version 1 and 2, and what bounds one there: microseconds of the processors, in how many
    (Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "100000"}),
    (Path("/sys/fs/cgroup"), {"cpu.max": "100000 100000"}),
)


@dataclass(frozen=True)
class Bound:
    """What a process may use: a folder of a cgroup with a quota, one processor alone, or everything."""

    cgroup: Path | None = None
    alone: bool = False

    def enter(self) -> None:
        """Bind this process."""
        if self.cgroup:
            (self.cgroup / "cgroup.procs").write_text(str(os.getpid()))
        elif self.alone:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def main() -> None:
    """Print the table, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model file, run, or name of a shipped model")
    parser.add_argument("folder", type=Path, help="images of lines")
    parser.add_argument("--files", type=int, default=64, help="the first so many (default 64)")
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    images = [path for path in sorted(chosen.folder.iterdir()) if path.suffix.lower() in IMAGES][: chosen.files]
    if not images:
        raise RecognizerError(f"{chosen.folder}: no image, expected a folder of {' '.join(IMAGES)}")
    os.environ.pop("OMP_NUM_THREADS", None)  # which would bound what is chosen by itself
    print(f"| {len(images)} lines | chosen | {' | '.join(map(name, ASKED))} |\n| --- | --- | --- | --- | --- |")
    for title, others in (("idle", 0), ("beside one busy program", 1), ("beside two", 2)):
        with busy(others):
            show(title, chosen, images, Bound())
    with quota() as bound:
        show("a quota of one" if bound.cgroup else "one processor alone", chosen, images, bound)


def show(title: str, chosen: argparse.Namespace, images: list[Path], bound: Bound) -> None:
    """Measure in a process of its own, and print a row."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        cells = pool.apply(measured, (chosen.model, images, chosen.repeats, bound))
    print(f"| {title} | {' | '.join(cells)} |", flush=True)


def measured(model: str, images: list[Path], repeats: int, bound: Bound) -> list[str]:
    """Return the cells of a row: by what is chosen within the bound, by each division of ASKED."""
    bound.enter()
    from recognizer.reading.reader import Reader

    reader = Reader.load(model, "cpu")
    found: dict[Division, str] = {}
    for division in sorted({divide(), *ASKED}, key=lambda one: (one.threads, one.workers)):
        reader.division = division
        reader.transcribe(images[:2])  # warms up
        taken = [seconds(reader.transcribe, images)]
        while len(taken) < repeats and sum(clock for clock, _ in taken) < LONG:
            taken.append(seconds(reader.transcribe, images))
        found[division] = " / ".join(f"{median(one):.1f}" for one in zip(*taken, strict=True))
    return [f"{name(divide())}: {found[divide()]}", *(found[division] for division in ASKED)]


def seconds(read: Callable[[list[Path]], object], images: list[Path]) -> tuple[float, float]:
    """Return how long the reading takes: of the clock, of the processor."""
    clock, used = time.perf_counter(), time.process_time()
    read(images)
    return time.perf_counter() - clock, time.process_time() - used


def name(division: Division) -> str:
    """Return a division as the table names it."""
    return f"{division.workers} x {division.threads}"


@contextmanager
def busy(number: int) -> Iterator[None]:
    """Keep so many processes busy within the block."""
    loops = [multiprocessing.Process(target=spin, daemon=True) for _ in range(number)]
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.join()


def spin() -> None:
    """Compute until killed."""
    while True:
        pass


@contextmanager
def quota() -> Iterator[Bound]:
    """Yield a bound of one processor: a cgroup while the block takes, where none can be made the affinity."""
    made = next((folder for home, limits in HOMES if (folder := made_cgroup(home, limits))), None)
    try:
        yield Bound(made, made is None)
    finally:
        if made:
            made.rmdir()


def made_cgroup(home: Path, limits: dict[str, str]) -> Path | None:
    """Make a cgroup with limits below `home`; return None where this is not possible."""
    made = home / f"recognizer-threads-{os.getpid()}"
    if not (home / "cgroup.procs").exists():
        return None
    try:
        made.mkdir()
    except OSError:
        return None
    try:
        for limit, value in limits.items():
            (made / limit).write_text(value)
    except OSError:
        made.rmdir()
        return None
    return made


if __name__ == "__main__":
    run_and_exit("threads_table", main)
