"""A recurrent layer in one or both directions over padded batches."""

import torch
from torch import Tensor, nn

from recognizer.network.cells.convolutional import ConvolutionalDirection
from recognizer.network.cells.direction import Direction, working_dtype
from recognizer.network.cells.lstm_cells import DenseDirection
from recognizer.network.cells.settings import CellSettings
from recognizer.network.cells.torch_cells import LstmDirection, SimpleDirection, run_both_kernels
from recognizer.network.reversal import reverse_padded


def build_direction(input_size: int, settings: CellSettings) -> Direction:
    """Return the layer of one direction that `settings` name."""
    kinds: dict[str, type[Direction]] = {
        "lstm": LstmDirection,
        "gru": SimpleDirection,
        "rnn": SimpleDirection,
        "convolutional": ConvolutionalDirection,
    }
    return kinds.get(settings.cell, DenseDirection)(input_size, settings)  # type: ignore[call-arg]


class RecurrentLayer(nn.Module):
    """Run a cell forward in time; in a bidirectional layer also backward from each sample's own last frame."""

    def __init__(self, input_size: int, settings: CellSettings, bidirectional: bool) -> None:
        """Make one set of weights for each direction."""
        super().__init__()
        self.directions = nn.ModuleList(build_direction(input_size, settings) for _ in range(1 + bidirectional))
        self.output_size = settings.output_size * len(self.directions)

    def forward(self, x: Tensor, counts: Tensor) -> Tensor:
        """Map x (N, T, input_size) to (N, T, output_size), zero at padding; forward outputs stand first."""
        # A GPU waits between the steps of one direction, so that both together take hardly longer than one.
        if x.is_cuda and self.has_kernel_for_both() and int(counts.min()) > 0:
            return self.both(x, counts)
        y: Tensor = self.directions[0].outputs(x, counts)  # type: ignore[operator]
        if len(self.directions) == 1:
            return y
        backward = self.directions[1].outputs(reverse_padded(x, counts), counts)  # type: ignore[operator]
        return torch.cat((y, reverse_padded(backward, counts)), dim=2)

    def has_kernel_for_both(self) -> bool:
        """Say whether torch has one kernel that runs both directions: plain cells of torch from a state of zeros."""
        return len(self.directions) == 2 and all(
            isinstance(one, LstmDirection | SimpleDirection) and one.settings.plain and not one.settings.learned_state
            for one in self.directions
        )

    def both(self, x: Tensor, counts: Tensor) -> Tensor:
        """Return what `forward` returns, by one kernel over packed frames; counts (N,) are above 0."""
        kernels = [one.rnn for one in self.directions]
        return run_both_kernels(kernels, x.to(working_dtype(x)), counts)  # type: ignore[arg-type]
