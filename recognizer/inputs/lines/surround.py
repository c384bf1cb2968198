"""What lies around the writing of a line image: masks and dark edges become paper, light writing on dark is told."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

LEAST_CONTRAST = 16.0  # grey levels: less than this is an empty image
WORK_ROWS = 96  # rows of the picture in which the surround is sought
BORDER = 0.04  # of the pixels along the edges that are dark, or of one value, before a surround is sought
LEAST_SHARE = 0.03  # of the picture: a smaller surround is left as it is
THICK = 1 / 7  # of the rows: strokes are thinner, paper and edges of a scan thicker
PAPER_SHARE = 0.05  # of the picture: so much that is thick and light is paper
DARK_INSIDE = 0.1  # of the picture: so much that is thick and dark, and hardly reaches the edge, is paper of its own
LESS_AT_EDGE = 2.0  # times the share of the edge that is dark
DARK_PAPER = 0.2  # of the box around all that is dark: so much is thick where it is paper
DARK_SHARE = 0.7  # of a strip of dark paper, from its upper to its lower edge; the rest is light writing
THICK_LIGHT = 0.05  # of that strip: light strokes are thin, what is light between bold letters and in them is not
ONE_PIECE = 0.4  # of what is dark: dark paper hangs together, letters of a bold word stand apart
FILL = ((3.0, 0.3), (1.3, 0.85))  # length, times the height, of a strip with how much of its box it fills at least
CLIMB = 0.25  # of the rows of a strip of dark paper: one that climbs by more is levelled to be looked at
PAPER_PERCENTILE = 80.0
LEAST_WRITING = 24.0  # grey levels between writing and its paper
RIM = 5  # pixels, odd, in which the edge of a surround is neither it nor paper
BAND = 19  # pixels, odd: in half of them on both sides of its edge a surround and its paper are compared
STEP = (
    0.3  # of the contrast: so much darker than the paper beside it a surround is; a shadow's edge is where it is halved
)
MAX_SWEEPS = 40


@dataclass(frozen=True)
class FreedLine:
    """A line image freed of what surrounds it.

    Args:
        grey: uint8 (rows, columns), dark writing on light paper.
        left: columns that were cut off before its first one.
        notes: what was found and mended.
    """

    grey: np.ndarray
    left: int = 0
    notes: tuple[str, ...] = ()


def without_surround(grey: np.ndarray) -> FreedLine:
    """Return a line image, uint8 (rows, columns), with dark or masked surroundings as paper, dark on light.

    Other tools cut lines along a polygon and leave black, or white, outside; scans and photographs have dark edges.
    What is dark, or of one value, and reaches the edge of the image in a piece thicker than strokes is such a surround
    where light paper, thicker than strokes too, is left inside. Without that paper the image is light writing on dark.
    """
    small = _small(grey)
    low, high = (float(value) for value in np.percentile(small, [1, 99]))
    if high - low < LEAST_CONTRAST:
        return FreedLine(grey)
    dark = small < (low + high) / 2
    mostly_dark = float(np.median(small)) < (low + high) / 2 - LEAST_CONTRAST / 4
    thick = _thickness(small)
    if not mostly_dark and _edge_share(dark) < BORDER:
        return _within_light(grey, small, dark) if _is_dark_paper(dark) else FreedLine(grey)
    has_paper = _opened(~dark, thick).mean() >= PAPER_SHARE
    if not has_paper:
        return FreedLine(255 - grey, 0, ("light on dark, inverted",)) if mostly_dark else FreedLine(grey)
    inside = float(_opened(dark, thick).mean())
    if inside >= DARK_INSIDE and inside > LESS_AT_EDGE * _edge_share(dark):
        return _within_light(grey, small, dark)  # the dark stands inside, cut out on white
    around = _reached(_opened(dark, thick) & _edge(small.shape), dark, thick)
    if around.mean() < LEAST_SHARE or _is_shadow(small, around, high - low):
        return FreedLine(grey)
    return _filled(grey, around)


def _is_shadow(small: np.ndarray, around: np.ndarray, contrast: float) -> bool:
    """Return whether what is dark fades into the paper, as paper in a shadow does, where a surround ends at an edge."""
    inside, outside = (_band(mask) for mask in (around, ~around))
    if not inside.any() or not outside.any():
        return False
    dark, paper = np.median(small[inside]), np.percentile(small[outside], PAPER_PERCENTILE)
    return bool(paper - dark < STEP * contrast)


def _band(mask: np.ndarray) -> np.ndarray:
    """Return what of a mask lies near its edge, but for a rim in which the edge may be blurred."""
    return np.asarray(mask & (_sums(~mask, RIM) == 0) & (_sums(~mask, BAND) > 0))


def _within_light(grey: np.ndarray, small: np.ndarray, dark: np.ndarray) -> FreedLine:
    """Return a line on paper that is darker than what surrounds it, as dark writing on paper.

    Light writing on dark paper is inverted, dark writing on grey paper is not: what strays farther from the middle grey
    of the paper is the writing.
    """
    thick = _thickness(small)
    around = _reached(_opened(~dark, thick) & _edge(dark.shape), ~dark, thick)
    inside = small[_sums(around, RIM) == 0]
    if not inside.size:
        return FreedLine(grey)
    darkest, paper, lightest = (float(value) for value in np.percentile(inside, [2, 50, 98]))
    if max(lightest - paper, paper - darkest) <= LEAST_WRITING:
        return FreedLine(grey)  # no writing in it: a bar, a blot
    if lightest - paper > paper - darkest:
        grey, note = 255 - grey, "light on dark, inverted"
    else:
        grey, note = np.minimum(grey, np.uint8(lightest)), "light surround, taken for paper"
    freed = FreedLine(grey) if around.mean() < LEAST_SHARE else _filled(grey, around)
    return FreedLine(freed.grey, freed.left, (note,))


def _is_dark_paper(dark: np.ndarray) -> bool:
    """Return whether what is dark, away from the edges, is paper with light writing on it, whatever is around it.

    Such paper is one long piece, and what is light between its upper and its lower edge is thin. Of bold letters the
    pieces are short, or the light in them and between them is as thick as they are.
    """
    inner = _box(_level(_box(dark)))
    side = _thickness(inner)
    thick = _opened(inner, side)
    if thick.mean() < DARK_PAPER:
        return False
    rows, columns = inner.shape
    upper, lower = inner.argmax(axis=0), rows - 1 - inner[::-1].argmax(axis=0)
    row = np.arange(rows)[:, None]
    strip = (row >= upper) & (row <= lower) & inner.any(axis=0)
    light = strip & ~inner
    area = float(strip.sum())
    if not any(columns >= length * rows and area >= fill * inner.size for length, fill in FILL):
        return False
    if inner.sum() < DARK_SHARE * area:
        return False
    if (_opened(light, side) & light).sum() > THICK_LIGHT * area:
        return False
    return bool(_main_piece(inner, thick).sum() >= ONE_PIECE * inner.sum())


def _main_piece(mask: np.ndarray, thick: np.ndarray) -> np.ndarray:
    """Return the piece of a mask that holds the column where most of it is `thick`."""
    seeds = np.zeros_like(mask)
    at = int(thick.sum(axis=0).argmax())
    seeds[:, at] = thick[:, at]
    return _spread(seeds, mask)


def _box(mask: np.ndarray) -> np.ndarray:
    """Return the part of a mask, which covers something, that holds all that it covers."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _level(mask: np.ndarray) -> np.ndarray:
    """Return a mask, whose first and last columns are not empty, sheared by columns so that its middle runs level."""
    rows, columns = mask.shape
    covered = np.flatnonzero(mask.any(axis=0))
    middle = (mask.argmax(axis=0) + rows - 1 - mask[::-1].argmax(axis=0))[covered] / 2
    if columns < 2:
        return mask
    slope = float(np.polyfit(covered, middle, 1)[0])
    moves = np.rint(slope * (np.arange(columns) - columns / 2)).astype(int)
    if np.ptp(moves) < CLIMB * rows:
        return mask
    more = int(np.abs(moves).max())
    at = np.arange(rows + 2 * more)[:, None] + moves
    return np.asarray(np.take_along_axis(np.pad(mask, ((2 * more, 2 * more), (0, 0))), at, axis=0))


