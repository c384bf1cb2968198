"""Models written as ONNX."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import model_file, model_settings

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.model.model import Model, ModelSettings, pad_signals
from recognizer.model.model_file import ModelFile

onnxruntime = pytest.importorskip("onnxruntime", reason="recognizer[onnx] is not installed")
pytest.importorskip("onnx", reason="recognizer[onnx] is not installed")

from recognizer.export.onnx_file import export_onnx  # noqa: E402

KINDS = ("handwriting", "speech", "strokes")


def changed(kind: str, **network: object) -> ModelFile:
    """Return the small model of a kind with another network."""
    made = model_file(kind)
    settings = replace(made.settings, network=replace(made.settings.network, **network))  # type: ignore[arg-type]
    return of(settings, made)


def of(settings: ModelSettings, made: ModelFile) -> ModelFile:
    torch.manual_seed(2)
    model = Model(settings, made.alphabet.classes).eval()
    with torch.no_grad():
        for name, value in model.named_buffers():
            if name.endswith(("running_mean", "running_var", "mean", "std")):
                value.uniform_(0.5, 1.5)
        for first in (p for name, p in model.named_parameters() if ".first." in name):
            first.uniform_(-1, 1)
    return ModelFile(settings, made.alphabet, model)


def signals(kind: str, counts: list[int]) -> list[torch.Tensor]:
    draw = np.random.default_rng(5)
    if kind == "handwriting":
        return [torch.from_numpy(draw.integers(0, 256, (n, 64), np.uint8)) for n in counts]
    if kind == "speech":
        return [torch.from_numpy(draw.integers(-9000, 9000, n, np.int16)) for n in counts]
    return [torch.from_numpy(draw.normal(0, 0.1, (n, 3)).cumsum(0).astype(np.float32)) for n in counts]


def assert_equal(model: Model, path: Path, kind: str, counts: list[int]) -> None:
    x, lengths = pad_signals(signals(kind, counts), kind)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found, frames = session.run(None, {"signals": x.numpy(), "counts": lengths.numpy()})
    with torch.inference_mode():
        expected = model(x, lengths)
    assert frames.tolist() == expected.counts.tolist()
    for row, wanted, n in zip(found, expected.log_probs.numpy(), frames.tolist(), strict=True):
        np.testing.assert_allclose(row[:n], wanted[:n], atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_each_kind_gives_the_same_log_probabilities_at_other_lengths(kind: str, tmp_path: Path) -> None:
    made = of(model_settings(kind), model_file(kind))
    done = export_onnx(made, tmp_path / "model.onnx")
    assert done.size == done.path.stat().st_size
    counts = {"handwriting": [33, 120, 7], "speech": [9000, 390, 16001], "strokes": [50, 9, 2]}[kind]
    assert_equal(made.model, done.path, kind, counts)
    assert_equal(made.model, done.path, kind, counts[:1])


@pytest.mark.parametrize(
    "network",
    [
        {"cell": "lstm", "bidirectional": False, "layers": 2},
        {"cell": "lstm", "learned_state": True},
        {"cell": "lstm-1997"},
        {"cell": "coupled", "layers": 2},
        {"cell": "peephole-diagonal"},
        {"cell": "peephole-diagonal", "peephole_activation": "identity", "bidirectional": False},
        {"cell": "gru"},
        {"cell": "gru", "learned_state": True, "layers": 2},
        {"cell": "rnn", "bidirectional": False},
        {"layers": 0},
    ],
    ids=str,
)
def test_cells_that_onnx_knows_give_the_same(network: dict[str, object], tmp_path: Path) -> None:
    made = changed("handwriting", **network)
    export_onnx(made, tmp_path / "model.onnx")
    assert_equal(made.model, tmp_path / "model.onnx", "handwriting", [90, 41, 8])


@pytest.mark.parametrize(
    "front",
    [
        {"type": "frames", "patch": [3, 1]},
        {"patch": [1, 1], "channels": [4, 6], "pool_time": [2, 3], "pool_features": [2, 1], "convolutions": 2},
        {"patch": [2, 3], "norm": "none"},
    ],
    ids=str,
)
def test_fronts_give_the_same(front: dict[str, object], tmp_path: Path) -> None:
    own = model_settings("handwriting").network.front
    made = changed("handwriting", front=replace(own, **front))  # type: ignore[arg-type]
    export_onnx(made, tmp_path / "model.onnx")
    assert_equal(made.model, tmp_path / "model.onnx", "handwriting", [90, 41, 8])


@pytest.mark.parametrize(
    "features",
    [
        LogMelSettings(bands=16, deltas=True, energy=True),
        LogMelSettings(bands=16, utterance_mean=False, preemphasis=0.0),
        LogMelSettings(bands=16, speech_range_db=20.0, hop_ms=12.5),
    ],
    ids=["deltas-energy", "plain", "loud-frames"],
)
def test_features_of_sound_give_the_same(features: LogMelSettings, tmp_path: Path) -> None:
    made = of(replace(model_settings("speech"), features=features), model_file("speech"))
    export_onnx(made, tmp_path / "model.onnx")
    assert_equal(made.model, tmp_path / "model.onnx", "speech", [9000, 390, 16001])


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"cell": "peephole"}, "no operator for network.cell peephole"),
        ({"zoneout": 0.1}, "no operator for cells with network.zoneout"),
        ({"layer_norm": True}, "no operator for cells with network.layer_norm"),
    ],
    ids=["peephole", "zoneout", "layer_norm"],
)
def test_what_onnx_lacks_is_refused_and_nothing_written(
    network: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RecognizerError, match=message):
        export_onnx(changed("handwriting", **network), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_weights_of_8_bits_take_a_third_of_the_space_and_stay_near(tmp_path: Path) -> None:
    made = changed("handwriting", hidden=128)
    whole = export_onnx(made, tmp_path / "whole.onnx")
    small = export_onnx(made, tmp_path / "small.onnx", int8=True)
    assert small.int8 and small.size < 0.4 * whole.size
    assert 0 < small.difference < 1.0
