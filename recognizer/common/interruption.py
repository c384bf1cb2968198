"""Ctrl-C and SIGTERM as one exception, so that whatever runs cleans up, says one line, ends with 130 or 143."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
BASE = 128  # of the exit code of a program that a signal ended


class Interrupted(BaseException):
    """The user, or the system, wants the program to end.

    It is no Exception, as KeyboardInterrupt is none: nothing that goes on after faults goes on after it.

    Args:
        number: of the signal.
        note: what whoever was interrupted has to say.
    """

    def __init__(self, number: int, note: str = "") -> None:
        """Keep the signal."""
        super().__init__(number)
        self.number, self.note = number, note

    @property
    def exit_code(self) -> int:
        """What the program ends with: 130 for Ctrl-C, 143 for SIGTERM."""
        return BASE + self.number


class Guard:
    """The handlers of one program."""

    def __init__(self) -> None:
        """Belong to this process."""
        self.process, self.number = os.getpid(), 0

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raise `Interrupted` once; a second signal ends the program where it stands."""
        if os.getpid() != self.process:  # a forked worker, which the program itself ends
            if number == signal.SIGTERM:
                os._exit(BASE + number)
            return
        if self.number:
            os._exit(BASE + number)
        self.number = number
        raise Interrupted(number)


@contextmanager
def interruptible() -> Iterator[Guard]:
    """Let Ctrl-C and SIGTERM raise `Interrupted` in this block; what the caller has set to be ignored stays ignored."""
    guard = Guard()
    if threading.current_thread() is not threading.main_thread():
        yield guard
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, guard.handle)
    try:
        yield guard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_to_parent() -> None:
    """Let this further process of a program do nothing on Ctrl-C, which its parent hears too, and pass on SIGTERM."""
    parent = os.getppid()

    def pass_on(number: int, frame: FrameType | None) -> None:
        if os.getppid() != parent:
            os._exit(BASE + number)
        os.kill(parent, number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, pass_on)
