"""Drafts on disk: what was read, corrected and moved of each file, until it is saved into the file itself."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from recognizer.common.atomic_write import LONGEST, write_atomically
from recognizer.errors import RecognizerError
from recognizer.pages.page import file_of
from recognizer.web.limits import Refused

VERSION: Literal[1] = 1
State = Literal["empty", "given", "read", "corrected", "accepted"]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Word:
    """A word that was read: text, confidence in [0, 1], ends in the line's own unit, outline on the page if any."""

    text: str
    confidence: float
    start: float
    end: float
    outline: Points = ()


@dataclass(frozen=True)
class ModelReading:
    """What a model read of a line.

    Args:
        text: the whole.
        confidence: of the whole.
        words: in order.
        extent: length of the line in the unit of the words' ends.
    """

    text: str
    confidence: float
    words: tuple[Word, ...]
    extent: float


@dataclass(frozen=True)
class DraftLine:
    """A line of a page, the line of an image, a stretch of a recording, or a drawing.

    Args:
        id: its name, for a page that of its XML.
        text: as it stands now.
        state: where the text is from: nothing yet, the file, the model, a person who changed it, one who agreed.
        outline: on the page, () where it is no line of a page.
        baseline: likewise.
        reading: of the model, if it was read.
        moved: whether a person changed its place.
        given: the text of the file, None where the file has none.
        start: of a recording, where the stretch begins, in seconds.
        end: likewise, where it ends.
    """

    id: str
    text: str = ""
    state: State = "empty"
    outline: Points = ()
    baseline: Points = ()
    reading: ModelReading | None = None
    moved: bool = False
    given: str | None = None
    start: float = 0.0
    end: float = 0.0

    @property
    def checked(self) -> bool:
        """Whether a person has said what the line says."""
        return self.state in ("corrected", "accepted")


