"""Reading by several workers."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import line_image, lines_with_a_bad_one, model_file, save_model
from terminal import said

from recognizer.common.processors import Division, in_processes
from recognizer.corpus.prepare import PrepareSettings, prepare
from recognizer.errors import RecognizerError
from recognizer.inputs.registry import kind_named
from recognizer.reading.reader import Reader
from recognizer.reading.torch_network import TorchNetwork


def reader(division: Division) -> Reader:
    return Reader(model_file("handwriting"), torch.device("cpu"), division=division)


def test_what_is_read_does_not_depend_on_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind_named("handwriting"), "read_budget", 600)
    draw = np.random.default_rng(3)
    lines = [draw.integers(0, 256, (n, 64), np.uint8) for n in (200, 50, 300, 90, 180, 60, 450, 30, 210)]
    one, four = (reader(Division(workers, 1)).read_values(lines) for workers in (1, 4))
    assert one == four
    assert len({hypothesis.text for hypothesis in one}) > 1


def test_reading_leaves_torch_the_threads_that_it_had() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        reader(Division(2, 1)).read_values([np.full((100, 64), 255, np.uint8)] * 3)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_the_command_line_divides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    for i in range(3):
        line_image("a line"[: 3 + i]).save(tmp_path / f"{i}.png")
    words = ["transcribe", tmp_path, "--model", model, "--threads", "1", "--workers"]
    code, text, _ = said(capsys, *words, "1")
    assert code == 0 and len(text.splitlines()) == 3
    assert said(capsys, *words, "3")[1] == text
    assert "--workers is 0, expected at least 1" in said(capsys, *words, "0")[2]


def test_a_packed_corpus_does_not_depend_on_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognizer.corpus.prepare.SAMPLES_A_WORKER", 10)
    folder = lines_with_a_bad_one(tmp_path / "lines", 40)
    seen: list[tuple[int, int]] = []
    made = [
        prepare(str(folder), None, tmp_path / str(n), PrepareSettings({}), print, lambda *at: seen.append(at), n)
        for n in (1, 3)
    ]
    assert made[0].path.read_bytes() == made[1].path.read_bytes()
    assert made[0].bad == made[1].bad and len(made[0].bad) == 1
    assert seen == [(i, 40) for i in range(1, 41)] * 2


def _die(number: int) -> int:
    if number == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.slow
def test_a_worker_that_dies_is_said_in_one_line() -> None:
    with pytest.raises(RecognizerError, match="a worker process died"):
        list(in_processes(_die, range(40), 2, 8))


def test_readings_that_overlap_leave_torchs_number_of_threads_as_it_was() -> None:
    network = TorchNetwork(model_file("handwriting").model, "cpu")
    inside, left = threading.Event(), threading.Event()

    def read(after: threading.Event) -> None:
        with network.threads(1):
            inside.set()
            after.wait(20)

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with ThreadPoolExecutor(2) as pool:
            with network.threads(1):
                second = pool.submit(read, left)
                inside.wait(20)
            left.set()
            second.result()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
