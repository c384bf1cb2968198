"""Training on two nodes of one process each, which meet on this machine."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from test_resume import KILLER, ROOT, assert_bit_equal
from tiny import line_corpus, words

# Ports and the start of processes belong to the machine: what fails twice more is at fault.
pytestmark = pytest.mark.flaky(reruns=2)

SECONDS = 600  # after which a node that hangs is a failure


def start(words: list[str], rank: int, port: int, program: list[str], more: dict[str, str]) -> subprocess.Popen[str]:
    """Start a node as two machines would by hand: the same command, its number, the address of the first."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}
    for name in ("LOCAL_RANK", "WORLD_SIZE", "RECOGNIZER_RUN"):
        environment.pop(name, None)
    environment |= {"NODE_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    pipe = subprocess.PIPE
    return subprocess.Popen([*program, "train", *words], text=True, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe)


def two_nodes(words: list[str], program: list[str], more: dict[str, str]) -> list[tuple[int, str, str]]:
    """Run both nodes to their end; return exit code, output and complaints of each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nodes = [start(words, rank, port, program, more) for rank in (0, 1)]
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
