"""Read files that a user names."""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from recognizer.common.processors import Division
from recognizer.decoding.hypothesis import Hypothesis
from recognizer.decoding.options import DecoderOptions
from recognizer.errors import RecognizerError
from recognizer.formats.result import Result, make_result
from recognizer.inputs.folders import list_folder
from recognizer.inputs.lines.image import LOOKS_LIKE_A_PAGE
from recognizer.inputs.lines.image_file import encoded_pages, page_names
from recognizer.inputs.lines.page_line import PAGE_NOTE
from recognizer.inputs.registry import kind_named, kind_of, suffixes
from recognizer.inputs.signal import Signal
from recognizer.pages.image_lookup import find_image
from recognizer.pages.page import Page, file_of, page_and_line
from recognizer.pages.parse import HEAD, form_of, read_page
from recognizer.pretrained import pretrained_models
from recognizer.reading.long_recordings import LongRecording
from recognizer.reading.reader import Reader
from recognizer.reading.recordings import is_long

CONVERT = "expected it as PNG or TIFF, or as FLAC or WAV"
OURS = b"<!-- recognizer "  # before the root of XML that `transcribe` wrote
FIRST, RUN = 4, 64  # files, or lines of pages, that are read together: few at first, that the first texts come soon


@dataclass(frozen=True)
class Transcript:
    """What became of one file.

    Args:
        name: of the file as the user gave it, "-" for standard input.
        records: what was read: of a page a record for each line that can be read, of any other file one.
        errors: what is at fault, one line each: the file, or lines of the page.
        page: the page that the file describes, None where it is no page.
        long: a recording that is read piece by piece while its records are asked for, None for all else.
    """

    name: str
    records: tuple[Result, ...]
    errors: tuple[str, ...] = ()
    page: Page | None = None
    long: LongRecording | None = None


@dataclass(frozen=True)
class _Document:
    """A file with what is to be read of it: itself, or the lines of the page that it is."""

    name: str
    parts: tuple[tuple[str, Path | BinaryIO], ...]
    errors: tuple[str, ...] = ()
    page: Page | None = None


@dataclass(frozen=True)
class TranscribeOptions:
    """How files are read.

    Args:
        model: a model file or the name of a shipped model; None lets each file's kind pick the shipped one of its name.
        device: "auto", "cpu" or "cuda".
        decoder: what the decoder is asked for.
        say: takes what a user should know of the decoder, and of lines that were found.
        find_lines: take every image for a page whose lines are to be found; else only one that looks like a page.
        channel: of recordings, from 1 on; 0 for the mean of all.
        show: takes how far a long recording is read.
        progress: takes how many files are read, and how many there are.
        division: how many batches are read at once; None fills the processors that may be used.
        readers: models that are loaded already, by kind, or "any"; what is loaded is kept there.
    """

    model: str | None
    device: str
    decoder: DecoderOptions
    say: Callable[[str], None]
    find_lines: bool = False
    channel: int = 0
    show: Callable[[str], None] = lambda _: None
    progress: Callable[[int, int], None] = lambda done, total: None
    division: Division | None = None
    readers: dict[str, Reader] = field(default_factory=dict)

    def reader(self, name: str) -> Reader:
        """Load a reader."""
        loaded = Reader.load(name, self.device, self.decoder, self.division)
        for note in loaded.decoder.notes:
            self.say(note)
        return loaded


def doubtful(hypothesis: Hypothesis, below: float) -> list[int]:
    """Return the numbers of the words whose confidence is below a limit."""
    return [i for i, word in enumerate(hypothesis.words) if word.confidence < below]


def marked(hypothesis: Hypothesis, below: float) -> str:
    """Return the text with each word whose confidence is below a limit as [word?]."""
    marks = set(doubtful(hypothesis, below))
    words = iter(range(len(hypothesis.words)))
    return re.sub(r"\S+", lambda found: f"[{found[0]}?]" if next(words) in marks else found[0], hypothesis.text)


def transcribe(names: Sequence[str], manner: TranscribeOptions) -> Iterator[Transcript]:
    """Yield a transcript for each file, in order; a file at fault does not stop the others.

    Args:
        names: files, folders (all pages, images, recordings and InkML files in them), "-" for standard input; a page
            is PAGE XML or ALTO, FILE#ID one of its lines.
        manner: how they are read.
    """
    readers = manner.readers
    if manner.model is not None and "any" not in readers:
        readers["any"] = manner.reader(manner.model)
    waiting: list[_Document] = []
    together = FIRST
    sources = list(_sources(names))  # what cannot be opened up ends the call before anything is read
    for number, (name, source) in enumerate(sources):
        manner.progress(number - len(waiting), len(sources))
        if isinstance(source, str):
            waiting.append(_Document(name, (), (source,)))
            continue
        if long := _long(name, source, readers, manner):
            yield from _run(waiting, readers, manner)
            waiting = []
            yield Transcript(name, (), long=long)
            continue
        waiting += _documents(name, source)
        if sum(len(document.parts) for document in waiting) >= together:
            yield from _run(waiting, readers, manner)
            waiting, together = [], min(RUN, 2 * together)
    yield from _run(waiting, readers, manner)
    manner.progress(len(sources), len(sources))


