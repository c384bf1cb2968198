"""Averages of models by scripts/average_models.py."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny import Run

from recognizer.model_file import load_model_file, read_header, save_model_file

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "average_models.py"


def ask(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *map(str, words)], capture_output=True, text=True, check=False)


def test_weights_are_means_by_their_shares_and_the_header_says_of_what(line_run: Run, tmp_path: Path) -> None:
    first, other = (
        load_model_file(line_run.folder / "model.safetensors"),
        load_model_file(line_run.folder / "model.safetensors"),
    )
    for value in other.model.state_dict().values():
        if value.is_floating_point():
            value.add_(1.0)
    save_model_file(other, tmp_path / "other.safetensors")
    out = tmp_path / "mean.safetensors"
    done = ask(line_run.folder, tmp_path / "other.safetensors", "--weights", 3, 1, "--out", out)
    assert done.returncode == 0, done.stderr
    mean = load_model_file(out).model.state_dict()
    for name, value in first.model.state_dict().items():
        wanted = value + 0.25 if value.is_floating_point() else value
        assert torch.allclose(mean[name], wanted, atol=1e-6), name
    averaged = read_header(out)["training"]["averaged"]
    assert [one["share"] for one in averaged] == [0.75, 0.25] and averaged[1]["model"] == "other.safetensors"
    assert read_header(out)["results"] == {}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["RUN", "SOUND"], "its alphabet or network is not that of"),
        (["RUN", "RUN", "--weights", "1"], "--weights has 1 numbers, expected 2"),
        (["RUN", "RUN", "--weights", "0", "0"], "expected shares of at least 0"),
    ],
)
def test_what_cannot_be_averaged_is_refused_in_one_line(
    words: list[str], complaint: str, line_run: Run, sound_run: Run, tmp_path: Path
) -> None:
    folders = {"RUN": line_run.folder, "SOUND": sound_run.folder}
    done = ask(*[folders.get(word, word) for word in words], "--out", tmp_path / "out.safetensors")
    assert done.returncode == 2 and complaint in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.safetensors").exists()
