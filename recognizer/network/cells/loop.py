"""Steps in plain torch operations, for the options that no kernel knows."""

import torch
import torch.nn.functional as F
from torch import Tensor

from recognizer.network.cells.equations import CellEquations
from recognizer.network.cells.fused import Weights
from recognizer.network.cells.options import StepOptions


def loop_memory(
    x: Tensor,
    weights: Weights,
    projection: Tensor | None,
    state: tuple[Tensor, Tensor],
    mask: Tensor | None,
    family: CellEquations,
    options: StepOptions,
) -> tuple[Tensor, Tensor]:
    """Run a cell with a memory from `state` (h, c) over x (T, N, I) to outputs (T, N, P) with memories (T, N, H)."""
    h, c = state
    c = c.to(torch.promote_types(x.dtype, torch.float32))
    sums = options.norm("input", _at_once(x, weights.input.to(x.dtype))) + weights.bias.to(x.dtype)
    recurrent = weights.recurrent.to(x.dtype)
    outputs, memories = [], []
    for row in sums.unbind():
        past = {"h": h, "c": c, "hc": torch.cat((h, c.to(h.dtype)), 1)}[family.recurs].to(x.dtype)
        product = options.norm("recurrent", F.linear(past if mask is None else past * mask, recurrent))
        seen = product.shape[1]
        added = torch.cat((row[:, :seen] + product, row[:, seen:]), 1).to(c.dtype)
        new_h, new_c = memory_step(added, c, weights.peephole, family, options)
        c = options.keep(new_c, c)
        new_h = new_h.to(x.dtype) if projection is None else F.linear(new_h.to(x.dtype), projection.to(x.dtype))
        h = new_h if family.recurs == "c" else options.keep(new_h, h)
        outputs.append(h)
        memories.append(c)
    return torch.stack(outputs), torch.stack(memories)


def memory_step(
    sums: Tensor, c: Tensor, peephole: Tensor | None, family: CellEquations, options: StepOptions
) -> tuple[Tensor, Tensor]:
    """Return output with memory, each (N, H), from the sums (N, G*H) at the gates and the memory before."""
    at = dict(zip(family.gates, sums.chunk(len(family.gates), 1), strict=True))
    if peephole is not None:
        for n, gate in enumerate("ifo" if family.peephole == "previous" else "if"):
            at[gate] = at[gate] + peephole[n] * c
    candidate = at["g"].tanh()
    if family.forget == "gate":
        c = at["f"].sigmoid() * c + at["i"].sigmoid() * candidate
    elif family.forget == "one":
        c = c + at["i"].sigmoid() * candidate
    else:
        forget = at["f"].sigmoid()
        c = forget * c + (1 - forget) * candidate
    if family.peephole == "diagonal":
        assert peephole is not None
        at["o"] = at["o"] + peephole[2] * c
    shown = options.norm("memory", c)
    return at["o"].sigmoid() * (shown if family.identity else shown.tanh()), c


def loop_gru(
    x: Tensor, weights: list[Tensor], h: Tensor, mask: Tensor | None, options: StepOptions
) -> tuple[Tensor, ...]:
    """Run a GRU with torch's weights (input, recurrent, their biases; gates r, z, n) from h over x (T, N, I)."""
    w, u, b, d = (weight.to(x.dtype) for weight in weights)
    sums = options.norm("input", _at_once(x, w)) + b
    outputs = []
    for row in sums.unbind():
        seen = options.norm("recurrent", F.linear(h if mask is None else h * mask, u)) + d
        r, z, n = zip(row.chunk(3, 1), seen.chunk(3, 1), strict=True)
        candidate = (n[0] + (r[0] + r[1]).sigmoid() * n[1]).tanh()
        h = options.keep(torch.lerp(candidate, h, (z[0] + z[1]).sigmoid()), h)
        outputs.append(h)
    return (torch.stack(outputs),)


def loop_rnn(
    x: Tensor, weights: list[Tensor], h: Tensor, mask: Tensor | None, options: StepOptions
) -> tuple[Tensor, ...]:
    """Run a tanh RNN with torch's weights (input, recurrent, their biases) from h over x (T, N, I)."""
    w, u, b, d = (weight.to(x.dtype) for weight in weights)
    sums = options.norm("input", _at_once(x, w)) + (b + d)
    outputs = []
    for row in sums.unbind():
        seen = options.norm("recurrent", F.linear(h if mask is None else h * mask, u))
        h = options.keep((row + seen).tanh(), h)
        outputs.append(h)
    return (torch.stack(outputs),)


def _at_once(x: Tensor, weight: Tensor) -> Tensor:
    # Flattened by hand: where x is a transposed view, F.linear without gradients would multiply frame by frame.
    return F.linear(x.reshape(-1, x.shape[2]), weight).view(*x.shape[:2], -1)
