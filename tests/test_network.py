"""Tests of the network, the model around it and dropout."""

from dataclasses import replace

import pytest
import torch

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.model.model import Model, ModelSettings, pad_signals
from recognizer.network.dropout import Dropout
from recognizer.network.front import FrontSettings
from recognizer.network.network import Network, NetworkSettings
from recognizer.network.reversal import reverse_padded

FRONT = FrontSettings(channels=[4, 8], pool_time=[1, 1], pool_features=[2, 2])
SMALL = NetworkSettings(hidden=8, layers=1, dropout=0.0, front=FRONT)
LINES = ModelSettings("handwriting", {"height": 16, "direction": "ltr", "contrast": "keep"}, LogMelSettings(), SMALL)


def test_log_probabilities_are_float32_that_sum_to_one_also_where_the_rest_is_bf16() -> None:
    network = Network(16, 5, SMALL)
    with torch.autocast("cpu", torch.bfloat16):
        output = network(torch.rand(2, 10, 16), torch.tensor([10, 6]))
    assert output.log_probs.dtype == torch.float32
    assert torch.allclose(output.log_probs.exp().sum(-1), torch.ones(2, 5), atol=1e-5)


def test_the_side_head_speaks_in_training_alone() -> None:
    network = Network(16, 5, SMALL)
    x, counts = torch.rand(1, 10, 16), torch.tensor([10])
    side = network(x, counts).auxiliary_log_probs
    assert side is not None and side.shape == (1, 5, 5)
    assert network.eval()(x, counts).auxiliary_log_probs is None
    assert Network(16, 5, replace(SMALL, auxiliary_head=0.0))(x, counts).auxiliary_log_probs is None


def test_a_network_without_recurrent_layers_reads_too() -> None:
    output = Network(16, 5, replace(SMALL, layers=0))(torch.rand(2, 7, 16), torch.tensor([7, 3]))
    assert output.log_probs.shape == (2, 4, 5)
    assert output.counts.tolist() == [4, 2]


def test_the_forget_gate_starts_open() -> None:
    network = Network(16, 5, SMALL)
    biases = [value.detach() for name, value in network.named_parameters() if "bias_ih" in name or "bias_hh" in name]
    assert len(biases) == 4
    assert [float(bias.chunk(4)[1].mean()) for bias in biases] == [1.0, 0.0, 1.0, 0.0]


def test_the_weights_keep_the_names_that_model_files_hold() -> None:
    names = Model(LINES, 5).state_dict().keys()
    assert {name for name in names if "directions.1" not in name and "stages.1" not in name} == {
        "network.front.stages.0.first.weight",
        "network.front.stages.0.first_norm.weight",
        "network.front.stages.0.first_norm.bias",
        "network.front.stages.0.first_norm.running_mean",
        "network.front.stages.0.first_norm.running_var",
        "network.front.stages.0.first_norm.num_batches_tracked",
        "network.layers.0.directions.0.rnn.weight_ih_l0",
        "network.layers.0.directions.0.rnn.weight_hh_l0",
        "network.layers.0.directions.0.rnn.bias_ih_l0",
        "network.layers.0.directions.0.rnn.bias_hh_l0",
        "network.auxiliary_head.weight",
        "network.auxiliary_head.bias",
        "network.head.weight",
        "network.head.bias",
    }


def test_one_direction_has_half_the_output() -> None:
    assert Network(16, 5, SMALL).head.in_features == 16
    assert Network(16, 5, replace(SMALL, bidirectional=False)).head.in_features == 8


def test_one_direction_does_not_see_what_is_to_come() -> None:
    front = FrontSettings(type="frames", patch=[1, 1])
    network = Network(16, 5, replace(SMALL, bidirectional=False, front=front)).eval()
    x, counts = torch.rand(1, 10, 16), torch.tensor([10])
    other = x.clone()
    other[:, 6:] = 0.0
    a, b = network(x, counts).log_probs, network(other, counts).log_probs
    assert torch.equal(a[:, :6], b[:, :6])
    assert not torch.allclose(a[:, 6:], b[:, 6:])


@pytest.mark.parametrize("settings", [{"layers": -1}, {"dropout": 1.0}, {"auxiliary_head": -0.1}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(RecognizerError, match="network"):
        NetworkSettings(**settings)  # type: ignore[arg-type]


def test_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(RecognizerError, match="'smell', expected one of handwriting, speech"):
        Model(replace(LINES, kind="smell"), 5)


def test_model_settings_survive_their_plain_data() -> None:
    assert ModelSettings.from_data(LINES.as_data()) == LINES


def test_plain_data_with_an_unknown_key_is_refused() -> None:
    data = LINES.as_data()
    data["network"]["depth"] = 3
    with pytest.raises(RecognizerError, match="depth"):
        ModelSettings.from_data(data)
    del data["network"]
    with pytest.raises(RecognizerError, match="settings lacks network"):
        ModelSettings.from_data(data)


def test_lines_are_padded_with_paper_and_sound_with_silence() -> None:
    x, counts = pad_signals([torch.zeros(2, 3, dtype=torch.uint8), torch.zeros(1, 3, dtype=torch.uint8)], "handwriting")
    assert (x[1].tolist(), counts.tolist()) == ([[0, 0, 0], [255, 255, 255]], [2, 1])
    x, counts = pad_signals([torch.ones(2, dtype=torch.int16), torch.ones(1, dtype=torch.int16)], "speech")
    assert (x.tolist(), counts.tolist()) == ([[1, 1], [1, 0]], [2, 1])


def test_a_frame_stands_for_the_steps_between_frames() -> None:
    assert Model(LINES, 5).steps_per_frame() == 2.0
    speech = replace(LINES, kind="speech", signal={"sample_rate": 16000}, features=LogMelSettings(bands=16))
    assert Model(speech, 5).steps_per_frame() == 2 * 160.0  # ten milliseconds a frame, two to one


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    dropout, x = Dropout(0.25), torch.ones(1000, 101)
    torch.manual_seed(1)
    y = dropout(x)
    assert float((y == 0.0).float().mean()) == pytest.approx(0.25, abs=0.01)
    assert float(y.mean()) == pytest.approx(1.0, abs=0.01)
    assert float(y.max()) == pytest.approx(1.0 / 0.75)


def test_dropout_is_still_outside_training() -> None:
    x = torch.rand(5, 7)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_the_same_seed_drops_the_same() -> None:
    dropout, x, drawn = Dropout(0.5), torch.ones(33), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(dropout(x))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_reversal_turns_each_sample_within_its_own_frames() -> None:
    x = torch.tensor([[[1], [2], [3]], [[4], [5], [0]]])
    assert reverse_padded(x, torch.tensor([3, 2])).flatten().tolist() == [3, 2, 1, 5, 4, 0]
