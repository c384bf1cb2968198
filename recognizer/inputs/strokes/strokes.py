"""Pen strokes to points at even distances, in heights of the writing."""

import codecs
import json
import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recognizer.errors import RecognizerError
from recognizer.inputs.signal import Signal
from recognizer.pages.parse import HEAD, begins_as_xml

MAX_BYTES = 50_000_000  # of a file
MAX_POINTS = 200_000  # of a file
MAX_STEPS = 20_000  # of a signal
AIR = 4.0  # times the spacing: between points while the pen is lifted
DEVIATIONS = 4.0  # of the points from the line they stand on: the height of writing
FLATTEST = 20.0  # times its height: no writing of one stroke is taken for longer, lest a dash be a line of tiny letters
LEVEL = 3.0  # times its height: writing so long has a slope that can be told
MOMENTS = ((0, 0), (0, 1), (1, 1))  # pairs of axes
DOWN, UP = "penDown", "penUp"  # types of InkML's traces
Stroke = np.ndarray  # (points, 2) float64: x to the right, y downwards, in the file's own unit


@dataclass(frozen=True)
class StrokeSettings:
    """How strokes become a signal.

    Args:
        spacing: distance of two points along a stroke, in heights of the writing.
    """

    spacing: float = 0.05

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if not 0.005 <= self.spacing <= 1.0:
            raise RecognizerError(f"signal.spacing is {self.spacing}, expected 0.005 to 1 heights of the writing")


def read_strokes_signal(source: Path | BinaryIO, settings: StrokeSettings, name: str = "") -> Signal:
    """Read a file of one line of pen strokes: InkML, or JSON {"strokes": [[x0, y0, x1, y1, ...], ...]}, y downwards.

    Raises:
        RecognizerError: missing, empty, neither of the two, without a point, too large.
    """
    name = str(source) if isinstance(source, Path) else name or "strokes"
    return signal_from_strokes(read_strokes(_bytes(source, name), name), settings, name)


def strokes_from_array(points: np.ndarray, settings: StrokeSettings) -> Signal:
    """Make the signal of an array (points, 3): x, y downwards, and 0 where the pen comes to the point through the air.

    Raises:
        RecognizerError: another shape, or what is no number.
    """
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise RecognizerError(f"an array of shape {points.shape}, expected (points, 3): x, y, pen down")
    starts = np.flatnonzero(points[:, 2] == 0)
    strokes = np.split(points[:, :2].astype(float), starts[starts > 0])
    return signal_from_strokes(strokes, settings, "array")


def signal_from_strokes(strokes: Sequence[Stroke], settings: StrokeSettings, name: str) -> Signal:
    """Make the signal (T, 3) float32 of strokes: x and y in heights of the writing, y from its middle, pen down or not.

    Size and slope are taken out: the slope of a straight line through all points where the writing is long enough,
    the height as four standard deviations of y around it. Points are evenly spaced along each stroke and, further
    apart, along the straight ways between them. Places in the file are numbers of its points, from 0.

    Raises:
        RecognizerError: no point, a number that is none, too many points or too long a way.
    """
    strokes = [stroke for stroke in strokes if len(stroke)]
    points = sum(map(len, strokes))
    if not points:
        raise RecognizerError(f"{name}: no stroke has a point, expected at least one", "no strokes")
    if points > MAX_POINTS:
        raise RecognizerError(f"{name}: {points} points, expected at most {MAX_POINTS:,}", "too large")
    if not all(np.isfinite(stroke).all() and np.abs(stroke).max() < 1e12 for stroke in strokes):
        raise RecognizerError(f"{name}: a coordinate is no number, or beyond 1e12, expected numbers", "not numbers")
    strokes = _normalized(strokes)
    way = sum(float(np.linalg.norm(np.diff(stroke, axis=0), axis=1).sum()) for stroke in strokes)
    lifted = zip(strokes[:-1], strokes[1:], strict=True)
    way += sum(float(np.linalg.norm(after[0] - before[-1])) for before, after in lifted) / AIR
    if way / settings.spacing > MAX_STEPS:
        raise RecognizerError(
            f"{name}: strokes of {way:.0f} heights of the writing, expected at most {MAX_STEPS * settings.spacing:g}",
            "too long",
        )
    values, places = _resampled(strokes, settings.spacing)
    return Signal(values, float(points), "points", places=places)


