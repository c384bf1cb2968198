"""A front of multidimensional LSTM layers with hierarchical subsampling (Graves and Schmidhuber 2009)."""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.network.cells.direction import working_dtype
from recognizer.network.cells.mdlstm_scan import scan_diagonals
from recognizer.network.masks import valid_mask
from recognizer.network.reversal import reverse_padded

DIRECTIONS = 4
GATES = 5
WHERE = "network.front.multidimensional"  # of the settings, for messages


@dataclass(frozen=True)
class MultidimensionalSettings:
    """Settings of the front, one entry a level.

    Args:
        sizes: memory cells of each level in each of the four directions.
        blocks: (rows, columns) that are gathered into one position before each level.
        between: units of the tanh layer that gathers all directions before each level but the first.
        forget_bias: bias of both forget gates at the start; they add up, so 1 would let the memory grow.
    """

    sizes: list[int] = field(default_factory=lambda: [4, 20, 100])
    blocks: list[list[int]] = field(default_factory=lambda: [[4, 2], [4, 2], [3, 1]])
    between: list[int] = field(default_factory=lambda: [12, 40])
    forget_bias: float = 0.0

    def __post_init__(self) -> None:
        """Refuse levels that do not fit each other."""
        levels = len(self.sizes)
        fits = levels > 0 and len(self.blocks) == levels and len(self.between) == levels - 1
        if not fits:
            raise RecognizerError(
                f"{WHERE}: {levels} sizes, {len(self.blocks)} blocks, {len(self.between)} between: "
                "wanted one block a size with one between fewer"
            )
        if any(len(block) != 2 for block in self.blocks):
            raise RecognizerError(f"{WHERE}: a block is two numbers, rows and columns")
        if min(*self.sizes, *self.between, *(edge for block in self.blocks for edge in block)) < 1:
            raise RecognizerError(f"{WHERE}: wanted sizes, blocks, between of at least 1")

    @property
    def stride(self) -> int:
        """Columns that make one output frame."""
        return math.prod(columns for _, columns in self.blocks)


class MultidimensionalFront(nn.Module):
    """Read a picture from its four corners at once, level by level, then add up its rows."""

    def __init__(self, settings: MultidimensionalSettings) -> None:
        """Make the levels with the tanh layers between them."""
        super().__init__()
        self.settings = settings
        first = math.prod(settings.blocks[0])
        areas = [math.prod(block) for block in settings.blocks[1:]]
        gathered = [area * DIRECTIONS * size for area, size in zip(areas, settings.sizes, strict=False)]
        self.between = nn.ModuleList(map(nn.Linear, gathered, settings.between))
        inputs = (first, *settings.between)
        self.levels = nn.ModuleList(
            MultidimensionalLayer(seen, size, settings.forget_bias)
            for seen, size in zip(inputs, settings.sizes, strict=True)
        )
        self.output_size = DIRECTIONS * settings.sizes[-1]

    def counts_out(self, counts: Tensor) -> Tensor:
        """Return how many frames come out for `counts` columns."""
        return -(-counts // self.settings.stride)

    def forward(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (N, T, height) to (N, T', output_size), zero at padding, with the new counts."""
        dtype = working_dtype(x)
        # The matrices are too small for bfloat16 to help; the memory is better kept exact.
        with torch.autocast(x.device.type, enabled=False):
            picture = x.float() if x.dtype != torch.float64 else x
            grid = picture.masked_fill(~valid_mask(counts, x.shape[1])[:, :, None], 0.0)[:, :, :, None]
            for n, (level, block) in enumerate(zip(self.levels, self.settings.blocks, strict=True)):
                grid = gather_blocks(grid, block)
                counts = torch.div(counts + block[1] - 1, block[1], rounding_mode="floor")
                if n:
                    grid = torch.tanh(self.between[n - 1](grid))
                grid = level(grid, counts)
            return grid.sum(2).to(dtype), counts


class MultidimensionalLayer(nn.Module):
    """Scan a grid with an LSTM from each of its four corners (Graves, Fernandez and Schmidhuber 2007)."""

    def __init__(self, input_size: int, size: int, forget_bias: float) -> None:
        """Make weights for the gates i, f along time, f along the rows, o, g of each direction."""
        super().__init__()
        self.size = size
        bound = 1 / math.sqrt(2 * size)
        self.weight_input = _uniform(bound, DIRECTIONS, input_size, GATES * size)
        self.weight_recurrent = _uniform(bound, DIRECTIONS, 2 * size, GATES * size)
        self.weight_peephole = _uniform(bound, DIRECTIONS, 5, size)
        self.bias = _uniform(bound, DIRECTIONS, 1, GATES * size)
        nn.init.constant_(self.bias[:, :, size : 3 * size], forget_bias)

    def forward(self, x: Tensor, counts: Tensor) -> Tensor:
        """Map x (N, T, R, F) to (N, T, R, 4 * size), zero at padding; directions: right-down, left-down, their ups."""
        batch, frames, rows, _ = x.shape
        turned = reverse_padded(x, counts)
        corners = skew(torch.stack((x, turned, x.flip(2), turned.flip(2))))
        steps = len(corners)
        flat = corners.transpose(0, 1).reshape(DIRECTIONS, steps * batch * rows, -1)
        sums = torch.baddbmm(self.bias, flat, self.weight_input).view(DIRECTIONS, steps, batch, rows, -1)
        y = unskew(scan_diagonals(sums.transpose(0, 1), self.weight_recurrent, self.weight_peephole), frames)
        y = torch.stack((y[0], reverse_padded(y[1], counts), y[2].flip(2), reverse_padded(y[3], counts).flip(2)), 3)
        return y.reshape(batch, frames, rows, -1).masked_fill(~valid_mask(counts, frames)[:, :, None, None], 0.0)


def gather_blocks(grid: Tensor, block: list[int]) -> Tensor:
    """Gather blocks (rows, columns) of grid (N, T, R, F) into (N, T', R', rows * columns * F), zeros at edges."""
    rows, columns = block
    batch, frames, height, size = grid.shape
    grid = F.pad(grid, (0, 0, 0, -height % rows, 0, -frames % columns))
    grid = grid.view(batch, grid.shape[1] // columns, columns, grid.shape[2] // rows, rows, size)
    return grid.permute(0, 1, 3, 2, 4, 5).flatten(3)


def skew(grid: Tensor) -> Tensor:
    """Turn grid (D, N, T, R, F) to diagonals (K, D, N, R, F), K = T + R - 1: row r begins r diagonals late."""
    d, batch, frames, rows, size = grid.shape
    late = F.pad(grid.transpose(2, 3), (0, 0, 0, rows)).flatten(2, 3)
    steps = frames + rows - 1
    return late[:, :, : rows * steps].view(d, batch, rows, steps, size).permute(3, 0, 1, 2, 4)


def unskew(diagonals: Tensor, frames: int) -> Tensor:
    """Turn diagonals (K, D, N, R, F) back to a grid (D, N, T, R, F)."""
    steps, d, batch, rows, size = diagonals.shape
    flat = F.pad(diagonals.permute(1, 2, 3, 0, 4).flatten(2, 3), (0, 0, 0, rows))
    return flat.view(d, batch, rows, steps + 1, size)[:, :, :, :frames].transpose(2, 3)


def _uniform(bound: float, *shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))
