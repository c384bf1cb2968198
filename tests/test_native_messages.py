"""Tests that standard error is quiet for what libraries write, and is there again afterwards."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recognizer.inputs.native_messages import without_native_messages

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are those of POSIX")


@contextmanager
def standard_error(path: Path) -> Iterator[None]:
    """Let standard error go to a file within the block."""
    before = os.dup(2)
    with open(path, "wb", buffering=0) as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)


def test_two_threads_that_overlap_leave_standard_error_as_it_was(tmp_path: Path) -> None:
    with standard_error(tmp_path / "heard"):
        first, second = without_native_messages(), without_native_messages()
        first.__enter__()
        second.__enter__()
        os.write(2, b"a")
        first.__exit__(None, None, None)
        os.write(2, b"b")
        second.__exit__(None, None, None)
        os.write(2, b"c")
    assert (tmp_path / "heard").read_bytes() == b"c"


def test_an_error_leaves_it_as_it_was_too(tmp_path: Path) -> None:
    with standard_error(tmp_path / "heard"):
        descriptors = len(os.listdir("/dev/fd"))
        with pytest.raises(ValueError), without_native_messages():
            os.write(2, b"a")
            raise ValueError
        os.write(2, b"b")
        assert len(os.listdir("/dev/fd")) == descriptors
    assert (tmp_path / "heard").read_bytes() == b"b"


def test_a_closed_one_stays_closed(tmp_path: Path) -> None:
    with standard_error(tmp_path / "heard"):
        os.close(2)
        with without_native_messages(), without_native_messages():
            with pytest.raises(OSError):
                os.fstat(2)
        with pytest.raises(OSError):
            os.fstat(2)


def test_a_process_forked_meanwhile_is_heard(tmp_path: Path) -> None:
    with standard_error(tmp_path / "heard"):
        with without_native_messages():
            child = os.fork()
            if not child:
                os.write(2, b"a")
                with without_native_messages():
                    os.write(2, b"b")
                os.write(2, b"c")
                os._exit(0)
            os.waitpid(child, 0)
    assert (tmp_path / "heard").read_bytes() == b"ac"
