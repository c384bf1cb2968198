"""Placing the text of a long recording: each piece gets the words that it says, then they are aligned within it.

Text and recording may lack parts of one another: a piece whose reading is not like the text is left without words, and
words that no piece says are passed over; both are said.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.hypothesis import Hypothesis, move_spans
from recognizer.errors import RecognizerError
from recognizer.evaluation.metrics import distance
from recognizer.formats.result import Result
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.segmentation import Piece, Segmenter
from recognizer.language.unspaced import is_unspaced
from recognizer.reading.reader import Reader

AHEAD = 2.0  # times what was read: so much text is looked through for its like
SPARE = 200  # characters more: text that was not read at all
BATCH = 3  # pieces that are read at once
FAR = 0.6  # of the longer one: a reading and a text that differ in more are not the same
NEAR = 0.4  # likewise, where words of the text are passed over to find the like of a reading
LETTERS = 20  # characters that such a reading has at least
SHOWN = {" ": 5, "": 30}  # words in a message; characters where no spaces part words
JUMP = 2000  # characters of the text that may be passed over


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
    is still to come in which the fewest edits are needed (Levenshtein, the end of the text free). Where the words found
    so are not like the reading, the text ahead is searched for its like (both ends free; Sellers 1980).

    Where the model's alphabet has no space, or the text is of a script without them, its characters take the place of
    its words.

    Args:
        reader: of speech.
        pieces: of the recording, in order.
        text: what all of it says, raw.
        name: of the recording.
        say: takes a line for each piece whose words cannot be placed, and for words that no piece says.

    Raises:
        RecognizerError: the text is empty or has characters that the model lacks.
    """
    normal = reader.alphabet.text.normalize(text)
    gap = "" if is_unspaced(normal) else gap_of(reader.alphabet)
    words = _units(normal, gap)
    if not words:
        raise RecognizerError(f"{name}: the text to align is empty, expected what the recording says")
    try:
        reader.alphabet.encode(text)
    except RecognizerError as error:
        raise RecognizerError(f"{name}: {error}") from None
    at, heard, rate = 0, _heard(reader, pieces), int(reader.model_file.settings.signal["sample_rate"])
    one = next(heard, None)
    while one is not None:
        after = next(heard, None)
        place = f"{name}: from {one.piece.start / rate:.1f} to {one.piece.end / rate:.1f} s"
        found = own_words(one.text, None if after is None else after.text, words[at:], gap)
        if found is None:
            say(f"{place}: {_shown(_units(one.text, gap), gap)} is read, which is not like the text there")
        else:
            if found[0]:
                say(f"{place}: before it {_shown(words[at : at + found[0]], gap)} of the text is in no piece")
            said = words[at + found[0] : at + found[1]]
            at += found[1]
            if result := _placed(reader, one.piece, gap.join(said).strip(), place, name, say):
                yield result
        one = after
    if rest := words[at:]:
        units = "words" if gap else "characters"
        say(f"{name}: no speech is left for the last {len(rest)} {units}, from {gap.join(rest[: SHOWN[gap]])!r} on")


def gap_of(alphabet: Alphabet) -> str:
    """Return what stands between two words, or two lines, of a text that a model writes: a space, or nothing."""
    return " " if alphabet.text.unit == "token" or " " in alphabet.symbols else ""


def _units(text: str, gap: str) -> list[str]:
    return text.split() if gap else list(text)


def own_words(read: str, after: str | None, words: Sequence[str], gap: str = " ") -> tuple[int, int] | None:
    """Return which of `words`, from one to before another, a piece says that is read as `read`; None where it is none.

    The piece behind it is read as `after`, which is None for the last: that one may have all words that are left.
    Between words stands `gap`.
    """
    ends = [len(words)] if after is None else []
    for end in (*ends, words_of(read, after or "", words, gap)):
        if alike(read, gap.join(words[:end]), FAR):
            return 0, end
    if len(read) < LETTERS:
        return None
    start, end = _passage(read, words, gap)
    return (start, end) if alike(read, gap.join(words[start:end]), NEAR) else None


