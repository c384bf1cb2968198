"""Where the words of a verb go."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from recognizer.commands.progress import Progress

Say = Callable[[str], None]
Counted = Callable[[int, int], None]


@dataclass(frozen=True)
class Console:
    """What a verb speaks through.

    Args:
        say: takes lines of the result.
        complain: takes lines beside it.
        progress: given what is counted, returns what takes how much is done and how much there is (0: unknown).
        progress_beside: the same where the result goes to a terminal too, and would be torn apart by it.
    """

    say: Say
    complain: Say
    progress: Callable[[str], Counted] = lambda _: _uncounted
    progress_beside: Callable[[str], Counted] = lambda _: _uncounted


def terminal(quiet: bool = False) -> Console:
    """Return the console of a command line: results on standard output, the rest on standard error.

    Args:
        quiet: whether nothing says how far a work is.
    """
    if quiet:
        return Console(_say, _complain)
    return Console(_say, _complain, Progress, _beside)


def _uncounted(_done: int, _total: int) -> None:
    """Say nothing of how far a work is."""


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    """Print a line beside the result, where there is still someone to read it: the result does not wait for that."""
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


def _beside(what: str) -> Counted:
    return Progress(what, quiet=sys.stdout.isatty())
