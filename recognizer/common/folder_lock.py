"""A folder for one process at a time, however that ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # a system without it: nothing is locked
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


class FolderHeld(Exception):
    """Another process has the folder.

    Args:
        holder: number of that process, "" where it has not written it.
    """

    def __init__(self, holder: str) -> None:
        """Keep the holder."""
        super().__init__(holder)
        self.holder = holder


@contextmanager
def locked_folder(folder: Path) -> Iterator[bool]:
    """Keep a folder, which is made where it is not there, for this process; yield whether the system has locks.

    The lock ends with the process. The system's record locks are used, which further processes do not inherit.

    Raises:
        FolderHeld: another process has it.
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = _locked_file(folder)
    try:
        yield fcntl is not None
    finally:
        with suppress(OSError):
            os.unlink(folder / LOCK)
        os.close(descriptor)
        with suppress(OSError):
            folder.rmdir()  # where nothing came of it


def _locked_file(folder: Path) -> int:
    """Return the descriptor of the folder's lock, held by this process."""
    path = folder / LOCK
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not fcntl:
            return descriptor
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            holder = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            raise FolderHeld(holder) from None
        except OSError:  # a file system without locks
            os.close(descriptor)
            raise
        with suppress(FileNotFoundError):
            if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
                return descriptor
        os.close(descriptor)  # its holder has just removed it
