"""The features of each kind of input as nodes of an ONNX graph: pixels, PCM or pen points go in."""

import math
from dataclasses import asdict

import numpy as np
from torch import nn

from recognizer.errors import RecognizerError
from recognizer.export.graph import Graph
from recognizer.inputs.lines.features import LineFeatures
from recognizer.inputs.speech.log_mel import DELTA_WIDTH, FLOOR, FULL_SCALE, LogMel, LogMelSettings
from recognizer.inputs.strokes.features import FARTHEST, StrokeFeatures

CHECKED_FRAMES = 500  # of the longest sample that an exported file is checked with
# What these nodes know of LogMelSettings: one that is added there and is not at its default is refused here.
KNOWN = set(
    "bands window_ms hop_ms low high preemphasis energy deltas utterance_mean speech_range_db".split()  # noqa: SIM905
)


def made_up(features: nn.Module, steps: int, seed: int) -> np.ndarray:
    """Return a made-up signal (steps, ...) in the shape and numbers that features take.

    Raises:
        RecognizerError: features that have no form in ONNX.
    """
    draw = np.random.default_rng(seed)
    if isinstance(features, LineFeatures):
        return draw.integers(0, 256, (steps, features.size), np.uint8)
    if isinstance(features, LogMel):
        return draw.integers(-3000, 3000, steps, np.int16)
    if isinstance(features, StrokeFeatures):
        points = draw.normal(0, 0.05, (steps, 3)).cumsum(0).astype(np.float32)
        points[:, 2] = draw.random(steps) < 0.8
        return points
    raise RecognizerError(f"export: features of type {type(features).__name__} have no form in ONNX")


def add_features(graph: Graph, features: nn.Module, x: str, counts: str) -> tuple[str, str]:
    """Append what turns signals x (N, T, ...) with counts (N,) into features (N, T', F), zero behind their counts.

    Raises:
        RecognizerError: features that have no such form.
    """
    if isinstance(features, LineFeatures):
        return _lines(graph, x, counts), counts
    if isinstance(features, StrokeFeatures):
        return _strokes(graph, features, x, counts), counts
    assert isinstance(features, LogMel), "made_up refuses others"
    return _LogMelNodes(graph, features).add(x, counts)


def _lines(graph: Graph, x: str, counts: str) -> str:
    """Return ink 0..1 of grey 255..0, as `LineFeatures` does."""
    grey = graph.add("Div", graph.to_float(x), graph.constant(255.0))
    ink = graph.add("Sub", graph.constant(1.0), grey)
    return graph.add("Mul", ink, graph.valid(counts, graph.length(x, 1), [2]))


def _strokes(graph: Graph, features: StrokeFeatures, x: str, counts: str) -> str:
    """Return the steps of the pen, as `StrokeFeatures` does."""
    g, last = graph, np.iinfo(np.int64).max
    places = g.slice(x, 2, 0, 2)
    before = g.add("Concat", g.slice(places, 1, 0, 1), g.slice(places, 1, 0, -1), attributes={"axis": 1})
    step = g.add("Div", g.add("Sub", places, before), g.constant(features.spacing))
    length = g.add("ReduceL2", step, attributes={"axes": [2], "keepdims": 1})
    step = g.add("Mul", step, g.add("Div", g.constant(FARTHEST), g.add("Max", length, g.constant(FARTHEST))))
    way = g.add("Div", step, g.add("Clip", length, g.constant(1e-3), g.constant(FARTHEST)))
    before = g.add("Concat", g.slice(way, 1, 0, 1), g.slice(way, 1, 0, -1), attributes={"axis": 1})
    cosine = g.add("ReduceSum", g.add("Mul", way, before), g.integers(2), attributes={"keepdims": 1})
    across = [g.add("Mul", g.slice(before, 2, i, i + 1), g.slice(way, 2, 1 - i, 2 - i)) for i in (0, 1)]
    moves = [
        g.add("Greater", g.add("ReduceL1", each, attributes={"axes": [2], "keepdims": 1}), g.constant(0.0))
        for each in (way, before)
    ]
    cosine = g.add("Where", g.add("And", *moves), cosine, g.constant(1.0))
    made = g.add("Concat", step, g.slice(x, 2, 1, last), cosine, g.add("Sub", *across), attributes={"axis": 2})
    return g.add("Mul", made, g.valid(counts, g.length(x, 1), [2]))


