"""The streams of a program as they are found: closed, of an encoding that lacks characters, full."""

import codecs
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field

HANDLER = "recognizer"  # of characters that an encoding lacks
BYTES = range(0xDC80, 0xDD00)  # code points by which Python writes bytes of file names that are not UTF-8


@dataclass
class Escapes:
    """What an output's encoding could not hold.

    Args:
        characters: that were written as escapes.
    """

    characters: set[str] = field(default_factory=set)

    def __call__(self, error: UnicodeError) -> tuple[bytes, int]:
        """Return what is written in place of characters, and where to go on (PEP 293)."""
        if not isinstance(error, UnicodeEncodeError):
            raise error
        parts = []
        for character in error.object[error.start : error.end]:
            if ord(character) in BYTES:  # the name of a file goes out as it came in
                parts.append(bytes([ord(character) - 0xDC00]))
            else:
                self.characters.add(character)
                parts.append(character.encode("ascii", "backslashreplace"))
        return b"".join(parts), error.end


def open_streams() -> Escapes:
    """Make every stream usable; return what collects the characters that the output's encoding lacks.

    A closed input is an empty one, a closed output refuses what is written to it, closed complaints go nowhere.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")
    # What is opened takes the closed descriptor's place; the output's for reading, so that nothing is lost in silence.
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:  # what it refused would be tried once more when Python ends, and make that an exit code
        sys.stderr = open(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    escapes = Escapes()
    codecs.register_error(HANDLER, escapes)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors=HANDLER)
    return escapes


def drop_output() -> None:
    """Let what is still to be written go nowhere, or Python would complain of it once more when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
