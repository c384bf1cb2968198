"""Averages of models by scripts/average_models.py."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny import Run

from recognizer.model.model_file import load_model_file, read_header, save_model_file, write_header

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "average_models.py"


def ask(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *map(str, words)], capture_output=True, text=True, check=False)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_models_of_other_symbols_share_what_both_know(line_run: Run, tmp_path: Path) -> None:
    first, other = (load_model_file(line_run.folder / "model.safetensors") for _ in range(2))
    known = len(first.alphabet.symbols)
    turned = dataclasses.replace(other.alphabet, symbols=(*reversed(other.alphabet.symbols[:-1]), "\u2603"))
    other.alphabet = turned
    for value in other.model.state_dict().values():
        if value.is_floating_point():
            value.add_(1.0)
    save_model_file(other, tmp_path / "other.safetensors")
    files = line_run.folder, tmp_path / "other.safetensors"
    assert "its alphabet or network" in ask(*files, "--out", tmp_path / "mean.safetensors").stderr
    done = ask(*files, "--differ", "alphabet", "--out", tmp_path / "mean.safetensors")
    assert done.returncode == 0, done.stderr
    mean = load_model_file(tmp_path / "mean.safetensors")
    assert mean.alphabet == first.alphabet
    a, b = first.model.state_dict()["network.head.weight"], other.model.state_dict()["network.head.weight"]
    found = mean.model.state_dict()["network.head.weight"]
    assert torch.allclose(found[0], (a[0] + b[0]) / 2, atol=1e-6)
    assert torch.allclose(found[1:known], (a[1:known] + b[1:known].flip(0)) / 2, atol=1e-6)
    assert torch.equal(found[known], a[known]), "a symbol that only the first model knows"


@pytest.mark.slow
def test_another_range_of_speech_is_let_through_where_asked(sound_run: Run, tmp_path: Path) -> None:
    path = sound_run.folder / "model.safetensors"
    header = read_header(path)
    header["settings"]["features"]["speech_range_db"] = 21.0
    write_header(path, tmp_path / "other.safetensors", {"settings": header["settings"]})
    files = tmp_path / "other.safetensors", path
    assert "its alphabet or network" in ask(*files, "--out", tmp_path / "mean.safetensors").stderr
    done = ask(*files, "--differ", "speech-range", "--out", tmp_path / "mean.safetensors")
    assert done.returncode == 0, done.stderr
    assert load_model_file(tmp_path / "mean.safetensors").settings.features.speech_range_db == 21.0
