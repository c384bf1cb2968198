"""The scan of a multidimensional LSTM over diagonals as one differentiable function."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recognizer.network.cells.steps import tanh
from recognizer.network.private_operators import sigmoid_backward, tanh_backward


def scan_diagonals(sums: Tensor, recurrent: Tensor, peephole: Tensor) -> Tensor:
    """Run sums (K, D, N, R, 5 * S) of gates i, f along the row, f down the column, o, g to outputs (K, D, N, R, S).

    On diagonal k row r stands at column k - r: both its neighbours, left in its row as well as above, were computed
    on diagonal k - 1, so that one step does all rows at once. Rows that have not begun keep an empty state.
    `recurrent` (D, 2 * S, 5 * S) multiplies the outputs at left, above; `peephole` (D, 5, S) the memories that gates
    see: i the left, i the one above, f the left, f the one above, o the new one.
    """
    return _Scan.apply(sums, recurrent, peephole[:, :, None, None])  # type: ignore[no-any-return,no-untyped-call]


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sums: Tensor, recurrent: Tensor, peephole: Tensor) -> Tensor:
        steps, directions, batch, rows, _ = sums.shape
        size = recurrent.shape[1] // 2
        # Row 0 of a state stands above the picture: always empty, so that `above` is a view like `left`.
        state = (steps + 1, directions, batch, rows + 1, size)
        outputs, memories = sums.new_zeros(state), sums.new_zeros(state)
        past = sums.new_empty(steps, directions, batch, rows, 2 * size)
        tape = _SavedForBackward(
            sums.clone(memory_format=torch.contiguous_format),
            memories,
            sums.new_empty(steps, directions, batch, rows, size),
            past,
        )
        weights = peephole.unbind(1)
        for k, cell in enumerate(tape.cells()):
            past[k, ..., :size].copy_(outputs[k, :, :, 1:])
            past[k, ..., size:].copy_(outputs[k, :, :, :-1])
            cell.gates.row.flatten(1, 2).baddbmm_(past[k].flatten(1, 2), recurrent)
            _forward(cell, weights, outputs[k + 1, :, :, 1:])
            # Early diagonals do not reach the lower rows: what was computed there is nothing, and is nobody's past.
            if k < rows - 1:
                outputs[k + 1, :, :, k + 2 :].zero_()
                cell.memory[:, :, k + 1 :].zero_()
        ctx.save_for_backward(recurrent, peephole, *tape)
        return outputs[1:, :, :, 1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        recurrent, peephole, *saved = ctx.saved_tensors
        tape = _SavedForBackward(*saved)
        sums = torch.empty_like(tape.gates)
        _backward(tape, d_y, sums, recurrent.transpose(1, 2).contiguous(), peephole.unbind(1))
        directions = len(recurrent)
        flat = sums.transpose(0, 1).reshape(directions, -1, sums.shape[4])
        past = tape.past.transpose(0, 1).reshape(directions, -1, tape.past.shape[4])
        return sums, torch.bmm(past.transpose(1, 2), flat), _peephole_gradient(tape, sums)


class _Gates(NamedTuple):
    """Views of one diagonal's gates (D, N, R, 5 * S); `opened` are i, left, up side by side."""

    row: Tensor
    opened: Tensor
    i: Tensor
    left: Tensor
    up: Tensor
    o: Tensor
    g: Tensor


class _Cell(NamedTuple):
    """Buffers of one diagonal: gates; (D, N, R, S) memories to the left, above, after, their activation."""

    gates: _Gates
    left: Tensor
    above: Tensor
    memory: Tensor
    active: Tensor


class _SavedForBackward(NamedTuple):
    """What the forward scan leaves: gates, memories with their empty first step as well as row, active, past."""

    gates: Tensor
    memories: Tensor
    active: Tensor
    past: Tensor

    def cells(self) -> list[_Cell]:
        own, above = self.memories[:, :, :, 1:].unbind(), self.memories[:, :, :, :-1].unbind()
        return list(map(_Cell, _views(self.gates), own, above, own[1:], self.active.unbind()))


def _views(gates: Tensor) -> list[_Gates]:
    """Cut gates (K, D, N, R, 5 * S) into views for each diagonal, all at once."""
    size = gates.shape[4] // 5
    parts = (gates, gates[..., : 3 * size], *gates.chunk(5, 4))
    return list(map(_Gates, *(part.unbind() for part in parts)))


