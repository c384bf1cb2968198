"""A front of multidimensional LSTM layers with hierarchical subsampling (Graves and Schmidhuber 2009)."""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.network.cells.direction import working_dtype
from recognizer.network.cells.mdlstm_scan import scan_diagonals
from recognizer.network.cells.settings import MAX_BIAS
from recognizer.network.masks import valid_mask
from recognizer.network.packing import pack, unpack, valid_frames
from recognizer.network.reversal import reverse_padded

DIRECTIONS = 4
GATES = 5
POOL = 2  # rows as well as columns that a convolution in front makes one of
WHERE = "network.front.multidimensional"  # of the settings, for messages


@dataclass(frozen=True)
class MultidimensionalSettings:
    """Settings of the front, one entry a level.

    Args:
        sizes: memory cells of each level in each of the four directions.
        blocks: (rows, columns) that are gathered into one position before each level.
        between: units of the tanh layer that gathers all directions before each level but the first.
        forget_bias: bias of both forget gates at the start; they add up, so 1 would let the memory grow.
        convolutions: channels of convolutions in front of the first level, each of which makes one position of 2 x 2.
        norm: "batch" normalises what each level reads, as well as the frames, over valid positions; "none" does not.
            Without it the frames of a line start out nearly equal: each level's gates halve what differs.
        collapse: what becomes of the last level's rows: "sum" adds them up, as in the paper; "concatenate" lays them
            one after the other, so that a frame still knows how high on the line something stands.
    """

    sizes: list[int] = field(default_factory=lambda: [4, 20, 100])
    blocks: list[list[int]] = field(default_factory=lambda: [[4, 2], [4, 2], [3, 1]])
    between: list[int] = field(default_factory=lambda: [12, 40])
    forget_bias: float = 0.0
    convolutions: list[int] = field(default_factory=list)
    norm: str = "batch"
    collapse: str = "sum"

    def __post_init__(self) -> None:
        """Refuse levels that do not fit each other."""
        if self.norm not in ("batch", "none"):
            raise RecognizerError(f"{WHERE}.norm is {self.norm!r}, expected batch or none")
        if self.collapse not in ("sum", "concatenate"):
            raise RecognizerError(f"{WHERE}.collapse is {self.collapse!r}, expected sum or concatenate")
        if not -MAX_BIAS <= self.forget_bias <= MAX_BIAS:
            raise RecognizerError(f"{WHERE}.forget_bias is {self.forget_bias}, expected -{MAX_BIAS:g} to {MAX_BIAS:g}")
        levels = len(self.sizes)
        fits = levels > 0 and len(self.blocks) == levels and len(self.between) == levels - 1
        if not fits:
            raise RecognizerError(
                f"{WHERE}: {levels} sizes, {len(self.blocks)} blocks, {len(self.between)} between: "
                "expected one block a size with one between fewer"
            )
        if any(len(block) != 2 for block in self.blocks):
            raise RecognizerError(f"{WHERE}: a block is two numbers, rows and columns")
        if min(*self.sizes, *self.between, *self.convolutions, *(edge for block in self.blocks for edge in block)) < 1:
            raise RecognizerError(f"{WHERE}: expected sizes, blocks, between, convolutions of at least 1")

    @property
    def stride(self) -> int:
        """Columns that make one output frame."""
        return math.prod(columns for _, columns in self.blocks) * int(POOL ** len(self.convolutions))

    def rows(self, rows: int) -> int:
        """Return how many rows the last level has of a picture with `rows`."""
        for height in (*(POOL for _ in self.convolutions), *(height for height, _ in self.blocks)):
            rows = -(-rows // height)
        return rows


class MultidimensionalFront(nn.Module):
    """Read a picture from its four corners at once, level by level, then make frames of its columns.

    Args:
        settings: the form.
        rows: of a picture, before convolutions.
    """

    def __init__(self, settings: MultidimensionalSettings, rows: int) -> None:
        """Make the levels with the tanh layers between them."""
        super().__init__()
        self.settings = settings
        first = math.prod(settings.blocks[0]) * (settings.convolutions[-1] if settings.convolutions else 1)
        areas = [math.prod(block) for block in settings.blocks[1:]]
        gathered = [area * DIRECTIONS * size for area, size in zip(areas, settings.sizes, strict=False)]
        self.between = nn.ModuleList(map(nn.Linear, gathered, settings.between))
        inputs = (first, *settings.between)
        self.levels = nn.ModuleList(
            MultidimensionalLayer(seen, size, settings.forget_bias)
            for seen, size in zip(inputs, settings.sizes, strict=True)
        )
        self.rows = settings.rows(rows) if settings.collapse == "concatenate" else 1
        self.output_size = self.rows * DIRECTIONS * settings.sizes[-1]
        widths = (*inputs, self.output_size) if settings.norm == "batch" else ()
        self.norms = nn.ModuleList(map(nn.BatchNorm1d, widths))

    def forward(self, x: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Map a picture x (N, T, rows, channels) to (N, T', output_size), zero at padding, with the new counts."""
        dtype = working_dtype(x)
        # The matrices are too small for bfloat16 to help; the memory is better kept exact.
        with torch.autocast(x.device.type, enabled=False):
            grid = x.float() if x.dtype != torch.float64 else x
            grid = grid.masked_fill(~valid_mask(counts, x.shape[1])[:, :, None, None], 0.0)
            for n, (level, block) in enumerate(zip(self.levels, self.settings.blocks, strict=True)):
                grid = gather_blocks(grid, block)
                counts = torch.div(counts + block[1] - 1, block[1], rounding_mode="floor")
                if n:
                    grid = self.between[n - 1](grid)
                grid = self._normalized(grid, counts, n)
                grid = level(torch.tanh(grid) if n else grid, counts)
            frames = grid.flatten(2) if self.settings.collapse == "concatenate" else grid.sum(2)
            return self._normalized(frames, counts, len(self.levels)).to(dtype), counts

    def _normalized(self, x: Tensor, counts: Tensor, n: int) -> Tensor:
        """Return x (N, T, ..., F) normalised over its valid positions, zero elsewhere."""
        if not self.norms:
            return x
        batch, frames, size = x.shape[0], x.shape[1], x.shape[-1]
        index = valid_frames(counts, frames)
        rows = x.reshape(batch * frames, -1)
        valid = self.norms[n](pack(rows, index).view(-1, size))
        return unpack(valid.view(len(index), -1), index, batch * frames).view(x.shape)


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
