"""Reading in other types of numbers."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import line_image, save_model
from terminal import said

import recognizer
from recognizer.common.processors import Division
from recognizer.errors import RecognizerError
from recognizer.model import precision
from recognizer.reading.reader import Reader

LINES = [np.random.default_rng(3).integers(0, 256, (n, 64), np.uint8) for n in (200, 50, 90)]


def log_probs(path: Path, name: str) -> np.ndarray:
    """Return (N, T', classes) of LINES as a model says them in a precision."""
    found, _ = Reader.load(path, "cpu", precision=name).log_probs(LINES)
    assert found.dtype == torch.float32
    return found.numpy()


@pytest.fixture(autouse=True)
def one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure once: bf16 is slow where a processor has no units for it."""
    monkeypatch.setattr(precision, "ROUNDS", 1)


def test_bf16_says_nearly_what_float32_says(tmp_path: Path) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    plain, half = log_probs(model, "float32"), log_probs(model, "bf16")
    assert 0 < np.abs(plain - half).max() < 0.5  # of numbers down to -28
    assert np.array_equal(plain, log_probs(model, "float32"))


def test_workers_read_in_bf16_too(tmp_path: Path) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    found = [next(Reader.load(model, "cpu", None, Division(n, 1), "bf16").outputs(LINES))[1] for n in (1, 2)]
    assert torch.equal(*found)


@pytest.mark.parametrize(
    ("plain", "half", "chosen"), [(3.0, 1.0, "bf16"), (1.0, 1.0, "float32"), (1.0, 4.0, "float32")]
)
def test_auto_takes_what_is_measured_to_be_faster_and_says_so(
    plain: float, half: float, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(dtypes: Sequence[torch.dtype], learning: bool) -> list[float]:
        return [plain / 1e3, half / 1e3]

    monkeypatch.setattr(precision, "recurrent_seconds", measured)
    reader = Reader.load(save_model("handwriting", tmp_path / "model.safetensors"), "cpu", precision="auto")
    note = f"precision auto: {chosen} (a recurrent layer takes {plain} ms in float32, {half} in bf16)"
    assert reader.network.bf16 == (chosen == "bf16") and reader.decoder.notes == (note,)


def test_the_measurement_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    one, other = precision.recurrent_seconds((torch.float32, torch.bfloat16), learning=True)
    assert one > 0 and other > 0 and torch.equal(before, torch.get_rng_state())


def test_the_command_line_and_python_take_a_precision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    line_image().save(tmp_path / "line.png")
    code, text, errors = said(capsys, "transcribe", tmp_path / "line.png", "--model", model, "--precision", "auto")
    assert code == 0 and errors.startswith("precision auto: ") and errors.count("\n") == 1
    code, text, _ = said(capsys, "transcribe", tmp_path / "line.png", "--model", model, "--precision", "bf16", "--json")
    assert code == 0 and json.loads(text)["decoder"] == "best path, network in bf16"
    assert recognizer.load(model, "cpu", "bf16").network.bf16
    with pytest.raises(RecognizerError, match="precision is 'half', expected one of float32, bf16, auto"):
        recognizer.load(model, "cpu", "half")
