"""One step of a cell with a memory, forward then backward, in place on buffers."""

from typing import NamedTuple

import torch
from torch import Tensor

from recognizer.network.cells.equations import CellEquations
from recognizer.network.private_operators import sigmoid_backward, tanh_backward


class Blocks(NamedTuple):
    """Views of one row of gates (N, G*H); a gate that the cell lacks is None.

    `opened` are the gates that open before the memory is known, side by side.
    """

    row: Tensor
    opened: Tensor
    i: Tensor | None
    f: Tensor | None
    o: Tensor
    g: Tensor


class StepBuffers(NamedTuple):
    """Buffers of one step: gates after their activation; (N, H) memory before, memory after, its activation."""

    gates: Blocks
    before: Tensor
    memory: Tensor
    active: Tensor


class Steps:
    """Compute steps of a family; `peephole` (3, H) are the elementwise weights of i, f, o, if it has any."""

    def __init__(self, family: CellEquations, hidden: int, peephole: Tensor | None) -> None:
        """Place each gate's block of columns."""
        self.family = family
        self.hidden = hidden
        self.late = family.peephole == "diagonal"
        self.peephole = () if peephole is None else peephole.unbind()

    def blocks(self, rows: Tensor) -> list[Blocks]:
        """Cut rows (T, N, G*H) into views for each step, all at once: a slice a step would cost as much as the work."""
        gates = self.family.gates
        at = dict(zip(gates, rows.chunk(len(gates), 2), strict=True))
        opened = rows[..., : (len(gates) - 1 - self.late) * self.hidden]
        lists = [at[gate].unbind() if gate in at else [None] * len(rows) for gate in "ifog"]
        return list(map(Blocks, rows.unbind(), opened.unbind(), *lists))

    def forward(self, frame: StepBuffers, out: Tensor) -> None:
        """Turn the sums in `frame.gates` into gates; fill memory, active and the output `out` (N, H)."""
        gates = frame.gates
        for part, weight in zip(self._peeping(gates), self.peephole, strict=False):
            part.addcmul_(frame.before, weight)
        if self.late:
            gates.opened.sigmoid_()
            tanh(gates.g, gates.g)
        else:
            _activate(gates)
        self._remember(frame)
        if self.late:
            gates.o.addcmul_(frame.memory, self.peephole[2]).sigmoid_()
        if not self.family.identity:
            tanh(frame.memory, frame.active)
        torch.mul(gates.o, frame.active, out=out)

    def backward(self, frame: StepBuffers, d_out: Tensor, d_memory: Tensor, d_gates: Blocks) -> None:
        """Fill d_gates, the gradient of the sums; turn d_memory from that of the memory after into that before.

        d_out (N, H) is spent on the way.
        """
        gates = frame.gates
        torch.mul(d_out, frame.active, out=d_gates.o)
        d_out.mul_(gates.o)
        if not self.family.identity:
            tanh_backward(d_out, frame.active, grad_input=d_out)
        d_memory.add_(d_out)
        if self.late:
            sigmoid_backward(d_gates.o, gates.o, grad_input=d_gates.o)
            d_memory.addcmul_(d_gates.o, self.peephole[2])
        self._forget(frame, d_memory, d_gates)
        sigmoid_backward(d_gates.opened, gates.opened, grad_input=d_gates.opened)
        tanh_backward(d_gates.g, gates.g, grad_input=d_gates.g)
        for part, weight in zip(self._peeping(d_gates), self.peephole, strict=False):
            d_memory.addcmul_(part, weight)

    def _peeping(self, gates: Blocks) -> list[Tensor]:
        """Return the gates that look at the memory before the step."""
        if not self.peephole:
            return []
        assert gates.i is not None and gates.f is not None
        return [gates.i, gates.f] if self.late else [gates.i, gates.f, gates.o]

    def _remember(self, frame: StepBuffers) -> None:
        gates, before, memory = frame.gates, frame.before, frame.memory
        if gates.i is None:
            torch.lerp(gates.g, before, gates.f, out=memory)  # type: ignore[arg-type]
        elif gates.f is None:
            torch.addcmul(before, gates.i, gates.g, out=memory)
        else:
            torch.mul(gates.f, before, out=memory)
            memory.addcmul_(gates.i, gates.g)

    def _forget(self, frame: StepBuffers, d_memory: Tensor, d_gates: Blocks) -> None:
        gates = frame.gates
        if d_gates.i is None or gates.i is None:
            assert gates.f is not None and d_gates.f is not None
            torch.sub(frame.before, gates.g, out=d_gates.f).mul_(d_memory)
            torch.addcmul(d_memory, d_memory, gates.f, value=-1, out=d_gates.g)
            d_memory.mul_(gates.f)
            return
        torch.mul(d_memory, gates.g, out=d_gates.i)
        torch.mul(d_memory, gates.i, out=d_gates.g)
        if gates.f is not None and d_gates.f is not None:
            torch.mul(d_memory, frame.before, out=d_gates.f)
            d_memory.mul_(gates.f)


def _activate(gates: Blocks) -> None:
    # One sigmoid over the whole row: tanh(x) = 2 sigmoid(2x) - 1.
    gates.g.mul_(2)
    gates.row.sigmoid_()
    gates.g.mul_(2).sub_(1)


def tanh(x: Tensor, out: Tensor) -> None:
    """Write tanh(x) to `out`; on a CPU through the sigmoid, which torch computes six times as fast."""
    if x.is_cpu:
        torch.mul(x, 2, out=out)
        out.sigmoid_().mul_(2).sub_(1)
    else:
        torch.tanh(x, out=out)
