"""Whether a verb may write the file that an option names."""

import zlib
from collections.abc import Callable
from pathlib import Path

from recognizer.errors import RecognizerError
from recognizer.pretrained import FOLDER

HEAD = 2048  # bytes of a file that tell what it is
REPORT, PAGE, TABLE, NAMES = "a JSON report", "an HTML page", "a table of readings", "a list of names"
LANGUAGE_MODEL, MODEL = "a language model", "a model file"
TABLE_BEGINS = b"file\tgroup\treference\treading\t"
ARPA, PACKED, GZIP = b"\\data\\", b"recognizer n-gram", b"\x1f\x8b"


def _is_language_model(head: bytes) -> bool:
    if head.startswith(GZIP):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head)
        except zlib.error:
            return False
    return ARPA in head or head.startswith(PACKED)


LOOKS: dict[str, Callable[[bytes], bool]] = {  # whether what is there begins as what would be written
    REPORT: lambda head: head.startswith(b"{\n"),
    PAGE: lambda head: head.lstrip()[:14].lower() == b"<!doctype html",
    TABLE: lambda head: head.startswith(TABLE_BEGINS),
    NAMES: lambda head: False,
    LANGUAGE_MODEL: _is_language_model,
    MODEL: lambda head: head[8:9] == b"{",
}


def refuse_foreign(option: str, path: Path | None, form: str) -> None:
    """Refuse to replace a file that is of another form than what would be written, before any work is done for it.

    Such a file is a text, a corpus or a model that somebody needs; devices, links to them and empty files are none.

    Args:
        option: that names the file, for the message.
        path: of the file, None where none is to be written.
        form: of what will be written, one of the constants above.

    Raises:
        RecognizerError: the file is of another form, or would stand among the models that come with the package.
    """
    if path is None:
        return
    if path.resolve().parent == FOLDER.resolve():
        raise RecognizerError(f"{option} {path}: the folder of the shipped models, which stay as they are")
    if not path.is_file():
        return
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise RecognizerError(f"{option} {path}: cannot be looked at ({error.strerror or error})") from error
    if head and not LOOKS[form](head):
        found = "is there already" if form == NAMES else f"is there already and is not {form}"
        raise RecognizerError(f"{option} {path}: {found}, expected another name")
