"""The convolutional cell (Shi et al. 2015): gates that see maps (channels, features) through convolutions."""

import math

import torch
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.network.cells.fused import Weights
from recognizer.network.cells.init import init_gates
from recognizer.network.cells.lstm_cells import MemoryDirection
from recognizer.network.cells.settings import CellSettings


class ConvolutionalDirection(MemoryDirection):
    """Run f, i, o = sigmoid(W*x + U*h' + V*c' + b) with convolutions along the features, zero beyond the edges.

    Frames are flat: (channels, features), channel by channel, at the input as at the output. The convolutions are
    written out as banded matrices once a batch, so that the loop over time is that of the dense cells.
    """

    def __init__(self, input_size: int, settings: CellSettings) -> None:
        """Make the kernels; refuse an input that is not whole maps of `features` rows."""
        super().__init__(input_size, settings)
        rows = settings.features
        if input_size % rows:
            raise RecognizerError(
                f"network.cell: input of {input_size} features: expected a multiple of the cell's features ({rows})"
            )
        channels, seen = settings.hidden // rows, input_size // rows
        bound = 1 / math.sqrt(channels * settings.kernel)
        self.kernel_input = _uniform(bound, 4 * channels, seen, settings.kernel)
        self.kernel_recurrent = _uniform(bound, 4 * channels, channels, settings.kernel)
        self.bias = _uniform(bound, 4 * channels)
        i, f, _, _ = self.bias.chunk(4)
        init_gates(settings, f, i)
        if settings.memory_kernel:
            self.kernel_memory = _uniform(bound, 3 * channels, channels, settings.memory_kernel)
        else:
            self.weight_peephole = _uniform(bound, 3, settings.hidden)

    def weights(self) -> Weights:
        """Return the convolutions as matrices."""
        rows = self.settings.features
        recurrent = banded(self.kernel_recurrent, rows)
        peephole = None
        if self.settings.memory_kernel:
            memory = banded(self.kernel_memory, rows)
            blind = memory.new_zeros(self.settings.hidden, self.settings.hidden)
            recurrent = torch.cat((recurrent, torch.cat((memory, blind))), dim=1)
        else:
            peephole = self.weight_peephole
        return Weights(banded(self.kernel_input, rows), recurrent, self.bias.repeat_interleave(rows), peephole)


def banded(kernel: Tensor, rows: int) -> Tensor:
    """Return the matrix (out * rows, in * rows) that convolves maps (in, rows) with kernel (out, in, width)."""
    out, seen, width = kernel.shape
    steps = torch.arange(rows, device=kernel.device)
    taps = steps[None, :] - steps[:, None] + width // 2
    inside = (taps >= 0) & (taps < width)
    dense = kernel[:, :, taps.clamp(0, width - 1).view(-1)].view(out, seen, rows, rows) * inside
    return dense.transpose(1, 2).reshape(out * rows, seen * rows)


def _uniform(bound: float, *shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))