def read_strokes(data: bytes, name: str) -> list[Stroke]:
    """Return the strokes of an InkML or JSON file.

    Raises:
        RecognizerError: it is neither, or holds something else.
    """
    try:
        if begins_as_xml(data[:HEAD]):
            wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # by its mark, which stays before it
            text = data if wide else data.removeprefix(codecs.BOM_UTF8).lstrip()
            return list(_inkml(ElementTree.fromstring(text), name))
        return list(strokes_of(json.loads(data)))
    except (ValueError, ElementTree.ParseError, TypeError, LookupError, OverflowError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise RecognizerError(
            f'{name}: {reason}, expected InkML or JSON {{"strokes": [[x0, y0, x1, y1, ...], ...]}}', "not strokes"
        ) from None


def write_inkml(strokes: Iterable[Sequence[float]]) -> bytes:
    """Return InkML of strokes, each x0, y0, x1, y1, ... in one flat sequence."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<ink xmlns="http://www.w3.org/2003/InkML">']
    for flat in strokes:
        pairs = zip(flat[0::2], flat[1::2], strict=True)
        lines.append("<trace>" + ", ".join(f"{_plain(x)} {_plain(y)}" for x, y in pairs) + "</trace>")
    return "\n".join([*lines, "</ink>", ""]).encode()


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def raster(values: np.ndarray, rows: int = 48) -> np.ndarray:
    """Return grey uint8 (rows, columns) of a signal (T, 3), to be looked at: 255 paper, 0 where the pen went."""
    scale = rows / 2.0
    places = np.column_stack((values[:, 0] - values[:, 0].min() + 0.25, values[:, 1] + 1.0)) * scale
    down = values[:, 2] > 0
    # Points are further apart than pixels: the way between two of them is dotted.
    starts, ends = places[:-1][down[:-1] & down[1:]], places[1:][down[:-1] & down[1:]]
    between = [starts + share * (ends - starts) for share in (0.25, 0.5, 0.75)]
    x, y = np.rint(np.concatenate((places[down], *between))).astype(int).T
    grey = np.full((rows, max(rows // 2, int(np.ceil(places[:, 0].max() + 0.25 * scale)))), 255, np.uint8)
    grey[y.clip(0, rows - 1), x.clip(0, grey.shape[1] - 1)] = 0
    return grey


def faults(values: np.ndarray) -> list[str]:
    """Return what is wrong with a signal, each in a few words."""
    return ["a dot alone"] if len(values) < 2 else []


def _bytes(source: Path | BinaryIO, name: str) -> bytes:
    if isinstance(source, Path):
        if not source.exists():
            raise RecognizerError(f"{name}: no such file", "no such file")
        with open(source, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    else:
        data = source.read(MAX_BYTES + 1)
    if not data.strip():
        raise RecognizerError(f"{name}: the file is empty, expected pen strokes", "empty file")
    if len(data) > MAX_BYTES:
        raise RecognizerError(f"{name}: more than {MAX_BYTES:,} bytes, expected the strokes of one line", "too large")
    return data


def strokes_of(data: Any) -> Iterable[Stroke]:
    """Yield the strokes of a JSON value: flat lists of x, y, or lists of [x, y, ...] points.

    Raises:
        ValueError, TypeError, KeyError: it is something else.
    """
    for stroke in data["strokes"] if isinstance(data, dict) else data:
        if stroke and isinstance(stroke[0], list):
            yield np.array([[float(point[0]), float(point[1])] for point in stroke])
        else:
            flat = np.array([float(number) for number in stroke])
            if len(flat) % 2:
                raise ValueError(f"a stroke of {len(flat)} numbers, which is odd")
            yield flat.reshape(-1, 2)


def _inkml(root: ElementTree.Element, name: str) -> Iterable[Stroke]:
    """Yield the traces of an InkML document."""
    if _tag(root) != "ink":
        raise RecognizerError(f"{name}: XML of <{_tag(root)}>, expected InkML, whose root is <ink>", "not strokes")
    (x, right), (y, down) = _axes(root, name)
    for trace in root.iter():
        if _tag(trace) == "trace":
            kind = trace.get("type", DOWN)
            if kind == UP:
                continue  # the pen goes through the air, as between any two strokes
            if kind != DOWN:
                raise RecognizerError(f"{name}: a <trace> of type {kind!r}, expected {DOWN} or {UP}", "not strokes")
            rows = [point.split() for point in (trace.text or "").split(",") if point.strip()]
            try:
                yield np.array([[right * float(row[x]), down * float(row[y])] for row in rows]).reshape(-1, 2)
            except (ValueError, IndexError, OverflowError):
                raise RecognizerError(
                    f"{name}: a <trace> is {(trace.text or '').strip()[:40]!r}, expected points of plain numbers, "
                    f"X Y with commas between",
                    "not strokes",
                ) from None


def _axes(root: ElementTree.Element, name: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return which numbers of a point are X and Y, and their signs; without a <traceFormat> the first two, both 1.

    InkML 1.0 (W3C 2011, 3.2): X grows to the right and Y downwards where their orientation is "+ve", the default.

    Raises:
        RecognizerError: there are several formats, of which each trace would have to choose.
    """
    formats = [element for element in root.iter() if _tag(element) == "traceFormat"]
    made = {_axes_of(element) for element in formats} or {((0, 1), (1, 1))}
    if len(made) > 1:
        raise RecognizerError(
            f"{name}: {len(formats)} <traceFormat>s with X and Y at different places, expected one for all traces",
            "not strokes",
        )
    return made.pop()


def _axes_of(form: ElementTree.Element) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return place and sign of X and of Y as a <traceFormat> has them; intermittent channels come behind all others."""
    channels = [element for element in form.iter() if _tag(element) == "channel"]
    names = [channel.get("name", "").upper() for channel in channels]
    signs = [-1 if channel.get("orientation") == "-ve" else 1 for channel in channels]
    if "X" not in names or "Y" not in names:
        return (0, 1), (1, 1)
    x, y = names.index("X"), names.index("Y")
    return (x, signs[x]), (y, signs[y])


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _normalized(strokes: Sequence[Stroke]) -> list[Stroke]:
    """Return strokes with slope and size taken out, x from 0, y from the middle of the writing."""
    # A pen that rests writes no more than one that runs: what counts is the way, not the points.
    starts = np.concatenate([s[:-1] if len(s) > 1 else s for s in strokes])
    ends = np.concatenate([s[1:] if len(s) > 1 else s for s in strokes])
    lengths = np.linalg.norm(ends - starts, axis=1)
    weights = lengths / lengths.sum() if lengths.sum() > 0 else np.full(len(lengths), 1.0 / len(lengths))
    centre = weights @ ((starts + ends) / 2)
    away, along = (starts + ends) / 2 - centre, ends - starts
    xx, xy, yy = (weights @ (away[:, i] * away[:, j] + along[:, i] * along[:, j] / 12) for i, j in MOMENTS)
    wide = float(np.ptp(np.concatenate([stroke[:, 0] for stroke in strokes])))
    slope = float(xy / xx) if xx > 0 else 0.0
    height = DEVIATIONS * math.sqrt(max(0.0, yy - slope * xy))
    if wide < LEVEL * height:
        slope, height = 0.0, DEVIATIONS * math.sqrt(max(0.0, yy))
    size = max(height, wide / (FLATTEST * len(strokes))) or 1.0
    left = min(float(stroke[:, 0].min()) for stroke in strokes)
    return [
        np.stack((stroke[:, 0] - left, stroke[:, 1] - centre[1] - slope * (stroke[:, 0] - centre[0])), 1) / size
        for stroke in strokes
    ]


def _resampled(strokes: Sequence[Stroke], spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Return evenly spaced points (T, 3) float32 with the place (T + 1,) of each, and of the end, in the file."""
    rows: list[np.ndarray] = []
    places: list[np.ndarray] = []
    first = 0
    for number, stroke in enumerate(strokes):
        if number:
            rows.append(_air(rows[-1][-1, :2], stroke[0], spacing))
            places.append(np.full(len(rows[-1]), float(first)))
        way = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(stroke, axis=0), axis=1))))
        at = np.linspace(0.0, way[-1], 1 + max(round(way[-1] / spacing), 1 if way[-1] > 0 else 0))
        down = np.ones(len(at))
        rows.append(np.stack((np.interp(at, way, stroke[:, 0]), np.interp(at, way, stroke[:, 1]), down), 1))
        places.append(first + np.interp(at, way, np.arange(len(stroke))))
        first += len(stroke)
    return np.concatenate(rows).astype(np.float32), np.concatenate((*places, [float(first)]))


def _air(start: np.ndarray, end: np.ndarray, spacing: float) -> np.ndarray:
    """Return points (K, 3) strictly between two strokes, none where they are near one another."""
    count = math.ceil(float(np.linalg.norm(end - start)) / (AIR * spacing)) - 1
    shares = np.arange(1, count + 1)[:, None] / (count + 1)
    return np.concatenate((start + shares * (end - start), np.zeros((len(shares), 1))), 1)
