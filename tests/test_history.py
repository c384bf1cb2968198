"""A run's history: every line is kept as it was, what is done again is cut, damage is named."""

import math
import re
from pathlib import Path

import pytest

from recognizer.errors import RecognizerError
from recognizer.reports.training_page import write_training
from recognizer.training.history import HISTORY, Validation, cut, note, read_history

FIRST = Validation(0, 10, 3.5, 0.9, 1.0, 60.25, 50.5)


def test_what_is_noted_is_read_again_and_what_is_done_again_is_cut(tmp_path: Path) -> None:
    assert read_history(tmp_path) == []
    for epoch in range(1, 4):
        note(tmp_path, Validation(epoch, 10 * epoch, 1.0, 0.5, 0.6, 1.0, 1.0))
    cut(tmp_path, 2)
    again = Validation(2, 25, 0.5, 0.4, 0.5, 2.0, 2.0)
    note(tmp_path, again)
    assert [one.epoch for one in read_history(tmp_path)] == [1, 2] and read_history(tmp_path)[-1] == again


def test_every_validation_of_an_epoch_is_kept(tmp_path: Path) -> None:
    for steps in (3, 6, 6):  # the last two within one step of accumulated gradients
        note(tmp_path, Validation(0, steps, 1.0, 0.5, 0.6, 1.0, 1.0))
    assert [one.steps for one in read_history(tmp_path)] == [3, 6, 6]


def test_cutting_no_history_makes_none(tmp_path: Path) -> None:
    cut(tmp_path, 0)
    assert not (tmp_path / HISTORY).exists()


def test_a_loss_that_there_is_none_of_stays_so(tmp_path: Path) -> None:
    note(tmp_path, Validation(0, 0, math.nan, 1.0, 1.0, 0.0, 0.0))
    note(tmp_path, Validation(1, 9, 2.0, 0.5, 0.5, 1.0, 1.0))
    assert math.isnan(read_history(tmp_path)[0].loss)
    assert (tmp_path / HISTORY).read_text().splitlines()[1] == "0\t0\tnan\t1.00000\t1.00000\t0.000\t0.000"


@pytest.mark.parametrize("line", ["1\t2", "x\t10\t3.5\t0.9\t1.0\t60.2\t50.5", "1\t10\t3.5\t0.9\t1.0\t60.2\t50.5\t1"])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    note(tmp_path, FIRST)
    with open(tmp_path / HISTORY, "a") as file:
        file.write(line + "\n")
    with pytest.raises(RecognizerError, match=r"history.tsv:3: expected a line of epoch steps loss"):
        read_history(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\n", b"name\tother\n1\t2\n"])
def test_what_is_no_history_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / HISTORY).write_bytes(data)
    with pytest.raises(RecognizerError, match="history"):
        read_history(tmp_path)


def test_the_page_of_a_run_tells_epochs_from_validations(tmp_path: Path) -> None:
    def after(epoch: int, steps: int) -> Validation:
        return Validation(epoch, steps, 2.0, 0.5, 0.9, 60.0, 50.0)

    seldom, often = [after(3, 400), after(7, 800)], [after(0, 4), after(0, 8), after(1, 14), after(1, 16)]
    for history, epochs, names in ((seldom, 8, ("4", "8")), (often, 2, ("0.5", "1", "1.75", "2"))):
        write_training(tmp_path, history, [])
        page = (tmp_path / "report.html").read_text()
        assert f"{epochs} epochs, {history[-1].steps} steps" in page
        assert re.findall(r"<title>epoch (\S+): CER", page) == [*names]