def _long(
    name: str, source: Path | BinaryIO, readers: dict[str, Reader], manner: TranscribeOptions
) -> LongRecording | None:
    """Return a recording that is too long to be read whole, None for any other file."""
    try:
        if kind_of(source) != "speech":
            return None
        reader = _reader(name, source, readers, manner)
    except RecognizerError:
        return None  # the ordinary way says what is wrong
    if not is_long(source, name, reader):
        return None
    return LongRecording(reader, source, name, manner.channel, manner.say, manner.show)


def _reader(name: str, source: Path | BinaryIO, readers: dict[str, Reader], manner: TranscribeOptions) -> Reader:
    """Return the reader of a file, loaded the first time that it is asked for."""
    key = _key(source, readers)
    if key not in readers:
        if key not in pretrained_models():
            raise RecognizerError(f"{name}: {kind_named(key).noun}, which no shipped model reads, expected --model")
        readers[key] = manner.reader(key)
    return readers[key]


def _documents(name: str, source: Path | BinaryIO) -> list[_Document]:
    """Return a file as it is; a page with the names of its lines; each page of an image that holds several."""
    if isinstance(source, Path) and (form_of(source) or _is_unreadable_xml(source)):
        return [_page_document(name, source)]
    try:
        if kind_of(source) != "handwriting" or (isinstance(source, Path) and source != file_of(source)):
            return [_Document(name, ((name, source),))]
        if isinstance(source, Path):
            return [_Document(str(page), ((str(page), page),)) for page in page_names(source)]
        pages = encoded_pages(source, name)
    except RecognizerError:  # reading it will say what is wrong with it
        return [_Document(name, ((name, source),))]
    names = [name] if len(pages) == 1 else [f"{name}[{number}]" for number in range(1, len(pages) + 1)]
    return [_Document(one, ((one, page),)) for one, page in zip(names, pages, strict=True)]


def _page_document(name: str, source: Path) -> _Document:
    """Return a page with the names of its lines."""
    try:
        page = read_page(source)
        page.image_path()
    except RecognizerError as error:
        return _Document(name, (), (str(error),))
    lines = tuple((str(page.name_of(line)), page.name_of(line)) for line in page.lines)
    return _Document(name, lines, () if lines else (f"{name}: a page without lines, expected one that has some",), page)


def _run(documents: list[_Document], readers: dict[str, Reader], manner: TranscribeOptions) -> Iterator[Transcript]:
    """Yield the transcripts of some documents."""
    said: set[str] = set()

    def once(line: str) -> None:
        if line not in said:
            said.add(line)
            manner.say(line)

    found = _read([part for document in documents for part in document.parts], readers, replace(manner, say=once))
    for document in documents:
        made = [found.pop(0) for _ in document.parts]
        if _is_page(document, made):
            yield _with_lines_found(document, readers, manner)
            continue
        # What is wrong with the image of a page is wrong with each of its lines, and is said once.
        errors = tuple(
            dict.fromkeys((*document.errors, *(str(one) for one in made if isinstance(one, RecognizerError))))
        )
        records = tuple(one for one in made if isinstance(one, Result))
        yield Transcript(document.name, records, errors, document.page)


def _is_page(document: _Document, made: Sequence[Result | RecognizerError]) -> bool:
    """Return whether a file is refused as a line because it is an image of a page."""
    if document.page or not made or _is_line_of_page(document.parts[0][1]):
        return False
    return isinstance(made[0], RecognizerError) and made[0].reason == LOOKS_LIKE_A_PAGE


def _with_lines_found(document: _Document, readers: dict[str, Reader], manner: TranscribeOptions) -> Transcript:
    """Return the transcript of an image of a page, of which nobody has said where its lines are."""
    ((name, source),) = document.parts
    reader = readers[_key(source, readers)]
    try:
        page, signals = reader.find_page(source, name)
    except RecognizerError as error:
        return Transcript(name, (), (str(error),))
    manner.say(f"{name}: a page, {len(signals)} lines found on it")
    hypotheses = reader.read(signals)
    parts, used = zip(page.lines, hypotheses, signals, strict=True), reader.decoder.settings.describe()
    return Transcript(name, tuple(make_result(str(page.name_of(line)), h, s, used) for line, h, s in parts), (), page)


