"""The files that the server was started on: all that a request can speak of, by ids that are no paths."""

import hashlib
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

from recognizer.common.atomic_write import PART, UNWRITABLE, write_atomically
from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image_file import pages_of
from recognizer.inputs.readable_files import readable_files
from recognizer.inputs.registry import kind_named, suffixes
from recognizer.pages.page import IMAGES, SUFFIX, file_of
from recognizer.pages.parse import LONG_HEAD, form_of_head, image_of_page
from recognizer.web.limits import Refused

DRAFTS = ".drafts"  # suffix of the folder beside a project's
UNNAMED = "recognizer-files"  # folder of what is dropped where the server was started on nothing


@dataclass(frozen=True)
class ProjectFile:
    """One file of a project.

    Args:
        id: what requests and its draft are called: made of its name, so that both may be moved together.
        name: its path below the project's folder.
        path: where it lies; FILE[2] is a page of an image that holds several.
        kind: "page" (PAGE XML, ALTO), "image" (of a line or of a page, which its reading decides), "sound", "strokes".
        former: its id in earlier versions, which made it of the whole path.
    """

    id: str
    name: str
    path: Path
    kind: str
    former: str = ""


class Project:
    """A folder, or some files, and the folder of their drafts beside."""

    def __init__(self, named: Sequence[Path] = (), drafts: Path | None = None) -> None:
        """Open files or one folder; without any, a folder of the working directory that is made when it is needed.

        Raises:
            RecognizerError: a file that is not there, several folders, or drafts in what is no folder.
        """
        folders = [path for path in named if path.is_dir()]
        missing = [path for path in named if not path.exists()]
        if missing:
            raise RecognizerError(f"{missing[0]}: no such file, expected files, or a folder, to read")
        if folders and len(named) > 1:
            raise RecognizerError(f"{folders[0]}: a folder among several names, expected one folder, or files")
        if drafts is not None and drafts.exists() and not drafts.is_dir():
            raise RecognizerError(f"{drafts}: a file, expected a folder for drafts")
        self.files_alone = None if folders or not named else tuple(path.resolve() for path in named)
        self.folder = (folders[0] if folders else named[0].parent if named else Path(UNNAMED)).resolve()
        beside = self.folder.with_name(self.folder.name + DRAFTS)
        self.drafts = (drafts or (self.folder / f"recognizer{DRAFTS}" if self.files_alone else beside)).resolve()
        # Where drafts lie elsewhere, those of several projects may lie there, whose files are called alike.
        own = drafts is None or self.drafts == beside
        self._home = self.folder if own else self.drafts
        self._added: list[Path] = []
        self._adding = threading.Lock()

    def files(self) -> list[ProjectFile]:
        """Return what can be read, pages without their images; looked for anew each time."""
        return [self._file(path) for path in self._paths()]

    def file(self, name: str) -> ProjectFile:
        """Return the file of an id.

        Raises:
            Refused: there is none.
        """
        for file in self.files():
            if file.id == name:
                return file
        raise Refused(404, f"no file {name!r} in this project")

    def add(self, name: str, data: bytes) -> Path:
        """Write what was dropped into the project's folder, under a name that is free there; return its path.

        The same bytes under the same name are not written twice.

        Raises:
            Refused: a name without a suffix that can be read, XML that is no page, a page whose image lies elsewhere.
            RecognizerError: the folder cannot be written, or the disk is full.
        """
        pure = PurePath(name.replace("\\", "/"))
        stem = "".join(c for c in pure.stem if c.isprintable() and c not in '/:*?"<>|').strip(". ") or "file"
        suffix = pure.suffix.lower()
        if suffix not in (*suffixes(), SUFFIX) or (suffix == SUFFIX and not form_of_head(data[:LONG_HEAD])):
            raise Refused(415, f"{name}: expected an image, a recording, InkML, PAGE XML or ALTO")
        with self._adding:
            path = self._put(name, stem, suffix, data)
            self._added.append(path)
        return path

    def _put(self, name: str, stem: str, suffix: str, data: bytes) -> Path:
        """Write a new file, whole or not at all, unless it is there; return its path."""
        number = 1
        while os.path.lexists(path := self.folder / f"{stem}{'' if number == 1 else f'-{number}'}{suffix}"):
            if path.is_file() and path.read_bytes() == data:
                return path
            number += 1
        part = self.folder / f".{hashlib.sha256(data).hexdigest()[:16]}{PART}"
        try:
            write_atomically(part, data)
            _name_anew(part, path)
        except FileExistsError:  # by another program, just now
            return self._put(name, stem, suffix, data)
        except (OSError, RecognizerError) as error:
            system = error.__cause__ if isinstance(error, RecognizerError) else error
            reason = getattr(system, "strerror", None) or error
            raise RecognizerError(f"{name}: {UNWRITABLE} ({reason}), nothing was added", UNWRITABLE) from error
        finally:
            with suppress(OSError):
                part.unlink()
        self._refuse_foreign_image(path)
        return path

    def _refuse_foreign_image(self, path: Path) -> None:
        """Take a page away again whose image is found beyond the project: who sends files sees no others.

        Raises:
            Refused: 422.
        """
        try:
            image = image_of_page(path)
        except RecognizerError:
            return  # said when it is opened
        if not file_of(image).resolve().is_relative_to(self.folder):
            path.unlink()
            raise Refused(422, f"{path.name}: its image {image.name!r} was not sent and is not in this project")

    def _paths(self) -> list[Path]:
        if self.files_alone is not None:
            files = sorted({*self.files_alone, *self._added})
        else:
            files = [path for path in _below(self.folder) if self.drafts not in path.parents]
        return [page for path in readable_files(files) for page in _pages_of(path)]

    def _file(self, path: Path) -> ProjectFile:
        inside = path.is_relative_to(self.folder)
        name = path.relative_to(self.folder).as_posix() if inside else path.name
        place = name if inside and self._home == self.folder else _way(self._home, path)
        return ProjectFile(_id(place), name, path, kind_of_name(path), _id(str(path)))


def _way(folder: Path, path: Path) -> str:
    """Return the way from a folder to a file, through folders above where need be."""
    try:
        return PurePath(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return str(path)


def _id(place: str) -> str:
    return hashlib.sha256(os.fsencode(place)).hexdigest()[:16]


def _name_anew(part: Path, path: Path) -> None:
    """Give a file another name, never that of a file that is there.

    Raises:
        FileExistsError: there is one.
    """
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # no links here: the name is taken first
        open(path, "xb").close()
        try:
            os.replace(part, path)
        except OSError:
            path.unlink()
            raise


def kind_of_name(path: Path) -> str:
    """Return "page", "image", "sound" or "strokes" by a file's suffix."""
    suffix = file_of(path).suffix.lower()
    table = {
        **dict.fromkeys(IMAGES, "image"),
        **dict.fromkeys(kind_named("speech").suffixes, "sound"),
        **dict.fromkeys(kind_named("strokes").suffixes, "strokes"),
    }
    return table.get(suffix, "page")


def _pages_of(path: Path) -> Sequence[Path]:
    """Return a file, or the pages of an image that holds several."""
    if path.suffix.lower() not in IMAGES:
        return (path,)
    state = path.stat()
    return _counted(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=10_000)
def _counted(path: Path, _changed: int, _size: int) -> Sequence[Path]:
    # A project is listed anew for every request, and its images are opened for it once.
    return tuple(pages_of(path))


def _below(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted, without hidden ones and without links that lead out of it."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    visible = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return [path for path in visible if path.resolve().is_relative_to(folder)]
