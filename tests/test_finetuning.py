"""Tests of what is special about training that starts from another model."""

from pathlib import Path

import pytest
import tiny
import torch
from terminal import said

from recognizer.commands.train import LEAST_EPOCHS, MOST_EPOCHS, finetuning_epochs
from recognizer.inputs.registry import default_signal
from recognizer.model.model import Model, ModelSettings
from recognizer.training.config import LearningSettings
from recognizer.training.layer_rates import parameter_groups, pull_back


def model() -> Model:
    settings = tiny.line_config(Path("nowhere"))
    return Model(ModelSettings("handwriting", default_signal("handwriting"), settings.features, settings.network), 5)


def test_rates_fall_level_by_level_and_every_parameter_has_one() -> None:
    made = model()
    groups = parameter_groups(made.network, made, LearningSettings(rate=1.0, layer_decay=0.5))
    rate = {id(p): group["lr"] for group in groups for p in group["params"]}
    depth = len(made.network.layers)
    expected = {"head": 1.0, f"layers.{depth - 1}": 0.5, "layers.0": 0.5**depth, "front": 0.5 ** (depth + 1)}
    for name, parameter in made.named_parameters():
        own = name.removeprefix("network.")
        for part, share in expected.items():
            if own.startswith(f"{part}."):
                assert rate[id(parameter)] == share, name
    assert len(rate) == sum(len(group["params"]) for group in groups) == len(list(made.parameters()))
    decays = {group["weight_decay"] for group in groups for p in group["params"] if p.ndim <= 1}
    assert decays == {0.0}


def test_one_rate_makes_two_groups_as_ever() -> None:
    made = model()
    groups = parameter_groups(made.network, made, LearningSettings(rate=0.25))
    assert [group["lr"] for group in groups] == [0.25, 0.25]


def test_weights_are_pulled_a_share_of_their_way_back() -> None:
    now, start = torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)
    now.weight.data.fill_(3.0)
    start.weight.data.fill_(1.0)
    pull_back(now, start, [{"params": list(now.parameters()), "lr": 0.5}], anchor=0.2)
    assert now.weight.item() == pytest.approx(3.0 - 0.1 * 2.0)


@pytest.mark.parametrize(("samples", "epochs"), [(1, MOST_EPOCHS), (400, 40), (1000, 16), (90000, LEAST_EPOCHS)])
def test_epochs_fall_with_the_number_of_samples(samples: int, epochs: int) -> None:
    assert finetuning_epochs(samples) == epochs


def test_a_model_is_fine_tuned_without_a_config_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["lox", "ox", "l x", "xo", "ol", "xx l"]
    lines = tiny.write_lines(tmp_path / "a", texts, ["train"] * 4 + ["valid"] * 2)
    packed = tiny.pack(lines, tmp_path / "packed", tiny.HEIGHT)
    tiny.restless(tiny.line_config(packed), tmp_path / "model.safetensors")
    run = tmp_path / "run"
    words = ("--data.corpus", packed, "--init", tmp_path / "model.safetensors", "--run", run)
    trainer = ("--trainer.devices", 1, "--trainer.precision", "32-true", "--trainer.max_epochs", 5)
    code, out, err = said(capsys, "train", *words, *trainer)
    told = next(line for line in (out + err).splitlines() if line.startswith("no --config given"))
    assert code == 0 and "fine-tuning" in told and "5 epochs at most" in told
    config = (run / "config.yaml").read_text()
    assert "layer_decay: 0.8" in config and "max_epochs: 5" in config and "check_val_every_n_epoch: 1" in config