def alike(read: str, said: str, far: float) -> bool:
    """Return whether two texts differ in no more than a share of the characters of the longer one."""
    return distance(read, said) <= far * max(len(read), len(said))


def _passage(read: str, words: Sequence[str], gap: str) -> tuple[int, int]:
    """Return from which to before which of the next words the passage stands that is most like `read`."""
    lengths = np.cumsum([len(word) + len(gap) for word in words])
    lengths = lengths[: int(np.searchsorted(lengths, JUMP + AHEAD * len(read))) + 1]
    text = gap.join(words[: len(lengths)])
    row, source = np.zeros(len(text) + 1, np.int32), np.arange(len(text) + 1)
    row, source = _aligned(read, text, row, source)
    end = int(np.argmin(row))
    middles = lengths - len(gap) - np.array([len(word) for word in words[: len(lengths)]]) / 2
    first = int(np.sum(middles < source[end]))
    return first, max(first, int(np.sum(middles <= end)))


def _shown(words: Sequence[str], gap: str) -> str:
    return repr(gap.join(words[: SHOWN[gap]]) + (" ..." if len(words) > SHOWN[gap] else ""))


def words_of(read: str, after: str, words: Sequence[str], gap: str = " ") -> int:
    """Return how many of `words` a piece says that is read as `read`, if what follows is read as `after`."""
    window = round(AHEAD * (len(read) + len(after))) + SPARE
    count = length = 0
    while count < len(words) and length < window:
        length += len(words[count]) + len(gap)
        count += 1
    text = gap.join(words[:count])
    ends = np.cumsum([len(word) + len(gap) for word in words[:count]]) - len(gap)
    cut = _cut(read + gap, after + gap, text)
    return int(np.sum(ends <= cut + 0.5)) if cut >= 0 else 0


def _cut(read: str, after: str, text: str) -> int:
    """Return how many characters of `text` stand opposite `read` where read + after is aligned with its beginning."""
    if not read + after:
        return 0
    steps = np.arange(len(text) + 1)
    row, _ = _aligned(read, text, steps.astype(np.int32), steps)
    row, came = _aligned(after, text, row, steps)
    return int(came[int(np.argmin(row))])


def _aligned(spoken: str, given: str, row: np.ndarray, came: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a row of edits (Levenshtein) with `spoken` read on from `row`, and what `came` along each cell's path.

    Args:
        spoken: the characters that are read.
        given: the characters that the cells stand behind, of `row` but for its first.
        row: (len(given) + 1,) edits so far.
        came: (len(given) + 1,) what each cell of `row` brings along.
    """
    letters = np.frombuffer(given.encode("utf-32-le"), np.uint32)
    steps = np.arange(len(letters) + 1)
    for letter in np.frombuffer(spoken.encode("utf-32-le"), np.uint32):
        down, across = row + 1, np.concatenate(([row[0] + 1], row[:-1] + (letters != letter)))
        best = np.minimum(down, across)
        source = np.where(across <= down, np.concatenate(([0], steps[:-1])), steps)
        # Insertions: the least of best[j] + (k - j) over all j <= k.
        lifted = best - steps
        least = np.minimum.accumulate(lifted)
        first = np.maximum.accumulate(np.where(lifted == least, steps, 0))
        row, came = (least + steps).astype(np.int32), came[source[first]]
    return row, came


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


def _placed(
    reader: Reader, piece: Piece, said: str, place: str, name: str, say: Callable[[str], None]
) -> Result | None:
    """Return the words that a piece says at their places in the recording, None where there are none."""
    rate = int(reader.model_file.settings.signal["sample_rate"])
    start, end = piece.start / rate, piece.end / rate
    if not said:
        return None
    try:
        found: Hypothesis = reader.align(Signal(piece.values, end - start, "s"), said)
    except RecognizerError as error:
        say(f"{place}: {error}")
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
