"""A model file is data, and all of it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import line_image, model_file, save_model, tone
from safetensors import safe_open
from safetensors.torch import save_file

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.errors import RecognizerError
from recognizer.model.model import Model
from recognizer.model.model_file import FORMAT, KEY, load_model_file, read_header, save_model_file
from recognizer.reading.reader import Reader


@pytest.mark.parametrize("kind", ["handwriting", "speech"])
def test_what_is_saved_is_loaded(kind: str, tmp_path: Path) -> None:
    saved = model_file(kind)
    text = TextSettings(case="lower", replace={"_": " "})
    saved.alphabet = Alphabet(saved.alphabet.symbols, text)
    saved.decoder, saved.calibration, saved.card = {"beam": 5}, {"slope": 2.0}, "A card.\nTwo lines, \u00e9."
    saved.training, saved.results = {"seed": 3, "left_out": ["a.png"]}, {"x test": {"cer": 0.1, "wer": 0.2}}
    save_model_file(saved, tmp_path / "model.safetensors")
    loaded = load_model_file(tmp_path / "model.safetensors")
    assert loaded.header() == saved.header()
    assert loaded.settings == saved.settings and loaded.alphabet == saved.alphabet
    for name, value in saved.model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], value), name
    assert not loaded.model.training


def test_loading_takes_nothing_of_the_callers_random_numbers(tmp_path: Path) -> None:
    path = save_model("handwriting", tmp_path / "model.safetensors")
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    load_model_file(path)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("kind", ["handwriting", "speech", "strokes"])
def test_another_type_of_numbers_changes_nothing(kind: str, tmp_path: Path) -> None:
    path = save_model(kind, tmp_path / "model.safetensors")
    values = {
        "handwriting": np.random.default_rng(0).integers(0, 256, (80, 64), np.uint8),
        "speech": (tone(0.3) * 32767).astype(np.int16),
        "strokes": np.random.default_rng(0).random((40, 3), np.float32),
    }[kind]
    expected, _ = Reader.load(path, "cpu").log_probs([values])
    torch.set_default_dtype(torch.float64)
    try:
        found, _ = Reader.load(path, "cpu").log_probs([values])
    finally:
        torch.set_default_dtype(torch.float32)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=0.01, rtol=0)  # filters of sound are rounded later


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    save_model("handwriting", tmp_path / "a")
    save_model("handwriting", tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_half_the_bytes_read_nearly_the_same(tmp_path: Path) -> None:
    saved = model_file("handwriting")
    save_model_file(saved, tmp_path / "whole")
    save_model_file(saved, tmp_path / "half", half=True)
    weights = [sum(weight.nbytes for weight in stored(tmp_path / name).values()) for name in ("whole", "half")]
    assert weights[1] < 0.51 * weights[0]
    line_image().save(tmp_path / "line.png")
    readers = [Reader.load(tmp_path / name) for name in ("whole", "half")]
    signal = readers[0].signal(tmp_path / "line.png").values
    whole, half = (reader.log_probs([signal])[0] for reader in readers)
    assert half.dtype == torch.float32 and torch.allclose(whole.exp(), half.exp(), atol=0.05)


def save_with(header: dict[str, object], model: Model, path: Path) -> None:
    """Write a model file under another header."""
    save_file(
        {name: weight.contiguous() for name, weight in model.state_dict().items()}, path, {KEY: json.dumps(header)}
    )


def stored(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_the_header_is_plain_json_that_other_programs_read(tmp_path: Path) -> None:
    path = save_model("speech", tmp_path / "model.safetensors")
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()[KEY])
    assert header == read_header(path)
    assert header["format"] == FORMAT
    assert header["settings"]["signal"] == {"sample_rate": 16000, "max_seconds": 60.0}
    assert header["alphabet"]["text"]["form"] == "NFC"
    assert set(header) >= {"settings", "alphabet", "decoder", "calibration", "training", "results", "card"}


def test_weights_that_do_not_fit_the_header_are_refused(tmp_path: Path) -> None:
    saved = model_file("handwriting")
    saved.settings = replace(saved.settings, network=replace(saved.settings.network, hidden=5))
    save_model_file(saved, tmp_path / "model.safetensors")
    with pytest.raises(RecognizerError, match=r"model\.safetensors: the weights do not fit the header"):
        load_model_file(tmp_path / "model.safetensors")


@pytest.mark.parametrize("lacking", ["alphabet", "settings", "results"])
def test_a_header_that_lacks_a_part_is_refused(lacking: str, tmp_path: Path) -> None:
    saved = model_file("handwriting")
    header = {name: part for name, part in saved.header().items() if name != lacking}
    save_with(header, saved.model, tmp_path / "model")
    with pytest.raises(RecognizerError, match=f"model: the header lacks '{lacking}'"):
        load_model_file(tmp_path / "model")


def test_a_setting_that_this_version_does_not_know_is_named(tmp_path: Path) -> None:
    saved = model_file("handwriting")
    header = saved.header()
    header["settings"]["network"]["gates"] = 7
    save_with(header, saved.model, tmp_path / "model")
    with pytest.raises(RecognizerError, match="gates"):
        load_model_file(tmp_path / "model")


def test_a_run_is_named_by_its_folder(tmp_path: Path) -> None:
    save_model("handwriting", tmp_path / "model.safetensors")
    assert Reader.load(tmp_path).kind == "handwriting"
