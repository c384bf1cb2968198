"""Options of the recurrent cells: each does what it says on every cell where it makes sense."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.network.cells import CELLS, CellSettings, RecurrentLayer, build_direction
from recognizer.network.cells.direction import Direction
from recognizer.network.cells.settings import DENSE, FORGETFUL, GATED, PROJECTED
from recognizer.network.cells.weight_noise import weight_noise

INPUT, HIDDEN = 6, 4
COUNTS = torch.tensor([9, 9, 9])


def settings_of(cell: str) -> CellSettings:
    return CellSettings(cell=cell, hidden=HIDDEN, features=2 if cell == "convolutional" else 8)


def twins(cell: str, changed: CellSettings) -> tuple[Direction, Direction, Tensor]:
    """Return a layer without options beside one of the same weights with them."""
    torch.manual_seed(1)
    plain = build_direction(INPUT, settings_of(cell)).double()
    other = build_direction(INPUT, changed).double()
    other.load_state_dict(plain.state_dict(), strict=False)
    return plain, other, torch.randn(3, 9, INPUT, dtype=torch.float64)


@pytest.mark.parametrize("cell", CELLS)
def test_zoneout_keeps_some_units_exactly_while_training(cell: str) -> None:
    _, layer, x = twins(cell, replace(settings_of(cell), zoneout=0.5))
    y, (*_, memory) = layer.train()(x, COUNTS)
    kept = (y[:, 1:] == y[:, :-1]).double().mean() if cell != "peephole" else None
    assert kept is None or 0.3 < kept < 0.7
    assert memory.isfinite().all()
    assert not torch.equal(layer(x, COUNTS)[0], y)


@pytest.mark.parametrize("cell", CELLS)
def test_zoneout_mixes_by_its_expectation_outside_training(cell: str) -> None:
    plain, layer, x = twins(cell, replace(settings_of(cell), zoneout=0.25))
    y, after = layer.eval()(x, COUNTS)
    state = plain.first_state(3, x)
    for t in range(9):
        _, new = plain(x[:, t : t + 1], torch.ones(3, dtype=torch.long), state)
        state = tuple(0.75 * one + 0.25 * old for one, old in zip(new, state, strict=True))
    assert max((one - other).abs().max() for one, other in zip(after, state, strict=True)) < 1e-10
    assert torch.equal(y, layer(x, COUNTS)[0])


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_dropout_draws_one_mask_a_sequence(cell: str) -> None:
    _, dropping, x = twins(cell, replace(settings_of(cell), recurrent_dropout=0.5))
    _, looping, _ = twins(cell, replace(settings_of(cell), recurrent_dropout=0.5, zoneout=1e-15))
    looping.load_state_dict(dropping.state_dict())
    torch.manual_seed(2)
    y = dropping.train()(x, COUNTS)[0]
    torch.manual_seed(2)
    assert (looping.train()(x, COUNTS)[0] - y).abs().max() < 1e-10
    assert not torch.equal(dropping(x, COUNTS)[0], y)
    plain = build_direction(INPUT, settings_of(cell)).double()
    plain.load_state_dict(dropping.state_dict())
    assert torch.allclose(dropping.eval()(x, COUNTS)[0], plain(x, COUNTS)[0])


@pytest.mark.parametrize("cell", ["lstm-1997", "peephole"])
def test_the_mask_multiplies_what_recurs(cell: str) -> None:
    plain, dropping, x = twins(cell, replace(settings_of(cell), recurrent_dropout=0.5))
    torch.manual_seed(2)
    mask = dropping.mask(3, HIDDEN, x)
    torch.manual_seed(2)
    y = dropping(x, COUNTS)[0]
    assert mask is not None and set(mask.flatten().tolist()) == {0.0, 2.0}
    for n in range(3):
        with torch.no_grad():
            plain.get_parameter("weight_recurrent").copy_(dropping.get_parameter("weight_recurrent") * mask[n])
        assert (plain(x[n : n + 1], COUNTS[:1])[0] - y[n]).abs().max() < 1e-10


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "convolutional"])
def test_layer_norm_makes_the_scale_of_the_input_weights_irrelevant(cell: str) -> None:
    plain, layer, x = twins(cell, replace(settings_of(cell), layer_norm=True))
    name = "rnn.weight_ih_l0" if cell in ("lstm", "gru", "rnn") else "weight_input"
    before = layer(x, COUNTS)[0]
    with torch.no_grad():
        layer.get_parameter(name).mul_(10)
    assert (layer(x, COUNTS)[0] - before).abs().max() < 1e-3
    assert (plain(x, COUNTS)[0] - before).abs().max() > 1e-3
    layer(x, COUNTS)[0].square().sum().backward()
    assert all(gain.grad is not None and gain.grad.any() for gain in layer.norms.values())


def test_layer_norm_of_an_lstm_is_that_of_the_paper() -> None:
    _, layer, x = twins("lstm", replace(settings_of("lstm"), layer_norm=True))
    for gain in layer.norms.values():
        nn.init.normal_(gain)
    w, u, b, d = (layer.get_parameter(f"rnn.{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))

    def order(rows: Tensor) -> Tensor:
        i, f, g, o = rows.chunk(4)
        return torch.cat((i, f, o, g))

    h = c = torch.zeros(3, HIDDEN, dtype=torch.float64)
    for frame in x.unbind(1):
        seen = F.layer_norm(frame @ order(w).T, (16,)) * layer.norms["input"]
        past = F.layer_norm(h @ order(u).T, (16,)) * layer.norms["recurrent"]
        i, f, o, g = (seen + past + order(b + d)).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        shown = F.layer_norm(c, (HIDDEN,)) * layer.norms["memory"] + layer.norms["memory_bias"]
        h = torch.sigmoid(o) * torch.tanh(shown)
    assert (layer(x, COUNTS)[1][0] - h).abs().max() < 1e-10


@pytest.mark.parametrize("cell", PROJECTED)
def test_a_projection_recurs_instead_of_the_output(cell: str) -> None:
    layer = RecurrentLayer(INPUT, replace(settings_of(cell), projection=3), bidirectional=True)
    x = torch.randn(2, 5, INPUT)
    y = layer(x, torch.tensor([5, 2]))
    assert y.shape == (2, 5, 6)
    y.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in layer.parameters())


def test_a_projected_lstm_equals_torch_nn() -> None:
    layer = build_direction(INPUT, replace(settings_of("lstm"), projection=3)).double()
    x = torch.randn(3, 9, INPUT, dtype=torch.float64)
    kernel = layer.get_submodule("rnn")
    wanted, (h, c) = kernel(x.transpose(0, 1))
    y, after = layer(x, COUNTS)
    assert (y - wanted.transpose(0, 1)).abs().max() < 1e-10
    assert (after[0] - h[0]).abs().max() < 1e-10 and (after[1] - c[0]).abs().max() < 1e-10


@pytest.mark.parametrize("cell", CELLS)
def test_a_learned_state_comes_before_the_first_frame(cell: str) -> None:
    plain, layer, x = twins(cell, replace(settings_of(cell), learned_state=True))
    assert torch.equal(plain(x, COUNTS)[0], layer(x, COUNTS)[0])
    for value in layer.first:
        nn.init.normal_(value)
    given = tuple(value.expand(3, -1) for value in layer.first)
    y = layer(x, COUNTS)[0]
    assert torch.allclose(y, plain(x, COUNTS, given)[0])
    y.square().sum().backward()
    assert all(value.grad is not None and value.grad.any() for value in layer.first)


@pytest.mark.parametrize("cell", FORGETFUL)
def test_the_forget_bias_is_the_setting(cell: str) -> None:
    layer = build_direction(INPUT, replace(settings_of(cell), forget_bias=3.5))
    names = [name for name, weight in layer.named_parameters() if name.endswith(("bias", "bias_ih_l0", "bias_hh_l0"))]
    total = sum(layer.get_parameter(name) for name in names)
    assert isinstance(total, Tensor)
    block = 0 if cell == "coupled" else 1
    parts = total.chunk(3 if cell == "coupled" else 4)
    assert (parts[block] == 3.5).all()
    assert all((part != 3.5).all() for n, part in enumerate(parts) if n != block)


def gate_biases(cell: str, layer: Direction) -> dict[str, Tensor]:
    """Return the bias of each gate, both of torch's added up."""
    names = [name for name, weight in layer.named_parameters() if name.endswith(("bias", "bias_ih_l0", "bias_hh_l0"))]
    gates = {"lstm": "ifgo", "lstm-1997": "iog", "coupled": "fog", "gru": "rzn"}.get(cell, "ifog")
    total = torch.stack([layer.get_parameter(name).detach() for name in names]).sum(0)
    return dict(zip(gates, total.chunk(len(gates)), strict=True))


