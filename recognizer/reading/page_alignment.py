"""Putting a transcript of a page onto the lines of the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recognizer.errors import RecognizerError
from recognizer.evaluation.metrics import distance
from recognizer.formats.result import Result, make_result
from recognizer.pages.page import Page
from recognizer.pages.parse import form_of
from recognizer.reading.found_lines import is_writing
from recognizer.reading.reader import Reader

ALONE = 0.3  # of its characters: what a line costs that has no other beside it; lines match below 60 % of edits


@dataclass(frozen=True)
class AlignedPage:
    """A page with the lines of a transcript that stand on it.

    Args:
        page: the page.
        records: of each line that the transcript has, with the transcript's text.
        left: what is without its like, a line each: lines of the transcript, lines of the page (where these were found
            on its image, those that are writing).
    """

    page: Page
    records: tuple[Result, ...]
    left: tuple[str, ...]


def align_page(reader: Reader, path: Path, transcript: Path, lines: Sequence[tuple[int, str]]) -> AlignedPage:
    """Read the lines of a page, named by its XML or found on its image; give each the line of the transcript like it.

    The transcript has a line of text for each line of the page, in its order; some may be missing on either side.

    Args:
        reader: of handwriting.
        path: of the page.
        transcript: what the lines are named by in messages.
        lines: of the transcript, with their numbers.

    Raises:
        RecognizerError: the page or the transcript is at fault, or nothing in one is like the other.
    """
    said = [(number, line.strip()) for number, line in lines if line.strip()]
    if not said:
        raise RecognizerError(f"{transcript}: no line of text, expected the lines of {path.name}")
    named = bool(form_of(path))
    page, signals = reader.named_page(path) if named else reader.find_page(path)
    hypotheses = reader.read(signals)
    read = [hypothesis.text for hypothesis in hypotheses]
    normal = [reader.alphabet.text.normalize(text) for _, text in said]
    pairs = matched_lines(read, normal)
    if not pairs:
        raise RecognizerError(
            f"{transcript}: none of its lines is like what {path.name} reads, expected its transcript"
        )
    records, left = [], []
    for at, number in pairs:
        name = str(page.name_of(page.lines[at]))
        try:
            records.append(make_result(name, reader.align(signals[at], normal[number]), signals[at]))
        except RecognizerError as error:
            left.append(f"{name}: {error}")
    texts, paired = {number for _, number in pairs}, {at for at, _ in pairs}
    left += [f"{transcript}:{at}: {text!r} is on no line" for i, (at, text) in enumerate(said) if i not in texts]
    names = [str(page.name_of(line)) for line in page.lines]
    left += [
        f"{names[i]}: {text!r} is not in {transcript.name}"
        for i, text in enumerate(read)
        if i not in paired and (named or is_writing(hypotheses[i]))
    ]
    return AlignedPage(page, tuple(records), tuple(left))


def matched_lines(read: Sequence[str], said: Sequence[str]) -> list[tuple[int, int]]:
    """Return which of the lines that were `read` is which of those that were `said`, both in order.

    The cheapest way is taken: a pair costs its edits, a line alone a share of its characters.
    """
    costs = np.zeros((len(read) + 1, len(said) + 1))
    costs[1:, 0] = np.cumsum([ALONE * len(text) for text in read])
    costs[0, 1:] = np.cumsum([ALONE * len(text) for text in said])
    edits = [[distance(a, b) for b in said] for a in read]
    for i, own in enumerate(read):
        for j, other in enumerate(said):
            alone = min(costs[i, j + 1] + ALONE * len(own), costs[i + 1, j] + ALONE * len(other))
            costs[i + 1, j + 1] = min(costs[i, j] + edits[i][j], alone)
    pairs: list[tuple[int, int]] = []
    i, j = len(read), len(said)
    while i and j:
        if costs[i, j] == costs[i - 1, j] + ALONE * len(read[i - 1]):
            i -= 1
        elif costs[i, j] == costs[i, j - 1] + ALONE * len(said[j - 1]):
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs[::-1]
