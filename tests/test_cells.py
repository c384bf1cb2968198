"""Recurrent cells against their equations, torch's own kernels, the company of other samples."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recognizer.network.cells import CellSettings, RecurrentLayer, build_direction
from recognizer.network.cells.direction import Direction
from recognizer.network.reversal import reverse_padded

INPUT, HIDDEN = 6, 4
KINDS = {
    "lstm": CellSettings(hidden=HIDDEN),
    "lstm-1997": CellSettings(cell="lstm-1997", hidden=HIDDEN),
    "coupled": CellSettings(cell="coupled", hidden=HIDDEN),
    "peephole": CellSettings(cell="peephole", hidden=HIDDEN),
    "peephole identity": CellSettings(cell="peephole", hidden=HIDDEN, peephole_activation="identity"),
    "peephole-diagonal": CellSettings(cell="peephole-diagonal", hidden=HIDDEN),
    "peephole-diagonal identity": CellSettings(cell="peephole-diagonal", hidden=HIDDEN, peephole_activation="identity"),
    "convolutional": CellSettings(cell="convolutional", hidden=HIDDEN, features=2),
    "convolutional memory": CellSettings(cell="convolutional", hidden=HIDDEN, features=2, memory_kernel=3),
    "gru": CellSettings(cell="gru", hidden=HIDDEN),
    "rnn": CellSettings(cell="rnn", hidden=HIDDEN),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def direction_of(settings: CellSettings) -> Direction:
    torch.manual_seed(7)
    layer = build_direction(INPUT, settings).double()
    for weight in layer.parameters():
        nn.init.normal_(weight, std=0.5)
    return layer


def weight_blocks(layer: Direction, name: str, blocks: int) -> tuple[Tensor, ...]:
    return layer.get_parameter(name).chunk(blocks)


def torch_sums(layer: Direction, x: Tensor, h: Tensor, blocks: int) -> list[tuple[Tensor, Tensor]]:
    w, u, b, d = (layer.get_parameter(f"rnn.{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    return list(zip((x @ w.T + b).chunk(blocks, 1), (h @ u.T + d).chunk(blocks, 1), strict=True))


def step_builtin(cell: str, layer: Direction, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    if cell == "rnn":
        [(a, b)] = torch_sums(layer, x, h, 1)
        return torch.tanh(a + b), c
    if cell == "gru":
        (ra, rb), (za, zb), (na, nb) = torch_sums(layer, x, h, 3)
        z = torch.sigmoid(za + zb)
        return (1 - z) * torch.tanh(na + torch.sigmoid(ra + rb) * nb) + z * h, c
    i, f, g, o = (a + b for a, b in torch_sums(layer, x, h, 4))
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def step_dense(settings: CellSettings, layer: Direction, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    gates = {"lstm-1997": "iog", "coupled": "fog"}.get(settings.cell, "ifog")
    w = dict(zip(gates, weight_blocks(layer, "weight_input", len(gates)), strict=True))
    b = dict(zip(gates, weight_blocks(layer, "bias", len(gates)), strict=True))
    a = {gate: x @ w[gate].T + b[gate] for gate in gates}
    recurring = "ifo" if settings.cell == "peephole" else gates
    u = dict(zip(recurring, weight_blocks(layer, "weight_recurrent", len(recurring)), strict=True))
    for gate in recurring:
        a[gate] = a[gate] + (c if settings.cell == "peephole" else h) @ u[gate].T
    diagonal = settings.cell == "peephole-diagonal"
    p = layer.get_parameter("weight_peephole") if diagonal else torch.zeros(3, HIDDEN, dtype=torch.float64)
    f = torch.sigmoid(a["f"] + p[1] * c) if "f" in gates else 1.0
    i = torch.sigmoid(a["i"] + p[0] * c) if "i" in gates else 1 - f
    c = f * c + i * torch.tanh(a["g"])
    o = torch.sigmoid(a["o"] + p[2] * c)
    return o * (c if settings.peephole_activation == "identity" else torch.tanh(c)), c


def step_convolutional(
    settings: CellSettings, layer: Direction, x: Tensor, h: Tensor, c: Tensor
) -> tuple[Tensor, Tensor]:
    rows = settings.features

    def convolve(value: Tensor, name: str) -> Tensor:
        kernel = layer.get_parameter(name)
        return F.conv1d(value.view(len(value), -1, rows), kernel, padding=kernel.shape[2] // 2)

    sums = convolve(x, "kernel_input") + convolve(h, "kernel_recurrent") + layer.get_parameter("bias")[:, None]
    i, f, o, g = (part.reshape(len(x), -1) for part in sums.chunk(4, 1))
    if settings.memory_kernel:
        seen = list(convolve(c, "kernel_memory").reshape(len(x), 3, -1).unbind(1))
    else:
        seen = [weight * c for weight in layer.get_parameter("weight_peephole")]
    i, f, o = (torch.sigmoid(gate + part) for gate, part in zip((i, f, o), seen, strict=True))
    c = f * c + i * torch.tanh(g)
    return o * torch.tanh(c), c


def by_the_equations(
    settings: CellSettings, layer: Direction, x: Tensor, h: Tensor, c: Tensor
) -> tuple[Tensor, Tensor]:
    outputs = []
    for frame in x.unbind(1):
        if settings.cell in ("lstm", "gru", "rnn"):
            h, c = step_builtin(settings.cell, layer, frame, h, c)
        elif settings.cell == "convolutional":
            h, c = step_convolutional(settings, layer, frame, h, c)
        else:
            h, c = step_dense(settings, layer, frame, h, c)
        outputs.append(h)
    return torch.stack(outputs, 1), c


@each_kind
def test_a_cell_is_its_equations_step_by_step(kind: str) -> None:
    layer = direction_of(KINDS[kind])
    x = torch.randn(3, 9, INPUT, dtype=torch.float64)
    state = tuple(torch.randn(3, size, dtype=torch.float64) for size in layer.state_sizes)
    y, after = layer(x, torch.full((3,), 9), state)
    wanted, memory = by_the_equations(KINDS[kind], layer, x, state[0], state[-1])
    assert (y - wanted).abs().max() < 1e-10
    assert (after[-1] - (memory if KINDS[kind].cell not in ("gru", "rnn") else wanted[:, -1])).abs().max() < 1e-10
    assert y.abs().max() > 0.1


@pytest.mark.parametrize("fast", [True, pytest.param(False, marks=pytest.mark.slow)])
@each_kind
def test_gradients_are_those_of_finite_differences(kind: str, fast: bool) -> None:
    layer = direction_of(KINDS[kind])
    x = torch.randn(2, 4, INPUT, dtype=torch.float64, requires_grad=True)
    state = [torch.randn(2, size, dtype=torch.float64, requires_grad=True) for size in layer.state_sizes]
    names = [name for name, _ in layer.named_parameters()]

    def run(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        before = tuple(others[: len(state)])
        weights = dict(zip(names, others[len(state) :], strict=True))
        y, after = torch.func.functional_call(layer, weights, (x, torch.full((2,), 4), before))
        return (y, *after)

    weights = [weight.detach().clone().requires_grad_() for weight in layer.parameters()]
    # Fast: all entries of the Jacobian at once, along a random direction, so held more exactly; else one by one.
    assert torch.autograd.gradcheck(run, (x, *state, *weights), atol=1e-7, rtol=1e-6, fast_mode=fast)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_builtin_cells_equal_torch_nn(cell: str) -> None:
    kernel = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell](INPUT, HIDDEN, batch_first=True, bidirectional=True)
    layer = RecurrentLayer(INPUT, CellSettings(cell=cell, hidden=HIDDEN), bidirectional=True)
    for n, suffix in enumerate(("", "_reverse")):
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            with torch.no_grad():
                layer.get_parameter(f"directions.{n}.rnn.{name}").copy_(kernel.get_parameter(name + suffix))
    x = torch.randn(3, 8, INPUT)
    counts = torch.tensor([8, 5, 1])
    packed = nn.utils.rnn.pack_padded_sequence(x, counts, batch_first=True)
    wanted, _ = nn.utils.rnn.pad_packed_sequence(kernel(packed)[0], batch_first=True)
    assert (layer(x, counts) - wanted).abs().max() < 1e-6


@each_kind
@pytest.mark.parametrize("bidirectional", [False, True])
def test_company_changes_nothing(kind: str, bidirectional: bool) -> None:
    torch.manual_seed(3)
    layer = RecurrentLayer(INPUT, KINDS[kind], bidirectional).eval()
    counts = torch.tensor([3, 11, 7, 1, 12, 5, 9])
    x = torch.randn(7, 14, INPUT)
    with torch.no_grad():
        together = layer(x, counts)
        for size in (1, 2, 7):
            for start in range(0, 7, size):
                some = slice(start, start + size)
                longest = int(counts[some].max())
                y = layer(x[some, :longest], counts[some])
                assert (y - together[some, :longest]).abs().max() < 1e-5
    assert together.shape == (7, 14, layer.output_size)
    assert together[3, 0].abs().max() > 0


@each_kind
def test_padding_reaches_neither_output_nor_gradient(kind: str) -> None:
    torch.manual_seed(3)
    layer = RecurrentLayer(INPUT, KINDS[kind], bidirectional=True)
    counts = torch.tensor([2, 5, 4])
    gradients = []
    for padding in (0.0, 50.0):
        torch.manual_seed(4)
        x = torch.randn(3, 6, INPUT)
        for n, count in enumerate(counts.tolist()):
            x[n, count:] = padding
        x.requires_grad_()
        y = layer(x, counts)
        assert all(not y[n, count:].any() for n, count in enumerate(counts.tolist()))
        gradients.append(torch.autograd.grad(y.square().sum(), [x, *layer.parameters()], allow_unused=True))
    for one, other in zip(*gradients, strict=True):
        if one is not None:
            assert (one - other).abs().max() < 1e-5
    assert not gradients[1][0][0, 2:].any()


@each_kind
def test_two_halves_with_the_state_between_equal_the_whole(kind: str) -> None:
    layer = direction_of(KINDS[kind])
    x = torch.randn(3, 8, INPUT, dtype=torch.float64)
    whole, last = layer(x, torch.tensor([8, 6, 3]))
    first, between = layer(x[:, :5], torch.tensor([5, 5, 3]))
    second, end = layer(x[:, 5:], torch.tensor([3, 1, 0]), between)
    assert (torch.cat((first, second), 1) - whole).abs().max() < 1e-10
    for one, other in zip(last, end, strict=True):
        assert (one - other).abs().max() < 1e-10


@each_kind
@pytest.mark.parametrize("autocast", [False, True])
def test_bfloat16_is_close_to_float32(kind: str, autocast: bool) -> None:
    torch.manual_seed(5)
    layer = RecurrentLayer(INPUT, KINDS[kind], bidirectional=True)
    x, counts = torch.randn(9, 6, INPUT), torch.tensor([6, 4] + [5] * 7)
    wanted = layer(x, counts)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        y = layer(x if autocast else x.bfloat16(), counts)
    assert y.dtype == torch.bfloat16
    assert (y.float() - wanted).abs().max() < 0.05
    y.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in layer.parameters())


@each_kind
def test_wide_batches_take_the_same_road_exactly(kind: str) -> None:
    torch.manual_seed(6)
    layer = RecurrentLayer(INPUT, KINDS[kind], bidirectional=False)
    x, counts = torch.randn(40, 5, INPUT, requires_grad=True), torch.full((40,), 5)
    exact = RecurrentLayer(INPUT, KINDS[kind], bidirectional=False).double()
    exact.load_state_dict(layer.state_dict())
    results = []
    for module, given in ((layer, x), (exact, x.detach().double().requires_grad_())):
        y = module(given, counts)
        results.append([y, *torch.autograd.grad(y.square().sum(), [given, *module.parameters()])])
    for one, other in zip(*results, strict=True):
        assert (one - other).abs().max() < 1e-4


def test_reversal_keeps_padding_in_place() -> None:
    x = torch.tensor([[1.0, 2.0, 3.0, 9.0], [4.0, 9.0, 9.0, 9.0], [5.0, 6.0, 7.0, 8.0]], requires_grad=True)
    y = reverse_padded(x, torch.tensor([3, 1, 4]))
    assert y.tolist() == [[3, 2, 1, 9], [4, 9, 9, 9], [8, 7, 6, 5]]
    assert torch.autograd.grad((y * x.detach()).sum(), x)[0].tolist() == y.tolist()


def test_a_frameless_sample_changes_nothing() -> None:
    layer = RecurrentLayer(INPUT, KINDS["coupled"], bidirectional=True)
    x = torch.randn(2, 3, INPUT)
    y = layer(x, torch.tensor([0, 3]))
    assert not y[0].any()
    assert (y[1] - layer(x[1:], torch.tensor([3]))[0]).abs().max() < 1e-6


@pytest.fixture(scope="module")
def carousel() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "scripts" / "gradient_flow.py"
    spec = importlib.util.spec_from_file_location("carousel", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["carousel"] = module
    spec.loader.exec_module(module)
    return module


def test_the_error_reaches_back_through_a_memory_but_not_through_an_rnn(carousel: ModuleType) -> None:
    far = {
        cell: carousel.reach(CellSettings(cell=cell, hidden=32, forget_bias=bias), 60, seed=1)[60]
        for cell, bias in (("rnn", 1.0), ("gru", 1.0), ("lstm", 6.0), ("peephole", 6.0), ("lstm-1997", 1.0))
    }
    assert far["rnn"] < 1e-8 and far["gru"] < 1e-3
    assert min(far["lstm"], far["peephole"], far["lstm-1997"]) > 1e-2


def test_a_memory_learns_over_a_lag_where_an_rnn_does_not(carousel: ModuleType) -> None:
    lag = carousel.Lag(steps=20, hidden=16, batch=32, updates=150, rate=1e-2)
    assert carousel.learn(CellSettings(hidden=16, forget_bias=4.0), lag).updates is not None
    assert carousel.learn(CellSettings(cell="rnn", hidden=16), lag).accuracy < 0.6


def test_the_picture_has_a_line_for_each_cell(carousel: ModuleType) -> None:
    curves = {name: [1.0, 0.1, 0.0] for name in carousel.KINDS}
    assert carousel.picture(curves).count("<polyline") == len(carousel.KINDS)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_one_kernel_for_both_directions_gives_what_two_give(cell: str) -> None:
    torch.manual_seed(3)
    layer = RecurrentLayer(6, CellSettings(cell=cell, hidden=8), True)
    counts = torch.tensor([9, 2, 5, 1])
    x = (torch.randn(4, 9, 6) * (torch.arange(9) < counts[:, None])[..., None]).requires_grad_(True)
    assert layer.has_kernel_for_both()
    two, one = layer(x, counts), layer.both(x, counts)
    assert torch.allclose(two, one, atol=1e-6)
    wanted, found = (torch.autograd.grad(y.square().sum(), [x, *layer.parameters()]) for y in (two, one))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(wanted, found, strict=True))


def test_no_kernel_for_both_directions_where_the_cell_is_a_loop_of_ours() -> None:
    assert not RecurrentLayer(6, CellSettings(cell="peephole", hidden=8), True).has_kernel_for_both()
    assert not RecurrentLayer(6, CellSettings(cell="lstm", hidden=8), False).has_kernel_for_both()
    assert not RecurrentLayer(6, CellSettings(cell="lstm", hidden=8, learned_state=True), True).has_kernel_for_both()


def test_gathering_the_weights_of_both_directions_is_no_warning() -> None:
    program = """if True:
        import warnings
        import recognizer.model.model
        cells = "recognizer.network.cells.torch_cells"
        message = "RNN module weights are not part of single contiguous chunk of memory. This means they need to be"
        for text, module in ((message, cells), ("another", cells), (message, "mine")):
            warnings.warn_explicit(text, UserWarning, module + ".py", 1, module=module)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "recognizer.network.cells.torch_cells.py",
        "mine.py",
    ]
