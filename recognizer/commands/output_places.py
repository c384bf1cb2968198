"""Where the text of each file that is read goes: below --out, as the file stands below what the user named."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError
from recognizer.pages.page import stem_of

STANDARD_INPUT = "-"
PAGE_OF_INPUT = re.compile(rf"{STANDARD_INPUT}((?:\[\d+\])?)")


class OutputPlaces:
    """Places below a folder; two files never go to one, and what was there before is not replaced unasked."""

    def __init__(self, folder: Path, suffix: str, named: Sequence[str], overwrite: bool) -> None:
        """Mirror into `folder` what is below the folder that holds all that was `named`."""
        self.folder, self.suffix, self.overwrite = folder, suffix, overwrite
        roots = [Path(name) if Path(name).is_dir() else Path(name).parent for name in named if name != STANDARD_INPUT]
        self.root = _common(roots) if roots else Path.cwd()
        self.taken: dict[str, list[tuple[Path, str]]] = defaultdict(list)

    def of(self, name: str) -> Path:
        """Return the place for a file that the user calls `name`, and take it.

        Raises:
            RecognizerError: another file has it.
        """
        inner = self._inner(name)
        path = self.folder / inner.with_name(f"{stem_of(inner.name)}{self.suffix}")
        alike = self.taken[unicodedata.normalize("NFC", str(path)).casefold()]
        for other, owner in alike:
            if path == other or _is_one(path, other):
                raise RecognizerError(f"{name}: {path} is that of {owner}, expected files of different names")
        alike.append((path, name))
        return path

    def _inner(self, name: str) -> Path:
        if page := PAGE_OF_INPUT.fullmatch(name):
            return Path(f"stdin{page[1]}")
        whole = Path(os.path.abspath(name))
        if self.root is None:
            return whole.relative_to(whole.anchor)
        return whole.relative_to(self.root) if whole.is_relative_to(self.root) else Path(whole.name)

    def write(self, name: str, text: str) -> None:
        """Write the text of a file; bytes of a file's name that are no UTF-8 go out as they came in.

        Raises:
            RecognizerError: another text is there already, or it cannot be written.
        """
        path, data = self.of(name), text.encode(errors="surrogateescape")
        if not path.is_file() or path.read_bytes() != data:
            self._refuse_there(path, f"{name}: {path} is there already with another text, --overwrite replaces it")
            write_atomically(path, data)

    def refuse_unread(self, path: Path, name: str) -> None:
        """Refuse a file that is there before the long work of reading what it would hold.

        Raises:
            RecognizerError: it is there, and replacing was not asked for.
        """
        self._refuse_there(
            path, f"{name}: {path} is there already; --overwrite reads the recording anew, --resume leaves it out"
        )

    def _refuse_there(self, path: Path, why: str) -> None:
        if path.is_file() and not self.overwrite:
            raise RecognizerError(why)


def _common(folders: Sequence[Path]) -> Path | None:
    """Return the folder that holds all of them, None where they are on several drives."""
    try:
        return Path(os.path.commonpath([os.path.abspath(folder) for folder in folders]))
    except ValueError:
        return None


def _is_one(path: Path, other: Path) -> bool:
    """Return whether two names that differ in case, or in how an accent is written, are one file of the system."""
    return path.exists() and other.exists() and path.samefile(other)
