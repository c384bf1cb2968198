"""Random changes to a batch of line images that leave the text readable."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognizer.errors import RecognizerError
from recognizer.inputs.features import Augmentation, Features
from recognizer.inputs.lines.margins import with_ends, with_neighbours
from recognizer.inputs.lines.paper import (
    in_pencil,
    with_folds,
    with_other_side,
    with_ruling,
    with_stamps,
    with_surroundings,
)
from recognizer.inputs.random_parameters import RandomParameters, repeat_views
from recognizer.network.masks import valid_mask

WAVE = 24  # columns between two knots of the elastic distortion
WAVE_ROWS = 4  # knots of the elastic distortion across the height
CRAMMED = 4  # power of the place along the line with which letters grow narrow towards its end
PAPER = {  # what the paper brings, in this order; by the name of the setting
    "bleed": with_other_side,
    "ruled": with_ruling,
    "folds": with_folds,
    "stamps": with_stamps,
    "surround": with_surroundings,
}
SHARES = ("share", "margins", "neighbours", "pencil", *PAPER)


@dataclass(frozen=True)
class LineAugmentSettings:
    """How strongly lines are changed while training; 0 switches a change off.

    Args:
        share: of the samples that are changed at all.
        width: largest relative stretch of the width, drawn evenly from 1 - width to 1 + width.
        height: largest relative change of the size across the line.
        slant: largest shear, in columns per row.
        slope: largest rise of the line over its whole width, in heights.
        shift: largest move up or down, in heights.
        elastic: typical displacement of the elastic distortion, in pixels.
        thickness: largest share of a one-pixel thickening or thinning of the strokes.
        contrast: largest relative change of the ink's darkness and of its gamma.
        blur: largest share of a 3 x 3 blur.
        noise: largest standard deviation of grey noise, 1 being paper to ink.
        shadow: largest darkening of the paper, as a ramp along the line.
        gaps: expected number of erased patches in each 1,000 columns.
        margins: share of the ends of lines with paper, a margin rule, a bracket or the edge of the page.
        neighbours: share of the lines with ink of the line above, and of those with ink of the line below.
        curve: largest sag or bulge of the line between its ends, in heights.
        cram: largest cramming at the right end: 0.33 makes the last letters half as wide and the first ones 1.5 times.
        tight: largest share of the height that is cut off at the top, and of that at the bottom.
        pencil: share of the lines that are pale and grainy.
        bleed: share of the lines through whose paper the ink of the other side shows.
        ruled: share of the lines on ruled or squared paper.
        folds: share of the lines with a fold across them.
        stamps: share of the lines with a part of a round stamp.
        surround: share of the lines with what is black around a page at the top or the bottom.
    """

    share: float = 0.8
    width: float = 0.2
    height: float = 0.15
    slant: float = 0.3
    slope: float = 0.1
    shift: float = 0.06
    elastic: float = 1.0
    thickness: float = 0.7
    contrast: float = 0.4
    blur: float = 0.6
    noise: float = 0.04
    shadow: float = 0.15
    gaps: float = 0.5
    margins: float = 0.0
    neighbours: float = 0.0
    curve: float = 0.0
    cram: float = 0.0
    tight: float = 0.0
    pencil: float = 0.0
    bleed: float = 0.0
    ruled: float = 0.0
    folds: float = 0.0
    stamps: float = 0.0
    surround: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name, value in vars(self).items():
            if not math.isfinite(value) or value < 0.0:
                raise RecognizerError(f"augment.lines.{name} is {value}, expected a number of at least 0")
        for name in SHARES:
            if getattr(self, name) > 1.0:
                raise RecognizerError(f"augment.lines.{name} is {getattr(self, name)}, expected a share of at most 1")
        for name in ("width", "height", "cram"):
            if getattr(self, name) >= 1.0:
                raise RecognizerError(f"augment.lines.{name} is {getattr(self, name)}, expected less than 1")
        if self.tight >= 0.5:
            raise RecognizerError(f"augment.lines.tight is {self.tight}, expected less than 0.5: it is cut off twice")


class AugmentedLines(Augmentation):
    """Ink of lines that another hand might have written on other paper."""

    def __init__(self, settings: LineAugmentSettings) -> None:
        """Take strengths from `settings`."""
        super().__init__()
        self.lines = LineAugment(settings)

    def forward(
        self, features: Features, x: Tensor, counts: Tensor, least: Tensor, generator: torch.Generator, views: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Return ink (views N, T', H) with its counts."""
        ink, counts = features(x, counts)
        changed: tuple[Tensor, Tensor] = self.lines(ink, counts, least.to(counts.device), generator, views)
        return changed


