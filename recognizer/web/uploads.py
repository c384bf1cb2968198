"""What other programs send to be read: kinds, bounds, and records as `transcribe --format json` gives them."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

import anyio
from PIL import Image

from recognizer.errors import RecognizerError
from recognizer.formats.result import make_result
from recognizer.inputs.kind import kind_of
from recognizer.inputs.lines.image import LOOKS_LIKE_A_PAGE
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.audio import seconds
from recognizer.pages.parse import form_of_head
from recognizer.reader import Reader
from recognizer.web.limits import Limits, Refused
from recognizer.web.models import Models

DECODING = anyio.CapacityLimiter(2)  # files that are decoded at once: each may take as much memory as the bounds allow
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
        status: 200 where anything was read, else that of the first fault.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    status: int = 200


def status_of(error: RecognizerError) -> int:
    """Return the status of HTTP that fits a fault of what was sent."""
    return error.status if isinstance(error, Refused) else STATUS.get(error.reason, 422)


async def read_uploads(uploads: Sequence[Upload], models: Models, limits: Limits) -> Answer:
    """Read the files of a request; one at fault does not stop the others. A page's XML reads its image beside it."""
    answer = Answer()
    statuses: list[int] = []
    pages = [one for one in uploads if form_of_head(one.data[:4096])]
    rest = [one for one in uploads if one not in pages]
    images: set[str] = set()
    if pages:
        images = await _read_pages(pages, rest, models, limits, answer, statuses)
    for upload in rest:
        if upload.name not in images:
            await _collect(upload.name, partial(_signals, upload, limits), models, answer, statuses, upload)
    if statuses and not answer.records:
        answer.status = statuses[0]
    return answer


async def _read_pages(
    pages: Sequence[Upload],
    rest: Sequence[Upload],
    models: Models,
    limits: Limits,
    answer: Answer,
    statuses: list[int],
) -> set[str]:
    """Read pages of XML with the images that came with them; return the names of those images."""
    used: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        for upload in (*pages, *rest):
            (Path(folder) / plain_name(upload.name)).write_bytes(upload.data)
        for upload in pages:
            path = Path(folder) / plain_name(upload.name)
            await _collect(upload.name, partial(_page_signals, path, limits, used), models, answer, statuses, upload)
    return {one.name for one in rest if plain_name(one.name) in used}


async def _collect(name: str, work: Any, models: Models, answer: Answer, statuses: list[int], upload: Upload) -> None:
    """Add to an answer what is read of a file, or what is at fault."""
    try:
        kind = kind_of(BytesIO(upload.data))
        models.refuse_missing(kind, name)
        reader = await models.with_reader(kind, lambda reader: reader)
        parts = await anyio.to_thread.run_sync(partial(work, reader), limiter=DECODING)
        found = await models.read(kind, [signal for _, signal in parts])
        answer.records += [
            make_result(part, one, signal).as_data() for (part, signal), one in zip(parts, found, strict=True)
        ]
    except RecognizerError as error:
        answer.errors.append(str(error))
        statuses.append(status_of(error))


def _signals(upload: Upload, limits: Limits, reader: Reader) -> list[tuple[str, Signal]]:
    """Return the signals of a file by name: one, or those of the lines that are found on a page's image."""
    source = BytesIO(upload.data)
    refuse_beyond(upload, reader.kind, limits)
    try:
        return [(upload.name, reader.signal(source, name=upload.name))]
    except RecognizerError as error:
        if error.reason != LOOKS_LIKE_A_PAGE:
            raise
    source.seek(0)
    page, signals = reader.find_page(source, upload.name)
    return [(f"{upload.name}#{line.id}", signal) for line, signal in zip(page.lines, signals, strict=True)]


def _page_signals(path: Path, limits: Limits, used: set[str], reader: Reader) -> list[tuple[str, Signal]]:
    """Return the signals of the lines of a page by their names; note which image it used."""
    try:
        page, signals = reader.named_page(path)
    except RecognizerError as error:
        # The folder is ours and gone in a moment: only the names are the caller's.
        raise RecognizerError(str(error).replace(f"{path.parent}/", ""), error.reason) from None
    used.add(page.image_path().name)
    return [(page.name_of(line).name, signal) for line, signal in zip(page.lines, signals, strict=True)]


def refuse_beyond(upload: Upload, kind: str, limits: Limits) -> None:
    """Refuse an image of too many pixels and a recording of too many seconds before they are decoded.

    Raises:
        Refused: 413.
    """
    if kind == "handwriting":
        try:
            with Image.open(BytesIO(upload.data)) as image:
                pixels = image.width * image.height
        except Exception:  # noqa: BLE001  reading it will say what is wrong with it
            return
        if pixels > limits.megapixels * 1e6:
            most = f"{limits.megapixels:g}"
            raise Refused(413, f"{upload.name}: {pixels / 1e6:.1f} million pixels, expected at most {most}")
    if kind == "speech":
        try:
            length = seconds(BytesIO(upload.data), upload.name)
        except RecognizerError:
            return
        if length > limits.seconds:
            raise Refused(413, f"{upload.name}: {length:.0f} s, expected at most {limits.seconds:g} s")


def plain_name(name: str) -> str:
    """Return the last part of a name, whatever path a program put before it."""
    return PurePath(name.replace("\\", "/")).name or "file"
