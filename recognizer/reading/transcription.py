"""Read files that a user names."""

import io
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
from recognizer.inputs.lines.image import TURNED, HandwritingSettings
from recognizer.inputs.lines.image_file import ImagePage, image_pages, read_image
from recognizer.inputs.lines.page_line import line_or_lines, lines_of, page_notes
from recognizer.inputs.readable_files import is_unreadable_xml, readable_files
from recognizer.inputs.registry import Identity, identify, kind_named, read_signal
from recognizer.inputs.signal import Signal
from recognizer.pages.page import Page, file_of, page_and_line
from recognizer.pages.parse import read_page
from recognizer.pretrained import pretrained_models
from recognizer.reading.found_lines import left_out, writing_of
from recognizer.reading.long_recordings import LongRecording
from recognizer.reading.reader import Reader
from recognizer.reading.recordings import is_long

CONVERT = "expected it as PNG or TIFF, or as FLAC or WAV"
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
class _Part:
    """What is read in one go: a file, or a line of a page.

    Args:
        name: of the file or the line.
        key: by what name its reader is kept.
        signal: of it.
    """

    name: str
    key: str
    signal: Signal


@dataclass(frozen=True)
class _Document:
    """A file that was decoded, with what is to be read of it: itself, or the lines of the page that it is.

    The lines were `found` where no XML says where they are.
    """

    name: str
    parts: tuple[_Part, ...] = ()
    errors: tuple[str, ...] = ()
    page: Page | None = None
    long: LongRecording | None = None
    found: bool = False


@dataclass(frozen=True)
class TranscribeOptions:
    """How files are read.

    Args:
        model: a model file or the name of a shipped model; None lets each file's kind pick the shipped one of its name.
        device: "auto", "cpu" or "cuda".
        decoder: what the decoder is asked for.
        say: takes what a user should know of the decoder, and of lines that were found.
        find_lines: take every image for a page whose lines are to be found; else only one that looks like a page.
        all_lines: keep what was found as a line though nothing that is read of it is believed.
        channel: of recordings, from 1 on; 0 for the mean of all.
        heard: takes how many seconds of a long recording are read, of how many.
        progress: takes how many files are read, and how many there are.
        division: how many batches are read at once; None fills the processors that may be used.
        precision: what the network is computed in: "float32", "bf16" or "auto".
        readers: models that are loaded already, by kind, or "any"; what is loaded is kept there.
    """

    model: str | None
    device: str
    decoder: DecoderOptions
    say: Callable[[str], None]
    find_lines: bool = False
    all_lines: bool = False
    channel: int = 0
    heard: Callable[[int, int], None] = lambda done, total: None
    progress: Callable[[int, int], None] = lambda done, total: None
    division: Division | None = None
    precision: str = "float32"
    readers: dict[str, Reader] = field(default_factory=dict)

    def reader(self, name: str) -> Reader:
        """Load a reader."""
        loaded = Reader.load(name, self.device, self.decoder, self.division, self.precision)
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
    if manner.model is not None and "any" not in manner.readers:
        manner.readers["any"] = manner.reader(manner.model)
    waiting: list[_Document] = []
    together = FIRST
    sources = list(sources_of(names))  # what cannot be opened up ends the call before anything is read
    opener = _Opener(manner)
    for number, (name, source) in enumerate(sources):
        manner.progress(number - len(waiting), len(sources))
        for document in opener.documents(name, source):
            waiting.append(document)
            if document.long or sum(len(one.parts) for one in waiting) >= together:
                yield from _read(waiting, manner)
                waiting, together = [], together if document.long else min(RUN, 2 * together)
    yield from _read(waiting, manner)
    manner.progress(len(sources), len(sources))


