"""Keeping off the terminal what libraries of C write there on their own."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

STREAM = 2  # the file descriptor of standard error


class _Silence:
    """Where standard error goes, one for the process: nowhere while any thread is in a block, then where it went."""

    def __init__(self) -> None:
        self.lock, self.blocks = threading.Lock(), 0
        self.before: int | None = None  # a descriptor of where it went, None where nothing was changed

    @contextmanager
    def kept(self) -> Iterator[None]:
        with self.lock:
            if not self.blocks:
                self._turn_off()
            self.blocks += 1
        try:
            yield
        finally:
            with self.lock:
                self.blocks = max(0, self.blocks - 1)  # none is counted where a fork came between
                if not self.blocks:
                    self._turn_on()

    def _turn_off(self) -> None:
        try:
            before = os.dup(STREAM)
        except OSError:  # it is closed, where nothing can be written, or there are no more descriptors
            return
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
        except OSError:
            os.close(before)
            return
        os.dup2(nowhere, STREAM)
        os.close(nowhere)
        self.before = before

    def _turn_on(self) -> None:
        before, self.before = self.before, None
        if before is not None:
            os.dup2(before, STREAM)
            os.close(before)

    def begin_anew(self) -> None:
        """Let a forked process, which has none of the other threads, write again."""
        self.blocks = 0
        self._turn_on()
        self.lock.release()


_SILENCE = _Silence()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_SILENCE.lock.acquire, after_in_parent=_SILENCE.lock.release, after_in_child=_SILENCE.begin_anew
    )


def without_native_messages() -> AbstractContextManager[None]:
    """Send what is written straight to file descriptor 2 to nowhere; the error that follows tells as much.

    All threads write there: what others write meanwhile is lost too, so the block is to be short.
    """
    return _SILENCE.kept()
