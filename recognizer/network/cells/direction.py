"""What every recurrent layer in one direction of time offers."""

import torch
from torch import Tensor, nn

from recognizer.network.cells.settings import CellSettings

State = tuple[Tensor, ...]


class Direction(nn.Module):
    """Run one cell over time in one direction.

    A state is a tuple of (N, size): the output of the last frame, then the memory where the cell has one.
    """

    def __init__(self, input_size: int, settings: CellSettings, state_sizes: tuple[int, ...]) -> None:
        """Keep the sizes; make the state before the first frame a parameter where it is learned."""
        super().__init__()
        self.input_size = input_size
        self.settings = settings
        self.output_size = settings.output_size
        self.state_sizes = state_sizes
        learned = state_sizes if settings.learned_state else ()
        self.first = nn.ParameterList(nn.Parameter(torch.zeros(size)) for size in learned)

    def first_state(self, batch: int, like: Tensor) -> State:
        """Return the state before the first frame for `batch` sequences, in the dtype of `like`, on its device."""
        if self.settings.learned_state:
            return tuple(value.to(like.dtype).expand(batch, -1).contiguous() for value in self.first)
        return tuple(like.new_zeros(batch, size) for size in self.state_sizes)

    def forward(self, x: Tensor, counts: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return outputs (N, T, output_size), zero at padding, with the state after each sample's last frame."""
        raise NotImplementedError

    def outputs(self, x: Tensor, counts: Tensor) -> Tensor:
        """Return what `forward` returns, without the state."""
        return self(x, counts)[0]  # type: ignore[no-any-return]


def at_end(y: Tensor, counts: Tensor, before: Tensor) -> Tensor:
    """Return the frame (N, size) of y (N, T, size) that each sample ends with; `before` where it has no frame."""
    rows = torch.arange(len(y), device=y.device)
    return torch.where((counts > 0)[:, None], y[rows, (counts - 1).clamp(min=0)], before)


def working_dtype(x: Tensor) -> torch.dtype:
    """Return the type to compute in: autocast's where it is on, else that of x."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