@pytest.mark.parametrize("cell", GATED)
def test_chrono_spreads_the_biases_over_the_lags_up_to_its_own(cell: str) -> None:
    torch.manual_seed(1)
    wide = replace(settings_of(cell), hidden=400, forget_bias="chrono:101")
    biases = gate_biases(cell, build_direction(INPUT, wide))
    keeps = {"lstm-1997": None, "gru": "z"}.get(cell, "f")
    if keeps:
        # exp(bias) is uniform from 1 to T - 1: so are the steps within which a unit forgets.
        spans = biases[keeps].exp()
        assert 1.0 <= spans.min() < 20 and 80 < spans.max() <= 100.0 and 35 < spans.mean() < 65
    if "i" in biases:
        enters = biases["i"]
        assert torch.equal(enters, -biases["f"]) if "f" in biases else -4.61 <= enters.min() < enters.max() <= 0.0


@pytest.mark.parametrize("cell", DENSE)
def test_orthogonal_weights_keep_the_length_of_what_recurs(cell: str) -> None:
    layer = build_direction(INPUT, replace(settings_of(cell), recurrent_init="orthogonal"))
    name = "rnn.weight_hh_l0" if cell in ("lstm", "gru", "rnn") else "weight_recurrent"
    weight = layer.get_parameter(name)
    for block in weight.chunk(len(weight) // HIDDEN):
        assert (block @ block.T - torch.eye(HIDDEN)).abs().max() < 1e-5


def test_weight_noise_lasts_for_the_block() -> None:
    layer = RecurrentLayer(INPUT, settings_of("coupled"), bidirectional=True)
    before = {name: weight.clone() for name, weight in layer.state_dict().items()}
    x = torch.randn(3, 9, INPUT)
    with weight_noise(layer, 0.075, torch.Generator().manual_seed(1)):
        noise = torch.cat([(weight - before[name]).flatten() for name, weight in layer.state_dict().items()])
        noisy = layer(x, COUNTS)
        noisy.square().sum().backward()
    assert 0.06 < noise.std() < 0.09
    assert all(torch.equal(weight, before[name]) for name, weight in layer.state_dict().items())
    assert not torch.equal(noisy, layer(x, COUNTS))
    with weight_noise(layer, 0.075, torch.Generator().manual_seed(1)):
        assert torch.equal(noisy, layer(x, COUNTS))


def test_weight_noise_is_taken_back_when_the_step_fails() -> None:
    layer = RecurrentLayer(INPUT, settings_of("gru"), bidirectional=False)
    before = [weight.clone() for weight in layer.parameters()]
    with pytest.raises(KeyError), weight_noise(layer, 0.5):
        raise KeyError
    assert all(torch.equal(one, other) for one, other in zip(before, layer.parameters(), strict=True))


OPTIONS: list[dict[str, float]] = [{"zoneout": 0.3}, {"recurrent_dropout": 0.3}, {"layer_norm": True}]


@pytest.mark.parametrize(
    ("cell", "option"),
    [(cell, option) for cell in CELLS for option in OPTIONS if cell != "convolutional" or "layer_norm" not in option],
)
def test_options_train_in_bfloat16_without_minding_company(cell: str, option: dict[str, float]) -> None:
    layer = RecurrentLayer(INPUT, replace(settings_of(cell), **option), bidirectional=True)  # type: ignore[arg-type]
    x, counts = torch.randn(3, 9, INPUT), torch.tensor([4, 9, 6])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(x, counts)
    y.float().square().sum().backward()
    assert y.dtype == torch.bfloat16 and all(weight.grad is not None for weight in layer.parameters())
    layer.eval()
    assert (layer(x, counts)[:1, :4] - layer(x[:1, :4], counts[:1])).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("wanted", "settings"),
    [
        ("one of lstm", {"cell": "lstm2"}),
        ("at least 1", {"hidden": 0}),
        ("probability", {"zoneout": 1.0}),
        ("probability", {"recurrent_dropout": -0.1}),
        ("no effect on gru", {"cell": "gru", "forget_bias": 2.0}),
        ("no effect on lstm-1997", {"cell": "lstm-1997", "forget_bias": 2.0}),
        ("no effect on rnn", {"cell": "rnn", "forget_bias": "chrono:100"}),
        ("chrono:T", {"forget_bias": "chrono"}),
        ("chrono:T", {"forget_bias": "chrono:2"}),
        ("chrono:T", {"forget_bias": "krono:100"}),
        ("chrono:T", {"forget_bias": "chrono:99999999999"}),
        ("-1000 to 1000", {"forget_bias": 1e300}),
        ("-1000 to 1000", {"forget_bias": float("nan")}),
        ("uniform or orthogonal", {"recurrent_init": "normal"}),
        ("no effect on convolutional", {"cell": "convolutional", "recurrent_init": "orthogonal"}),
        ("no effect on peephole", {"cell": "peephole", "projection": 8}),
        ("no effect on lstm", {"peephole_activation": "identity"}),
        ("tanh or identity", {"cell": "peephole", "peephole_activation": "relu"}),
        ("no effect on lstm", {"kernel": 5}),
        ("hidden - 1", {"projection": 256}),
        ("multiple of features", {"cell": "convolutional", "hidden": 20}),
        ("odd width", {"cell": "convolutional", "kernel": 4}),
        ("odd width", {"cell": "convolutional", "memory_kernel": 2}),
        ("no effect on convolutional", {"cell": "convolutional", "layer_norm": True}),
    ],
)
def test_a_setting_at_fault_is_named(wanted: str, settings: dict[str, object]) -> None:
    with pytest.raises(RecognizerError, match=wanted):
        CellSettings(**settings)  # type: ignore[arg-type]


def test_an_input_that_is_no_map_is_named() -> None:
    with pytest.raises(RecognizerError, match="input of 10"):
        RecurrentLayer(10, CellSettings(cell="convolutional", hidden=16), bidirectional=False)
