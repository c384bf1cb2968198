"""The bent strip of a page in which a line stands, laid out along its baseline."""

import math
from dataclasses import dataclass

import numpy as np

from recognizer.pages.page import LineRegion, Points

NODES_A_HEIGHT = 2.0  # nodes of a strip on a way as long as it is high
SMOOTH = np.array([1.0, 2.0, 1.0]) / 4.0  # of the directions of neighbouring nodes
MAX_NODES = 2000
MAX_BASELINE = 300  # points of a baseline that are followed: more are replaced by as many evenly spaced ones
PAIRS = 500_000  # of points with parts of a polyline that are looked at in one go


@dataclass(frozen=True)
class DewarpedLine:
    """A strip: places are counted in pixels along its baseline, from 0 at its left end.

    Args:
        along: (K,) places of the nodes, rising.
        nodes: (K, 2) x, y of the nodes on the page.
        upwards: (K, 2) what one pixel upwards is, across the strip.
        above: pixels that the strip reaches above its baseline.
        below: likewise below.
        spread: pixels by which it reaches beyond the outline all around.
    """

    along: np.ndarray
    nodes: np.ndarray
    upwards: np.ndarray
    above: float
    below: float
    spread: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the strip laid out, in pixels."""
        return max(1, round(float(self.along[-1]))), max(1, math.ceil(self.above + self.below))

    def corners(self, place: float, less: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Return the upper and the lower end (x, y) of the cut across the strip at a place, `less` pixels inside it."""
        node, up = (
            np.array([np.interp(place, self.along, column) for column in values.T])
            for values in (self.nodes, self.upwards)
        )
        return node + (self.above - less) * up, node - (self.below - less) * up

    def around(self, start: float, end: float) -> list[tuple[int, int]]:
        """Return the corners of the part of the strip between two places, from its upper left one on; no spread."""
        inner = [float(a) for a in self.along if start < a < end]
        ends = [self.corners(place, self.spread) for place in (start, *inner, end)]
        way = [upper for upper, _ in ends] + [lower for _, lower in reversed(ends)]
        return [(round(float(x)), round(float(y))) for x, y in way]


def dewarp(area: LineRegion, straight: bool = False) -> DewarpedLine:
    """Return the strip that holds the outline of a line, and a little more on all sides.

    Args:
        area: its outline, and its baseline, if any.
        straight: take the upright box around the outline, whatever the baseline.
    """
    outline = np.array(area.outline)
    baseline = _rising(area.baseline)
    if straight or len(baseline) < 2:
        middle = float(outline[:, 1].min() + outline[:, 1].max()) / 2
        baseline = np.array([[outline[:, 0].min(), middle], [outline[:, 0].max(), middle]])
        if baseline[1, 0] <= baseline[0, 0]:
            baseline[1, 0] = baseline[0, 0] + 1.0
    if len(baseline) > MAX_BASELINE:  # a point for every pixel follows the scribble of a program, not of the writer
        length = float(np.hypot(*np.diff(baseline, axis=0).T).sum())
        baseline = _evenly(baseline, 0.0, length, length / (MAX_BASELINE - 1))
    line = _extended(baseline, 2 * float(np.ptp(outline, axis=0).sum()) + 1.0)
    along, height = _coordinates(outline, line)
    above, below = max(float(height.max()), 1.0), max(-float(height.min()), 0.0)
    spread = area.spread * (above + below)
    above, below = above + spread, below + spread
    start, end = float(along.min()) - spread, float(along.max()) + spread
    nodes = _evenly(line, start, end, (above + below) / NODES_A_HEIGHT)
    directions = np.diff(nodes, axis=0)
    # Baselines that people drew have corners; the strip turns over a way of some nodes.
    at_nodes = np.concatenate([directions[:1], (directions[1:] + directions[:-1]) / 2, directions[-1:]])
    padded = np.pad(at_nodes, ((1, 1), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(column, SMOOTH, mode="valid") for column in padded.T], axis=1)
    smooth /= np.maximum(np.hypot(*smooth.T), 1e-9)[:, None]
    upwards = np.stack([smooth[:, 1], -smooth[:, 0]], axis=1)
    places = np.concatenate([[0.0], np.cumsum(np.hypot(*directions.T))])
    return DewarpedLine(places, nodes, upwards, above, below, spread)


def _rising(baseline: Points) -> np.ndarray:
    """Return the points (K, 2) of a baseline, none twice in a row, from left to right where it is rather level."""
    points = [point for i, point in enumerate(baseline) if i == 0 or point != baseline[i - 1]]
    made = np.array(points, dtype=float).reshape(-1, 2)
    if len(made) > 1:
        across, down = made[-1] - made[0]
        if across < 0 and abs(across) >= abs(down):
            made = made[::-1]
    return made


def _extended(line: np.ndarray, by: float) -> np.ndarray:
    """Return a polyline (K, 2) that goes on straight for `by` pixels at both ends."""
    first, last = line[0] - line[1], line[-1] - line[-2]
    before = line[0] + first / np.hypot(*first) * by
    after = line[-1] + last / np.hypot(*last) * by
    return np.concatenate([before[None], line, after[None]])


def _coordinates(points: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for points (P, 2) the place along a polyline (K, 2) of the nearest spot, and the height above it.

    Every point is held against every part of the polyline, so many points at once that memory stays small.
    """
    step = max(1, PAIRS // len(line))
    parts = [_coordinates_at_once(points[i : i + step], line) for i in range(0, len(points), step)]
    return np.concatenate([along for along, _ in parts]), np.concatenate([height for _, height in parts])


def _coordinates_at_once(points: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts, ways = line[:-1], np.diff(line, axis=0)
    lengths = np.hypot(*ways.T)
    before = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    to = points[:, None, :] - starts[None]  # (P, K - 1, 2)
    share = np.clip((to * ways).sum(-1) / lengths**2, 0.0, 1.0)
    away = to - share[..., None] * ways
    nearest = np.hypot(away[..., 0], away[..., 1]).argmin(axis=1)
    row = np.arange(len(points))
    way = ways[nearest] / lengths[nearest, None]
    # Upwards of a way (dx, dy), with y downwards, is (dy, -dx).
    height = away[row, nearest, 0] * way[:, 1] - away[row, nearest, 1] * way[:, 0]
    return before[nearest] + share[row, nearest] * lengths[nearest], height


def _evenly(line: np.ndarray, start: float, end: float, step: float) -> np.ndarray:
    """Return points (K, 2) on a polyline from place `start` to `end`, about `step` apart."""
    places = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    count = min(max(2, math.ceil((end - start) / max(step, 1.0)) + 1), MAX_NODES)
    at = np.linspace(start, max(end, start + 1.0), count)
    return np.stack([np.interp(at, places, column) for column in line.T], axis=1)
