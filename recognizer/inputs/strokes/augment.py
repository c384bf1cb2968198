"""Random changes to a batch of pen strokes that leave the text readable."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.inputs.features import Augmentation, Features
from recognizer.inputs.random_parameters import RandomParameters, repeat_views

KNOT = 12  # points between two knots of the wobble


@dataclass(frozen=True)
class StrokeAugmentSettings:
    """How strongly strokes are changed while training; 0 switches a change off.

    Args:
        share: of the samples that are changed at all.
        width: largest relative stretch of the width, drawn evenly from 1 - width to 1 + width.
        height: likewise of the height.
        slant: largest shear, to the right per height upwards.
        slope: largest rise of the line, per width.
        wobble: typical displacement of stretches of the pen's way, in heights of the writing.
        jitter: typical displacement of single points, in heights of the writing.
    """

    share: float = 0.9
    width: float = 0.25
    height: float = 0.2
    slant: float = 0.5
    slope: float = 0.03
    wobble: float = 0.02
    jitter: float = 0.004

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name, value in vars(self).items():
            if not math.isfinite(value) or value < 0.0:
                raise RecognizerError(f"augment.strokes.{name} is {value}, expected a number of at least 0")
        if self.share > 1.0 or self.width >= 1.0 or self.height >= 1.0:
            raise RecognizerError("augment.strokes: share is at most 1, width and height are below 1")


class StrokeAugment(nn.Module):
    """Change points (N, T, 3) in place and size, never in number; every random number comes from the generator."""

    def __init__(self, settings: StrokeAugmentSettings) -> None:
        """Keep the strengths."""
        super().__init__()
        self.settings = settings

    def forward(self, points: Tensor, generator: torch.Generator) -> Tensor:
        """Return points like `points` (N, T, 3), of x, y and pen down, with other x and y."""
        s = self.settings
        draw = RandomParameters(len(points), s.share, generator, points.device)
        x, y = points[:, :, 0], points[:, :, 1]
        slant, slope = draw.symmetric(s.slant)[:, None], draw.symmetric(s.slope)[:, None]
        new_x = x * (1.0 + draw.symmetric(s.width)[:, None]) - slant * y
        new_y = y * (1.0 + draw.symmetric(s.height)[:, None]) + slope * x
        moved = torch.stack((new_x, new_y), 2) + self._shaken(points.shape[1], draw)
        return torch.cat((moved, points[:, :, 2:]), 2)

    def _shaken(self, length: int, draw: RandomParameters) -> Tensor:
        """Return (N, T, 2) displacements: smooth ones between knots, and of each point by itself."""
        knots = draw.gaussian((draw.n, 2, length // KNOT + 2)) * self.settings.wobble
        smooth = nn.functional.interpolate(knots, size=length, mode="linear", align_corners=True)
        single = draw.gaussian((draw.n, 2, length)) * self.settings.jitter
        return (smooth + single).transpose(1, 2) * draw.changed[:, None, None]


class AugmentedStrokes(Augmentation):
    """Features of strokes that another hand might have written."""

    def __init__(self, settings: StrokeAugmentSettings) -> None:
        """Take strengths from `settings`."""
        super().__init__()
        self.strokes = StrokeAugment(settings)

    def forward(
        self, features: Features, x: Tensor, counts: Tensor, least: Tensor, generator: torch.Generator, views: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Return features (views N, T, 6); strokes never get fewer points, and both views are the same."""
        seen, counts = features(self.strokes(x, generator), counts)
        return repeat_views(seen, counts, views)
