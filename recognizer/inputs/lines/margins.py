"""What stands around a line on its page: margin rules, brackets, dark edges, ink of the lines above and below."""

import torch
from torch import Tensor

from recognizer.inputs.random_parameters import RandomParameters

ROOM = 28  # columns that may be added at either end
INTO = 6  # columns of the line itself that a rule may run through
BAND = 0.25  # share of the rules behind which everything is dark, as beyond the edge of a page
RULES = 0.75  # share of the ends in question that have a rule
DARK = 0.3  # ink that counts as a stroke
DEEPEST = 0.16  # of the height: how far a neighbour's ink comes in


def with_ends(ink: Tensor, counts: Tensor, share: float, draw: RandomParameters) -> tuple[Tensor, Tensor]:
    """Return ink (N, T', H) with paper, rules or dark edges at the ends of a share of lines, and its counts (N,)."""
    room = torch.stack([(draw.uniform() < share) * draw.changed * draw.uniform() for _ in range(2)])
    left, right = (room * ROOM).long().unbind()
    wide = counts + left + right
    at = torch.arange(int(wide.max()), device=ink.device)[None, :]
    source = at - left[:, None]
    inside = (source >= 0) & (source < counts[:, None])
    index = source.clamp(0, ink.shape[1] - 1)[:, :, None].expand(-1, -1, ink.shape[2])
    ink = ink.gather(1, index) * inside[:, :, None]
    for side, space in ((0, left), (1, right)):
        ink = torch.maximum(ink, _rule(ink, wide, space, side, draw))
    return ink, wide


def _rule(ink: Tensor, counts: Tensor, space: Tensor, side: int, draw: RandomParameters) -> Tensor:
    """Return ink (N, T, H) of one stroke from top to bottom near an end where there is `space` (N,), else nothing."""
    _, length, rows = ink.shape
    column = torch.arange(length, device=ink.device)[None, :, None]
    row = torch.linspace(-0.5, 0.5, rows, device=ink.device)[None, None, :]
    from_end = column if side == 0 else counts[:, None, None] - 1 - column
    place = draw.uniform() * (space + INTO)
    bend = _spread(draw, 8.0) * row + _spread(draw, 24.0) * (row * row - 0.08)
    far = from_end - (place[:, None, None] + bend)
    thick = 0.6 + 2.4 * draw.uniform()[:, None, None]
    stroke = (thick - far.abs()).clamp(0.0, 1.0)
    dark = torch.where((draw.uniform() < BAND)[:, None, None], (0.5 - far).clamp(0.0, 1.0), stroke)
    strength = (0.25 + 0.75 * draw.uniform()) * (draw.uniform() < RULES) * (space > 0)
    return dark * strength[:, None, None]


def _spread(draw: RandomParameters, limit: float) -> Tensor:
    return ((draw.uniform() * 2.0 - 1.0) * limit)[:, None, None]


def with_neighbours(ink: Tensor, share: float, draw: RandomParameters) -> Tensor:
    """Return ink (N, T, H) with ends of another line's strokes along the top or bottom of a share of the lines."""
    rows = ink.shape[2]
    other = ink.roll(1, 0)
    inked = other.amax(1) > DARK
    row = torch.arange(rows, device=ink.device)[None, None, :]
    for top in (True, False):
        deep = ((draw.uniform() < share) * draw.changed * draw.uniform() * DEEPEST * rows).long()[:, None, None]
        # Descenders of the line above end at its lowest ink, ascenders of the line below at its highest.
        empty = (inked.flip(1) if top else inked).int().argmax(1)[:, None, None]
        source = row + rows - deep - empty if top else row - rows + deep + empty
        ends = other.gather(2, source.clamp(0, rows - 1).expand_as(other))
        near = row < deep if top else row >= rows - deep
        ink = torch.where(near, torch.maximum(ink, ends), ink)
    return ink
