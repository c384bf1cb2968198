"""A recurrent layer in one or both directions over padded batches."""

import torch
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.network.cells.builtin import BuiltinDirection
from recognizer.network.cells.direction import Direction
from recognizer.network.cells.settings import CellSettings
from recognizer.network.reverse import reverse_padded


def build_direction(input_size: int, settings: CellSettings) -> Direction:
    """Return the layer of one direction that `settings` name."""
    if settings.cell in ("lstm", "gru", "rnn") and settings.plain:
        return BuiltinDirection(input_size, settings)
    raise RecognizerError(f"network.cell: {settings.cell} with these options does not exist yet: wanted lstm, gru, rnn")


class RecurrentLayer(nn.Module):
    """Run a cell forward in time; in a bidirectional layer also backward from each sample's own last frame."""

    def __init__(self, input_size: int, settings: CellSettings, bidirectional: bool) -> None:
        """Make one set of weights for each direction."""
        super().__init__()
        self.directions = nn.ModuleList(build_direction(input_size, settings) for _ in range(1 + bidirectional))
        self.output_size = settings.output_size * len(self.directions)

    def forward(self, x: Tensor, counts: Tensor) -> Tensor:
        """Map x (N, T, input_size) to (N, T, output_size), zero at padding; forward outputs stand first."""
        y: Tensor = self.directions[0].outputs(x, counts)  # type: ignore[operator]
        if len(self.directions) == 1:
            return y
        backward = self.directions[1].outputs(reverse_padded(x, counts), counts)  # type: ignore[operator]
        return torch.cat((y, reverse_padded(backward, counts)), dim=2)


def build_layer(input_size: int, settings: CellSettings, bidirectional: bool) -> RecurrentLayer:
    """Return a layer that maps (N, T, input_size) with counts (N,) to (N, T, output_size)."""
    return RecurrentLayer(input_size, settings, bidirectional)
