"""What a program ends with, for the verbs and for the scripts alike."""

import errno
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from recognizer.commands.streams import Escapes, drop_output, open_streams
from recognizer.common.interruption import Guard, Interrupted, interruptible
from recognizer.errors import RecognizerError

DONE, FOUND, FAULT, BROKEN = 0, 1, 2, 70
"""All done; done, but something was found or left out; the input or the call at fault; the program itself at fault."""
NO_MEMORY = (
    "can't allocate memory", "cannot allocate memory", "out of memory", "not enough memory", "failed to allocate",
    "failed to map segment",
)  # fmt: skip
OURS = "recognizer"
NO_SHARED_MEMORY = ("shared memory", "bus error", "torch_shm", "/dev/shm")


def run_and_exit(name: str, program: Callable[[], int | None]) -> NoReturn:
    """Run a program and exit with what it returns, None for DONE; a fault becomes one line on standard error.

    Ctrl-C ends it with 130, SIGTERM with 143, each with one line; an exception that nobody foresaw ends it with BROKEN
    and its traceback.

    Args:
        name: what the line begins with.
        program: the work, without arguments.
    """
    escapes = open_streams()
    with interruptible() as guard:
        code = _code(name, program, guard)
        with suppress(OSError, ValueError):
            sys.stdout.flush()
    sys.exit(_told(name, code, escapes))


def _code(name: str, program: Callable[[], int | None], guard: Guard) -> int:
    """Run a program and return its exit code, having said in one line why it is not what the program returns."""
    try:
        code = program() or DONE
        sys.stdout.flush()
        return code
    except Interrupted as stopped:
        _complain(f"{name}: {stopped.note or 'stopped'}")
        return stopped.exit_code
    except BrokenPipeError:
        drop_output()
        return FAULT
    except Exception as error:
        if guard.number:  # what the signal made of something that was under way
            _complain(f"{name}: stopped")
            return Interrupted(guard.number).exit_code
        line = _line_of(error)
        if line is None:
            with suppress(OSError, ValueError):
                traceback.print_exc()
            return BROKEN
        _complain(f"{name}: {line}")
        return FAULT


def _line_of(error: Exception) -> str | None:
    """Return what to say of an exception in one line, None where it is the program that is at fault."""
    if isinstance(error, RecognizerError):
        return str(error)
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(words in text.lower() for words in NO_MEMORY):
        return f"not enough memory ({text[:200] or 'no more is known'}), expected smaller input or smaller batches"
    if isinstance(error, RuntimeError) and any(words in text.lower() for words in NO_SHARED_MEMORY):
        return "the shared memory (/dev/shm) is full, expected --data.workers 0 or more of it"
    if isinstance(error, ModuleNotFoundError) and error.name and (package := error.name.partition(".")[0]) != OURS:
        return f"this takes the package {package}, which is not installed: pip install {package}"
    if not isinstance(error, OSError):
        return None
    if error.filename is None and error.errno in (errno.EBADF, errno.ENOSPC, errno.EIO):
        drop_output()
        return f"standard output cannot be written ({error.strerror})"
    return f"{error.filename or 'a file'}: {error.strerror or error}, expected a file that can be used"


def _told(name: str, code: int, escapes: Escapes) -> int:
    """Say what the output's encoding could not hold; return the exit code for it."""
    if not escapes.characters:
        return code
    some = " ".join(f"U+{ord(character):04X}" for character in sorted(escapes.characters)[:5])
    _complain(
        f"{name}: the output is {sys.stdout.encoding}, which lacks {len(escapes.characters)} characters ({some}), "
        f"written as escapes: expected PYTHONIOENCODING=utf-8"
    )
    return code or FOUND


def _complain(line: str) -> None:
    """Print a line beside the output, where there is still someone to read it."""
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)
