"""The cells with a memory that torch has no kernel for, in one direction of time."""

import math

import torch
from torch import Tensor, nn

from recognizer.network.cells.direction import Direction, State
from recognizer.network.cells.equations import equations_of
from recognizer.network.cells.fused import Weights, run_fused
from recognizer.network.cells.init import init_gates, init_recurrent
from recognizer.network.cells.loop import loop_memory
from recognizer.network.cells.options import make_norms
from recognizer.network.cells.settings import CellSettings


class MemoryDirection(Direction):
    """Run a cell with a memory; what its weights look like is left to the classes below."""

    def __init__(self, input_size: int, settings: CellSettings) -> None:
        """Make the options' weights."""
        sizes = (settings.output_size, settings.hidden)
        family = equations_of(settings)
        super().__init__(input_size, settings, sizes[1:] if family.recurs == "c" else sizes)
        self.family = family
        if settings.layer_norm:
            hidden = settings.hidden
            blocks = {"input": len(family.gates) * hidden, "recurrent": family.recurrent_gates * hidden}
            self.norms = make_norms({**blocks, "memory": hidden, "memory_bias": hidden})

    def weights(self) -> Weights:
        """Return the weights as dense matrices."""
        raise NotImplementedError

    def projection_weight(self) -> Tensor | None:
        """Return (P, H), or None where the output is not projected."""
        return None

    def run(self, x: Tensor, state: State) -> tuple[Tensor, ...]:
        """Map x (T, N, I) to outputs (T, N, output_size) with memories (T, N, hidden)."""
        weights = self.weights()
        memory = state[-1]
        first = memory.new_zeros(len(memory), self.output_size) if len(state) == 1 else state[0]
        mask = self.mask(x.shape[1], weights.recurrent.shape[1], x)
        start = (first.to(x.dtype), memory)
        if self.settings.zoneout or self.settings.layer_norm or self.settings.projection:
            projection = self.projection_weight()
            with torch.autocast(x.device.type, enabled=False):
                return loop_memory(x, weights, projection, start, mask, self.family, self.options())
        return run_fused(x, weights, start, mask, self.family)


class DenseDirection(MemoryDirection):
    """Run `lstm-1997`, `coupled`, `peephole` or `peephole-diagonal`."""

    def __init__(self, input_size: int, settings: CellSettings) -> None:
        """Begin uniformly in +-1/sqrt(hidden) as torch does, the gates' biases at the setting."""
        super().__init__(input_size, settings)
        hidden, size = settings.hidden, settings.output_size
        bound = 1 / math.sqrt(hidden)
        rows = len(self.family.gates) * hidden
        self.weight_input = _uniform(bound, rows, input_size)
        self.weight_recurrent = _uniform(bound, self.family.recurrent_gates * hidden, size)
        self.bias = _uniform(bound, rows)
        if settings.cell == "peephole-diagonal":
            self.weight_peephole = _uniform(bound, 3, hidden)
        if settings.projection:
            self.weight_projection = _uniform(bound, size, hidden)
        blocks = dict(zip(self.family.gates, self.bias.chunk(len(self.family.gates)), strict=True))
        init_gates(settings, blocks.get("f"), blocks.get("i"))
        init_recurrent(settings, self.weight_recurrent)

    def weights(self) -> Weights:
        """Return the weights as they are."""
        peephole = self.weight_peephole if self.family.peephole == "diagonal" else None
        return Weights(self.weight_input, self.weight_recurrent, self.bias, peephole)

    def projection_weight(self) -> Tensor | None:
        """Return (P, H), or None where the output is not projected."""
        return self.weight_projection if self.settings.projection else None


def _uniform(bound: float, *shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))