def _thickness(picture: np.ndarray) -> int:
    """Return the side, odd, of a square that strokes are thinner than."""
    return max(3, round(THICK * len(picture))) | 1


def _small(grey: np.ndarray) -> np.ndarray:
    """Return the image at WORK_ROWS rows at most."""
    rows, columns = grey.shape
    if rows <= WORK_ROWS:
        return grey
    size = (max(8, round(columns * WORK_ROWS / rows)), WORK_ROWS)
    return np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize(size, Image.Resampling.BOX))


def _edge(shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask of the outermost pixels."""
    edge = np.zeros(shape, bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    return edge


def _edge_share(mask: np.ndarray) -> float:
    return float(mask[_edge(mask.shape)].mean())


def _opened(mask: np.ndarray, side: int) -> np.ndarray:
    """Return what of a mask a square of odd `side` fits into; what lies beyond the image counts as the mask's own."""
    eroded = _sums(np.pad(mask, side, mode="edge"), side) == side * side
    return np.asarray(_sums(eroded, side) > 0)[side:-side, side:-side]


def _sums(mask: np.ndarray, side: int) -> np.ndarray:
    """Return how many pixels of a mask the square of odd `side` around each pixel holds."""
    sums = np.pad(mask.astype(np.int32), side // 2)
    for axis in (0, 1):
        running = np.concatenate([np.zeros_like(sums.take([0], axis)), sums.cumsum(axis, dtype=np.int32)], axis)
        count = sums.shape[axis]
        sums = running.take(range(side, count + 1), axis) - running.take(range(count + 1 - side), axis)
    return np.asarray(sums)


def _reached(seeds: np.ndarray, dark: np.ndarray, side: int) -> np.ndarray:
    """Return what of a dark surround the seeds reach: through pieces that are thicker than strokes, and their rims."""
    thick = _opened(dark, side)
    return np.asarray((_sums(_spread(seeds & thick, thick), side // 2 | 1) > 0) & dark)


def _spread(seeds: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return what of a mask hangs together with the seeds, which lie in it."""
    reached = seeds
    for _ in range(MAX_SWEEPS):
        before = int(reached.sum())
        for axis in (1, 0):
            reached = _swept(reached, mask, axis)
        if int(reached.sum()) == before:
            break
    return reached


def _swept(reached: np.ndarray, mask: np.ndarray, axis: int) -> np.ndarray:
    """Return the runs of a mask along an axis that hold something reached."""
    at = np.arange(mask.shape[axis])
    at = at[None] if axis else at[:, None]
    found = reached
    for way in (slice(None), slice(None, None, -1)):
        turn = (slice(None), way) if axis else (way, slice(None))
        last_reached = np.maximum.accumulate(np.where(reached[turn], at, -1), axis=axis)
        last_gap = np.maximum.accumulate(np.where(mask[turn], -1, at), axis=axis)
        found = found | (mask[turn] & (last_reached > last_gap))[turn]
    return np.asarray(found)


def _filled(grey: np.ndarray, around: np.ndarray) -> FreedLine:
    """Return an image with what the mask of the small picture covers, and its rim, as paper; empty edges cut off."""
    size = grey.shape[::-1]
    mask = Image.fromarray((_sums(around, 3) > 0).astype(np.uint8) * 255)
    large = np.asarray(mask.resize(size, Image.Resampling.NEAREST)) > 0
    if large.all():
        return FreedLine(grey)
    paper = np.uint8(np.percentile(grey[~large], PAPER_PERCENTILE))
    rows, columns = (np.flatnonzero(~large.all(axis=axis)) for axis in (1, 0))
    inner = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    filled = np.where(large, np.maximum(grey, paper), grey)[inner]
    return FreedLine(filled, int(columns[0]), ("dark surround, taken for paper",))
