"""What other programs send to be read: kinds, bounds, and records as `transcribe --format json` gives them."""

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

import anyio

from recognizer.errors import RecognizerError
from recognizer.formats.result import Result, make_result
from recognizer.inputs.lines.image_file import opened_image
from recognizer.inputs.registry import kind_of
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.audio import SpeechSettings, seconds
from recognizer.inputs.speech.streaming import open_recording
from recognizer.pages.page import file_of
from recognizer.pages.parse import HEAD, form_of_head
from recognizer.reading.found_lines import left_out, writing_of
from recognizer.reading.reader import Reader
from recognizer.web.limits import Limits, Refused
from recognizer.web.models import Models
from recognizer.web.sounds import DECODING, read_recording

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
        notes: a line for each page of which lines that were found are left out.
        status: 200 where anything was read, else that of the first fault.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    status: int = 200


@dataclass(frozen=True)
class _Parts:
    """The signals of a file by name; whether they are lines that were found on an image."""

    named: list[tuple[str, Signal]]
    found: bool = False


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
        rest = [one for one in uploads if one not in pages]
        images = await self._pages(pages, rest) if pages else set()
        for upload in rest:
            if upload.name not in images:
                await self._collect(upload, partial(_signals, upload, self.limits))
        if self.statuses and not self.answer.records:
            self.answer.status = self.statuses[0]
        return self.answer

    async def _pages(self, pages: Sequence[Upload], rest: Sequence[Upload]) -> set[str]:
        """Read pages of XML with the images that came with them; return the names of those images."""
        used: set[str] = set()
        with tempfile.TemporaryDirectory() as folder:
            for upload in (*pages, *rest):
                (Path(folder) / plain_name(upload.name)).write_bytes(upload.data)
            for upload in pages:
                path = Path(folder) / plain_name(upload.name)
                await self._collect(upload, partial(_page_signals, path, used))
        return {one.name for one in rest if plain_name(one.name) in used}

    async def _collect(self, upload: Upload, signals: Callable[[Reader], _Parts]) -> None:
        """Add to the answer what is read of a file, or what is at fault."""
        try:
            kind = kind_of(BytesIO(upload.data))
            self.models.refuse_missing(kind, upload.name)
            results = await (self._sound(upload) if kind == "speech" else self._others(upload.name, kind, signals))
            self.answer.records += [result.as_data() for result in results]
        except RecognizerError as error:
            self.answer.errors.append(str(error))
            self.statuses.append(status_of(error))

    async def _others(self, name: str, kind: str, signals: Callable[[Reader], _Parts]) -> list[Result]:
        reader = await self.models.with_reader(kind, lambda reader: reader)
        parts = await anyio.to_thread.run_sync(partial(signals, reader), limiter=DECODING)
        read = await self.models.read(kind, [signal for _, signal in parts.named])
        used = reader.decoder.settings.describe()
        made = [make_result(own, one, signal, used) for (own, signal), one in zip(parts.named, read, strict=True)]
        if not parts.found or self.all_lines:
            return made
        kept = writing_of(name, read)
        if out := len(made) - len(kept):
            self.answer.notes.append(f"{name}: {left_out(out)}")
        return [made[i] for i in kept]

    async def _sound(self, upload: Upload) -> list[Result]:
        """Return what is read of a recording: a result, or of a long one a result for each piece."""
        refuse_beyond(upload, "speech", self.limits)
        pieces = await read_recording(upload.data, upload.name, self.models)
        used = await self.models.with_reader("speech", lambda reader: reader.decoder.settings.describe())
        if len(pieces) == 1 and pieces[0].start == 0.0:
            return [Result(upload.name, pieces[0].hypothesis, "s", pieces[0].end, decoder=used)]
        return [
            Result(upload.name, one.hypothesis, "s", one.end, part=(one.start, one.end), decoder=used) for one in pieces
        ]


def _signals(upload: Upload, limits: Limits, reader: Reader) -> _Parts:
    """Return the signals of a file by name: one, or those of the lines that are found on a page's image."""
    source = BytesIO(upload.data)
    refuse_beyond(upload, reader.kind, limits)
    kind = kind_of(source)
    if not kind == reader.kind == "handwriting":
        return _Parts([(upload.name, reader.signal(source, name=upload.name))])
    found = reader.line_or_page(source, upload.name)
    if isinstance(found, Signal):
        return _Parts([(upload.name, found)])
    page, signals = found
    named = [(f"{upload.name}#{line.id}", signal) for line, signal in zip(page.lines, signals, strict=True)]
    return _Parts(named, found=True)


def _page_signals(path: Path, used: set[str], reader: Reader) -> _Parts:
    """Return the signals of the lines of a page by their names; note which image it used."""
    try:
        page, signals = reader.named_page(path)
    except RecognizerError as error:
        # The folder is ours and gone in a moment: only the names are the caller's.
        raise RecognizerError(str(error).replace(f"{path.parent}/", ""), error.reason) from None
    used.add(file_of(page.image_path()).name)
    return _Parts([(page.name_of(line).name, signal) for line, signal in zip(page.lines, signals, strict=True)])


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
    """Return the last part of a name, whatever path a program put before it."""
    return PurePath(name.replace("\\", "/")).name or "file"
