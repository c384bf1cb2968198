"""What a program ends with, for the verbs and for the scripts alike."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from recognizer.errors import RecognizerError

DONE, FOUND, FAULT = 0, 1, 2
"""All done; done, but something was found or left out; the input or the call at fault."""
STOPPED = 130


def run_and_exit(name: str, program: Callable[[], int | None]) -> NoReturn:
    """Run a program and exit with what it returns, None for DONE; a fault becomes one line on standard error.

    Args:
        name: what the line begins with.
        program: the work, without arguments.
    """
    try:
        code = program() or DONE
        sys.stdout.flush()
    except RecognizerError as error:
        code = _fault(f"{name}: {error}")
    except KeyboardInterrupt:
        print(f"{name}: stopped", file=sys.stderr)
        code = STOPPED
    except BrokenPipeError:
        # Whoever read the output has closed it; Python would complain of that once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAULT
    except OSError as error:
        what = error.filename or "a file"
        code = _fault(f"{name}: {what}: {error.strerror or error}, wanted a file that can be used")
    sys.exit(code)


def _fault(line: str) -> int:
    print(line, file=sys.stderr)
    return FAULT
