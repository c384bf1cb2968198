"""Reading recordings of any length: piece by piece, in constant memory."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from recognizer.decoding.hypothesis import Hypothesis, move_spans
from recognizer.decoding.joining import joined, stitched
from recognizer.errors import RecognizerError
from recognizer.inputs.registry import kind_of
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.audio import SpeechSettings, signal_from_array
from recognizer.inputs.speech.segmentation import Piece, SegmentationSettings, Segmenter
from recognizer.inputs.speech.streaming import open_recording

if TYPE_CHECKING:
    from recognizer.inputs.speech.segmentation import Signal as Samples
    from recognizer.reading.reader import Reader

BATCH_SECONDS = 60.0  # of pieces that are read at once: no more than one recording that is read whole


@dataclass(frozen=True)
class PieceReading:
    """What was read of a piece of a recording.

    Args:
        start: s, where the piece begins in the recording.
        end: s, where it ends.
        hypothesis: its spans in s of the recording.
        overlaps: whether its beginning repeats the end of the piece before.
        heard: s of the recording that had come in when the piece was cut.
    """

    start: float
    end: float
    hypothesis: Hypothesis
    overlaps: bool = False
    heard: float = 0.0


class PieceReader:
    """Takes the blocks of one recording, gives the readings of its pieces in order."""

    def __init__(
        self,
        reader: "Reader",
        settings: SegmentationSettings | None = None,
        read: "Callable[[list[Signal]], list[Hypothesis]] | None" = None,
    ) -> None:
        """Read with the model of `reader`, or as `read` says of the signals of pieces."""
        self.rate = int(reader.model_file.settings.signal["sample_rate"])
        self.segmenter = Segmenter(self.rate, settings)
        self._read = read or reader.read
        self.pieces = 0
        self._waiting: list[Piece] = []
        self._held: PieceReading | None = None

    def push(self, block: "Samples") -> Iterator[PieceReading]:
        """Take the next samples (n,) and yield what is read of the pieces that are complete."""
        for piece in self.segmenter.push(block):
            yield from self._take(piece)

    def finish(self) -> Iterator[PieceReading]:
        """Yield what is read of the rest."""
        for piece in self.segmenter.finish():
            yield from self._take(piece)
        yield from self._read_waiting()
        if self._held:
            yield self._held
        self._held = None

    @property
    def heard(self) -> float:
        """Seconds that have come in."""
        return self.segmenter.heard / self.rate

    @property
    def silence(self) -> float:
        """Seconds without speech that were left out so far."""
        return self.segmenter.silence / self.rate

    def _take(self, piece: Piece) -> Iterator[PieceReading]:
        """Let pieces wait until there are enough for a batch; a live one is read at once."""
        self.pieces += 1
        seconds = sum(len(one.values) for one in (*self._waiting, piece)) / self.rate
        if seconds > BATCH_SECONDS:
            yield from self._read_waiting()
        self._waiting.append(piece)
        if self.segmenter.settings.live:
            yield from self._read_waiting()

    def _read_waiting(self) -> Iterator[PieceReading]:
        """Read the pieces that wait; the last is held where the next may overlap it."""
        pieces, self._waiting = self._waiting, []
        signals = [Signal(piece.values, len(piece.values) / self.rate, "s") for piece in pieces]
        for piece, hypothesis in zip(pieces, self._read(signals) if signals else [], strict=True):
            yield from self._in_order(self._placed(piece, hypothesis))
        if self._held and self.segmenter.settings.live and not self.segmenter.overlaps:
            yield self._held
            self._held = None

    def _placed(self, piece: Piece, hypothesis: Hypothesis) -> PieceReading:
        start = piece.start / self.rate
        found = move_spans(hypothesis, lambda at: start + at)
        return PieceReading(start, piece.end / self.rate, found, piece.overlaps, piece.heard / self.rate)

    def _in_order(self, reading: PieceReading) -> Iterator[PieceReading]:
        """Hold a reading until it is known whether the next one overlaps it; yield the one before."""
        held, self._held = self._held, reading
        if held is None:
            return
        if reading.overlaps:
            seam = stitched(held.hypothesis, reading.hypothesis, reading.start, held.end)
            held, self._held = replace(held, hypothesis=seam[0]), replace(reading, hypothesis=seam[1])
        yield held


def read_pieces(
    reader: "Reader", blocks: "Iterable[Samples]", settings: SegmentationSettings | None = None
) -> Iterator[PieceReading]:
    """Yield the readings of the pieces of sound that comes in `blocks` (n,)."""
    pieces = PieceReader(reader, settings)
    for block in blocks:
        yield from pieces.push(block)
    yield from pieces.finish()


def read_blocks(reader: "Reader", blocks: "Iterable[Samples]") -> Hypothesis:
    """Return one hypothesis of sound that comes in `blocks` (n,), its spans in s."""
    return joined([one.hypothesis for one in read_pieces(reader, blocks)], reader.decoder.written)


def is_long(source: "Path | BinaryIO", name: str, reader: "Reader", own: str = "") -> bool:
    """Return whether a file is a recording longer than `reader` reads at once, or one that does not say how long.

    `own` is the kind of the file, where it is known already.
    """
    try:
        if reader.kind != "speech" or (own or kind_of(source)) != "speech":
            return False
        settings = SpeechSettings(**reader.model_file.settings.signal)
        with open_recording(source, settings, name, lambda _: None) as recording:
            return not recording.seconds <= settings.max_seconds
    except RecognizerError:
        return False  # the ordinary way says what is wrong with it
    finally:
        if not isinstance(source, Path):
            source.seek(0)


def read_long(reader: "Reader", source: "Path | BinaryIO | np.ndarray", rate: int | None = None) -> Hypothesis:
    """Return one hypothesis of a recording of any length, its spans in s.

    Args:
        reader: of speech.
        source: a file, or sound (samples[, channels]) at `rate` Hz.
        rate: of an array.

    Raises:
        RecognizerError: the recording is at fault.
    """
    settings = SpeechSettings(**reader.model_file.settings.signal)
    if isinstance(source, np.ndarray):
        values = signal_from_array(source, rate or settings.sample_rate, replace(settings, max_seconds=math.inf))
        step = 10 * settings.sample_rate
        blocks = (values[i : i + step] for i in range(0, len(values), step))
        return read_blocks(reader, blocks)
    name = str(source) if isinstance(source, Path) else "the recording"
    with open_recording(source, settings, name, lambda _: None) as recording:
        return read_blocks(reader, recording.blocks())
