"""What other programs send to be read: kinds, bounds, and records as `transcribe --format json` gives them."""

import math
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

import anyio

from recognizer.errors import RecognizerError
from recognizer.formats.result import Result, make_result
from recognizer.inputs.lines.image import TURNED, HandwritingSettings
from recognizer.inputs.lines.image_file import image_pages, opened_image
from recognizer.inputs.lines.page_line import line_or_lines, page_notes
from recognizer.inputs.registry import kind_of
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.audio import SpeechSettings, seconds
from recognizer.inputs.speech.streaming import open_recording
from recognizer.pages.image_lookup import LEVELS
from recognizer.pages.page import SUFFIX, Page, file_of
from recognizer.pages.parse import HEAD, form_of_head, read_page
from recognizer.reading.found_lines import left_out, writing_of
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


@dataclass(frozen=True)
class _Parts:
    """The signals of a file, or of a page of it, by name.

    Args:
        name: of the whole.
        named: each with its name.
        found: whether they are lines that were found on an image.
        errors: a line for each that is at fault.
        notes: what is to be said of them.
    """

    name: str
    named: Sequence[tuple[str, Signal]] = ()
    found: bool = False
    errors: Sequence[str] = ()
    notes: Sequence[str] = ()


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
                await self._collect(upload, partial(_signals, upload, self.limits))
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
                await self._collect(upload, partial(_page_signals, home / upload.name, used))
        return used

    async def _collect(self, upload: Upload, signals: Callable[[Reader], list[_Parts]]) -> None:
        """Add to the answer what is read of a file, or what is at fault."""
        try:
            kind = kind_of(BytesIO(upload.data))
            self.models.refuse_missing(kind, upload.name)
            results = await (self._sound(upload) if kind == "speech" else self._others(kind, signals))
            self.answer.records += [result.as_data() for result in results]
        except RecognizerError as error:
            self._fault(error)

    def _fault(self, error: RecognizerError) -> None:
        self.answer.errors.append(str(error))
        self.statuses.append(status_of(error))

    async def _others(self, kind: str, signals: Callable[[Reader], list[_Parts]]) -> list[Result]:
        reader = await self.models.with_reader(kind, lambda reader: reader)
        made: list[Result] = []
        for parts in await anyio.to_thread.run_sync(partial(signals, reader), limiter=DECODING):
            self.answer.errors += parts.errors
            self.statuses += [422] * len(parts.errors)
            self.answer.notes += parts.notes
            read = await self.models.read(kind, [signal for _, signal in parts.named])
            used = reader.decoder.settings.describe()
            results = [
                make_result(own, one, signal, used) for (own, signal), one in zip(parts.named, read, strict=True)
            ]
            kept = writing_of(parts.name, read) if parts.found and not self.all_lines else range(len(read))
            if out := len(results) - len(kept):
                self.answer.notes.append(f"{parts.name}: {left_out(out)}")
            made += [results[i] for i in kept]
        return made

    async def _sound(self, upload: Upload) -> list[Result]:
        """Return what is read of a recording: a result, or of a long one a result for each piece."""
        refuse_beyond(upload, "speech", self.limits)
        pieces = await read_recording(upload.data, upload.name, self.models, self.answer.notes.append)
        if not pieces:
            self.answer.notes.append(f"{upload.name}: nobody is heard in it")
        used = await self.models.with_reader("speech", lambda reader: reader.decoder.settings.describe())
        if len(pieces) == 1 and pieces[0].start == 0.0:
            return [Result(upload.name, pieces[0].hypothesis, "s", pieces[0].end, decoder=used)]
        return [
            Result(upload.name, one.hypothesis, "s", one.end, part=(one.start, one.end), decoder=used) for one in pieces
        ]


def _signals(upload: Upload, limits: Limits, reader: Reader) -> list[_Parts]:
    """Return the signals of a file by name: one, or of an image of pages those of the lines found on each."""
    source = BytesIO(upload.data)
    refuse_beyond(upload, reader.kind, limits)
    kind = kind_of(source)
    if not kind == reader.kind == "handwriting":
        return [_Parts(upload.name, [(upload.name, reader.signal(source, name=upload.name))])]
    settings = HandwritingSettings(**reader.model_file.settings.signal)
    made, pixels = [], 0
    for number, image in image_pages(source, upload.name):
        name = f"{upload.name}[{number}]" if number else upload.name
        try:
            if isinstance(image, RecognizerError):
                raise image
            pixels += image.grey.size
            if pixels > PAGES * limits.megapixels * 1e6:
                most = f"{PAGES * limits.megapixels:g}"
                made.append(_Parts(name, errors=[f"{name}: its pages together have more than {most} million pixels"]))
                break
            made.append(_of_image(name, line_or_lines(image.grey, Path(name), settings, name)))
        except RecognizerError as error:
            if not number:
                raise
            made.append(_Parts(name, errors=[str(error)]))
    return made


def _of_image(name: str, found: Signal | tuple[Page, list[Signal]]) -> _Parts:
    if isinstance(found, Signal):
        return _Parts(name, [(name, found)], notes=[f"{name}: {TURNED}"] if TURNED in found.notes else [])
    page, signals = found
    named = [(f"{name}#{line.id}", signal) for line, signal in zip(page.lines, signals, strict=True)]
    return _Parts(name, named, found=True)


def _page_signals(path: Path, used: set[str], reader: Reader) -> list[_Parts]:
    """Return the signals of the lines of a page by their names; note which image it used."""
    if path.suffix.lower() != SUFFIX:
        raise Refused(415, f"{path.name}: PAGE XML or ALTO, expected a name that ends in {SUFFIX}")
    named, errors, notes = [], [], []
    try:
        page = read_page(path)
        used.add(file_of(page.image_path()).name)
        if not page.lines:
            raise RecognizerError(f"{path.name}: a page without lines, expected one that has some")
    except RecognizerError as error:
        raise RecognizerError(_unplaced(error, path), error.reason) from None
    for line in map(page.name_of, page.lines):
        try:
            signal = reader.signal(line)
        except RecognizerError as error:
            errors.append(_unplaced(error, path))
            continue
        named.append((line.name, signal))
        notes += [f"{path.name}: {note}" for note in page_notes(signal)]
    # What is wrong with a page's image is wrong with each of its lines, and is said once.
    return [_Parts(path.name, named, errors=list(dict.fromkeys(errors)), notes=list(dict.fromkeys(notes)))]


def _unplaced(error: RecognizerError, path: Path) -> str:
    """Return what is wrong without the folder, which is ours and gone in a moment: only the names are the caller's."""
    return str(error).replace(f"{path.parent}/", "")


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
