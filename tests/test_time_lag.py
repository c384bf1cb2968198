"""The tasks of the long time lag: what is asked, that a cell learns a short form of it, the tables."""

from pathlib import Path

import pytest
import time_lag
import torch
from time_lag import TASKS, Run, draw_adding, draw_copy, draw_lag, draw_order, learn


def drawn() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_the_class_of_a_lag_is_its_first_symbol_alone() -> None:
    batch = draw_lag(50, 7, drawn())
    symbols = batch.x.argmax(2)
    assert batch.x.shape == (50, 8, 8) and torch.equal(symbols[:, :1], batch.target)
    assert set(symbols[:, 1:].flatten().tolist()) == {4, 5, 6, 7}


def test_two_marked_numbers_are_added() -> None:
    batch = draw_adding(50, 10, drawn())
    values, marks = batch.x.unbind(2)
    assert marks[:, :5].sum(1).eq(1).all() and marks[:, 5:].sum(1).eq(1).all()
    assert torch.allclose((values * marks).sum(1, keepdim=True), batch.target)


def test_ten_symbols_are_copied_once_they_are_asked_for() -> None:
    batch = draw_copy(3, 5, drawn())
    frames = batch.x.argmax(2)
    assert torch.equal(frames[:, :10], batch.target) and (frames[:, 10:14] == 8).all()
    assert (frames[:, 14] == 9).all() and (frames[:, 15:] == 8).all() and frames.shape == (3, 25)


def test_the_order_of_two_signs_makes_four_classes() -> None:
    batch = draw_order(200, 20, drawn())
    frames = batch.x.argmax(2)
    for row, (target,) in zip(frames.tolist(), batch.target.tolist(), strict=True):
        signs = [(place, symbol) for place, symbol in enumerate(row) if symbol < 2]
        assert [2 <= place < 4 for place, _ in signs] == [True, False] and 10 <= signs[1][0] < 12
        assert target == 2 * signs[0][1] + signs[1][1]
    assert set(batch.target.flatten().tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize("task", TASKS)
def test_who_knows_nothing_is_right_by_chance(task: str) -> None:
    batch = TASKS[task].draw(2000, 20, drawn())
    guess = torch.zeros(*batch.target.shape, TASKS[task].outputs)
    if TASKS[task].outputs == 1:
        guess += 1.0  # the mean of a sum of two numbers
    assert TASKS[task].right(guess, batch.target) == pytest.approx(TASKS[task].chance, abs=0.03)


@pytest.mark.slow
def test_chrono_learns_a_lag_that_a_plain_network_does_not() -> None:
    short = {"steps": 30, "hidden": 16, "batch": 32, "updates": 250, "rate": 1e-2}
    assert learn(Run("lag", "lstm-chrono", **short)).learned  # type: ignore[arg-type]
    assert learn(Run("lag", "rnn", **short)).right < 0.6  # type: ignore[arg-type]


def test_rows_are_kept_once_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.tsv"
    words = ["lag", "--names", "rnn", "gru-chrono", "--hidden", "4", "--updates", "12", "--rows", str(rows)]
    time_lag.main([*words, "--steps", "3", "4"])
    time_lag.main([*words, "--steps", "4"])
    assert [row.steps for row in time_lag.read(rows)] == [3, 3, 4, 4]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:-2] == ["| cell | T = 3 | T = 4 |", "| --- | ---: | ---: |"]
    assert lines[-2].startswith("| `rnn` | no (") and lines[-1].startswith("| `gru`, chrono | no (")


def test_the_figure_has_a_panel_a_task(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = [
        time_lag.Row("lag", "rnn", steps, 1, 10, 1e-3, 1.0, learned, 0.5, 1.0) for steps, learned in ((5, 3), (9, 0))
    ]
    time_lag.picture(rows, tmp_path / "lag.svg")
    assert (tmp_path / "lag.svg").read_text().count("<svg") == 1
