"""What every recurrent layer in one direction of time offers."""

import torch
from torch import Tensor, nn

from recognizer.network.cells.options import StepOptions, options_of, recurrent_mask
from recognizer.network.cells.settings import CellSettings
from recognizer.network.masks import valid_mask

State = tuple[Tensor, ...]


class Direction(nn.Module):
    """Run one cell over time in one direction.

    A state is a tuple of (N, size): the output of the last frame, then the memory where the cell has one; the
    peephole cell, whose output does not recur, has the memory alone.
    """

    norms: nn.ParameterDict

    def __init__(self, input_size: int, settings: CellSettings, state_sizes: tuple[int, ...]) -> None:
        """Keep the sizes; make the state before the first frame a parameter where it is learned."""
        super().__init__()
        self.input_size = input_size
        self.settings = settings
        self.output_size = settings.output_size
        self.state_sizes = state_sizes
        learned = state_sizes if settings.learned_state else ()
        self.first = nn.ParameterList(nn.Parameter(torch.zeros(size)) for size in learned)
        self.norms = nn.ParameterDict()

    def first_state(self, batch: int, like: Tensor) -> State:
        """Return the state before the first frame for `batch` sequences, in the dtype of `like`, on its device."""
        if self.settings.learned_state:
            return tuple(value.to(like.dtype).expand(batch, -1).contiguous() for value in self.first)
        return tuple(like.new_zeros(batch, size) for size in self.state_sizes)

    def forward(self, x: Tensor, counts: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return outputs (N, T, output_size), zero at padding, with the state after each sample's last frame."""
        x = x.to(working_dtype(x))
        before = self.first_state(len(x), x) if state is None else state
        parts = self.run(x.transpose(0, 1), before)
        y, *kept = (part.transpose(0, 1) for part in parts)
        after = tuple(
            _at_end(part, counts, first) for part, first in zip((y, *kept)[-len(before) :], before, strict=True)
        )
        return clear_padding(y, counts), after

    def outputs(self, x: Tensor, counts: Tensor) -> Tensor:
        """Return what `forward` returns, without the state."""
        x = x.to(working_dtype(x))
        y = self.run(x.transpose(0, 1), self.first_state(len(x), x))[0]
        return clear_padding(y.transpose(0, 1), counts)

    def run(self, x: Tensor, state: State) -> tuple[Tensor, ...]:
        """Map x (T, N, I) to outputs (T, N, output_size), followed by memories (T, N, hidden) if there are any."""
        raise NotImplementedError

    def options(self) -> StepOptions:
        """Return what changes a step now."""
        return options_of(self.settings, self.norms, self.training)

    def mask(self, batch: int, size: int, like: Tensor) -> Tensor | None:
        """Draw this sequence's mask (N, size) of what recurs; None outside training."""
        return recurrent_mask(self.settings.recurrent_dropout, (batch, size), like) if self.training else None


def working_dtype(x: Tensor) -> torch.dtype:
    """Return the type to compute in: autocast's where it is on, else that of x."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def clear_padding(y: Tensor, counts: Tensor) -> Tensor:
    """Return y (N, T, size) with zeros at padding."""
    return y.masked_fill(~valid_mask(counts.to(y.device), y.shape[1])[:, :, None], 0.0)


def _at_end(y: Tensor, counts: Tensor, before: Tensor) -> Tensor:
    """Return the frame (N, size) of y (N, T, size) that each sample ends with; `before` where it has no frame."""
    rows = torch.arange(len(y), device=y.device)
    counts = counts.to(y.device)
    return torch.where((counts > 0)[:, None], y[rows, (counts - 1).clamp(min=0)], before.to(y.dtype))
