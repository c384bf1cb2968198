"""What torch does not document is used where it is there, and documented operators give the same where it is not."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recognizer.network import private_operators as operators
from recognizer.network.cells import CellSettings, build_direction, matmul, mdlstm_scan, steps
from recognizer.network.mdlstm import MultidimensionalLayer
from recognizer.training import layer_rates, learner

PAIRS = ("sigmoid_backward", "tanh_backward")


def without_private_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (steps, mdlstm_scan):
        for name in PAIRS:
            monkeypatch.setattr(module, name, getattr(operators, f"public_{name}"))
    for module in (layer_rates, learner):
        monkeypatch.setattr(module, "lerp_all", operators.public_lerp_all)
    monkeypatch.setattr(matmul, "onednn_linear", operators.public_linear)
    monkeypatch.setattr(matmul, "HAS_ONEDNN", False)


def test_this_torch_has_them() -> None:
    if torch.__version__.split("+")[0] != "2.11.0":
        pytest.skip("said of torch 2.11.0 alone")
    assert operators.sigmoid_backward is not operators.public_sigmoid_backward
    assert operators.tanh_backward is not operators.public_tanh_backward
    assert operators.lerp_all is not operators.public_lerp_all
    assert operators.HAS_ONEDNN == torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("fault", ["absent", "other arguments", "other numbers"])
def test_one_that_is_absent_or_another_is_left(fault: str) -> None:
    def find() -> object:
        if fault == "absent":
            return torch.ops.aten.no_such_operator.grad_input
        if fault == "other arguments":
            return lambda gradient, output: gradient
        return lambda gradient, output, *, grad_input: grad_input.mul_(output)

    assert operators.chosen(find, operators.public_tanh_backward, operators._try_backward) is (
        operators.public_tanh_backward
    )


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_of_activations_are_the_same(name: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    found = []
    for prefix in ("", "public_"):
        torch.manual_seed(0)
        whole, output = torch.randn(7, 12, dtype=dtype), torch.rand(7, 12, dtype=dtype)
        part = whole[:, 3:9]  # a view, as the loops have them
        getattr(operators, prefix + name)(part, output[:, 3:9], grad_input=part)
        found.append(whole)
    torch.testing.assert_close(found[0], found[1])


def test_averages_are_the_same() -> None:
    found = []
    for lerp in (operators.lerp_all, operators.public_lerp_all):
        torch.manual_seed(0)
        old, new = ([torch.randn(4, 3), torch.randn(5)] for _ in range(2))
        lerp(old, new, 0.002)
        found.append(torch.cat([part.flatten() for part in old]))
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("rows", [2, 40])
def test_products_are_the_same(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(rows, 30), torch.randn(50, 30)
    with_them = matmul.linear(x, weight), matmul.Product(weight, rows)(x)
    without_private_operators(monkeypatch)
    without = matmul.linear(x, weight), matmul.Product(weight, rows)(x)
    for a, b in zip(with_them, without, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def of_cell(cell: str) -> list[Tensor]:
    """Return outputs of a cell over 9 samples of 6 frames, and the gradients of input and weights."""
    torch.manual_seed(3)
    layer = build_direction(5, CellSettings(cell=cell, hidden=8))
    x = torch.randn(9, 6, 5, requires_grad=True)
    y, _ = layer(x, torch.tensor([6, 5, 6, 3, 1, 6, 6, 2, 6]))
    y.square().sum().backward()
    return [y, x.grad, *(weight.grad for weight in layer.parameters())]


def of_scan(_: str) -> list[Tensor]:
    torch.manual_seed(3)
    layer = MultidimensionalLayer(3, 4, forget_bias=0.5)
    x = torch.randn(2, 5, 4, 3, requires_grad=True)
    y = layer(x, torch.tensor([5, 3]))
    y.square().sum().backward()
    return [y, x.grad, *(weight.grad for weight in layer.parameters())]


@pytest.mark.parametrize("cell", ["lstm-1997", "coupled", "peephole", "peephole-diagonal", "multidimensional"])
def test_a_network_learns_the_same(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = of_scan if cell == "multidimensional" else of_cell
    before = run(cell)
    without_private_operators(monkeypatch)
    for a, b in zip(before, run(cell), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
        assert a.abs().max() > 1e-3


def test_nothing_else_of_torch_is_private() -> None:
    """Private names of torch are looked up in one file."""
    package = Path(operators.__file__).parents[1]
    found = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"\btorch(\.nn)?\.(ops\.|_(?!_))", path.read_text())
    ]
    assert found == ["network/private_operators.py"]
