"""Training on two nodes of one process each, which meet on this machine."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from test_resume import KILLER, ROOT, assert_bit_equal
from tiny import line_corpus, words

from recognizer.training.ranks import RANKS, is_first_process

# Ports and the start of processes belong to the machine: what fails twice more is at fault.
pytestmark = pytest.mark.flaky(reruns=2)

SECONDS = 600  # after which a node that hangs is a failure


Launch = Callable[[int, int, list[str]], tuple[dict[str, str], list[str]]]


def by_hand(rank: int, port: int, program: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return what a user sets for a node, its number and the address of the first, with what runs there."""
    return {"NODE_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}, program


def by_torchrun(rank: int, port: int, program: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return torchrun as it is called on a node."""
    place = ["--master-addr", "127.0.0.1", "--master-port", str(port), "--node-rank", str(rank)]
    form = ["-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
    return {}, [program[0], *form, *place, "-m", "--", *program[2:]]  # without -- it takes --run for one of its own


def by_srun(rank: int, port: int, program: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return what SLURM's srun sets for a task, one on each of two nodes; the address stands for a list of nodes."""
    number = {f"SLURM_{name}": str(rank) for name in ("PROCID", "NODEID")} | {"SLURM_LOCALID": "0"}
    job = {"SLURM_NTASKS": "2", "SLURM_NNODES": "2", "SLURM_NTASKS_PER_NODE": "1", "SLURM_JOB_NAME": "train"}
    return number | job | {"SLURM_JOB_ID": "7", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}, program


def start(words: list[str], program: list[str], more: dict[str, str]) -> subprocess.Popen[str]:
    """Start a process of a node."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    for name in (*RANKS, "WORLD_SIZE", "RECOGNIZER_RUN"):
        environment.pop(name, None)
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*program, "train", *words], text=True, cwd=ROOT, env=environment | more, stdout=pipe, stderr=pipe
    )


def two_nodes(
    words: list[str], program: list[str], more: dict[str, str], launch: Launch = by_hand
) -> list[tuple[int, str, str]]:
    """Run both nodes to their end; return exit code, output and complaints of each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launched = [launch(rank, port, program) for rank in (0, 1)]
    nodes = [start(words, command, more | own) for own, command in launched]
    try:
        ends = [node.communicate(timeout=SECONDS) for node in nodes]
    finally:
        for node in nodes:
            node.kill()
    return [(node.returncode, *end) for node, end in zip(nodes, ends, strict=True)]


@pytest.mark.slow
def test_two_nodes_learn_what_two_processes_of_one_node_do_also_after_one_was_killed(tmp_path: Path) -> None:
    corpus, plain = line_corpus(tmp_path / "corpus"), [sys.executable, "-m", "recognizer"]
    one = [*plain, "train", *words(corpus, tmp_path / "one", trainer__devices=2)]
    done = subprocess.run(one, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr

    settings = {"trainer__devices": 1, "trainer__num_nodes": 2}
    ends = two_nodes(words(corpus, tmp_path / "two", **settings), plain, {})
    assert [code for code, _, _ in ends] == [0, 0], ends
    assert "samples to learn" in ends[0][1] and "samples to learn" not in ends[1][1]
    assert_bit_equal(tmp_path / "one", tmp_path / "two")

    killer = tmp_path / "killer.py"
    killer.write_text(KILLER)
    cut = words(corpus, tmp_path / "cut", **settings)
    ends = two_nodes(cut, [sys.executable, str(killer)], {"KILL_AT": "5"})
    assert ends[0][0] == -signal.SIGKILL and ends[1][0] not in (0, None), ends
    ends = two_nodes(["--resume", str(tmp_path / "cut")], plain, {})
    assert [code for code, _, _ in ends] == [0, 0], ends
    assert_bit_equal(tmp_path / "one", tmp_path / "cut")


@pytest.mark.slow
@pytest.mark.parametrize("launch", [by_torchrun, by_srun])
def test_one_process_alone_speaks_and_writes_however_nodes_are_started(launch: Launch, tmp_path: Path) -> None:
    corpus, run = line_corpus(tmp_path / "corpus"), tmp_path / "run"
    chosen = words(corpus, run, trainer__devices=1, trainer__num_nodes=2, trainer__max_epochs=1)
    ends = two_nodes(chosen, [sys.executable, "-m", "recognizer"], {}, launch)
    assert [code for code, _, _ in ends] == [0, 0], ends
    assert "samples to learn" in ends[0][1] and "samples to learn" not in ends[1][1]
    assert (run / "model.safetensors").is_file()


@pytest.mark.parametrize("rank", RANKS)
def test_a_process_is_the_first_unless_a_number_says_otherwise(rank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RANKS:
        monkeypatch.delenv(name, raising=False)
    assert is_first_process()
    monkeypatch.setenv(rank, "0")
    assert is_first_process()
    monkeypatch.setenv(rank, "1")
    assert not is_first_process()
