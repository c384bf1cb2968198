"""Where the words of a verb go."""

import sys
from collections.abc import Callable
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
        show: takes how far a work is, "" at its end; each line takes the place of the one before.
        show_beside: the same where the result goes to a terminal too, and would be torn apart by it.
        progress: given what is counted, returns what takes how much is done and how much there is.
    """

    say: Say
    complain: Say
    show: Say = lambda _: None
    show_beside: Say = lambda _: None
    progress: Callable[[str], Counted] = lambda _: _uncounted


def terminal(quiet: bool = False) -> Console:
    """Return the console of a command line: results on standard output, the rest on standard error.

    Args:
        quiet: whether nothing says how far a work is.
    """
    if quiet:
        return Console(_say, _complain)
    return Console(_say, _complain, _show, _show_beside, Progress)


def _uncounted(_done: int, _total: int) -> None:
    """Say nothing of how far a work is."""


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(line, file=sys.stderr)


def _show(line: str) -> None:
    """Write a line over the one before on a terminal, nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)


def _show_beside(line: str) -> None:
    if not sys.stdout.isatty():
        _show(line)
