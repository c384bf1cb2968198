"""What paper brings into the picture of a line: ruling, ink of the other side, folds, stamps, dark surroundings."""

from collections.abc import Callable

import torch
from torch import Tensor

from recognizer.inputs.random_parameters import RandomParameters

Marks = Callable[[Tensor, "Numbers"], Tensor]

SPACING = (0.25, 0.9)  # of the height: between two rules of the paper
SQUARED = 0.4  # share of the ruled papers whose rules go downwards too
RULE = (0.08, 0.45)  # ink of a printed rule
THROUGH = (0.08, 0.35)  # share of its ink that the other side shows
FOLD = (0.15, 0.6)  # ink of a fold
STAMP = (0.15, 0.5)  # ink of a stamp
RADIUS = (0.5, 1.3)  # of the height: of a stamp
SURROUND = 0.14  # of the height: how far what lies around the page comes in
TILT = 0.06  # of the height: how much deeper it is at one end than at the other
PALE = (0.3, 0.75)  # share of the ink that a pencil leaves
GRAIN = 0.35  # deviation of a pencil's darkness


class Numbers:
    """Random numbers of the samples that a change is made to."""

    def __init__(self, draw: RandomParameters, index: Tensor) -> None:
        """Draw for all samples of the batch, so that who is changed does not shift the numbers of others."""
        self.draw, self.index = draw, index

    def between(self, low: float, high: float) -> Tensor:
        """Return (M, 1, 1) numbers in [low, high)."""
        return (low + (high - low) * self.draw.uniform()[self.index])[:, None, None]


def with_ruling(ink: Tensor, share: float, draw: RandomParameters) -> Tensor:
    """Return ink (N, T, H) with a share of the lines on ruled or squared paper."""
    return _marked(ink, share, draw, _ruling)


def with_other_side(ink: Tensor, share: float, draw: RandomParameters) -> Tensor:
    """Return ink (N, T, H) where a share of the lines shows another one, mirrored and pale, from the back."""
    behind = ink.roll(1, 0).flip(1)

    def through(shape_of: Tensor, numbers: Numbers) -> Tensor:
        back = behind[numbers.index]
        down = int(torch.randint(0, back.shape[2], (), generator=draw.generator, device=draw.generator.device))
        soft = (back + back.roll(1, 1) + back.roll(-1, 1)) / 3.0
        return soft.roll(down, 2) * numbers.between(*THROUGH)

    return _marked(ink, share, draw, through)


def with_folds(ink: Tensor, share: float, draw: RandomParameters) -> Tensor:
    """Return ink (N, T, H) with a fold, soft and upright, across a share of the lines."""
    return _marked(ink, share, draw, _fold)


def with_stamps(ink: Tensor, share: float, draw: RandomParameters) -> Tensor:
    """Return ink (N, T, H) with a part of a round stamp over a share of the lines."""
    return _marked(ink, share, draw, _stamp)


def with_surroundings(ink: Tensor, share: float, draw: RandomParameters) -> Tensor:
    """Return ink (N, T, H) where what is black around a page comes in at the top or bottom of a share of the lines."""
    return _marked(ink, share, draw, _surroundings)


def in_pencil(ink: Tensor, share: float, draw: RandomParameters) -> Tensor:
    """Return ink (N, T, H), a share of the lines pale and grainy as a pencil writes."""
    index = _chosen(share, draw)
    if not len(index):
        return ink
    pale = Numbers(draw, index).between(*PALE)
    chosen = ink[index]
    grain = 1.0 + GRAIN * draw.uniform_noise(chosen.shape)
    return ink.index_copy(0, index, (chosen * pale * grain).to(ink.dtype))


def _marked(ink: Tensor, share: float, draw: RandomParameters, marks: Marks) -> Tensor:
    """Return ink (N, T, H) with marks where they are darker than what is there, on a share of the samples alone."""
    index = _chosen(share, draw)
    if not len(index):
        return ink
    chosen = ink[index]
    return ink.index_copy(0, index, torch.maximum(chosen, marks(chosen, Numbers(draw, index)).to(ink.dtype)))


def _chosen(share: float, draw: RandomParameters) -> Tensor:
    return ((draw.uniform() < share) & draw.changed).nonzero()[:, 0]


def _places(ink: Tensor) -> tuple[Tensor, Tensor]:
    """Return the numbers of columns (1, T, 1) and rows (1, 1, H)."""
    column = torch.arange(ink.shape[1], device=ink.device, dtype=torch.float32)[None, :, None]
    return column, torch.arange(ink.shape[2], device=ink.device, dtype=torch.float32)[None, None, :]


def _ruling(ink: Tensor, numbers: Numbers) -> Tensor:
    column, row = _places(ink)
    spacing = numbers.between(*SPACING) * ink.shape[2]
    thick = numbers.between(0.7, 1.6)
    tilt = numbers.between(-0.01, 0.01) * column
    across = (thick - _from_nearest(row + tilt + numbers.between(0.0, 1.0) * spacing, spacing)).clamp(0.0, 1.0)
    down = (thick - _from_nearest(column + numbers.between(0.0, 1.0) * spacing, spacing)).clamp(0.0, 1.0)
    squared = (numbers.between(0.0, 1.0) < SQUARED).float()
    return torch.maximum(across, down * squared) * numbers.between(*RULE)


def _from_nearest(place: Tensor, spacing: Tensor) -> Tensor:
    """Return how far each place is from the nearest multiple of `spacing`."""
    within = place.remainder(spacing)
    return torch.minimum(within, spacing - within)


def _fold(ink: Tensor, numbers: Numbers) -> Tensor:
    column, row = _places(ink)
    place = numbers.between(0.0, 1.0) * ink.shape[1] + numbers.between(-0.15, 0.15) * row
    soft = (1.0 - (column - place).abs() / numbers.between(1.5, 5.0)).clamp(min=0.0)
    return soft * numbers.between(*FOLD)


def _stamp(ink: Tensor, numbers: Numbers) -> Tensor:
    column, row = _places(ink)
    rows = ink.shape[2]
    x, y = numbers.between(0.0, 1.0) * ink.shape[1], numbers.between(-0.6, 1.6) * rows
    radius = torch.hypot(column - x, row - y)
    outer = numbers.between(*RADIUS) * rows
    rings = [(numbers.between(0.8, 2.0) - (radius - size).abs()).clamp(0.0, 1.0) for size in (outer, 0.75 * outer)]
    return torch.maximum(*rings) * numbers.between(*STAMP)


def _surroundings(ink: Tensor, numbers: Numbers) -> Tensor:
    column, row = _places(ink)
    rows = ink.shape[2]
    bottom = numbers.between(0.0, 1.0) < 0.5
    from_edge = torch.where(bottom, rows - 1 - row, row)
    tilt = numbers.between(-TILT, TILT) * rows * (column / ink.shape[1] - 0.5)
    deep = numbers.between(0.02, SURROUND) * rows + tilt
    return (deep - from_edge).clamp(0.0, 1.0) * numbers.between(0.7, 1.0)
