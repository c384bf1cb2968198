"""The kinds of input that there are, and which of them a file is."""

from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from recognizer.errors import RecognizerError
from recognizer.inputs.kind import Kind
from recognizer.inputs.signal import Signal
from recognizer.pages.page import SUFFIX, file_of
from recognizer.pages.parse import HEAD, form_of_head, read_head

NO_FILE = "no plain file"  # the reason where a pipe or a device is named
# Each names a module with the object KIND. What a file is, is asked in this order: the last takes what nobody knows.
MODULES = (
    "recognizer.inputs.strokes.kind",
    "recognizer.inputs.speech.kind",
    "recognizer.inputs.lines.kind",
)


@cache
def kinds() -> dict[str, Kind]:
    """Return every kind of input by its name."""
    found = [import_module(module).KIND for module in MODULES]
    return {kind.name: kind for kind in found}


def kind_named(name: str) -> Kind:
    """Return the kind of a name.

    Raises:
        RecognizerError: there is none.
    """
    if name not in kinds():
        raise RecognizerError(f"kind is {name!r}, expected one of {', '.join(sorted(kinds()))}")
    return kinds()[name]


def default_signal(name: str) -> dict[str, Any]:
    """Return the default settings of a kind's signal as plain data."""
    return asdict(kind_named(name).settings({}))


@cache
def suffixes() -> tuple[str, ...]:
    """Return the suffixes of files that are taken from a folder."""
    return tuple(suffix for kind in kinds().values() for suffix in kind.suffixes)


@dataclass(frozen=True)
class Identity:
    """What a file is.

    Args:
        kind: name of its kind; a page, and the line FILE#ID of a page, are handwriting.
        page: whether it is PAGE XML or ALTO as a whole.
    """

    kind: str
    page: bool = False


def identify(source: Path | BinaryIO) -> Identity:
    """Return what a file is, from its first bytes and its suffix; it is opened once.

    Raises:
        RecognizerError: the file is not there or cannot be read.
    """
    suffix, whole = "", False
    if isinstance(source, Path):
        given, source = source, file_of(source)
        whole = source == given
        if not _exists(source):
            raise RecognizerError(f"{source}: no such file", "no such file")
        if not source.is_file():
            raise RecognizerError(f"{source}: not a file, expected one, or - for standard input", "not a file")
        suffix = source.suffix.lower()
        if not (source.is_file() or source.is_dir()):  # opening a pipe waits for someone to write into it
            raise RecognizerError(f"{source}: a pipe or a device, expected a file, or - for standard input", NO_FILE)
        try:
            with open(source, "rb") as file:
                head = read_head(file, source)
        except OSError as error:
            raise RecognizerError(f"{source}: cannot be read ({error.strerror or error}), expected a file") from None
    else:
        head = source.read(HEAD)
        source.seek(0)
    page = whole and suffix == SUFFIX and bool(form_of_head(head))
    return Identity(next(kind.name for kind in kinds().values() if kind.recognizes(head, suffix)), page)


def kind_of(source: Path | BinaryIO) -> str:
    """Return the name of the kind that a file is (see `identify`)."""
    return identify(source).kind


def read_signal(
    kind: str, settings: dict[str, Any], source: Path | BinaryIO, name: str = "", channel: int = 0, own: str = ""
) -> Signal:
    """Return the signal of a file for a model of `kind`.

    Args:
        kind: that the model reads.
        settings: of its signal, as plain data.
        source: the file.
        name: of a file object, for messages.
        channel: of recordings, from 1 on; 0 for the mean of all.
        own: kind of the file, where it is known already; "" looks.

    Raises:
        RecognizerError: the file is at fault, or it is of another kind.
    """
    name = str(source) if isinstance(source, Path) else name or "the file"
    wanted = kind_named(kind)
    if (own := own or kind_of(source)) != kind and not _is_empty(source):
        raise RecognizerError(
            f"{name}: {kind_named(own).noun}, the model reads {kind}: expected {wanted.noun}", "of another kind"
        )
    return wanted.read(source, wanted.settings(settings), name, channel)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def _is_empty(source: Path | BinaryIO) -> bool:
    return isinstance(source, Path) and source.exists() and source.stat().st_size == 0
