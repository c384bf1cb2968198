"""A network at work in onnxruntime, without torch: signals' values in, log-probabilities out."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recognizer.common.plain_data import from_plain
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.errors import RecognizerError
from recognizer.model.priors import checked_priors

KEY = "recognizer"  # of the header in the metadata
SUFFIX = ".onnx"
WRITER = "a file that `recognizer export MODEL --to onnx` wrote"
FORMAT = 1  # of what `export` adds to the header of a model file


@dataclass(frozen=True)
class OnnxSettings:
    """What a reader must know of the input.

    Args:
        kind: "handwriting", "speech" or "strokes".
        signal: settings of the signal as plain data.
        padding: what stands behind the end of a short signal in a batch.
        steps_per_frame: steps of a signal that make an output frame.
        int8: whether weights are 8-bit numbers.
    """

    kind: str
    signal: dict[str, Any]
    padding: int
    steps_per_frame: float
    int8: bool


class OnnxModel:
    """An exported model; it has the names of a model file that reading needs."""

    on_cpu = True
    note = ""
    bf16 = False

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Open a file that `recognizer export` wrote, to compute with so many threads a batch.

        Raises:
            RecognizerError: onnxruntime is not installed, or the file is none of ours.
        """
        self.path, self.session_threads = path, threads
        self.session = _session(path, threads)
        try:
            header = json.loads(_metadata(self.session))
            own = header["onnx"]
            if own["format"] > FORMAT:
                raise RecognizerError(f"{path}: ONNX format {own['format']}, this version reads up to {FORMAT}")
            text = from_plain(TextSettings, header["alphabet"]["text"], f"{path}: alphabet.text")
            self.alphabet = Alphabet(tuple(header["alphabet"]["symbols"]), text)
            self.settings = from_plain(OnnxSettings, {k: v for k, v in own.items() if k != "format"}, f"{path}: onnx")
            self.decoder, self.calibration = dict(header["decoder"]), dict(header["calibration"])
            self.priors = checked_priors(header.get("priors", []), self.alphabet.classes)
        except (KeyError, ValueError, TypeError) as error:
            reason = f"its metadata lack {error}" if isinstance(error, KeyError) else "its metadata are damaged"
            raise RecognizerError(f"{path}: {reason}, expected {WRITER}") from None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to other processes, and be copied, by the file, which is opened there anew."""
        return type(self), (self.path.absolute(), self.session_threads)

    def steps_per_frame(self) -> float:
        """Return how many steps of the signal one output frame stands for."""
        return self.settings.steps_per_frame

    def log_probs(self, values: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return log-probabilities (N, T', classes) float32 and counts (N,) of one batch of signals' values."""
        counts = np.array([len(one) for one in values], np.int64)
        shape = (len(values), int(counts.max()), *values[0].shape[1:])
        x = np.full(shape, self.settings.padding, values[0].dtype)
        for row, one in zip(x, values, strict=True):
            row[: len(one)] = one
        log_probs, frames = self.session.run(None, {"signals": x, "counts": counts})
        return log_probs, frames

    @contextmanager
    def threads(self, number: int) -> Iterator[None]:
        """Do nothing: the session was given its threads when it was opened."""
        yield

    def begin(self, number: int) -> None:
        """Do nothing, likewise."""


def header_of(path: Path) -> dict[str, Any]:
    """Return the header of a model file, or that which an exported file carries of the one it was made of.

    Raises:
        RecognizerError: the file is none of ours; of an export also, onnxruntime is not installed.
    """
    if not is_onnx(path):
        from recognizer.model.model_file import read_header

        return read_header(path)
    try:
        return dict(json.loads(_metadata(_session(path, 1))))
    except (KeyError, ValueError, TypeError):
        raise RecognizerError(f"{path}: without metadata of ours, expected {WRITER}") from None


def _metadata(session: Any) -> str:
    return str(session.get_modelmeta().custom_metadata_map[KEY])


def is_onnx(path: Path) -> bool:
    """Return whether a file is to be read by onnxruntime: by its name."""
    return path.suffix.lower() == SUFFIX


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise RecognizerError(
            f"{path}: reading ONNX takes the package onnxruntime: pip install 'recognizer[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: its warnings are for developers
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no class of their own
        reason = str(error).partition("\n")[0]
        raise RecognizerError(f"{path}: not an ONNX file that can be read ({reason})") from None