@dataclass(frozen=True)
class Draft:
    """What is known of a file.

    Args:
        name: of the file.
        kind: of what its lines are.
        digest: SHA-256 of the file that the draft was made from.
        lines: in reading order.
        size: width and height of a page's image as its places count, (0, 0) for others.
        found: whether the lines were found on an image that no XML describes.
        revision: rises with every change.
        saved: the revision that was saved into the file, 0 for none.
        model: what read it.
        left_out: how many lines that were found the last reading took away as no writing.
        beside: SHA-256 of the text and the subtitles beside the file as they were last seen, by name; "" for none.
        version: of this form.
    """

    name: str
    kind: Literal["page", "line", "sound", "strokes"]
    digest: str
    lines: tuple[DraftLine, ...] = ()
    size: tuple[int, int] = (0, 0)
    found: bool = False
    revision: int = 0
    saved: int = 0
    model: str = ""
    left_out: int = 0
    beside: dict[str, str] = field(default_factory=dict)
    version: Literal[1] = VERSION

    @property
    def worked_on(self) -> bool:
        """Whether it holds what a person has said or moved."""
        return any(line.checked or line.moved for line in self.lines)

    def as_data(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


FORM = TypeAdapter(Draft)


class Drafts:
    """The folder of drafts: one JSON file a draft, written whole or not at all, and backups of what was saved over."""

    def __init__(self, folder: Path) -> None:
        """Keep drafts in `folder`, which is made with the first."""
        self.folder = folder
        self._lock = threading.RLock()

    def get(self, name: str) -> Draft | None:
        """Return the draft of a file's id, None where there is none.

        Raises:
            RecognizerError: a draft that is damaged or of a newer version.
        """
        path = self._path(name)
        if not path.is_file():
            return None
        try:
            return FORM.validate_json(path.read_bytes())
        except ValidationError as error:
            fault = error.errors()[0]["msg"]
            raise RecognizerError(f"{path}: a damaged draft ({fault}), expected one of version {VERSION}") from None

    def put(self, name: str, draft: Draft) -> None:
        """Write a draft."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(name), (json.dumps(draft.as_data(), ensure_ascii=False) + "\n").encode())

    def update(self, name: str, made: Callable[[Draft | None], Draft]) -> Draft:
        """Put in the place of a draft what is `made` of it as it stands; nothing else changes drafts meanwhile."""
        with self._lock:
            draft = made(self.get(name))
            self.put(name, draft)
        return draft

    def change(self, name: str, revision: int, lines: tuple[DraftLine, ...]) -> Draft:
        """Put new lines into a draft that is still at `revision`.

        Raises:
            Refused: there is no draft, it was changed elsewhere meanwhile, a file that is no page has no line, two
                lines are called alike, or a line holds what no file can: half a character, a place that is no number.
        """

        def changed(draft: Draft | None) -> Draft:
            if draft is None:
                raise Refused(404, f"no draft of {name!r}, open the file first")
            if draft.revision != revision:
                raise Refused(409, f"{draft.name}: changed elsewhere meanwhile, load it again to see how")
            if not lines and draft.kind != "page":
                raise Refused(422, f"{draft.name}: no line, expected at least one")
            _refuse_unwritable(draft.name, lines)
            return replace(draft, lines=lines, revision=draft.revision + 1)

        return self.update(name, changed)

    def back_up(self, path: Path) -> Path | None:
        """Copy a file that is about to be written over; return the copy, None where there is no such file."""
        if not path.exists():
            return None
        data = path.read_bytes()
        stamp = time.strftime("%Y%m%d-%H%M%S")
        before = f"{stamp}-{hashlib.sha256(data).hexdigest()[:8]}-"
        copy = self.folder / "backups" / f"{before}{_shortened(path, LONGEST - len(before))}"
        write_atomically(copy, data)
        return copy

    def drop(self, name: str) -> None:
        """Put a draft among the backups and forget it."""
        path = self._path(name)
        self.back_up(path)
        path.unlink(missing_ok=True)

    def names(self) -> set[str]:
        """Return the ids of which there are drafts."""
        return {path.stem for path in self.folder.glob("*.json")}

    def age(self, name: str) -> float:
        """Return what is the less, the later a draft was written."""
        return -self._path(name).stat().st_mtime

    def move(self, name: str, to: str) -> bool:
        """Make a draft that of another id, never in the place of one that holds work; return whether it was done."""
        with self._lock:
            try:
                there = self.get(to)
                if there and (there.worked_on or not (moved := self.get(name)) or not moved.worked_on):
                    return False
            except RecognizerError:
                return False  # said when it is opened
            self._path(name).replace(self._path(to))
        return True

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def _refuse_unwritable(name: str, lines: Sequence[DraftLine]) -> None:
    """Refuse lines that could not be told apart, or not be written.

    Raises:
        Refused: 422.
    """
    known: set[str] = set()
    for line in lines:
        if line.id in known:
            raise Refused(422, f"{name}: two lines are called {line.id!r}, expected an id for each")
        known.add(line.id)
        try:
            json.dumps(asdict(line), ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:
            raise Refused(422, f"{name}: line {line.id!r} holds half a character, expected whole ones") from None
        except ValueError:
            raise Refused(422, f"{name}: line {line.id!r} has a place that is no number, expected numbers") from None


def _shortened(path: Path, room: int) -> str:
    """Return a file's name, where it has more bytes than there is room without the end of its stem."""
    if len(os.fsencode(path.name)) <= room:
        return path.name
    stem = os.fsencode(path.stem)[: room - len(os.fsencode(path.suffix))]
    return stem.decode(errors="ignore") + path.suffix


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, of a page FILE[2] that of the file."""
    return hashlib.sha256(file_of(path).read_bytes()).hexdigest()


def seen(*paths: Path) -> dict[str, str]:
    """Return the SHA-256 of files by their names, "" for those that are not there."""
    return {path.name: digest_of(path) if path.is_file() else "" for path in paths}