def _key(source: Path | BinaryIO, readers: dict[str, Reader]) -> str:
    """Return by what name the reader of a file is kept."""
    return "any" if "any" in readers else kind_of(source)


def _read(
    parts: list[tuple[str, Path | BinaryIO]], readers: dict[str, Reader], manner: TranscribeOptions
) -> list[Result | RecognizerError]:
    """Return a record of each part or what is at fault; those of one model are read in one batch."""
    waiting: dict[str, list[tuple[int, Signal]]] = {}
    done: dict[int, Result | RecognizerError] = {}
    for i, (name, source) in enumerate(parts):
        try:
            key, reader = _key(source, readers), _reader(name, source, readers, manner)
            if manner.find_lines and kind_of(source) == "handwriting" and not _is_line_of_page(source):
                raise RecognizerError(f"{name}: a page", LOOKS_LIKE_A_PAGE)
            waiting.setdefault(key, []).append((i, _signal(reader, source, name, manner)))
        except RecognizerError as error:
            done[i] = error
    for key, signals in waiting.items():
        hypotheses = readers[key].read([signal for _, signal in signals])
        used = readers[key].decoder.settings.describe()
        for (i, signal), hypothesis in zip(signals, hypotheses, strict=True):
            done[i] = make_result(parts[i][0], hypothesis, signal, used)
    return [done[i] for i in range(len(parts))]


def _signal(reader: Reader, source: Path | BinaryIO, name: str, manner: TranscribeOptions) -> Signal:
    """Return the signal of a file; what was found odd about a recording or a page is said."""
    signal = reader.signal(source, name=name, channel=manner.channel)
    if reader.kind == "speech":
        for note in signal.notes:
            manner.say(f"{name}: {note}")
    elif isinstance(source, Path) and (on_page := page_and_line(source)):
        for note in signal.notes:
            if note.startswith(PAGE_NOTE):
                manner.say(f"{on_page[0]}: {note.removeprefix(PAGE_NOTE)}")
    return signal


def _is_line_of_page(source: Path | BinaryIO) -> bool:
    return isinstance(source, Path) and page_and_line(source) is not None


def files_of(names: Sequence[str]) -> list[str]:
    """Return the files that a user named, folders opened up.

    Raises:
        RecognizerError: a folder holds nothing that can be read.
    """
    return [name for name, _ in _sources(names)]


def _sources(names: Sequence[str]) -> Iterator[tuple[str, Path | BinaryIO | str]]:
    """Yield (name, file, or what is wrong with it) of what the user named, folders opened up.

    Raises:
        RecognizerError: a folder holds nothing that can be read.
    """
    for name in names:
        path = Path(name)
        if name == "-":
            yield name, io.BytesIO(sys.stdin.buffer.read())
        elif path.is_dir():
            listing = list_folder(path)
            inside = _readable(listing.files)
            if not inside and not listing.faults and not listing.foreign:
                raise RecognizerError(f"{name}: no page, no image, no recording, no pen strokes in this folder")
            yield from ((str(p), p) for p in inside)
            yield from ((fault.partition(":")[0], fault) for fault in listing.faults)
            yield from ((str(p), f"{p}: {p.suffix[1:].upper()} is not read, {CONVERT}") for p in listing.foreign)
        else:
            yield name, path


def _readable(files: list[Path]) -> list[Path]:
    """Return what can be read of the files of a folder; the images of its pages are read as pages, not as lines.

    An empty XML file, or one that may not be read, is named instead of its image; XML that was written by this program
    for an image that is there is no page of its own.
    """
    pages = {path for path in files if form_of(path) or _is_unreadable_xml(path)}
    images: dict[Path, Path] = {}
    for path in sorted(pages, key=_is_ours):
        try:
            image = read_page(path).image_path() if form_of(path) else find_image(path, "").path
        except RecognizerError:  # reading the page will say what is wrong with it
            continue
        if image in files and _is_ours(path):
            pages.discard(path)
        else:
            images.setdefault(image, path)
    return [path for path in files if path in pages or (path.suffix.lower() in suffixes() and path not in images)]


def _is_unreadable_xml(path: Path) -> bool:
    return path.suffix.lower() == ".xml" and (not path.stat().st_size or not os.access(path, os.R_OK))


def _is_ours(path: Path) -> bool:
    """Return whether XML was written by `transcribe`, by its name and the comment before its root."""
    if not path.name.endswith((".page.xml", ".alto.xml")):
        return False
    try:
        with open(path, "rb") as file:
            return OURS in file.read(HEAD)
    except OSError:
        return False
