"""Curves, dots and bars as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

LEFT, RIGHT, TOP, BOTTOM = 58, 26, 14, 44  # pixels around a chart's field
TICKS = 5  # about so many on an axis

Point = tuple[float, float]


@dataclass
class Chart:
    """A field of two axes that begin at 0.

    Args:
        across: name of what runs to the right.
        up: name of what runs upwards.
        right: highest value of the first axis.
        top: highest value of the second.
        shares: whether the second is written in percent.
        share_across: whether the first is.
        size: width and height in pixels.
    """

    across: str
    up: str
    right: float
    top: float
    shares: bool = True
    share_across: bool = False
    size: tuple[int, int] = (520, 300)
    parts: list[str] = field(default_factory=list)

    def line(self, points: Sequence[Point], kind: str = "first") -> "Chart":
        """Draw a line through points; `kind` is its class: first, second, guide."""
        finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        if finite:
            joined = " ".join("{:.1f},{:.1f}".format(*self._place(point)) for point in finite)
            self.parts.append(f'<polyline class="{kind}" points="{joined}"/>')
        return self

    def dots(self, points: Sequence[Point], names: Sequence[str] = (), kind: str = "first") -> "Chart":
        """Draw points, each with a name that shows where one points at it."""
        for number, point in enumerate(points):
            x, y = self._place(point)
            title = f"<title>{escape(names[number])}</title>" if names else ""
            self.parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.2">{title}</circle>')
        return self

    def bars(self, values: Sequence[tuple[float, float, float]], names: Sequence[str] = ()) -> "Chart":
        """Draw bars (from, to, height)."""
        for number, (start, end, height) in enumerate(values):
            (left, top), (right, bottom) = self._place((start, height)), self._place((end, 0.0))
            title = f"<title>{escape(names[number])}</title>" if names else ""
            self.parts.append(
                f'<rect x="{left + 0.5:.1f}" y="{top:.1f}" width="{max(right - left - 1, 0.5):.1f}" '
                f'height="{max(bottom - top, 0):.1f}">{title}</rect>'
            )
        return self

    def svg(self) -> str:
        """Return the chart."""
        width, height = self.size
        label = escape(f"{self.up} by {self.across}")
        axes = [self._tick_across(x) for x in _ticks(self.right)] + [self._tick_up(y) for y in _ticks(self.top)]
        middle = f'x="{(LEFT + width - RIGHT) / 2:.0f}" y="{height - 8}"'
        named = (
            f'<text {middle} text-anchor="middle">{escape(self.across)}</text>'
            f'<text transform="translate(13 {(TOP + height - BOTTOM) / 2:.0f}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.up)}</text>"
        )
        body = "".join([*axes, named, *self.parts])
        return f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{body}</svg>'

    def _place(self, point: Point) -> Point:
        width, height = self.size
        x = LEFT + (width - LEFT - RIGHT) * min(max(point[0] / (self.right or 1), 0.0), 1.0)
        y = height - BOTTOM - (height - TOP - BOTTOM) * min(max(point[1] / (self.top or 1), 0.0), 1.0)
        return x, y

    def _tick_across(self, value: float) -> str:
        x, y = self._place((value, 0.0))
        return f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{_written(value, self.share_across)}</text>'

    def _tick_up(self, value: float) -> str:
        x, y = self._place((0.0, value))
        line = f'<line class="grid" x1="{x:.1f}" x2="{self.size[0] - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        return f'{line}<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{_written(value, self.shares)}</text>'


def _ticks(most: float) -> list[float]:
    """Return round values from 0 to `most`."""
    if not most > 0:
        return [0.0]
    rough = most / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * power for unit in (1, 2, 2.5, 5, 10) if unit * power >= rough * 0.999)
    return [step * number for number in range(math.floor(most / step + 1e-9) + 1)]


def _written(value: float, share: bool) -> str:
    return f"{100 * value:g} %" if share else f"{value:g}"