def _forward(cell: _Cell, peephole: tuple[Tensor, ...], out: Tensor) -> None:
    """Go on by a diagonal, whose sums of input and recurrence stand in the gates (Graves and Schmidhuber 2008).

    c = left * c_left + up * c_above + i * g and y = o * tanh(c), with a forget gate for each of the two memories.
    """
    gates, left, above, memory, active = cell
    gates.i.addcmul_(left, peephole[0]).addcmul_(above, peephole[1])
    gates.left.addcmul_(left, peephole[2])
    gates.up.addcmul_(above, peephole[3])
    gates.opened.sigmoid_()
    tanh(gates.g, gates.g)
    torch.mul(gates.left, left, out=memory)
    memory.addcmul_(gates.up, above).addcmul_(gates.i, gates.g)
    gates.o.addcmul_(memory, peephole[4]).sigmoid_()
    tanh(memory, active)
    torch.mul(gates.o, active, out=out)


def _backward(
    tape: _SavedForBackward, d_y: Tensor, sums: Tensor, recurrent: Tensor, peephole: tuple[Tensor, ...]
) -> None:
    """Fill `sums` with the gradient of the sums; `recurrent` (D, 5 * S, 2 * S) is transposed."""
    _, directions, batch, rows, size = tape.active.shape
    d_output, d_memory = (sums.new_zeros(directions, batch, rows + 1, size) for _ in range(2))
    d_above = sums.new_empty(directions, batch, rows, size)
    own, own_output = d_memory[:, :, 1:], d_output[:, :, 1:]
    cells, d_gates = tape.cells(), _views(sums)
    for k in range(len(cells) - 1, -1, -1):
        own_output.add_(d_y[k])
        if k < rows - 1:
            own_output[:, :, k + 1 :].zero_()
            own[:, :, k + 1 :].zero_()
        _step_back(cells[k], own_output, own, d_above, d_gates[k], peephole)
        d_past = torch.bmm(d_gates[k].row.flatten(1, 2), recurrent).view(directions, batch, rows, 2 * size)
        own_output.copy_(d_past[..., :size])
        d_output[:, :, :-1].add_(d_past[..., size:])
        d_memory[:, :, :-1].add_(d_above)


def _step_back(
    cell: _Cell, d_out: Tensor, d_memory: Tensor, d_above: Tensor, d_gates: _Gates, peephole: tuple[Tensor, ...]
) -> None:
    """Turn d_memory from the gradient of the memory into that of the left one; fill d_above with the other's."""
    gates = cell.gates
    torch.mul(d_out, cell.active, out=d_gates.o)
    sigmoid_backward(d_gates.o, gates.o, grad_input=d_gates.o)
    d_out.mul_(gates.o)
    d_memory.add_(tanh_backward(d_out, cell.active, grad_input=d_out)).addcmul_(d_gates.o, peephole[4])
    torch.mul(d_memory, gates.g, out=d_gates.i)
    torch.mul(d_memory, cell.left, out=d_gates.left)
    torch.mul(d_memory, cell.above, out=d_gates.up)
    torch.mul(d_memory, gates.i, out=d_gates.g)
    sigmoid_backward(d_gates.opened, gates.opened, grad_input=d_gates.opened)
    tanh_backward(d_gates.g, gates.g, grad_input=d_gates.g)
    torch.mul(d_memory, gates.up, out=d_above)
    d_above.addcmul_(d_gates.i, peephole[1]).addcmul_(d_gates.up, peephole[3])
    d_memory.mul_(gates.left).addcmul_(d_gates.i, peephole[0]).addcmul_(d_gates.left, peephole[2])


def _peephole_gradient(tape: _SavedForBackward, sums: Tensor) -> Tensor:
    """Return (D, 5, 1, 1, S): each gate's gradient times the memory that it saw, over all positions."""
    i, left, up, o, _ = sums.chunk(5, 4)
    before, above = tape.memories[:-1, :, :, 1:], tape.memories[:-1, :, :, :-1]
    pairs = ((i, before), (i, above), (left, before), (up, above), (o, tape.memories[1:, :, :, 1:]))
    return torch.stack([(gate * seen).sum((0, 2, 3)) for gate, seen in pairs], 1)[:, :, None, None]