class _Opener:
    """Says what each file is, once, and decodes it, once."""

    def __init__(self, manner: TranscribeOptions) -> None:
        self.manner, self.readers = manner, manner.readers
        self.said: set[str] = set()

    def documents(self, name: str, source: Path | BinaryIO | str) -> Iterator[_Document]:
        """Yield a file as it is; a page with its lines; each page of an image that holds several; what is wrong."""
        if isinstance(source, str):
            yield _Document(name, errors=(source,))
            return
        try:
            if isinstance(source, Path) and is_unreadable_xml(source):
                read_page(source)  # says what is wrong
            yield from self._decoded(name, source, identify(source))
        except RecognizerError as error:
            yield _Document(name, errors=(str(error),))

    def _decoded(self, name: str, source: Path | BinaryIO, found: Identity) -> Iterator[_Document]:
        if self.manner.channel and found.kind != "speech" and not _is_line_of_page(source):
            self._say(f"{name}: {kind_named(found.kind).noun}, on which --channel has no effect")
        if found.page and isinstance(source, Path):
            yield self._page(name, source)
            return
        key, reader = self._reader(name, found.kind)
        if found.kind == reader.kind == "handwriting" and not _is_line_of_page(source):
            yield from self._images(name, source, key, reader)
        elif found.kind == reader.kind == "speech" and is_long(source, name, reader, found.kind):
            manner = self.manner
            long = LongRecording(reader, source, name, manner.channel, manner.say, manner.heard)
            yield _Document(name, long=long)
        else:
            settings = reader.model_file.settings.signal
            signal = read_signal(reader.kind, settings, source, name, self.manner.channel, found.kind)
            self._say_notes(name, source, reader, signal)
            yield _Document(name, (_Part(name, key, signal),))

    def _reader(self, name: str, kind: str) -> tuple[str, Reader]:
        """Return the reader of a kind and by what name it is kept, loaded the first time that it is asked for."""
        key = "any" if "any" in self.readers else kind
        if key not in self.readers:
            if key not in pretrained_models():
                raise RecognizerError(f"{name}: {kind_named(key).noun}, which no shipped model reads, expected --model")
            self.readers[key] = self.manner.reader(key)
        return key, self.readers[key]

    def _page(self, name: str, source: Path) -> _Document:
        """Return a page with its lines as its XML describes them."""
        page = read_page(source)
        page.image_path()
        if not page.lines:
            return _Document(name, errors=(f"{name}: a page without lines, expected one that has some",), page=page)
        parts, errors = [], []
        for line in map(page.name_of, page.lines):
            try:
                parts += [part for one in self._decoded(str(line), line, Identity("handwriting")) for part in one.parts]
            except RecognizerError as error:
                errors.append(str(error))
        # What is wrong with the image of a page is wrong with each of its lines, and is said once.
        return _Document(name, tuple(parts), tuple(dict.fromkeys(errors)), page)

    def _images(self, name: str, source: Path | BinaryIO, key: str, reader: Reader) -> Iterator[_Document]:
        """Yield each page of an image file."""
        if isinstance(source, Path) and source != file_of(source):
            yield self._image(name, source, read_image(source, name), key, reader)
            return
        for number, image in image_pages(source, name):
            path = source if isinstance(source, Path) else Path(name)
            path = path.with_name(f"{path.name}[{number}]") if number else path
            own = str(path) if number else name
            if isinstance(image, RecognizerError):
                yield _Document(own, errors=(str(image),))
                continue
            try:
                yield self._image(own, path, image, key, reader)
            except RecognizerError as error:
                yield _Document(own, errors=(str(error),))

    def _image(self, name: str, path: Path, image: ImagePage, key: str, reader: Reader) -> _Document:
        """Return an image of a line, or of a page of which nobody has said where its lines are."""
        settings = HandwritingSettings(**reader.model_file.settings.signal)
        made = (lines_of if self.manner.find_lines else line_or_lines)(image.grey, path, settings, name)
        if isinstance(made, Signal):
            if TURNED in made.notes:
                self._say(f"{name}: {TURNED}")
            return _Document(name, (_Part(name, key, made),))
        page, signals = made
        self._say(f"{name}: a page, {len(signals)} lines found on it")
        named = zip(page.lines, signals, strict=True)
        parts = tuple(_Part(str(page.name_of(line)), key, signal) for line, signal in named)
        return _Document(name, parts, page=page, found=True)

    def _say_notes(self, name: str, source: Path | BinaryIO, reader: Reader, signal: Signal) -> None:
        """Say what was found odd about a recording or a page."""
        if reader.kind == "speech":
            for note in signal.notes:
                self._say(f"{name}: {note}")
        elif isinstance(source, Path) and (on_page := page_and_line(source)):
            for note in page_notes(signal):
                self._say(f"{on_page[0]}: {note}")

    def _say(self, line: str) -> None:
        if line not in self.said:
            self.said.add(line)
            self.manner.say(line)


def _read(documents: list[_Document], manner: TranscribeOptions) -> Iterator[Transcript]:
    """Yield the transcripts of some documents; signals of one model are read in one batch."""
    readers = manner.readers
    parts = [part for document in documents for part in document.parts]
    results: dict[int, Result] = {}
    for key in dict.fromkeys(part.key for part in parts):
        own = [part for part in parts if part.key == key]
        used = readers[key].describe()
        for part, hypothesis in zip(own, readers[key].read([part.signal for part in own]), strict=True):
            results[id(part)] = make_result(part.name, hypothesis, part.signal, used)
    for one in documents:
        made = Transcript(one.name, tuple(results[id(part)] for part in one.parts), one.errors, one.page, one.long)
        yield _written(made, manner.say) if one.found and not manner.all_lines else made


def _written(found: Transcript, say: Callable[[str], None]) -> Transcript:
    """Return the transcript of a page whose lines were found without those that are no writing, and say so."""
    assert found.page is not None
    try:
        kept = writing_of(found.name, [record.hypothesis for record in found.records])
    except RecognizerError as error:
        return replace(found, records=(), errors=(*found.errors, f"{error}, or --all-lines"))
    if out := len(found.records) - len(kept):
        say(f"{found.name}: {left_out(out)} (--all-lines has all)")
    page = replace(found.page, lines=tuple(found.page.lines[i] for i in kept))
    return replace(found, records=tuple(found.records[i] for i in kept), page=page)


def _is_line_of_page(source: Path | BinaryIO) -> bool:
    return isinstance(source, Path) and page_and_line(source) is not None


def sources_of(names: Sequence[str]) -> Iterator[tuple[str, Path | BinaryIO | str]]:
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
            inside = readable_files(listing.files)
            if not inside and not listing.faults and not listing.foreign:
                raise RecognizerError(f"{name}: no page, no image, no recording, no pen strokes in this folder")
            yield from ((str(p), p) for p in inside)
            yield from ((str(p), fault) for p, fault in listing.faults)
            yield from ((str(p), f"{p}: {p.suffix[1:].upper()} is not read, {CONVERT}") for p in listing.foreign)
        else:
            yield name, path
