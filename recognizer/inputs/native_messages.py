"""Keeping off the terminal what libraries of C write there on their own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_native_messages() -> Iterator[None]:
    """Send what is written straight to file descriptor 2 to nowhere; the error that follows tells as much."""
    try:
        stream = os.dup(2)
    except OSError:  # standard error is closed: nothing can be written there
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stream, 2)
        os.close(stream)
        os.close(nowhere)
