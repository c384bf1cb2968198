"""The processors that this process may use, divided among workers."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TypeVar

from recognizer.errors import RecognizerError

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Division:
    """How work on the CPU is divided.

    A batch by two threads makes both wait for each other at every recurrent step, so that one of them being kept from
    its processor stops both (24 times slower was measured); two workers of one thread each, with a batch each, do not.

    Args:
        workers: batches that are computed at once.
        threads: of each worker.
    """

    workers: int = 1
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse less than one."""
        for name in ("workers", "threads"):
            if getattr(self, name) < 1:
                raise RecognizerError(f"--{name} is {getattr(self, name)}, expected at least 1")


def divide(workers: int | None = None, threads: int | None = None) -> Division:
    """Return the division asked for; what is left open fills the processors that may be used, by single threads.

    OMP_NUM_THREADS bounds what is left open, as whoever starts several programs side by side sets it.

    Raises:
        RecognizerError: a number below 1.
    """
    threads = 1 if threads is None else threads
    if workers is None:
        bound = os.environ.get("OMP_NUM_THREADS", "")
        usable = min(usable_processors(), int(bound) if bound.isdecimal() and int(bound) else os.cpu_count() or 1)
        workers = max(1, usable // max(1, threads))
    return Division(workers, threads)


def in_order(work: Callable[[Given], Made], given: Iterable[Given], workers: int) -> Iterator[Made]:
    """Yield what `work` makes of each, in order, several at once in threads; those that nobody takes yet are few.

    Threads suit work that leaves Python's lock to others: networks, decoding of images and of sound.
    """
    if workers == 1:
        yield from map(work, given)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Made]] = deque()
        try:
            for one in given:
                waiting.append(pool.submit(work, one))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def in_processes(
    work: Callable[[Given], Made], given: Iterable[Given], workers: int, chunk: int = 16
) -> Iterator[Made]:
    """Yield what `work` makes of each, in order, by several processes; those that nobody takes yet are few.

    Processes suit work that holds Python's lock. They are started anew, so `work` must be importable, and a script
    that calls this needs `if __name__ == "__main__":`.

    Args:
        work: what to do; it, what it is given and what it returns travel between processes.
        given: what to do it with.
        workers: processes; 1 does it all here.
        chunk: how many of `given` travel at once; they are worked on in order, by one process.

    Raises:
        RecognizerError: a process died.
    """
    if workers == 1:
        yield from map(work, given)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _ignore_interrupts)
    rest, waiting = iter(given), deque[Future[list[Made]]]()
    try:
        while some := list(islice(rest, chunk)):
            waiting.append(pool.submit(_each, work, some))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise RecognizerError("a worker process died, perhaps for lack of memory; fewer --workers need less") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _each(work: Callable[[Given], Made], given: list[Given]) -> list[Made]:
    return [work(one) for one in given]


def _ignore_interrupts() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def usable_processors(root: Path = Path("/")) -> int:
    """Return how many processors this process can keep busy: its affinity, cut down to the quota of its cgroups.

    A container whose quota is smaller than the number of processors that it sees is halted for the rest of each
    period once its threads together have used the quota up. A quota of 1.5 counts as 1, since what is halted half of
    the time holds up the others; one below 1 counts as 1.

    Args:
        root: where /proc and /sys are looked for.
    """
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([seen, *(int(quota) for quota in cgroup_quotas(root))]))


def cgroup_quotas(root: Path = Path("/")) -> list[float]:
    """Return the quotas, in processors, of this process's cgroups and of all above them that are visible; v1 and v2.

    Sources: Linux's Documentation/scheduler/sched-bwc.rst (v1: cpu.cfs_quota_us in each cpu.cfs_period_us, -1 for
    none) and admin-guide/cgroup-v2.rst (cpu.max: "QUOTA PERIOD" in microseconds, "max" for none).
    """
    found = []
    for folder in _cpu_folders(root):
        quota = _quota_v2(folder / "cpu.max") or _quota_v1(folder)
        if quota:
            found.append(quota)
    return found


def _cpu_folders(root: Path) -> Iterator[Path]:
    """Yield the folders of the cgroups that bound this process, from its own up to the root of each hierarchy."""
    own = _own_cgroups(root)
    for mounted, point, version in _cgroup_mounts(root):
        path = PurePosixPath(own.get(version, "/"))
        inside = path.relative_to(mounted) if path.is_relative_to(mounted) else PurePosixPath()
        for part in (inside, *inside.parents):
            folder = root / point.lstrip("/") / part
            if folder.is_dir():
                yield folder


def _own_cgroups(root: Path) -> dict[str, str]:
    """Return the path of this process's cgroup in the hierarchy "v1" that has the controller cpu, and in "v2"."""
    found = {}
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number == "0" and not controllers:
            found["v2"] = path
        elif "cpu" in controllers.split(","):
            found["v1"] = path
    return found


def _cgroup_mounts(root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield what part of a hierarchy is mounted, where, "v1" or "v2", as proc(5) describes mountinfo."""
    for line in _lines(root / "proc/self/mountinfo"):
        mount, _, kind = line.partition(" - ")
        fields, (name, *rest) = mount.split(), kind.split() or [""]
        if name == "cgroup2":
            yield fields[3], fields[4], "v2"
        elif name == "cgroup" and rest and "cpu" in rest[-1].split(","):
            yield fields[3], fields[4], "v1"


def _quota_v2(path: Path) -> float | None:
    words = (_lines(path) or [""])[0].split()
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0].isdecimal() and int(words[1]) else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = ((_lines(folder / f"cpu.cfs_{name}_us") or [""])[0] for name in ("quota", "period"))
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(period) else None


def _lines(path: Path) -> list[str]:
    """Return the lines of a small file, none where it cannot be read: another system, or nothing to see."""
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
