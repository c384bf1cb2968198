"""A model file written as ONNX, checked against the model that it came from."""

import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError
from recognizer.export.graph import Graph
from recognizer.export.onnx_features import CHECKED_FRAMES, add_features, made_up
from recognizer.export.onnx_model import FORMAT, KEY, OnnxSettings
from recognizer.export.onnx_network import add_network
from recognizer.inputs.registry import kind_named
from recognizer.model.model import Model, pad_signals
from recognizer.model.model_file import ModelFile

TOLERANCE = 1e-3  # of log-probabilities: more is a fault of these nodes, not of rounding
LENGTHS = (1.0, 0.61, 0.27)  # of the samples of the check, in parts of the longest


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        path: of the file.
        size: of it, in bytes.
        int8: whether weights of recurrent and linear layers are stored as 8-bit numbers.
        difference: the largest between its log-probabilities and the model's, in a batch of three made-up samples.
    """

    path: Path
    size: int
    int8: bool
    difference: float


def export_onnx(model_file: ModelFile, path: Path, int8: bool = False) -> Exported:
    """Write a model as one ONNX file: features, masks and network inside, batch and lengths free.

    Inputs are `signals` (N, T, ...), padded as the kind pads them, with `counts` (N,) int64; outputs `log_probs`
    (N, T', classes) float32 with `frames` (N,) int64. The model file's whole header stands in the metadata.

    Args:
        model_file: the model.
        path: where to.
        int8: quantise the weights of recurrent and linear layers, which makes samples of a batch depend slightly on
            each other: their scales are taken over the whole batch.

    Raises:
        RecognizerError: the model has parts that ONNX has no operators for, or a package is missing.
    """
    made = _graph_of(model_file.model, model_file.alphabet.classes)
    data = _quantised(made) if int8 else made.SerializeToString()
    data = _with_header(data, model_file, int8)
    difference = _difference(model_file.model, data)
    if not difference <= TOLERANCE and not int8:
        raise RecognizerError(
            f"export: log-probabilities differ by {difference:.2g} from the model's, expected at most {TOLERANCE}; "
            "nothing was written"
        )
    write_atomically(path, data)
    return Exported(path, len(data), int8, difference)


def _graph_of(model: Model, classes: int) -> Any:
    graph = Graph()
    one = made_up(model.features, 1, 0)
    x, counts = add_features(graph, model.features, "signals", "counts")
    log_probs, frames = add_network(graph, model.network, x, counts, model.features.size)
    graph.output(log_probs, "log_probs")
    graph.output(frames, "frames")
    return graph.file(
        [("signals", one.dtype, ["N", "T", *one.shape[1:]]), ("counts", np.int64, ["N"])],
        [("log_probs", np.float32, ["N", "frames", classes]), ("frames", np.int64, ["N"])],
    )


def _difference(model: Model, data: bytes) -> float:
    """Return the largest difference of log-probabilities between a model and its file, on valid frames."""
    import onnxruntime

    values = [
        torch.from_numpy(made_up(model.features, round(CHECKED_FRAMES * model.features.hop * part), seed))
        for seed, part in enumerate(LENGTHS)
    ]
    x, counts = pad_signals(values, model.settings.kind)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found, frames = session.run(None, {"signals": x.numpy(), "counts": counts.numpy()})
    with torch.inference_mode():
        expected = model(x, counts)
    if expected.counts.tolist() != frames.tolist():
        raise RecognizerError(f"export: {frames.tolist()} frames, expected {expected.counts.tolist()}")
    pairs = zip(found, expected.log_probs.numpy(), frames.tolist(), strict=True)
    return max(float(np.abs(a[:n] - b[:n]).max()) for a, b, n in pairs)


def _quantised(made: Any) -> bytes:
    """Return the file with 8-bit weights of recurrent and linear layers; features and convolutions stay float32."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    features = [node.name for node in made.graph.node if any("mel_filters" in name for name in node.input)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        with _without_advice():
            quantize_dynamic(
                made,
                path,
                op_types_to_quantize=["LSTM", "MatMul"],
                per_channel=True,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=features,
            )
        return path.read_bytes()


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep the quantiser's advice to developers, given through the root logger, off the terminal."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _with_header(data: bytes, model_file: ModelFile, int8: bool) -> bytes:
    """Return the file with the model file's header in its metadata."""
    import onnx

    model_settings = model_file.settings
    own = OnnxSettings(
        model_settings.kind,
        model_settings.signal,
        kind_named(model_settings.kind).padding,
        model_file.model.steps_per_frame(),
        int8,
    )
    header = {**model_file.header(), "onnx": {"format": FORMAT, **asdict(own)}}
    model = onnx.load_from_string(data)
    onnx.helper.set_model_props(model, {KEY: json.dumps(header, ensure_ascii=False, sort_keys=True)})
    return bytes(model.SerializeToString())
