"""Readings of sound as subtitles (SubRip, WebVTT), NIST CTM and Praat's TextGrid."""

import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.formats.result import Result

LINE = 42  # characters of a line of a subtitle; a subtitle has at most two
LASTING = 6.0  # seconds of a subtitle at most
PAUSE = 0.8  # seconds of silence that end a subtitle


@dataclass(frozen=True)
class Rest(Span):
    """A part of a word that is too long for one subtitle, but not its first: it begins another subtitle."""


def subrip(record: Result) -> str:
    """Return SubRip: numbered subtitles of at most two lines and six seconds, ended by pauses too."""
    return "".join(subrip_parts(words_in_parts(record.hypothesis)))


def webvtt(record: Result) -> str:
    """Return WebVTT with the same subtitles."""
    return "".join(webvtt_parts(words_in_parts(record.hypothesis)))


def subrip_parts(words: Iterable[Span]) -> Iterator[str]:
    """Yield SubRip subtitle by subtitle, each as soon as the word behind it is known."""
    for number, run in enumerate(subtitles(words), 1):
        times = f"{_clock(run[0].start, ',')} --> {_clock(run[-1].end, ',')}"
        yield f"{_parting(number)}{number}\n{times}\n{_wrapped(run)}\n"


def webvtt_parts(words: Iterable[Span]) -> Iterator[str]:
    """Yield WebVTT subtitle by subtitle."""
    yield "WEBVTT\n"
    for run in subtitles(words):
        text = _wrapped(run).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        yield f"\n{_clock(run[0].start, '.')} --> {_clock(run[-1].end, '.')}\n{text}\n"


def ctm(record: Result) -> str:
    """Return a line a word: file, channel 1, start and duration in seconds, word, confidence.

    The file is its name without suffix, white space in it as "_", since white space parts the fields.
    """
    name = "_".join(Path(record.name).stem.split()) or "-"
    rows = (
        f"{name} 1 {w.start:.3f} {w.end - w.start:.3f} {w.text} {w.confidence:.3f}\n" for w in record.hypothesis.words
    )
    return "".join(rows)


def textgrid(record: Result) -> str:
    """Return a TextGrid with the tiers words and characters, empty intervals where nothing was read."""
    found = record.hypothesis
    tiers = {"words": found.words, "characters": [one for one in found.characters if one.text.strip()]}
    last = max([record.extent, *(one.end for one in found.words)])
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {last:.6f}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, spans) in enumerate(tiers.items(), 1):
        rows = _intervals(spans, last)
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {last:.6f}", f"        intervals: size = {len(rows)}"]
        for i, (start, end, text) in enumerate(rows, 1):
            quoted = text.replace('"', '""')
            lines += [f"        intervals [{i}]:", f"            xmin = {start:.6f}", f"            xmax = {end:.6f}"]
            lines += [f'            text = "{quoted}"']
    return "\n".join([*lines, ""])


def words_in_parts(found: Hypothesis) -> Iterator[Span]:
    """Yield the words of a reading, those that are too long for a subtitle in parts: scripts without spaces have such.

    They are divided between characters, whose places are known; a word without characters stays whole.
    """
    letters = [one for one in found.characters if one.text.strip()]
    at = 0
    for word in found.words:
        begin, length = at, 0
        while at < len(letters) and length < len(word.text):
            length += len(letters[at].text)
            at += 1
        own = letters[begin:at]
        long = len(word.text) > LINE or word.end - word.start > LASTING
        if long and "".join(one.text for one in own) == word.text:
            for number, part in enumerate(_parts(own)):
                text = "".join(one.text for one in part)
                yield (Rest if number else Span)(text, part[0].start, part[-1].end, word.confidence)
        else:
            yield word


def subtitles(words: Iterable[Span]) -> Iterator[list[Span]]:
    """Yield words, as `words_in_parts` does, in runs that fit into one subtitle each."""
    run: list[Span] = []
    for word in words:
        full = len(_lines([*run, word])) > 2 or isinstance(word, Rest)
        if run and (full or _ends(run, word)):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _parts(letters: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield the characters of a word in runs that fit into a line and a subtitle each, marks with their letters."""
    run: list[Span] = []
    for letter in letters:
        full = sum(len(one.text) for one in [*run, letter]) > LINE
        if run and (full or _ends(run, letter)) and not unicodedata.category(letter.text[0]).startswith("M"):
            yield run
            run = []
        run.append(letter)
    yield run


def _ends(run: Sequence[Span], after: Span) -> bool:
    """Return whether a subtitle ends before `after`: by a pause, or since it would last too long."""
    return after.start - run[-1].end > PAUSE or after.end - run[0].start > LASTING


def _parting(number: int) -> str:
    """Return what stands before the subtitle of a number: an empty line, but before the first nothing."""
    return "\n" if number > 1 else ""


def _wrapped(words: Sequence[Span]) -> str:
    return "\n".join(_lines(words))


def _lines(words: Sequence[Span]) -> list[str]:
    """Return the lines of a subtitle, which part words at their spaces alone."""
    text = " ".join(word.text for word in words)
    return textwrap.wrap(text, LINE, break_long_words=False, break_on_hyphens=False)


def _clock(seconds: float, mark: str) -> str:
    """Return hours, minutes, seconds and thousandths after `mark`."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


def _intervals(spans: Sequence[Span], last: float) -> list[tuple[float, float, str]]:
    """Return intervals (start, end, text) that follow one another from 0 to `last`; none of them is empty of time."""
    rows: list[tuple[float, float, str]] = []
    at = 0.0
    for span in spans:
        start, end = max(span.start, at), min(span.end, last)
        if end <= start and rows:
            # Praat knows no interval without length: what has none stands with its neighbour.
            rows[-1] = (*rows[-1][:2], rows[-1][2] + span.text)
            continue
        if start > at:
            rows.append((at, start, ""))
        rows.append((start, end, span.text))
        at = end
    if at < last or not rows:
        rows.append((at, last, ""))
    return rows
