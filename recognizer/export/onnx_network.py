"""Front, recurrent stack, output layer as nodes of an ONNX graph."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recognizer.errors import RecognizerError
from recognizer.export.graph import Graph
from recognizer.network.cells.layer import RecurrentLayer
from recognizer.network.cells.torch_cells import NAMES
from recognizer.network.front import SLOPE, Front
from recognizer.network.network import Network

CELLS = ("lstm", "lstm-1997", "coupled", "peephole-diagonal", "gru", "rnn")
OPEN = 100.0  # a sigmoid of it is 1 in float32: a forget gate that forgets nothing


def refuse_unwritable(network: Network) -> None:
    """Refuse what ONNX has no operators for.

    Raises:
        RecognizerError: another cell than CELLS, an option that changes a step, a front of multidimensional LSTMs.
    """
    settings = network.settings
    if settings.layers and settings.cell not in CELLS:
        raise RecognizerError(
            f"export: ONNX has no operator for network.cell {settings.cell}, expected one of {', '.join(CELLS)}"
        )
    for name in ("zoneout", "layer_norm", "projection"):
        if settings.layers and getattr(settings, name):
            raise RecognizerError(f"export: ONNX has no operator for cells with network.{name}, expected none")
    if settings.front.type == "multidimensional":
        raise RecognizerError("export: ONNX has no operator for front.type multidimensional, expected another")


def add_network(graph: Graph, network: Network, x: str, counts: str, size: int) -> tuple[str, str]:
    """Append what turns features x (N, T, size) with counts (N,) into log-probabilities (N, T', classes) and counts.

    Raises:
        RecognizerError: as `refuse_unwritable`.
    """
    refuse_unwritable(network)
    frames, counts = _FrontNodes(graph, network.front, size).add(x, counts)
    lengths = graph.to_int32(counts)
    frames = graph.add(
        "Transpose", frames, attributes={"perm": [1, 0, 2]}
    )  # (T', N, size), as the recurrent operators take them
    for layer in network.layers:
        assert isinstance(layer, RecurrentLayer)
        frames = _add_layer(graph, layer, frames, lengths)
    head = network.head
    sums = graph.add("MatMul", frames, graph.constant(_array(head.weight.t()), "head"))
    sums = graph.add("Add", sums, graph.constant(_array(head.bias), "head_bias"))
    return graph.add(
        "Transpose", graph.add("LogSoftmax", sums, attributes={"axis": 2}), attributes={"perm": [1, 0, 2]}
    ), counts


class _FrontNodes:
    """The stages of a front on maps (N, C, T, F)."""

    def __init__(self, graph: Graph, front: Front, features: int) -> None:
        self.graph, self.front, self.settings = graph, front, front.settings
        self.rows = -(-features // self.settings.patch[1])  # of a map after folding

    def add(self, x: str, counts: str) -> tuple[str, str]:
        """Return frames (N, T', size) and their counts."""
        g, stride = self.graph, self.settings.stride
        length = g.length(x, 1)
        whole = g.add("Mul", g.ceiling(length, stride), g.number(stride))
        x = g.pad_axis(x, 1, 3, g.integers(0), g.add("Sub", whole, length))
        if self.settings.type == "frames":
            return g.reshape(x, 0, -1, self.front.size), g.ceiling(counts, stride)
        x = self._fold(x)
        counts = g.ceiling(counts, self.settings.patch[0])
        for stage, pool_time in zip(self.front.stages, self.settings.pool_time, strict=True):
            x, counts = self._stage(stage, x, counts, pool_time)
        return g.reshape(g.add("Transpose", x, attributes={"perm": [0, 2, 3, 1]}), 0, 0, -1), counts

    def _fold(self, x: str) -> str:
        """Return (N, time x features of a patch, T / time, F / features) of (N, T, F)."""
        g, (time, rows) = self.graph, self.settings.patch
        short = g.add("Mod", g.add("Neg", g.length(x, 2)), g.integers(rows))
        x = g.pad_axis(x, 2, 3, g.integers(0), short)
        x = g.reshape(x, 0, -1, time, self.rows, rows)
        return g.reshape(g.add("Transpose", x, attributes={"perm": [0, 2, 4, 1, 3]}), 0, time * rows, -1, self.rows)

    def _stage(self, stage: Any, x: str, counts: str, pool_time: int) -> tuple[str, str]:
        g = self.graph
        x = self._convolved(stage.first, x)
        if stage.pool != (1, 1):
            x = g.add("Mul", x, self._mask(x, counts)) if pool_time > 1 else x
            x = g.add("MaxPool", x, attributes={"kernel_shape": list(stage.pool), "strides": list(stage.pool)})
            counts = g.ceiling(counts, pool_time)
        mask = self._mask(x, counts)
        x = g.add("Mul", self._normal(stage.first_norm, x), mask)
        for convolution, norm in zip(stage.more, stage.more_norms, strict=True):
            more = self._normal(norm, self._convolved(convolution, x))
            x = g.add("Add", x, g.add("Mul", more, mask))
        return x, counts

    def _mask(self, x: str, counts: str) -> str:
        return self.graph.valid(counts, self.graph.length(x, 2), [1, 3])

    def _convolved(self, convolution: nn.Conv2d, x: str) -> str:
        weights = [self.graph.constant(_array(convolution.weight), "convolution")]
        if convolution.bias is not None:
            weights.append(self.graph.constant(_array(convolution.bias), "convolution_bias"))
        return self.graph.add("Conv", x, *weights, attributes={"pads": [1, 1, 1, 1]})

    def _normal(self, norm: nn.Module, x: str) -> str:
        if isinstance(norm, nn.BatchNorm1d):
            assert norm.running_mean is not None and norm.running_var is not None
            values = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
            kept = [self.graph.constant(_array(value), "norm") for value in values]
            x = self.graph.add("BatchNormalization", x, *kept, attributes={"epsilon": norm.eps})
        return self.graph.add("LeakyRelu", x, attributes={"alpha": SLOPE})


@dataclass(frozen=True)
class _Cell:
    """One direction's weights as ONNX lays them out: (gates x H, I), (gates x H, H), (2 x gates x H,), (3 x H,).

    Args:
        input: W.
        recurrent: R.
        bias: of the input product, then of the recurrent one.
        peephole: on the memory, of the gates i, o, f; None where there is none.
    """

    input: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray
    peephole: np.ndarray | None = None


def _add_layer(graph: Graph, layer: RecurrentLayer, x: str, lengths: str) -> str:
    """Append a recurrent layer on x (T, N, I); the operator reverses each sample within its own length."""
    directions: list[Any] = list(layer.directions)
    settings = directions[0].settings
    cells = [_cell_of(direction) for direction in directions]
    operator = {"gru": "GRU", "rnn": "RNN"}.get(settings.cell, "LSTM")
    taken = [x]
    for name in ("input", "recurrent", "bias"):
        taken.append(graph.constant(np.stack([getattr(cell, name) for cell in cells]), f"{operator.lower()}_{name}"))
    taken += [lengths, *_first_states(graph, layer, x)]
    attributes: dict[str, Any] = {"linear_before_reset": 1} if operator == "GRU" else {}
    if cells[0].peephole is not None:
        taken += [""] * (7 - len(taken))
        taken.append(graph.constant(np.stack([cell.peephole for cell in cells if cell.peephole is not None])))
        if settings.peephole_activation == "identity":
            attributes["activations"] = ["Sigmoid", "Tanh", "Affine"] * len(cells)
            attributes["activation_alpha"] = [1.0] * len(cells)
            attributes["activation_beta"] = [0.0] * len(cells)
    way = "bidirectional" if len(cells) == 2 else "forward"
    y = graph.add(operator, *taken, attributes={"hidden_size": settings.hidden, "direction": way, **attributes})
    return graph.reshape(graph.add("Transpose", y, attributes={"perm": [0, 2, 1, 3]}), 0, 0, -1)


def _first_states(graph: Graph, layer: RecurrentLayer, x: str) -> list[str]:
    """Return the learned states before the first frame, each (directions, N, H); none where they are zeros."""
    directions: list[Any] = list(layer.directions)
    states = [[_array(first) for first in direction.first] for direction in directions]
    made = []
    for values in zip(*states, strict=True):
        ends = graph.integers(len(values)), graph.integers(len(values[0]))
        size = graph.add("Concat", ends[0], graph.length(x, 1), ends[1], attributes={"axis": 0})
        made.append(graph.add("Expand", graph.constant(np.stack(values)[:, None, :]), size))
    return made


def _cell_of(direction: Any) -> _Cell:
    """Return the weights of one direction in ONNX's order of gates: i, o, f, c; z, r, h; or one."""
    cell = direction.settings.cell
    if cell in ("gru", "rnn"):
        w, r, b, d = (_array(getattr(direction.rnn, name)) for name in NAMES)
        if cell == "gru":
            w, r, b, d = (_in_order(rows, "rzn", "zrn") for rows in (w, r, b, d))
        return _Cell(w, r, np.concatenate((b, d)))
    weights = direction.weights()
    gates = direction.family.gates
    w, r, b = (_gates(_array(rows), gates, name) for rows, name in zip(weights[:3], "wrb", strict=True))
    peephole = None
    if weights.peephole is not None:
        i, f, o = _array(weights.peephole)
        peephole = np.concatenate((i, o, f))
    return _Cell(w, r, np.concatenate((b, np.zeros_like(b))), peephole)


def _gates(rows: np.ndarray, gates: str, which: str) -> np.ndarray:
    """Return blocks of rows in the order i, o, f, c; a gate that the cell lacks becomes what it stands for.

    `lstm-1997` forgets nothing: its forget gate is held open. `coupled` has i = 1 - f: a sigmoid of the negated sum.
    """
    at = dict(zip(gates, np.split(rows, len(gates)), strict=True))
    if "f" not in at:
        at["f"] = np.full_like(at["o"], OPEN if which == "b" else 0.0)
    if "i" not in at:
        at["i"] = -at["f"]
    return np.concatenate([at[gate] for gate in "iofg"])


def _in_order(rows: np.ndarray, names: str, order: str) -> np.ndarray:
    at = dict(zip(names, np.split(rows, len(names)), strict=True))
    return np.concatenate([at[name] for name in order])


def _array(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().to("cpu", torch.float32).numpy())
