"""What may be used of a machine's processors."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recognizer.common.processors import Division, cgroup_quotas, divide, in_order, usable_processors
from recognizer.errors import RecognizerError

V2 = "30 23 0:26 {mounted} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
V1 = "31 23 0:27 {mounted} /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_quota_of_version_2_is_counted(tmp_path: Path) -> None:
    mounts = {"proc/self/cgroup": "0::/app\n", "proc/self/mountinfo": V2.format(mounted="/") + "\n"}
    root = write(tmp_path, {**mounts, "sys/fs/cgroup/app/cpu.max": "100000 100000\n"})
    assert cgroup_quotas(root) == [1.0]
    assert usable_processors(root) == 1


def test_the_smallest_quota_on_the_way_up_counts(tmp_path: Path) -> None:
    mounts = {"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": V2.format(mounted="/") + "\n"}
    folders = {"sys/fs/cgroup/a/cpu.max": "150000 100000\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}
    root = write(tmp_path, {**mounts, **folders})
    assert cgroup_quotas(root) == [1.5]
    assert usable_processors(root) == 1


def test_a_container_that_sees_only_its_own_cgroup_finds_its_quota(tmp_path: Path) -> None:
    mounts = {"proc/self/cgroup": "0::/docker/1f\n", "proc/self/mountinfo": V2.format(mounted="/docker/1f") + "\n"}
    root = write(tmp_path, {**mounts, "sys/fs/cgroup/cpu.max": "50000 100000\n"})
    assert cgroup_quotas(root) == [0.5]
    assert usable_processors(root) == 1


def test_a_quota_of_version_1_is_counted(tmp_path: Path) -> None:
    mounts = {"proc/self/cgroup": "4:cpu,cpuacct:/job\n0::/\n", "proc/self/mountinfo": V1.format(mounted="/") + "\n"}
    quota = {"cpu.cfs_quota_us": "100000\n", "cpu.cfs_period_us": "50000\n"}
    root = write(tmp_path, {**mounts, **{f"sys/fs/cgroup/cpu/job/{name}": text for name, text in quota.items()}})
    assert cgroup_quotas(root) == [2.0]


def test_no_quota_leaves_what_the_affinity_allows(tmp_path: Path) -> None:
    mounts = {"proc/self/cgroup": "4:cpu:/\n", "proc/self/mountinfo": V1.format(mounted="/") + "\n"}
    quota = {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}
    root = write(tmp_path, {**mounts, **quota})
    assert cgroup_quotas(root) == []
    assert usable_processors(root) == len(os.sched_getaffinity(0))
    assert usable_processors(tmp_path / "nothing") == len(os.sched_getaffinity(0))


def test_the_affinity_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)))
    assert usable_processors(Path("/nothing-there")) == 64
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("recognizer.common.processors.usable_processors", lambda: 6)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert divide() == Division(6, 1)
    assert divide(threads=4) == Division(1, 4)
    assert divide(workers=3, threads=2) == Division(3, 2)


def test_omp_num_threads_bounds_what_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognizer.common.processors.usable_processors", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert divide() == Division(3, 1)
    assert divide(workers=5) == Division(5, 1)


@pytest.mark.parametrize("option", ["workers", "threads"])
def test_less_than_one_is_refused(option: str) -> None:
    with pytest.raises(RecognizerError, match=f"--{option} is 0, expected at least 1"):
        divide(**{option: 0})


def test_workers_give_results_in_order_and_take_few_ahead() -> None:
    taken: list[int] = []

    def given() -> Iterator[int]:
        for i in range(100):
            taken.append(i)
            yield i

    def work(i: int) -> int:
        time.sleep(0.002 * (i % 3))
        return i * i

    results = in_order(work, given(), 4)
    assert next(results) == 0
    assert len(taken) <= 10
    assert list(results) == [i * i for i in range(1, 100)]


def test_several_workers_run_at_once() -> None:
    meeting = threading.Barrier(3, timeout=20)
    assert sorted(in_order(lambda i: meeting.wait(), range(3), 3)) == [0, 1, 2]


@pytest.mark.parametrize("workers", [1, 3])
def test_what_a_worker_raises_ends_the_work(workers: int) -> None:
    def work(i: int) -> int:
        if i == 5:
            raise RecognizerError("the fifth")
        return i

    with pytest.raises(RecognizerError, match="the fifth"):
        list(in_order(work, range(1000), workers))
