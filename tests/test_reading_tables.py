"""Tables of readings by other numbers or other files count errors as `evaluate` does, of every unit of an alphabet."""

from dataclasses import replace
from pathlib import Path

import export_table
import precision_table
import pytest
import tiny
import torch

from recognizer.corpus.alphabet import TextSettings
from recognizer.evaluation.evaluate import evaluate
from recognizer.reading.reader import Reader


@pytest.fixture(params=[("character", "CER"), ("token", "TER")], ids=["characters", "tokens"])
def model(request: pytest.FixtureRequest, lines: Path, tmp_path: Path) -> tuple[Path, str]:
    """Return a model over characters or tokens, of random weights, and the name of its error rate."""
    unit, name = request.param
    config = replace(tiny.line_config(lines), text=TextSettings(unit=unit))
    tiny.restless(config, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors", name


def cells(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Return the cells of the rows of a printed table, its head first."""
    found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    return found[:1] + found[2:]


def rate_of(path: Path, lines: Path) -> float:
    return evaluate(Reader.load(path, "cpu"), "tiny", lines, "valid", print).characters.rate


def test_a_table_of_precisions_counts_as_evaluate_does(
    model: tuple[Path, str], lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, name = model
    threads = torch.get_num_threads()
    precision_table.main([str(path), str(lines), "--split", "valid"])
    torch.set_num_threads(threads)
    head, plain, _ = cells(capsys)
    assert head[2] == name and plain[2] == f"{100 * rate_of(path, lines):.2f} %"


def test_a_table_of_exported_models_counts_as_evaluate_does(
    model: tuple[Path, str], lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, name = model
    export_table.main([str(path), str(lines), str(path), "--split", "valid"])
    head, *rows = cells(capsys)
    assert head[3] == name and [row[3] for row in rows] == [f"{rate_of(path, lines):.2%}"] * 2