class LineAugment(nn.Module):
    """Change ink (N, T, H) in shape, stroke and tone; every random number comes from the generator."""

    def __init__(self, settings: LineAugmentSettings) -> None:
        """Keep the strengths."""
        super().__init__()
        self.settings = settings

    def forward(
        self, ink: Tensor, counts: Tensor, least: Tensor, generator: torch.Generator, views: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Return changed ink (views N, T', H) in [0, 1] and its counts.

        Args:
            ink: (N, T, H) in [0, 1], zero behind the counts.
            counts: (N,) columns.
            least: (N,) columns below which no sample may shrink, lest CTC cannot spell its text.
            generator: of the random numbers, best where the ink lives.
            views: of each sample, alike in shape, each with its own strokes, tone and gaps; all second views after
                all first ones.
        """
        draw = RandomParameters(len(ink), self.settings.share, generator, ink.device)
        ink, counts = self._warp(ink, counts, least, draw)
        if self.settings.neighbours > 0.0:
            ink = with_neighbours(ink, self.settings.neighbours, draw)
        if self.settings.margins > 0.0:
            ink, counts = with_ends(ink, counts, self.settings.margins, draw)
        for name, marks in PAPER.items():
            if getattr(self.settings, name) > 0.0:
                ink = marks(ink, getattr(self.settings, name), draw)
        if views > 1:
            ink, counts = repeat_views(ink, counts, views)
            draw = RandomParameters(len(ink), self.settings.share, generator, ink.device)
        ink = self._stroke(ink, draw)
        if self.settings.pencil > 0.0:
            ink = in_pencil(ink, self.settings.pencil, draw)
        ink = self._tone(ink, draw)
        ink = self._gaps(ink, draw)
        mask = valid_mask(counts, ink.shape[1])[..., None]
        return ink.clamp(0.0, 1.0) * mask, counts

    def _warp(self, ink: Tensor, counts: Tensor, least: Tensor, draw: RandomParameters) -> tuple[Tensor, Tensor]:
        """Resample with a new width and height, slant, slope, shift and elastic waves, all in one pass."""
        s = self.settings
        n, length, rows = ink.shape
        stretch = torch.maximum(1.0 + draw.symmetric(s.width), (least / counts).to(ink.dtype).clamp(max=1.0))
        new_counts = torch.maximum((counts * stretch).ceil().long(), torch.minimum(least, counts)).clamp(min=1)
        new_length = int(new_counts.max())
        at = torch.arange(new_length, device=ink.device, dtype=ink.dtype)[None, :, None]
        row = (torch.arange(rows, device=ink.device, dtype=ink.dtype) - (rows - 1) / 2)[None, None, :]
        ends = new_counts[:, None, None]
        slope = draw.symmetric(s.slope)[:, None, None] * rows * (at / ends - 0.5)
        y = (
            row / (1.0 + draw.symmetric(s.height))[:, None, None]
            + slope
            + (draw.symmetric(s.shift) * rows)[:, None, None]
        )
        along = at / ends
        if s.curve > 0.0:
            y = y + draw.symmetric(s.curve)[:, None, None] * rows * ((2.0 * along - 1.0) ** 2 - 1.0 / 3.0)
        if s.cram > 0.0:
            crammed = draw.symmetric(s.cram).abs()[:, None, None]
            along = along + crammed * (along.clamp(max=1.0) ** CRAMMED - along.clamp(max=1.0))
        if s.tight > 0.0:
            top, bottom = (draw.symmetric(s.tight).abs()[:, None, None] for _ in range(2))
            y = y * (1.0 - top - bottom) + (top - bottom) * (rows - 1) / 2
        x = along * counts[:, None, None] + draw.symmetric(s.slant)[:, None, None] * row
        if s.elastic > 0.0:
            waves = draw.normal((n, 2, new_length // WAVE + 2, WAVE_ROWS), s.elastic)
            waves = _between(new_length, waves.shape[2], waves) @ waves @ _between(rows, WAVE_ROWS, waves).T
            x, y = x + waves[:, 0], y + waves[:, 1]
        # grid_sample wants (rows, length) last and places in -1 .. 1 of pixel centres.
        grid = torch.stack((2.0 * y / max(rows - 1, 1), 2.0 * x / max(length - 1, 1) - 1.0), -1)
        warped = functional.grid_sample(ink[:, None], grid, padding_mode="zeros", align_corners=True)
        return warped[:, 0], new_counts

    def _stroke(self, ink: Tensor, draw: RandomParameters) -> Tensor:
        """Thicken or thin the strokes, blur them."""
        s = self.settings
        if s.thickness > 0.0:
            amount = draw.symmetric(s.thickness)[:, None, None]
            thick, thin = _around(ink, torch.maximum), _around(ink, torch.minimum)
            ink = ink + amount.clamp(min=0) * (thick - ink) + (-amount).clamp(min=0) * (thin - ink)
        if s.blur > 0.0:
            amount = draw.symmetric(s.blur).clamp(min=0)[:, None, None]
            ink = ink + amount * (_around(ink, torch.add) / 9.0 - ink)
        return ink

    def _tone(self, ink: Tensor, draw: RandomParameters) -> Tensor:
        """Change darkness and gamma, add shadow and noise."""
        s = self.settings
        if s.contrast > 0.0:
            gamma = torch.exp(draw.symmetric(s.contrast))[:, None, None]
            ink = ink.clamp(0.0, 1.0).pow(gamma) * (1.0 - draw.symmetric(s.contrast).clamp(min=0))[:, None, None]
        if s.shadow > 0.0:
            ends = draw.symmetric(s.shadow).clamp(min=0), draw.symmetric(s.shadow).clamp(min=0)
            ramp = torch.linspace(0.0, 1.0, ink.shape[1], device=ink.device)[None, :, None]
            shade = ends[0][:, None, None] * (1.0 - ramp) + ends[1][:, None, None] * ramp
            ink = ink + shade * (1.0 - ink)
        if s.noise > 0.0:
            ink = ink + draw.uniform_noise(ink.shape) * draw.symmetric(s.noise).abs()[:, None, None]
        return ink

    def _gaps(self, ink: Tensor, draw: RandomParameters) -> Tensor:
        """Erase patches of up to a quarter of the height in width and up to the whole height."""
        n, length, rows = ink.shape
        number = round(self.settings.gaps * length / 1000 + 0.5) if self.settings.gaps > 0.0 else 0
        if number == 0:
            return ink
        keep = torch.ones_like(ink)
        at = torch.arange(length, device=ink.device)[None, :, None]
        row = torch.arange(rows, device=ink.device)[None, None, :]
        expected = self.settings.gaps * length / 1000 / number
        for _ in range(number):
            here = (draw.uniform() < expected) & draw.changed
            left, wide = draw.uniform() * length, draw.uniform() * rows / 4 + 1
            top, high = (draw.uniform() * 1.5 - 0.5) * rows, draw.uniform() * rows
            columns = (at >= left[:, None, None]) & (at < (left + wide)[:, None, None])
            lines = (row >= top[:, None, None]) & (row < (top + high)[:, None, None])
            keep = keep.masked_fill(columns & lines & here[:, None, None], 0.0)
        return ink * keep


def _between(length: int, knots: int, like: Tensor) -> Tensor:
    """Return (length, knots) weights that carry values at evenly spread knots smoothly to every place."""
    at = torch.linspace(0.0, knots - 1.0, length, device=like.device, dtype=like.dtype)
    near = (1.0 - (at[:, None] - torch.arange(knots, device=like.device)).abs()).clamp(min=0.0)
    return near * near * (3.0 - 2.0 * near)


def _around(ink: Tensor, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return the join of each pixel's 3 x 3 neighbours in ink (N, T, H), edges repeated.

    Four whole-tensor joins: six times faster on a CPU than pooling with a window of three.
    """
    for dim in (1, 2):
        before = torch.cat((ink.narrow(dim, 0, 1), ink.narrow(dim, 0, ink.shape[dim] - 1)), dim)
        after = torch.cat((ink.narrow(dim, 1, ink.shape[dim] - 1), ink.narrow(dim, ink.shape[dim] - 1, 1)), dim)
        ink = join(join(ink, before), after)
    return ink
