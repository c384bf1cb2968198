"""One step of a cell with a memory, forward then backward, in place on buffers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from recognizer.network.cells.family import Family

sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
tanh_backward = torch.ops.aten.tanh_backward.grad_input


@dataclass(frozen=True)
class Frame:
    """Buffers of one step, each (N, ...): gates after their activation, memory before, memory after, its activation."""

    gates: Tensor
    before: Tensor
    memory: Tensor
    active: Tensor


class Steps:
    """Compute steps of a family; `peephole` (3, H) are the elementwise weights of i, f, o, if it has any."""

    def __init__(self, family: Family, hidden: int, peephole: Tensor | None) -> None:
        """Place each gate's block of columns."""
        self.family = family
        self.at = {gate: slice(n * hidden, (n + 1) * hidden) for n, gate in enumerate(family.gates)}
        self.sigmoids = slice(0, (len(family.gates) - 1) * hidden)
        self.early = slice(0, 2 * hidden)
        self.peephole = peephole

    def forward(self, frame: Frame, out: Tensor) -> None:
        """Turn the sums in `frame.gates` into gates; fill memory, active and the output `out` (N, H)."""
        gates, at = frame.gates, self.at
        if self.family.peephole == "previous":
            _peep(gates[:, self.sigmoids], frame.before, self.peephole)
        elif self.family.peephole == "diagonal":
            assert self.peephole is not None
            _peep(gates[:, self.early], frame.before, self.peephole[:2])
        self._activate(gates)
        self._remember(gates, frame.before, frame.memory)
        if self.family.peephole == "diagonal":
            assert self.peephole is not None
            gates[:, at["o"]].addcmul_(frame.memory, self.peephole[2]).sigmoid_()
        if not self.family.identity:
            tanh(frame.memory, frame.active)
        torch.mul(gates[:, at["o"]], frame.active, out=out)

    def _activate(self, gates: Tensor) -> None:
        candidate = gates[:, self.at["g"]]
        if self.family.peephole == "diagonal":
            gates[:, self.early].sigmoid_()
            tanh(candidate, candidate)
            return
        # One sigmoid over the whole row: tanh(x) = 2 sigmoid(2x) - 1.
        candidate.mul_(2)
        gates.sigmoid_()
        candidate.mul_(2).sub_(1)

    def _remember(self, gates: Tensor, before: Tensor, memory: Tensor) -> None:
        candidate = gates[:, self.at["g"]]
        if self.family.forget == "complement":
            torch.lerp(candidate, before, gates[:, self.at["f"]], out=memory)
        elif self.family.forget == "one":
            torch.addcmul(before, gates[:, self.at["i"]], candidate, out=memory)
        else:
            torch.mul(gates[:, self.at["f"]], before, out=memory)
            memory.addcmul_(gates[:, self.at["i"]], candidate)

    def backward(self, frame: Frame, d_out: Tensor, d_memory: Tensor, d_gates: Tensor) -> None:
        """Fill d_gates (N, G*H), the gradient of the sums; turn d_memory from that of the memory after into before.

        d_out (N, H) is spent on the way.
        """
        gates, at = frame.gates, self.at
        torch.mul(d_out, frame.active, out=d_gates[:, at["o"]])
        d_out.mul_(gates[:, at["o"]])
        if not self.family.identity:
            tanh_backward(d_out, frame.active, grad_input=d_out)
        d_memory.add_(d_out)
        if self.family.peephole == "diagonal":
            assert self.peephole is not None
            o = d_gates[:, at["o"]]
            sigmoid_backward(o, gates[:, at["o"]], grad_input=o)
            d_memory.addcmul_(o, self.peephole[2])
        self._forget(frame, d_memory, d_gates)
        span = self.early if self.family.peephole == "diagonal" else self.sigmoids
        sigmoid_backward(d_gates[:, span], gates[:, span], grad_input=d_gates[:, span])
        candidate = d_gates[:, at["g"]]
        tanh_backward(candidate, gates[:, at["g"]], grad_input=candidate)
        self._unpeep(d_gates, d_memory)

    def _forget(self, frame: Frame, d_memory: Tensor, d_gates: Tensor) -> None:
        gates, at = frame.gates, self.at
        candidate, d_candidate = gates[:, at["g"]], d_gates[:, at["g"]]
        if self.family.forget == "complement":
            d_forget = d_gates[:, at["f"]]
            torch.sub(frame.before, candidate, out=d_forget).mul_(d_memory)
            torch.addcmul(d_memory, d_memory, gates[:, at["f"]], value=-1, out=d_candidate)
            d_memory.mul_(gates[:, at["f"]])
            return
        torch.mul(d_memory, candidate, out=d_gates[:, at["i"]])
        torch.mul(d_memory, gates[:, at["i"]], out=d_candidate)
        if self.family.forget == "gate":
            torch.mul(d_memory, frame.before, out=d_gates[:, at["f"]])
            d_memory.mul_(gates[:, at["f"]])

    def _unpeep(self, d_gates: Tensor, d_memory: Tensor) -> None:
        if self.peephole is None:
            return
        for n in range(3 if self.family.peephole == "previous" else 2):
            d_memory.addcmul_(d_gates[:, self.at["ifo"[n]]], self.peephole[n])


def tanh(x: Tensor, out: Tensor) -> None:
    """Write tanh(x) to `out`; on a CPU through the sigmoid, which torch computes six times as fast."""
    if x.is_cpu:
        torch.mul(x, 2, out=out)
        out.sigmoid_().mul_(2).sub_(1)
    else:
        torch.tanh(x, out=out)


def _peep(gates: Tensor, memory: Tensor, peephole: Tensor | None) -> None:
    assert peephole is not None
    n, blocks = len(gates), len(peephole)
    gates.view(n, blocks, -1).addcmul_(memory[:, None], peephole)
