"""What other programs send to be read: kinds, bounds, and records as `transcribe --format json` gives them."""

import math
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import anyio

from recognizer.common.atomic_write import UNWRITABLE
from recognizer.errors import RecognizerError
from recognizer.formats.result import Result, make_result
from recognizer.inputs.lines.image_file import ImagePage, image_pages, opened_image
from recognizer.inputs.registry import kind_of
from recognizer.inputs.speech.audio import SpeechSettings, seconds
from recognizer.inputs.speech.streaming import open_recording
from recognizer.pages.image_lookup import LEVELS
from recognizer.pages.page import SUFFIX, file_of
from recognizer.pages.parse import HEAD, form_of_head
from recognizer.reading.found_lines import left_out, writing_of
from recognizer.reading.opening import FileOpener, OpenedFile
from recognizer.reading.reader import Reader
from recognizer.web.limits import Limits, Refused
from recognizer.web.models import Models
from recognizer.web.sounds import DECODING, read_recording

LONGEST_NAME = 200  # bytes: file systems take 255, of which we add some
PAGES = 16  # times the largest image: so much the pages of one file may be together

STATUS = {  # of HTTP by the reason of a refusal; any other is 422
    "too large": 413,
    "too long": 413,
    "not an image": 415,
    "of another kind": 415,
    UNWRITABLE: 500,
}


@dataclass(frozen=True)
class Upload:
    """A file of a request: its name and its bytes."""

    name: str
    data: bytes


@dataclass
class Answer:
    """What became of the files of a request.

    Args:
        records: what was read, as `transcribe --format json` gives it: of a page one for each line.
        errors: a line for each file, or line of a page, that is at fault.
        notes: a line for each guess that was made, as `transcribe` says it: lines that were found and left out, a size
            that the XML states otherwise, channels that cancel.
        status: 200 where anything was read, else that of the first fault.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    status: int = 200


def status_of(error: RecognizerError) -> int:
    """Return the status of HTTP that fits a fault of what was sent."""
    return error.status if isinstance(error, Refused) else STATUS.get(error.reason, 422)


async def read_uploads(uploads: Sequence[Upload], models: Models, limits: Limits, all_lines: bool = False) -> Answer:
    """Read the files of a request; one at fault does not stop the others. A page's XML reads its image beside it.

    With `all_lines` what was found as a line on an image is kept though nothing that is read of it is believed.
    """
    return await _UploadReader(models, limits, all_lines).read(uploads)


class _UploadReader:
    """Reads the files of one request into an answer."""

    def __init__(self, models: Models, limits: Limits, all_lines: bool) -> None:
        self.models, self.limits, self.all_lines = models, limits, all_lines
        self.answer = Answer()
        self.statuses: list[int] = []

    async def read(self, uploads: Sequence[Upload]) -> Answer:
        pages = [one for one in uploads if form_of_head(one.data[:HEAD])]
        if pages:
            uploads = self._told_apart(uploads)
            pages = [one for one in pages if one in uploads]
        rest = [one for one in uploads if one not in pages]
        images = await self._pages(pages, rest) if pages else set()
        for upload in rest:
            if upload.name not in images:
                await self._collect(upload, BytesIO(upload.data))
        if self.statuses and not self.answer.records:
            self.answer.status = self.statuses[0]
        return self.answer

    def _told_apart(self, uploads: Sequence[Upload]) -> list[Upload]:
        """Return the files whose names are their own: of two of one name nobody knows which page's image is which."""
        often = Counter(one.name for one in uploads)
        for name, times in often.items():
            if times > 1:
                self._fault(
                    Refused(422, f"{name}: {times} files of this request are called so, expected a request for each")
                )
        return [one for one in uploads if often[one.name] == 1]

    async def _pages(self, pages: Sequence[Upload], rest: Sequence[Upload]) -> set[str]:
        """Read pages of XML with the images that came with them; return the names of those images."""
        used: set[str] = set()
        with tempfile.TemporaryDirectory() as folder:
            # So deep that no place where an image is sought, such as folders above, is outside of it.
            home = Path(folder).joinpath(*["page"] * (LEVELS + 1))
            home.mkdir(parents=True)
            for upload in (*pages, *rest):
                (home / upload.name).write_bytes(upload.data)
            for upload in pages:
                # Also where the XML is refused its image is no file of its own.
                used |= {one.name for one in rest if Path(one.name).stem == Path(upload.name).stem}
                await self._collect(upload, home / upload.name, used)
        return used

    async def _collect(self, upload: Upload, source: Path | BytesIO, used: set[str] | None = None) -> None:
        """Add to the answer what is read of a file, or what is at fault, and to `used` the name of a page's image."""
        try:
            kind = kind_of(BytesIO(upload.data))
            self.models.refuse_missing(kind, upload.name)
            if kind == "speech":
                results = await self._sound(upload)
            else:
                await anyio.to_thread.run_sync(refuse_beyond, upload, kind, self.limits, limiter=DECODING)
                results = await self._others(kind, upload, source, set() if used is None else used)
            self.answer.records += [result.as_data() for result in results]
        except RecognizerError as error:
            self._fault(error)

    def _fault(self, error: RecognizerError) -> None:
        self.answer.errors.append(str(error))
        self.statuses.append(status_of(error))

    async def _others(self, kind: str, upload: Upload, source: Path | BytesIO, used: set[str]) -> list[Result]:
        """Return what is read of a file: a result, or of a page one for each line."""
        reader = await self.models.with_reader(kind, lambda reader: reader)
        opening = partial(_opened, upload.name, source, reader, self.limits)
        opened, notes = await anyio.to_thread.run_sync(opening, limiter=DECODING)
        self.answer.notes += notes
        made: list[Result] = []
        for one in opened:
            if one.page and isinstance(source, Path):
                used.add(file_of(one.page.image_path()).name)
            self.answer.errors += one.errors
            self.statuses += [422] * len(one.errors)
            read = await self.models.read(kind, [part.signal for part in one.parts])
            settings = reader.decoder.settings.describe()
            results = [make_result(p.name, text, p.signal, settings) for p, text in zip(one.parts, read, strict=True)]
            kept = writing_of(one.name, read) if one.found and not self.all_lines else range(len(read))
            if out := len(results) - len(kept):
                self.answer.notes.append(f"{one.name}: {left_out(out)}")
            made += [results[i] for i in kept]
        return made

    async def _sound(self, upload: Upload) -> list[Result]:
        """Return what is read of a recording: a result, or of a long one a result for each piece."""
        await anyio.to_thread.run_sync(refuse_beyond, upload, "speech", self.limits, limiter=DECODING)
        pieces = await read_recording(upload.data, upload.name, self.models, self.answer.notes.append)
        if not pieces:
            self.answer.notes.append(f"{upload.name}: nobody is heard in it")
        used = await self.models.with_reader("speech", lambda reader: reader.decoder.settings.describe())
        if len(pieces) == 1 and pieces[0].start == 0.0:
            return [Result(upload.name, pieces[0].hypothesis, "s", pieces[0].end, decoder=used)]
        return [
            Result(upload.name, one.hypothesis, "s", one.end, part=(one.start, one.end), decoder=used) for one in pieces
        ]


