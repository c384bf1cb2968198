"""Readings of the pieces of a long recording, written as they come."""

from collections.abc import Callable, Iterable, Iterator

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError
from recognizer.formats.result import Result
from recognizer.formats.sound_documents import ctm, subrip_parts, textgrid, webvtt_parts, words_in_parts


def streamed(
    records: Iterable[Result], form: str, line: Callable[[Result], str], seconds: Callable[[], float]
) -> Iterator[str]:
    """Yield the text of a long recording part by part; put together it is that of one reading of the whole.

    Args:
        records: of its pieces, in order, spans in seconds of the recording.
        form: "srt", "vtt", "ctm", "textgrid" (which is written at the end, since it begins with its size), or another
            that has a line for each piece.
        line: makes the line of a piece in another form.
        seconds: returns the length of the recording; asked when all its pieces have come.

    Raises:
        RecognizerError: the form is for images.
    """
    if form == "srt":
        yield from subrip_parts(_words(records))
    elif form == "vtt":
        yield from webvtt_parts(_words(records))
    elif form == "ctm":
        yield from (ctm(record) for record in records)
    elif form == "textgrid":
        yield textgrid(_whole(records, seconds))
    elif form in ("hocr", "page", "alto"):
        for record in records:
            raise RecognizerError(f"{record.name}: its places are in {record.unit}, expected an image for {form}")
    else:
        yield from (line(record) for record in records)


def _words(records: Iterable[Result]) -> Iterator[Span]:
    for record in records:
        yield from words_in_parts(record.hypothesis)


def _whole(records: Iterable[Result], seconds: Callable[[], float]) -> Result:
    """Return all pieces as one record, of which a TextGrid needs the spans alone."""
    name, words, characters = "", [], []  # type: str, list[Span], list[Span]
    for record in records:
        name = record.name
        words += record.hypothesis.words
        characters += record.hypothesis.characters
    return Result(name, Hypothesis("", 1.0, tuple(characters), tuple(words)), "s", seconds())
