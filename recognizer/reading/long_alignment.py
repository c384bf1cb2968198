"""Placing the text of a long recording: each piece gets the words that it says, then they are aligned within it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recognizer.decoding.hypothesis import Hypothesis, move_spans
from recognizer.errors import RecognizerError
from recognizer.formats.result import Result
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.segmentation import Piece, Segmenter
from recognizer.reading.reader import Reader

AHEAD = 2.0  # times what was read: so much text is looked through for its like
SPARE = 200  # characters more: text that was not read at all
BATCH = 3  # pieces that are read at once


@dataclass(frozen=True)
class Heard:
    """A piece with what is read of it.

    Args:
        piece: of the recording.
        text: as read, not as given.
    """

    piece: Piece
    text: str


def align_long(
    reader: Reader, pieces: Iterator[Piece], text: str, name: str, say: Callable[[str], None]
) -> Iterator[Result]:
    """Yield a result for each piece of a recording, with those words of `text` that are said in it.

    What a piece says is found by reading it and the piece behind it, and by the alignment of both with the text that
    is still to come in which the fewest edits are needed (Levenshtein, the end of the text free).

    Args:
        reader: of speech.
        pieces: of the recording, in order.
        text: what all of it says, raw.
        name: of the recording.
        say: takes a line for each piece whose words cannot be placed.

    Raises:
        RecognizerError: the text is empty or has characters that the model lacks.
    """
    words = reader.alphabet.text.normalize(text).split()
    if not words:
        raise RecognizerError(f"{name}: the text to align is empty, expected what the recording says")
    reader.alphabet.encode(text)
    at, heard = 0, _heard(reader, pieces)
    one = next(heard, None)
    while one is not None:
        after = next(heard, None)
        taken = len(words) - at if after is None else words_of(one.text, after.text, words[at:])
        said, at = words[at : at + taken], at + taken
        if result := _placed(reader, one.piece, " ".join(said), name, say):
            yield result
        one = after
    if at < len(words):
        say(f"{name}: no speech is left for the last {len(words) - at} words, from {' '.join(words[at : at + 5])!r} on")


def words_of(read: str, after: str, words: Sequence[str]) -> int:
    """Return how many of `words` a piece says that is read as `read`, if what follows is read as `after`."""
    window = round(AHEAD * (len(read) + len(after))) + SPARE
    count = length = 0
    while count < len(words) and length < window:
        length += len(words[count]) + 1
        count += 1
    text = " ".join(words[:count])
    ends = np.cumsum([len(word) + 1 for word in words[:count]]) - 1
    cut = _cut(f"{read} ", f"{after} ", text)
    return int(np.sum(ends <= cut + 0.5)) if cut >= 0 else 0


def _cut(read: str, after: str, text: str) -> int:
    """Return how many characters of `text` stand opposite `read` where read + after is aligned with its beginning."""
    spoken = np.frombuffer((read + after).encode("utf-32-le"), np.uint32)
    given = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    steps = np.arange(len(given) + 1)
    row = steps.astype(np.int32)
    came = steps.copy()  # of each cell: where its path left the row at the end of `read`
    for i, letter in enumerate(spoken, 1):
        down, across = row + 1, np.concatenate(([row[0] + 1], row[:-1] + (given != letter)))
        best = np.minimum(down, across)
        source = np.where(across <= down, np.concatenate(([0], steps[:-1])), steps)
        # Insertions: the least of best[j] + (k - j) over all j <= k.
        lifted = best - steps
        least = np.minimum.accumulate(lifted)
        first = np.maximum.accumulate(np.where(lifted == least, steps, 0))
        row = (least + steps).astype(np.int32)
        came = steps.copy() if i == len(read) else came[source[first]]
    return int(came[int(np.argmin(row))]) if len(spoken) else 0


def _heard(reader: Reader, pieces: Iterator[Piece]) -> Iterator[Heard]:
    waiting: list[Piece] = []
    for piece in pieces:
        waiting.append(piece)
        if len(waiting) == BATCH:
            yield from _read(reader, waiting)
            waiting = []
    yield from _read(reader, waiting)


def _read(reader: Reader, pieces: list[Piece]) -> list[Heard]:
    found = reader.read_values([piece.values for piece in pieces])
    return [Heard(piece, hypothesis.text) for piece, hypothesis in zip(pieces, found, strict=True)]


def _placed(reader: Reader, piece: Piece, said: str, name: str, say: Callable[[str], None]) -> Result | None:
    """Return the words that a piece says at their places in the recording, None where there are none."""
    rate = int(reader.model_file.settings.signal["sample_rate"])
    start, end = piece.start / rate, piece.end / rate
    if not said:
        return None
    try:
        found: Hypothesis = reader.align(Signal(piece.values, end - start, "s"), said)
    except RecognizerError as error:
        say(f"{name}: from {start:.1f} to {end:.1f} s: {error}")
        return None
    return Result(name, move_spans(found, lambda place: start + place), "s", end, part=(start, end))


def pieces_without_overlap(blocks: Iterator[np.ndarray], rate: int) -> Iterator[Piece]:
    """Yield the pieces of a recording; of two that overlap the second begins where the first ends."""
    segmenter, last = Segmenter(rate), 0
    for block in blocks:
        for piece in segmenter.push(block):
            yield _after(piece, last)
            last = piece.end
    for piece in segmenter.finish():
        yield _after(piece, last)
        last = piece.end


def _after(piece: Piece, last: int) -> Piece:
    cut = max(0, last - piece.start)
    return Piece(piece.start + cut, piece.values[cut:], False, piece.heard)
