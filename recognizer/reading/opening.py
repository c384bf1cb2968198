"""A file to what is to be read of it: itself, the lines of a page, each page of an image of several."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image import TURNED, HandwritingSettings
from recognizer.inputs.lines.image_file import ImagePage, image_pages, read_image
from recognizer.inputs.lines.page_line import line_or_lines, lines_of, page_notes
from recognizer.inputs.readable_files import is_unreadable_xml
from recognizer.inputs.registry import Identity, identify, kind_named, read_signal
from recognizer.inputs.signal import Signal
from recognizer.pages.page import Page, file_of, page_and_line
from recognizer.pages.parse import read_page
from recognizer.reading.long_recordings import LongRecording
from recognizer.reading.reader import Reader
from recognizer.reading.recordings import is_long


@dataclass(frozen=True)
class Part:
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
class OpenedFile:
    """A file, or a page of one, that was decoded.

    Args:
        name: of the file as the user gave it; of a page of several, FILE[N].
        parts: what is to be read of it: itself, or the lines of the page that it is.
        errors: what is at fault, one line each: the file, or lines of the page.
        page: that it is, None where it is none.
        long: a recording that is read piece by piece, in place of parts.
        found: whether its lines were found, as no XML says where they are.
    """

    name: str
    parts: tuple[Part, ...] = ()
    errors: tuple[str, ...] = ()
    page: Page | None = None
    long: LongRecording | None = None
    found: bool = False


class FileOpener:
    """Says what each file is, once, and decodes it, once."""

    def __init__(
        self,
        reader: Callable[[str, str], tuple[str, Reader]],
        say: Callable[[str], None],
        *,
        find_lines: bool = False,
        channel: int = 0,
        heard: Callable[[int, int], None] = lambda done, total: None,
        pages: Callable[[Path | BinaryIO, str], Iterator[tuple[int, ImagePage | RecognizerError]]] = image_pages,
    ) -> None:
        """Open files for some reader.

        Args:
            reader: takes the name of a file and its kind; gives the reader of such files and by what name it is kept.
            say: takes what a user should know of a file, each line once.
            find_lines: take every image for a page whose lines are to be found; else only one that looks like a page.
            channel: of recordings, from 1 on; 0 for the mean of all.
            heard: takes how many seconds of a long recording are read, of how many.
            pages: yields the pages of an image file, as `image_pages` does.
        """
        self.reader, self.say = reader, say
        self.find_lines, self.channel, self.heard, self.pages = find_lines, channel, heard, pages
        self.said: set[str] = set()
        self.images = 0  # that no XML describes, of a file each page

    def open(self, name: str, source: Path | BinaryIO) -> Iterator[OpenedFile]:
        """Yield a file as it is; a page with its lines; each page of an image that holds several; what is wrong."""
        try:
            yield from self.opened(name, source)
        except RecognizerError as error:
            yield OpenedFile(name, errors=(str(error),))

    def opened(self, name: str, source: Path | BinaryIO) -> Iterator[OpenedFile]:
        """Yield what `open` does.

        Raises:
            RecognizerError: the file as a whole is at fault.
        """
        if isinstance(source, Path) and is_unreadable_xml(source):
            read_page(source)  # says what is wrong
        yield from self._decoded(name, source, identify(source))

    def _decoded(self, name: str, source: Path | BinaryIO, found: Identity) -> Iterator[OpenedFile]:
        if self.channel and found.kind != "speech" and not _is_line_of_page(source):
            self._say(f"{name}: {kind_named(found.kind).noun}, on which --channel has no effect")
        if found.page and isinstance(source, Path):
            yield self._page(name, source)
            return
        key, reader = self.reader(name, found.kind)
        if found.kind == reader.kind == "handwriting" and not _is_line_of_page(source):
            yield from self._images(name, source, key, reader)
        elif found.kind == reader.kind == "speech" and is_long(source, name, reader, found.kind):
            long = LongRecording(reader, source, name, self.channel, self.say, self.heard)
            yield OpenedFile(name, long=long)
        else:
            settings = reader.model_file.settings.signal
            signal = read_signal(reader.kind, settings, source, name, self.channel, found.kind)
            self._say_notes(name, source, reader, signal)
            yield OpenedFile(name, (Part(name, key, signal),))

    def _page(self, name: str, source: Path) -> OpenedFile:
        """Return a page with its lines as its XML describes them."""
        page = read_page(source)
        page.image_path()
        if not page.lines:
            return OpenedFile(name, errors=(f"{name}: a page without lines, expected one that has some",), page=page)
        parts, errors = [], []
        for line in map(page.name_of, page.lines):
            try:
                parts += [part for one in self._decoded(str(line), line, Identity("handwriting")) for part in one.parts]
            except RecognizerError as error:
                errors.append(str(error))
        # What is wrong with the image of a page is wrong with each of its lines, and is said once.
        return OpenedFile(name, tuple(parts), tuple(dict.fromkeys(errors)), page)

    def _images(self, name: str, source: Path | BinaryIO, key: str, reader: Reader) -> Iterator[OpenedFile]:
        """Yield each page of an image file."""
        if isinstance(source, Path) and source != file_of(source):
            yield self._image(name, source, read_image(source, name), key, reader)
            return
        for number, image in self.pages(source, name):
            path = source if isinstance(source, Path) else Path(name)
            path = path.with_name(f"{path.name}[{number}]") if number else path
            own = str(path) if number else name
            if isinstance(image, RecognizerError):
                yield OpenedFile(own, errors=(str(image),))
                continue
            try:
                yield self._image(own, path, image, key, reader)
            except RecognizerError as error:
                yield OpenedFile(own, errors=(str(error),))

    def _image(self, name: str, path: Path, image: ImagePage, key: str, reader: Reader) -> OpenedFile:
        """Return an image of a line, or of a page of which nobody has said where its lines are."""
        self.images += 1
        settings = HandwritingSettings(**reader.model_file.settings.signal)
        made = (lines_of if self.find_lines else line_or_lines)(image.grey, path, settings, name)
        if isinstance(made, Signal):
            if TURNED in made.notes:
                self._say(f"{name}: {TURNED}")
            return OpenedFile(name, (Part(name, key, made),))
        page, signals = made
        self._say(f"{name}: a page, {len(signals)} lines found on it")
        named = zip(page.lines, signals, strict=True)
        parts = tuple(Part(str(page.name_of(line)), key, signal) for line, signal in named)
        return OpenedFile(name, parts, page=page, found=True)

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
            self.say(line)


def _is_line_of_page(source: Path | BinaryIO) -> bool:
    return isinstance(source, Path) and page_and_line(source) is not None
