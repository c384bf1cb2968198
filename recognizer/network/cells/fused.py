"""The recurrence of a cell with a memory as one differentiable function over all steps."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recognizer.network.cells.equations import CellEquations
from recognizer.network.cells.matmul import Product, linear
from recognizer.network.cells.steps import StepBuffers, Steps


class Weights(NamedTuple):
    """Weights of one direction: input (G*H, I), recurrent (G'*H, R), bias (G*H), peephole (3, H) or None."""

    input: Tensor
    recurrent: Tensor
    bias: Tensor
    peephole: Tensor | None


def run_fused(
    x: Tensor, weights: Weights, state: tuple[Tensor, Tensor], mask: Tensor | None, family: CellEquations
) -> tuple[Tensor, Tensor]:
    """Run x (T, N, I) from `state` (h, c) to outputs (T, N, H) with memories (T, N, H), the latter at least float32.

    `mask` (N, R) multiplies what recurs (variational dropout). The input product is taken for all steps at once; the
    loops hold the recurrent product with elementwise work in place; the weights' gradients are one product each.
    """
    cast = Weights(*(None if part is None else part.to(x.dtype) for part in weights))  # type: ignore[arg-type]
    wide = torch.promote_types(x.dtype, torch.float32)
    peephole = None if weights.peephole is None else weights.peephole.to(wide)
    first, memory = state[0].to(x.dtype), state[1].to(wide)
    mask = None if mask is None else mask.to(x.dtype)
    with torch.autocast(x.device.type, enabled=False):
        return _Recurrence.apply(x, *cast[:3], peephole, first, memory, mask, family)  # type: ignore[no-any-return,no-untyped-call]


class _Recurrence(torch.autograd.Function):
    """The loop over time with its gradient written out, as backpropagation through time has it (Graves 2005).

    h_t = o * tanh(c_t), c_t = f * c_(t-1) + i * g for the LSTM; `CellEquations` says in what another cell differs. A
    graph of autograd would keep every product of every step, and add its weight's gradient step by step.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        recurrent: Tensor,
        bias: Tensor,
        peephole: Tensor | None,
        first: Tensor,
        memory: Tensor,
        mask: Tensor | None,
        family: CellEquations,
    ) -> tuple[Tensor, Tensor]:
        frames, batch, size = x.shape
        gates = linear(x.reshape(frames * batch, size), weight).view(frames, batch, -1).to(memory.dtype).add_(bias)
        memories = memory.new_empty(frames + 1, *memory.shape)
        outputs = x.new_empty(frames + 1, *memory.shape)
        memories[0], outputs[0] = memory, first
        # What recurs is the output of the step before, no copy of it, unless it is masked or something else.
        own = mask is not None or family.recurs != "h"
        past = x.new_empty(frames, batch, recurrent.shape[1]) if own else outputs[:-1]
        tape = _SavedForBackward(
            gates, memories, memories[1:] if family.identity else torch.empty_like(memories[1:]), past
        )
        _forward(tape, outputs, Product(recurrent, batch), Steps(family, memory.shape[1], peephole), mask)
        ctx.family = family
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, weight, recurrent, peephole, mask, *tape)
        return outputs[1:], memories[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_y: Tensor | None, d_memories: Tensor | None) -> tuple[Tensor | None, ...]:
        x, weight, recurrent, peephole, mask, *saved = ctx.saved_tensors
        tape, family = _SavedForBackward(*saved), ctx.family
        rows = len(recurrent)
        steps = Steps(family, tape.memories.shape[2], peephole)
        product = Product(recurrent.t(), x.shape[1])
        sums, d_first, d_memory = _backward(tape, (d_y, d_memories), product, steps, mask)
        flat = sums.view(-1, sums.shape[2])  # (T * N, G * H): each weight's gradient is one product over all steps
        past = tape.past.reshape(len(flat), -1)
        return (
            linear(flat, weight.t()).view(x.shape) if ctx.needs_input_grad[0] else None,
            linear(flat.t(), x.reshape(len(flat), -1).t()),
            linear(flat[:, :rows].t(), past.t()),
            flat.sum(0),
            None if peephole is None else _peephole_gradient(tape, sums, steps),
            d_first,
            d_memory,
            None,
            None,
        )


class _SavedForBackward(NamedTuple):
    """What the forward loop leaves for the backward loop.

    gates (T, N, G*H), memories (T + 1, N, H), active (T, N, H), past (T, N, R): the input of the recurrent product.
    """

    gates: Tensor
    memories: Tensor
    active: Tensor
    past: Tensor

    def frames(self, steps: Steps) -> list[StepBuffers]:
        memories = self.memories.unbind()
        return list(map(StepBuffers, steps.blocks(self.gates), memories, memories[1:], self.active.unbind()))


def _forward(tape: _SavedForBackward, outputs: Tensor, product: Product, steps: Steps, mask: Tensor | None) -> None:
    recurs = steps.family.recurs
    hidden = outputs.shape[2]
    rows = steps.family.recurrent_gates * hidden
    for frame, past, before, out in zip(tape.frames(steps), tape.past, outputs, outputs[1:], strict=False):
        if recurs != "h":
            past[:, -hidden:].copy_(frame.before)
        if recurs == "hc":
            past[:, :hidden].copy_(before)
        if mask is not None:
            torch.mul(before if recurs == "h" else past, mask, out=past)
        frame.gates.row[:, :rows].add_(product(past))
        steps.forward(frame, out)


def _backward(
    tape: _SavedForBackward,
    given: tuple[Tensor | None, Tensor | None],
    product: Product,
    steps: Steps,
    mask: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradient of all sums (T, N, G*H), of the first output, of the first memory."""
    d_y, d_memories = given
    frames = tape.frames(steps)
    sums = tape.past.new_empty(tape.gates.shape)
    rows = steps.family.recurrent_gates * tape.active.shape[2]
    d_memory = torch.zeros_like(tape.memories[0])
    d_out = torch.zeros_like(d_memory)
    # Gradients of the sums are computed in the wide type, then kept in that of the products.
    narrow = sums.dtype != tape.gates.dtype
    blocks = steps.blocks(torch.empty_like(tape.gates[:1]) if narrow else sums)
    for t in range(len(frames) - 1, -1, -1):
        if d_y is not None:
            d_out.add_(d_y[t])
        if d_memories is not None:
            d_memory.add_(d_memories[t])
        d_gates = blocks[0 if narrow else t]
        steps.backward(frames[t], d_out, d_memory, d_gates)
        if narrow:
            sums[t].copy_(d_gates.row)
        d_past = product(sums[t, :, :rows])
        if mask is not None:
            d_past.mul_(mask)
        _spread(d_past, d_out, d_memory, steps.family.recurs)
    return sums, d_out.to(tape.past.dtype), d_memory


def _spread(d_past: Tensor, d_out: Tensor, d_memory: Tensor, recurs: str) -> None:
    """Hand the gradient of what recurred to the output, the memory or both."""
    hidden = d_out.shape[1]
    if recurs == "c":
        d_out.zero_()
    else:
        d_out.copy_(d_past[:, :hidden])
    if recurs != "h":
        d_memory.add_(d_past[:, -hidden:])


def _peephole_gradient(tape: _SavedForBackward, sums: Tensor, steps: Steps) -> Tensor:
    """Return (3, H): each gate's gradient times the memory that it saw, over all steps."""
    before, after = tape.memories[:-1], tape.memories[1:]
    seen = (before, before, after if steps.late else before)
    # The families with a peephole have their gates in the order i, f, o, g.
    blocks = sums.chunk(4, 2)
    return torch.stack([(block * memory).sum((0, 1)) for block, memory in zip(blocks, seen, strict=False)])
