"""Tests of runs that are killed, that go on, that have several processes: nothing is lost, no bit differs."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny import rows, words
from torch import Tensor

from recognizer.commands.train import run_train
from recognizer.model.model_file import read_header

ROOT = Path(__file__).resolve().parents[1]
KILLER = """
import os, signal
from recognizer.cli import main
from recognizer.training.learner import Learner

step = int(os.environ["KILL_AT"])
end = Learner.on_train_batch_end

def kill_at_step(self, *arguments):
    end(self, *arguments)
    if self.global_step == step and self.global_rank == 0:
        os.kill(os.getpid(), signal.SIGKILL)

Learner.on_train_batch_end = kill_at_step
main()
"""


def call(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `recognizer train` in a process of its own."""
    return _run([sys.executable, "-m", "recognizer", "train", *arguments], {})


def call_and_kill(arguments: Sequence[str], step: int, folder: Path) -> None:
    """Run `recognizer train` as a program, written into `folder`, that kills itself with SIGKILL after `step`."""
    path = folder / "killer.py"
    path.write_text(KILLER)
    done = _run([sys.executable, str(path), "train", *arguments], {"KILL_AT": str(step)})
    assert done.returncode == -signal.SIGKILL, done.stderr


def _run(command: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    for name in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_PORT", "RECOGNIZER_RUN"):
        environment.pop(name, None)
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)


def state(run: Path) -> dict[str, Tensor]:
    """Return every tensor that a run holds: last weights, averages, optimiser, best model."""
    last = torch.load(run / "last.ckpt", weights_only=True)
    found = {f"last.{name}": value for name, value in last["state_dict"].items()}
    for i, moments in last["optimizer_states"][0]["state"].items():
        found |= {f"optimiser.{i}.{name}": value for name, value in moments.items()}
    return found | {f"best.{name}": value for name, value in load_file(run / "model.safetensors").items()}


def assert_bit_equal(one: Path, other: Path) -> None:
    a, b = state(one), state(other)
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []
    assert rows(one) == rows(other)
    assert read_header(one / "model.safetensors")["results"] == read_header(other / "model.safetensors")["results"]


@pytest.fixture(scope="module")
def whole(lines: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of four epochs in one go, without workers."""
    folder = tmp_path_factory.mktemp("whole")
    assert run_train(words(lines, folder), print) == 0
    assert [row[0] for row in rows(folder)[1:]] == ["0", "1", "2", "3"]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_was_killed_and_resumed_ends_with_the_same_bits(
    lines: Path, whole: Path, tmp_path: Path, workers: int
) -> None:
    parts, history = tmp_path / "parts", rows(whole)
    middle = (int(history[2][1]) + int(history[3][1])) // 2  # of the third epoch
    call_and_kill(words(lines, parts, data__workers=workers), middle, tmp_path)
    assert [row[0] for row in rows(parts)[1:]] == ["0", "1"]
    assert run_train(["--resume", str(parts)], print) == 0
    assert_bit_equal(whole, parts)
    # The model still names the command that began the run.
    training = read_header(parts / "model.safetensors")["training"]
    assert training["command"].startswith("recognizer train --data.corpus ")
    assert f"--data.workers {workers}" in training["command"]


@pytest.mark.slow
@pytest.mark.parametrize("interval", [1.0, 0.5])
def test_a_run_that_steps_may_end_resumes_to_the_same_bits(lines: Path, tmp_path: Path, interval: float) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    settings: dict[str, Any] = {"trainer__max_steps": 1000, "data__weights": [0.5]}
    settings["trainer__val_check_interval"] = interval
    assert run_train(words(lines, whole, **settings), print) == 0
    history = rows(whole)
    assert {row[0] for row in history[1:]} == {"0", "1", "2", "3"}
    last = [row for row in history if row[0] == "2"][-1]
    call_and_kill(words(lines, parts, **settings), int(last[1]), tmp_path)
    assert rows(parts) == history[: history.index(last)]
    assert run_train(["--resume", str(parts)], print) == 0
    assert_bit_equal(whole, parts)


OTHERS: dict[str, dict[str, Any]] = {
    "sounds": {"data__batch_seconds": 3.0, "features__bands": 16, "augment__sound__noise": 1.0},
    "strokes": {"data__batch_points": 500, "augment__strokes__share": 1.0, "network__front__pool_features": [1, 1]},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(OTHERS))
def test_sounds_and_strokes_resume_to_the_same_bits(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    corpus, whole, parts = request.getfixturevalue(kind), tmp_path / "whole", tmp_path / "parts"
    settings = OTHERS[kind] | {"trainer__max_epochs": 3, "network__front__pool_time": [2, 1]}
    assert run_train(words(corpus, whole, **settings), print) == 0
    history = rows(whole)
    middle = (int(history[1][1]) + int(history[2][1]) + 1) // 2  # of the second epoch
    assert middle > int(history[1][1])
    call_and_kill(words(corpus, parts, **settings), middle, tmp_path)
    assert [row[0] for row in rows(parts)[1:]] == ["0"]
    assert run_train(["--resume", str(parts)], print) == 0
    assert_bit_equal(whole, parts)


@pytest.mark.slow
def test_two_processes_learn_quietly_and_resume_to_the_same_bits(lines: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    settings: dict[str, Any] = {"trainer__devices": 2, "trainer__strategy": "ddp", "trainer__max_epochs": 3}
    done = call(words(lines, whole, **settings))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said = done.stdout.splitlines()
    first = [line.split()[0] for line in said[:6]]
    assert first == ["no", "files,", "24", "CPU,", "time", "best"]  # "files" shares its writers
    assert said[6].startswith("confidences calibrated on ")
    assert sorted(path.name for path in whole.iterdir() if path.suffix == ".log") == []
    history = rows(whole)
    call_and_kill(words(lines, parts, **settings), int(history[1][1]) + 1, tmp_path)
    assert [row[0] for row in rows(parts)[1:]] == ["0"]
    resumed = call(["--resume", str(parts)])
    assert resumed.returncode == 0, resumed.stderr
    assert_bit_equal(whole, parts)


@pytest.mark.slow
def test_a_fault_in_two_processes_is_one_line(lines: Path, tmp_path: Path) -> None:
    done = call(words(lines, tmp_path / "run", trainer__devices=2, learning__rate=1e30, learning__gradient_clip=0))
    assert done.returncode == 2
    assert done.stderr.startswith("recognizer: the loss is not a number at step ")
    assert done.stderr.count("\n") == 1
    assert ".png" in done.stdout and done.stdout.count("back to the last good state") == 3
