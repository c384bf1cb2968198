"""The multidimensional front against its equations, cell by cell, with padding that changes nothing."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from recognizer.errors import RecognizerError
from recognizer.network.front import Front, FrontSettings
from recognizer.network.mdlstm import (
    MultidimensionalLayer,
    MultidimensionalSettings,
    gather_blocks,
    skew,
    unskew,
)

SMALL = MultidimensionalSettings(sizes=[2, 3], blocks=[[3, 2], [2, 2]], between=[4])


def scan_by_hand(layer: MultidimensionalLayer, x: Tensor, direction: int) -> Tensor:
    """Run one direction over x (T, R, F) from the corner at the origin, position by position."""
    frames, rows, _ = x.shape
    zero = torch.zeros(layer.size, dtype=x.dtype)
    h: dict[tuple[int, int], Tensor] = {}
    c: dict[tuple[int, int], Tensor] = {}
    p = layer.weight_peephole[direction]
    for t in range(frames):
        for r in range(rows):
            left, up = (t - 1, r), (t, r - 1)
            past = torch.cat((h.get(left, zero), h.get(up, zero)))
            sums = x[t, r] @ layer.weight_input[direction] + past @ layer.weight_recurrent[direction]
            i, f, e, o, g = (sums + layer.bias[direction, 0]).chunk(5)
            c_left, c_up = c.get(left, zero), c.get(up, zero)
            enter = torch.sigmoid(i + p[0] * c_left + p[1] * c_up)
            memory = enter * torch.tanh(g) + torch.sigmoid(f + p[2] * c_left) * c_left
            c[t, r] = memory + torch.sigmoid(e + p[3] * c_up) * c_up
            h[t, r] = torch.sigmoid(o + p[4] * c[t, r]) * torch.tanh(c[t, r])
    return torch.stack([torch.stack([h[t, r] for r in range(rows)]) for t in range(frames)])


def test_every_direction_is_its_equations() -> None:
    torch.manual_seed(1)
    layer = MultidimensionalLayer(3, 2, forget_bias=0.5).double()
    x, counts = torch.randn(2, 5, 4, 3, dtype=torch.float64), torch.tensor([5, 3])
    y = layer(x, counts)
    for n, count in enumerate(counts.tolist()):
        own = x[n, :count]
        for direction in range(4):
            flips = [axis for axis, turned in ((0, direction % 2), (1, direction // 2)) if turned]
            wanted = scan_by_hand(layer, own.flip(flips), direction).flip(flips)
            assert (y[n, :count, :, 2 * direction : 2 * direction + 2] - wanted).abs().max() < 1e-10
    assert not y[1, 3:].any()


@pytest.mark.parametrize("fast", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_gradients_of_the_layer_are_those_of_finite_differences(fast: bool) -> None:
    torch.manual_seed(1)
    layer = MultidimensionalLayer(2, 2, forget_bias=0.0).double()
    x = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    weights = {name: weight.detach().clone().requires_grad_() for name, weight in layer.named_parameters()}

    def run(x: Tensor, *values: Tensor) -> Tensor:
        given = dict(zip(weights, values, strict=True))
        return torch.func.functional_call(layer, given, (x, torch.tensor([3, 2])))  # type: ignore[no-any-return]

    # Fast: all entries of the Jacobian at once, along a random direction, so held more exactly; else one by one.
    assert torch.autograd.gradcheck(run, (x, *weights.values()), atol=1e-7, rtol=1e-6, fast_mode=fast)


FORMS = {
    "plain": SMALL,
    "without norm": replace(SMALL, norm="none"),
    "behind convolutions": replace(SMALL, blocks=[[1, 1], [2, 2]], convolutions=[3]),
    "rows one after the other": replace(SMALL, collapse="concatenate"),
    "the same behind convolutions": replace(SMALL, blocks=[[1, 1], [2, 2]], convolutions=[3], collapse="concatenate"),
}


def front_of(settings: MultidimensionalSettings) -> Front:
    return Front(10, FrontSettings(type="multidimensional", multidimensional=settings))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 2, 7])
def test_company_changes_nothing(size: int, form: str) -> None:
    torch.manual_seed(2)
    front = front_of(FORMS[form])
    counts = torch.tensor([3, 11, 7, 1, 12, 5, 9])
    x = torch.randn(7, 15, 10)
    front.train()(x, counts)  # moves the normalisation away from its start
    front.eval()
    with torch.no_grad():
        together, counted = front(x, counts)
        for start in range(0, 7, size):
            some = slice(start, start + size)
            y, few = front(x[some, : int(counts[some].max())], counts[some])
            assert torch.equal(few, counted[some])
            assert (y - together[some, : y.shape[1]]).abs().max() < 1e-5
    assert torch.equal(counted, front.settings.counts(counts))
    assert counted.tolist() == [1, 3, 2, 1, 3, 2, 3]
    rows = {"rows one after the other": 2, "the same behind convolutions": 3}.get(form, 1)
    assert together.shape == (7, 4, rows * 12) == (7, 4, front.size)


@pytest.mark.parametrize("form", FORMS)
def test_padding_gets_no_gradient_while_every_weight_does(form: str) -> None:
    torch.manual_seed(2)
    front = front_of(FORMS[form])
    x = torch.randn(2, 9, 10, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, _ = front(x, torch.tensor([9, 4]))
    assert y.dtype == torch.bfloat16
    y.float().pow(3).sum().backward()
    assert x.grad is not None and not x.grad[1, 4:].any() and x.grad[1, :4].any()
    assert all(weight.grad is not None and weight.grad.any() for weight in front.parameters())


@pytest.mark.parametrize(("norm", "differs"), [("none", False), ("batch", True)])
def test_frames_of_a_new_network_differ_only_where_they_are_normalised(norm: str, differs: bool) -> None:
    torch.manual_seed(3)
    strokes = (torch.rand(4, 200, 48) < 0.06).float()  # a line of handwriting is as sparse
    front = Front(48, FrontSettings(type="multidimensional", multidimensional=MultidimensionalSettings(norm=norm)))
    frames, _ = front(strokes, torch.full((4,), 200))
    assert (frames.std((0, 1)).mean() > 0.5) == differs == (frames.std((0, 1)).mean() > 0.02)


def test_the_sum_of_a_frame_is_that_of_its_concatenated_rows() -> None:
    x, counts = torch.randn(2, 9, 10), torch.tensor([9, 5])
    fronts = []
    for collapse in ("sum", "concatenate"):
        torch.manual_seed(4)
        fronts.append(front_of(replace(SMALL, norm="none", collapse=collapse)))
    summed, laid = (front(x, counts)[0] for front in fronts)
    assert torch.allclose(laid.view(2, 3, 2, 12).sum(2), summed, atol=1e-6)


def test_skewing_moves_each_row_one_step_later() -> None:
    grid = torch.tensor([[1, 2, 3], [4, 5, 6]]).T.view(1, 1, 3, 2, 1)
    assert skew(grid)[:, 0, 0, :, 0].T.tolist() == [[1, 2, 3, 0], [0, 4, 5, 6]]
    assert torch.equal(unskew(skew(grid), 3), grid)


def test_blocks_are_gathered_with_zeros_at_the_edges() -> None:
    grid = torch.arange(1, 7).view(1, 3, 2, 1)
    assert gather_blocks(grid, [2, 2])[0, :, 0].tolist() == [[1, 2, 3, 4], [5, 6, 0, 0]]


@pytest.mark.parametrize(
    "change",
    [
        {"blocks": [[3, 2]]},
        {"between": []},
        {"sizes": [0, 3, 4]},
        {"blocks": [[4, 2], [0, 2], [3, 1]]},
        {"blocks": [[4, 2], [4], [3, 1]]},
        {"norm": "layer"},
        {"convolutions": [0]},
        {"collapse": "mean"},
        {"forget_bias": 1e300},
    ],
)
def test_levels_that_do_not_fit_are_named(change: dict[str, object]) -> None:
    with pytest.raises(RecognizerError, match="network.front.multidimensional"):
        MultidimensionalSettings(**change)  # type: ignore[arg-type]