class _LogMelNodes:
    """Log-mel frames as `LogMel` computes them, the Fourier transform as a convolution with sines and cosines."""

    def __init__(self, graph: Graph, features: LogMel) -> None:
        settings = features.settings
        for name, value in asdict(settings).items():
            if name not in KNOWN and value != getattr(LogMelSettings(), name):
                raise RecognizerError(f"export: features.{name} = {value} has no form in ONNX yet")
        self.graph, self.features, self.settings = graph, features, settings

    def add(self, x: str, counts: str) -> tuple[str, str]:
        """Return normalised frames (N, T', F), zero behind each recording's end, and their counts."""
        g, features = self.graph, self.features
        frames = self._frames(counts)
        logs = self._statics(x, counts)
        valid = g.valid(frames, g.length(logs, 1), [2])
        if self.settings.utterance_mean:
            logs = self._centred(logs, valid)
        if self.settings.deltas:
            first = self._delta(logs, frames)
            logs = g.add("Concat", logs, first, self._delta(first, frames), attributes={"axis": 2})
        normal = g.add("Sub", logs, g.constant(features.mean.numpy(), "mean"))
        normal = g.add("Div", normal, g.constant(features.std.numpy(), "std"))
        return g.add("Mul", normal, valid), frames

    def _frames(self, counts: str) -> str:
        g, window, hop = self.graph, self.graph.number(self.features.window), self.graph.number(self.features.hop)
        beyond = g.add("Sub", g.add("Max", counts, window), window)
        return g.add("Add", g.add("Div", beyond, hop), g.number(1))

    def _statics(self, x: str, counts: str) -> str:
        """Return log bands (N, T', statics)."""
        g, window, hop = self.graph, self.features.window, self.features.hop
        sound = g.add("Div", g.to_float(x), g.constant(float(FULL_SCALE)))
        sound = g.add("Mul", sound, g.valid(counts, g.length(x, 1), []))
        short = g.add("Sub", g.integers(window), g.add("Min", g.length(x, 1), g.integers(window)))
        sound = g.pad_axis(sound, 1, 2, g.integers(0), short)
        before = g.pad_axis(g.slice(sound, 1, 0, -1), 1, 2, g.integers(1), g.integers(0))
        flat = g.add("Sub", sound, g.add("Mul", before, g.constant(self.settings.preemphasis)))
        waves = g.add("Conv", self._channel(flat), g.constant(self._waves(), "waves"), attributes={"strides": [hop]})
        real, imaginary = g.add_many("Split", 2, g.add("Mul", waves, waves), attributes={"axis": 1})
        power = g.add("Transpose", g.add("Add", real, imaginary), attributes={"perm": [0, 2, 1]})
        bands = g.add("MatMul", power, g.constant(self.features.filters.numpy(), "mel_filters"))
        logs = self._log(bands)
        if not self.settings.energy:
            return logs
        ones = g.constant(np.ones((1, 1, window), np.float32), "ones")
        energy = g.add("Conv", self._channel(g.add("Mul", sound, sound)), ones, attributes={"strides": [hop]})
        return g.add(
            "Concat",
            logs,
            self._log(g.add("Transpose", energy, attributes={"perm": [0, 2, 1]})),
            attributes={"axis": 2},
        )

    def _channel(self, sound: str) -> str:
        return self.graph.add("Unsqueeze", sound, self.graph.integers(1))

    def _log(self, x: str) -> str:
        return self.graph.add("Log", self.graph.add("Max", x, self.graph.constant(FLOOR)))

    def _waves(self) -> np.ndarray:
        """Return the window times cosines, then sines, (2 x bins, 1, window) float32."""
        features = self.features
        angles = 2 * math.pi / features.bins * np.outer(np.arange(features.bins // 2 + 1), np.arange(features.window))
        waves = np.concatenate((np.cos(angles), np.sin(angles))) * features.taper.double().numpy()
        return np.asarray(waves[:, None, :], np.float32)

    def _centred(self, logs: str, valid: str) -> str:
        """Subtract each recording's mean over its own frames, or over the loud ones of them."""
        g, counted = self.graph, valid
        if self.settings.speech_range_db:
            bands = g.slice(logs, 2, 0, self.settings.bands)
            power = g.add("ReduceLogSumExp", bands, attributes={"axes": [2], "keepdims": 1})
            inside = g.add("Cast", valid, attributes={"to": 9})  # TensorProto.BOOL
            masked = g.add("Where", inside, power, g.constant(-math.inf))
            least = g.add(
                "Sub",
                g.add("ReduceMax", masked, attributes={"axes": [1], "keepdims": 1}),
                g.constant(self.settings.speech_range_db * math.log(10) / 10),
            )
            counted = g.add("Mul", valid, g.to_float(g.add("GreaterOrEqual", power, least)))
        total = g.add("ReduceSum", counted, g.integers(1), attributes={"keepdims": 1})
        mean = g.add(
            "Div", g.add("ReduceSum", g.add("Mul", logs, counted), g.integers(1), attributes={"keepdims": 1}), total
        )
        return g.add("Sub", logs, mean)

    def _delta(self, values: str, frames: str) -> str:
        """Return the regression slope over time, edge frames repeated."""
        g = self.graph
        last = g.add("Unsqueeze", g.add("Sub", frames, g.number(1)), g.integers(1))
        place = g.add("Range", g.number(0), g.add("Squeeze", g.length(values, 1)), g.number(1))
        place = g.add("Unsqueeze", place, g.integers(0))
        shape = g.add("Shape", values)
        slopes = []
        for step in range(1, DELTA_WIDTH + 1):
            ahead = g.add("Min", g.add("Add", place, g.number(step)), last)
            behind = g.add("Min", g.add("Max", g.add("Sub", place, g.number(step)), g.number(0)), last)
            taken = [
                g.add(
                    "GatherElements",
                    values,
                    g.add("Expand", g.add("Unsqueeze", at, g.integers(2)), shape),
                    attributes={"axis": 1},
                )
                for at in (ahead, behind)
            ]
            slopes.append(g.add("Mul", g.add("Sub", *taken), g.constant(float(step))))
        total = g.add("Sum", *slopes)
        return g.add("Div", total, g.constant(float(2 * sum(i * i for i in range(1, DELTA_WIDTH + 1)))))
