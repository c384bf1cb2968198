"""A trained model that reads files, arrays and packed signals."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, overload

import numpy as np

from recognizer.common.batching import batch_by_budget
from recognizer.common.needed import taking_torch
from recognizer.common.processors import Division, divide, in_order
from recognizer.decoding.decoder import Decoder
from recognizer.decoding.decoder_factory import make_decoder
from recognizer.decoding.hypothesis import Hypothesis, move_spans
from recognizer.decoding.hypothesis_building import build_hypothesis
from recognizer.decoding.options import DecoderOptions
from recognizer.errors import RecognizerError
from recognizer.evaluation.calibration import Calibrations, calibrations_of
from recognizer.export.onnx_model import OnnxModel, is_onnx
from recognizer.inputs.lines.tta import VIEWS, View
from recognizer.inputs.python_values import page_path, rate_of, source_of, sources_of
from recognizer.inputs.registry import kind_named, read_signal
from recognizer.inputs.signal import Signal
from recognizer.pages.page import Page, PageLine
from recognizer.pages.parse import read_page
from recognizer.pretrained import find_model
from recognizer.reading.language_choice import with_language_model
from recognizer.reading.recordings import is_long, read_long

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image
    from torch import Tensor

    from recognizer.model.model_file import ModelFile

    Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | np.ndarray | Tensor | Image


class Reader:
    """Files in, hypotheses out; what is read of a file does not depend on the batch."""

    def __init__(
        self,
        model_file: "ModelFile | OnnxModel",
        device: "torch.device | str" = "auto",
        decoder: Decoder | None = None,
        division: Division | None = None,
        precision: str = "float32",
    ) -> None:
        """Read with the model of `model_file` on `device`; without a decoder, with the one that the model_file states.

        Without a division, several batches are read at once by single threads, as many as processors may be used.
        In the precision "bf16" what is read depends a little on the batch.

        Raises:
            RecognizerError: the model_file's decoder or calibration is at fault, or the views do not fit.
        """
        self.model_file = model_file
        self.network: Any = _network_of(model_file, device, precision)
        self.division = (division or divide()) if self.network.on_cpu else Division()
        self.decoder = decoder or make_decoder(
            DecoderOptions(), model_file.decoder, model_file.alphabet, model_file.priors
        )
        self.calibrations: Calibrations | None = calibrations_of(
            model_file.calibration, self.decoder.settings.lm is not None
        )
        self.kind, self.alphabet = model_file.settings.kind, model_file.alphabet
        if not 1 <= (views := self.decoder.settings.tta) <= len(VIEWS):
            raise RecognizerError(f"--tta (views of a line) is {views}, expected 1 to {len(VIEWS)}")
        if views > 1 and self.kind != "handwriting":
            raise RecognizerError(f"views are of lines of handwriting, and the model reads {self.kind}")
        self.model: Any = model_file if isinstance(model_file, OnnxModel) else model_file.model

    @classmethod
    def load(
        cls,
        path_or_name: str | os.PathLike[str],
        device: str = "auto",
        options: DecoderOptions | None = None,
        division: Division | None = None,
        precision: str = "float32",
    ) -> "Reader":
        """Load a model file, a shipped model, or what `export` wrote, which takes onnxruntime and no torch.

        Args:
            path_or_name: of the model.
            device: "auto" takes a GPU where there is one.
            options: of the decoder; what they leave open the model file decides (see `make_decoder`).
            division: how many batches are read at once, by how many threads each; None fills the processors that may
                be used with workers of one thread.
            precision: what the network is computed in: "float32", "bf16", or "auto", which measures what is faster.

        Raises:
            RecognizerError: no such model, a file that is none, or options that do not fit it.
        """
        path, division = find_model(path_or_name), division or divide()
        model_file = OnnxModel(path, division.threads) if is_onnx(path) else _torch_model(path)
        decoder = decoder_of(model_file, path, options or DecoderOptions())
        reader = cls(model_file, device, decoder, division, precision)
        decoder.notes = (*decoder.notes, *filter(None, [reader.network.note]))
        return reader

    def describe(self) -> str:
        """Return how it reads in one line: by which decoder, and in bf16 where the network is computed in it."""
        return self.decoder.settings.describe() + (", network in bf16" if self.network.bf16 else "")

    @overload
    def transcribe(self, sources: "Source", rate: int | None = None) -> Hypothesis: ...  # type: ignore[overload-overlap]

    @overload
    def transcribe(self, sources: "Iterable[Source]", rate: int | None = None) -> list[Hypothesis]: ...

    def transcribe(
        self, sources: "Source | Iterable[Source]", rate: int | None = None
    ) -> Hypothesis | list[Hypothesis]:
        """Read one source, or several in batches.

        Args:
            sources: a path (of a line of a page FILE#ID), the bytes of a file, a binary file object, a Pillow image,
                an array or a tensor (an image (rows, columns[, colours]), sound (samples[, channels]), or strokes
                (points, 3): x, y, pen down; colours and channels may come first too), or any number of these.
            rate: samples per second of arrays of sound.

        Returns:
            A hypothesis each, its spans in the file's own unit: pixels, seconds, or numbers of points.

        Raises:
            RecognizerError: a source is at fault.
        """
        several = sources_of(sources)
        if several is None:
            return self._read_any([sources], rate, [""])[0]  # type: ignore[list-item]
        # A path names itself.
        named = ["" if isinstance(one, (str, os.PathLike)) else f"sources[{i}]" for i, one in enumerate(several)]
        return self._read_any(several, rate, named)

    def _read_any(self, sources: "Sequence[Source]", rate: int | None, names: Sequence[str]) -> list[Hypothesis]:
        """Read sources, recordings of any length among them; `names` are for messages, "" for what names itself."""
        rate = rate_of(rate)
        made: list[Path | BinaryIO | np.ndarray] = []
        parts: list[Signal | Hypothesis] = []
        for source, name in zip(sources, names, strict=True):
            with _named(name):
                made.append(source_of(source, self.kind))
        if made and not (self.kind == "speech" and any(isinstance(source, np.ndarray) for source in made)):
            self._refuse_no_effect(made[0], rate)
        for source, name in zip(made, names, strict=True):
            of_array = rate if isinstance(source, np.ndarray) else None
            with _named(name):
                long = self._is_long(source, of_array)
                parts.append(read_long(self, source, of_array) if long else self.signal(source, of_array))
        found = iter(self.read([part for part in parts if isinstance(part, Signal)]))
        return [next(found) if isinstance(part, Signal) else part for part in parts]

    def _refuse_no_effect(self, source: Path | BinaryIO | np.ndarray, rate: int | None, channel: int = 0) -> None:
        """Refuse a rate that is not of an array of sound, and a channel that is not of a recording's file."""
        array, of = isinstance(source, np.ndarray), f"what a model of {self.kind} reads"
        if rate is not None and not (array and self.kind == "speech"):
            of = "a file of sound, which states its own" if self.kind == "speech" else of
            raise RecognizerError(f"rate={rate} has no effect on {of}, expected it with an array of sound")
        if channel and (array or self.kind != "speech"):
            of = "an array, expected the samples of that channel alone" if array else f"{of}, expected none"
            raise RecognizerError(f"channel={channel} has no effect on {of}")

    def _is_long(self, source: Path | BinaryIO | np.ndarray, rate: int | None) -> bool:
        """Return whether a source is a recording that is read piece by piece."""
        if isinstance(source, np.ndarray):
            limit = self.model_file.settings.signal.get("max_seconds", math.inf)
            return self.kind == "speech" and bool(rate) and len(source) > limit * (rate or 0)
        return is_long(source, str(source), self)

    def transcribe_page(self, path: str | Path) -> list[tuple[PageLine, Hypothesis]]:
        """Read every line of a page as its PAGE XML or ALTO describes it, in reading order.

        The method for a page whose XML is there. `named_page` gives the same lines unread, for what reads them later
        or aligns them; `find_page` is for an image alone, whose lines have to be found first.

        Returns:
            Each line with its hypothesis, whose spans are in pixels along the line's baseline.

        Raises:
            RecognizerError: the page, its image or one of its lines is at fault.
        """
        page, signals = self.named_page(path)
        return list(zip(page.lines, self.read(signals), strict=True))

    def named_page(self, path: str | Path) -> tuple[Page, list[Signal]]:
        """Return a page as its PAGE XML or ALTO describes it, and the signal of each of its lines.

        Raises:
            RecognizerError: no path, or the page, its image or one of its lines is at fault.
        """
        page = read_page(page_path(path))
        return page, [self.signal(page.name_of(line)) for line in page.lines]

    def find_page(self, source: "str | Path | BinaryIO", name: str = "") -> tuple[Page, list[Signal]]:
        """Return an image of a whole page with the lines that are found on it, and the signal of each.

        Raises:
            RecognizerError: the model reads no lines, the image is at fault, or no line is found.
        """
        file = self._image_file(source, name)
        from recognizer.inputs.lines.image import HandwritingSettings
        from recognizer.inputs.lines.page_line import find_page

        return find_page(file, HandwritingSettings(**self.model_file.settings.signal), name or str(file))

    def _image_file(self, source: "str | Path | BinaryIO", name: str) -> Path | BinaryIO:
        """Return the file of an image, where the model reads such."""
        file: Path | BinaryIO = source if hasattr(source, "read") else page_path(source)  # type: ignore[assignment]
        if self.kind != "handwriting":
            raise RecognizerError(f"{name or file}: an image of a page, and the model reads {self.kind}")
        return file

    def line_or_page(self, source: "str | Path | BinaryIO", name: str = "") -> Signal | tuple[Page, list[Signal]]:
        """Return the signal of an image of a line; of what looks like a page what `find_page` returns.

        Raises:
            RecognizerError: the model reads no lines, the image is at fault, or no line is found on what looks like
                a page.
        """
        file = self._image_file(source, name)
        from recognizer.inputs.lines.image import HandwritingSettings, read_grey
        from recognizer.inputs.lines.page_line import line_or_lines

        path, name = file if isinstance(file, Path) else Path(name), name or str(file)
        settings = HandwritingSettings(**self.model_file.settings.signal)
        return line_or_lines(read_grey(file, name), path, settings, name)

    def signal(self, source: "Source", rate: int | None = None, name: str = "", channel: int = 0) -> Signal:
        """Return the signal of a source as this model takes it.

        Args:
            source: as for `transcribe`.
            rate: samples per second of an array of sound.
            name: of a file object, for messages.
            channel: of a recording, from 1 on; 0 for the mean of all.
        """
        made, rate = source_of(source, self.kind), rate_of(rate)
        self._refuse_no_effect(made, rate, channel)
        if isinstance(made, np.ndarray):
            kind = kind_named(self.kind)
            return kind.from_array(made, kind.settings(self.model_file.settings.signal), rate)
        return read_signal(self.kind, self.model_file.settings.signal, made, name, channel)

    def read(self, signals: Sequence[Signal]) -> list[Hypothesis]:
        """Read signals; spans are in pixels along a line, seconds of a recording, numbers of the points of strokes."""
        hypotheses = self.read_values([signal.values for signal in signals])
        step = self.model.steps_per_frame()
        return [_placed(hypothesis, s, step) for hypothesis, s in zip(hypotheses, signals, strict=True)]

    def read_values(self, values: Sequence[np.ndarray]) -> list[Hypothesis]:
        """Read the values of signals; of views of a line the surest reading is taken.

        Args:
            values: of each signal as `signal(...).values` holds them: a line's columns of grey, uint8 (columns,
                height); a recording's samples, int16 (samples,) at 16 kHz; strokes' points, float32 (points, 3).

        Returns:
            A hypothesis each, whose spans are in output frames of the network: `steps_per_frame` columns, samples or
            points make one.

        Raises:
            RecognizerError: values of another kind, or of a model of another height.
        """
        kind, signal = kind_named(self.kind), self.model_file.settings.signal
        self._refuse_others(values)
        parts = [kind.read_part(value, signal) for value in values]
        values = [value[part] for value, part in zip(values, parts, strict=True)]
        best = self._read_once(values)
        for view in VIEWS[1 : self.decoder.settings.tta]:
            others = self._read_once([view.of(line) for line in values])
            for i, (line, other) in enumerate(zip(values, others, strict=True)):
                if self._selection_score(other) > self._selection_score(best[i]):
                    best[i] = _back(other, view, line, self.model.steps_per_frame())
        step = self.model.steps_per_frame()
        return [
            self._calibrated(_moved(hypothesis, part.start / step))
            for hypothesis, part in zip(best, parts, strict=True)
        ]

    def _refuse_others(self, values: Sequence[np.ndarray]) -> None:
        """Refuse values that are not as this model takes them."""
        kind = kind_named(self.kind)
        wanted = kind.step_shape(self.model_file.settings.signal)
        for i, value in enumerate(values):
            array = isinstance(value, np.ndarray)
            if array and value.dtype == kind.dtype and value.shape[1:] == wanted and value.ndim and len(value):
                continue
            found = f"{value.dtype} {value.shape}" if array else f"of type {type(value).__name__}"
            shape = ", ".join([kind.steps, *map(str, wanted)])
            raise RecognizerError(f"values[{i}]: {found}, expected {kind.dtype} ({shape}) as signal(...).values has it")

    def _selection_score(self, hypothesis: Hypothesis) -> float:
        """Return what readings of several views are compared by: of the best path the confidence, not calibrated.

        A beam's readings are compared by their score for each character, in which a language model has its word.
        """
        if self.decoder.settings.engine == "greedy":
            return hypothesis.confidence
        return hypothesis.score / max(1, len(hypothesis.characters))

    def _read_once(self, values: Sequence[np.ndarray]) -> list[Hypothesis]:
        """Read the values of signals as they are, not calibrated; long and short ones go in batches of their like."""
        found: list[Hypothesis | None] = [None] * len(values)
        outputs = self._outputs(values) if self.decoder.settings.engine == "greedy" else self.outputs(values)
        for run, log_probs, counts in outputs:
            for i, hypothesis in zip(run, self.decoder.decode(log_probs, counts), strict=True):
                found[i] = hypothesis
        return [hypothesis for hypothesis in found if hypothesis is not None]

    def outputs(self, values: Sequence[np.ndarray]) -> "Iterator[tuple[list[int], Tensor, Tensor]]":
        """Yield what `log_probs` says of the values of signals, in runs of like length, each with its indices.

        Several runs are computed at once, as the reader's division says; how they are divided changes no run.
        """
        for run, log_probs, counts in self._outputs(values):
            yield run, *_as_tensors(log_probs, counts)

    def _outputs(self, values: Sequence[np.ndarray]) -> Iterator[tuple[list[int], Any, Any]]:
        """Yield what `outputs` does as the network gives it, perhaps as arrays of numpy."""
        kind = kind_named(self.kind)
        budget = kind.read_budget if self.network.on_cpu else kind.gpu_read_budget
        order = sorted(range(len(values)), key=lambda i: len(values[i]))
        runs = batch_by_budget(order, [len(values[i]) for i in order], budget)
        threads = self.division.threads

        def output(run: list[int]) -> tuple[list[int], Any, Any]:
            self.network.begin(threads)
            return run, *self.network.log_probs([values[i] for i in run])

        with self.network.threads(threads):
            yield from in_order(output, runs, self.division.workers)

    def align(self, signal: Signal, text: str) -> Hypothesis:
        """Return where the characters and words of a given raw `text` stand in a signal, in the file's own unit.

        A confidence says how likely what is there reads as the text says; that of the whole counts against it what the
        text leaves out: it is at most the likelihood of the alignment over that of what is read, for each character.

        Raises:
            RecognizerError: no text, an empty one, one with characters that the model lacks or too long for the signal.
        """
        if not isinstance(text, str):
            raise RecognizerError(f"a text to align of type {type(text).__name__}, expected a string")
        labels = self.alphabet.encode(text)
        if not labels:
            raise RecognizerError("the text to align is empty, expected at least one character")
        self._refuse_others([signal.values])
        with taking_torch("alignment"):
            from recognizer.decoding.alignment import align
        from recognizer.decoding.greedy import greedy

        _, log_probs, counts = next(self.outputs([signal.values]))
        frames = log_probs[0, : int(counts[0])]
        found = align(frames, labels)
        made = build_hypothesis(found.placed, self.alphabet, found.score, 0.0)
        (read,) = greedy(log_probs, counts, self.alphabet)
        # Not the best path itself: a space at its end, which no text has, is no fault of the text.
        score = align(frames, self.alphabet.encode(read.text)).score if read.text else read.score
        said = math.exp(min(0.0, (found.score - score) / len(labels)))
        hypothesis = self._calibrated(replace(made, confidence=min(made.confidence, said)))
        return _placed(hypothesis, signal, self.model.steps_per_frame())

    def _calibrated(self, hypothesis: Hypothesis) -> Hypothesis:
        return self.calibrations.apply(hypothesis) if self.calibrations else hypothesis

    def log_probs(self, values: Sequence[np.ndarray]) -> "tuple[Tensor, Tensor]":
        """Return log-probabilities (N, T', classes) float32 and counts (N,) of one batch of signals' values."""
        return _as_tensors(*self.network.log_probs(values))


def decoder_of(model_file: "ModelFile | OnnxModel", path: Path, options: DecoderOptions) -> Decoder:
    """Return the decoder that options and the model file at `path` ask for, with its notes on the choice.

    Raises:
        RecognizerError: options that do not fit the model, or a file of theirs is at fault.
    """
    stored, kind = model_file.decoder, model_file.settings.kind
    chosen, notes = with_language_model(options, path, stored, kind)
    with taking_torch("beam search"):
        decoder = make_decoder(chosen, stored, model_file.alphabet, model_file.priors)
    decoder.notes = (*notes, *decoder.notes)
    return decoder


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Put a name before what is said to be at fault within the block, "" for none."""
    try:
        yield
    except RecognizerError as error:
        if not name:
            raise
        raise RecognizerError(f"{name}: {error}", error.reason) from None


def _torch_model(path: Path) -> "ModelFile":
    """Read a model file; torch is imported here, not before."""
    with taking_torch(f"{path}: a model file"):
        from recognizer.model.model_file import load_model_file

    return load_model_file(path)


def _network_of(model_file: "ModelFile | OnnxModel", device: "torch.device | str", precision: str) -> Any:
    """Return what computes with a model on a device.

    Raises:
        RecognizerError: the device or the precision cannot be used.
    """
    if isinstance(model_file, OnnxModel):
        if str(device) not in ("auto", "cpu"):
            raise RecognizerError(f"{model_file.path}: ONNX is read on the CPU, expected --device cpu")
        if precision not in ("auto", "float32"):
            raise RecognizerError(f"{model_file.path}: ONNX is read in the type that it has, expected no --precision")
        return model_file
    from recognizer.reading.torch_network import TorchNetwork

    return TorchNetwork(model_file.model, device, precision)


def _as_tensors(log_probs: Any, counts: Any) -> "tuple[Tensor, Tensor]":
    """Return tensors of tensors or arrays."""
    with taking_torch("what is not the best path alone"):
        import torch

    return torch.as_tensor(log_probs), torch.as_tensor(counts)


def _placed(hypothesis: Hypothesis, signal: Signal, step: float) -> Hypothesis:
    """Return the hypothesis with its spans, given in output frames, in the file's own unit."""
    return move_spans(hypothesis, lambda frame: signal.place(frame * step))


def _moved(hypothesis: Hypothesis, frames: float) -> Hypothesis:
    """Return the hypothesis with its spans so many frames later."""
    return move_spans(hypothesis, lambda frame: frame + frames) if frames else hypothesis


def _back(hypothesis: Hypothesis, view: View, line: np.ndarray, step: float) -> Hypothesis:
    """Return what was read of a view of a line with its spans in frames of the line; `step` columns make a frame."""
    return move_spans(hypothesis, lambda frame: view.place(frame * step, *line.shape) / step)