def _opened(name: str, source: Path | BytesIO, reader: Reader, limits: Limits) -> tuple[list[OpenedFile], list[str]]:
    """Return a file, or the pages of it, decoded, and what is to be said of it."""
    if isinstance(source, Path) and source.suffix.lower() != SUFFIX:
        raise Refused(415, f"{name}: PAGE XML or ALTO, expected a name that ends in {SUFFIX}")
    folder = f"{source.parent}{os.sep}" if isinstance(source, Path) else ""

    def unplaced(text: str) -> str:
        """Leave the folder out, which is ours and gone in a moment: only the names are the caller's."""
        return text.replace(folder, "") if folder else text

    notes: list[str] = []
    opener = FileOpener(lambda *_: (reader.kind, reader), notes.append, pages=partial(_bounded_pages, limits))
    try:
        opened = [
            replace(
                one,
                name=unplaced(one.name),
                parts=tuple(replace(part, name=unplaced(part.name)) for part in one.parts),
                errors=tuple(map(unplaced, one.errors)),
            )
            for one in opener.opened(f"{folder}{name}", source)
        ]
    except RecognizerError as error:
        raise RecognizerError(unplaced(str(error)), error.reason) from None
    return opened, list(map(unplaced, notes))


def _bounded_pages(
    limits: Limits, source: Path | BinaryIO, name: str
) -> Iterator[tuple[int, ImagePage | RecognizerError]]:
    """Yield the pages of an image until they are too many."""
    pixels = 0
    for number, image in image_pages(source, name):
        pixels += 0 if isinstance(image, RecognizerError) else image.grey.size
        if number and pixels > PAGES * limits.megapixels * 1e6:
            most = f"{PAGES * limits.megapixels:g}"
            own = f"{name}[{number}]"
            yield number, RecognizerError(f"{own}: its pages together have more than {most} million pixels")
            return
        yield number, image


def refuse_beyond(upload: Upload, kind: str, limits: Limits) -> None:
    """Refuse an image of too many pixels and a recording of too many seconds before they are decoded.

    Raises:
        Refused: 413.
    """
    if kind == "handwriting":
        try:
            with opened_image(BytesIO(upload.data), upload.name) as image:
                pixels = image.width * image.height
        except RecognizerError as error:
            if error.reason == "too large":
                raise Refused(413, str(error)) from None
            return  # reading it will say what is wrong with it
        if pixels > limits.megapixels * 1e6:
            most = f"{limits.megapixels:g}"
            raise Refused(413, f"{upload.name}: {pixels / 1e6:.1f} million pixels, expected at most {most}")
    if kind == "speech":
        try:
            length = _seconds(upload, limits.seconds)
        except RecognizerError:
            return
        if length > limits.seconds:
            raise Refused(413, f"{upload.name}: {length:.0f} s, expected at most {limits.seconds:g} s")


def _seconds(upload: Upload, most: float) -> float:
    """Return how long a recording lasts; where its header leaves that open, as far as it is counted beyond `most`."""
    length = seconds(BytesIO(upload.data), upload.name)
    if not math.isnan(length):
        return length
    counted, settings = 0.0, SpeechSettings()
    with open_recording(BytesIO(upload.data), settings, upload.name, lambda _: None) as recording:
        for block in recording.blocks():
            counted += len(block) / settings.sample_rate
            if counted > most:
                break
    return counted


def plain_name(name: str) -> str:
    """Return the last part of a name, whatever path a program put before it.

    Raises:
        Refused: it is longer than a file's name may be.
    """
    plain = PurePath(name.replace("\\", "/")).name
    if len(plain.encode()) > LONGEST_NAME:
        raise Refused(422, f"{plain[:20]}...: a name of {len(plain.encode())} bytes, expected at most {LONGEST_NAME}")
    return plain if plain not in ("", "..") and plain.isprintable() else "file"
