"""Writing a file whole or not at all."""

import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from recognizer.errors import RecognizerError

try:
    import fcntl
except ImportError:  # a system without it: leftovers of killed writers stay
    fcntl = None  # type: ignore[assignment]

PART = ".part"  # suffix of a file that is being written
UNWRITABLE = "cannot be written"  # the reason of a folder or disk that takes no file
LONGEST = 255  # bytes of a file's name on common file systems
MANY_LINKS = 40  # followed before a path counts as a circle, as Linux does
STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
DESCRIPTOR = re.compile(r"/(?:dev|proc/(?:self|\d+))/fd/(\d+)")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a binary file that takes the place of `path` when the block ends well; else `path` stays as it was.

    A link is followed, and what it points to is written. What exists and is no regular file (a terminal, a pipe,
    /dev/null, /dev/stdout) is written into, when the block has ended well. A new file has the rights that the umask
    leaves, an old one keeps its own. What writers of the same file that were killed have left is cleaned away.

    Raises:
        RecognizerError: the folder cannot be written, the path is a folder, or the disk is full.
    """
    try:
        stream = _stream(path)
        if stream is None:
            with _through_temporary(Path(os.path.realpath(path))) as file:
                yield file
            return
        with stream, tempfile.TemporaryFile() as memory:
            yield cast(BinaryIO, memory)
            memory.seek(0)
            shutil.copyfileobj(memory, stream)
    except BrokenPipeError:
        raise
    except OSError as error:
        line = f"{path}: {UNWRITABLE} ({error.strerror or error}), nothing was changed"
        raise RecognizerError(line, UNWRITABLE) from error


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` as `path` through a temporary file, fsync and rename; see `replacing` for links and devices."""
    with replacing(path) as file:
        file.write(data)


def clean_leftovers(path: Path) -> list[Path]:
    """Remove the temporary files that killed writers of `path` have left; return them.

    A writer holds a lock on its temporary file, which ends with it: what can be locked belongs to nobody.
    """
    pattern = re.compile(rf"\.{re.escape(_stem(path.name))}\.[a-z0-9_]{{8}}{re.escape(PART)}")
    cleaned = []
    with suppress(OSError):
        for entry in os.scandir(path.parent):
            if (
                pattern.fullmatch(entry.name)
                and entry.is_file(follow_symlinks=False)
                and _removed_if_nobodys(entry.path)
            ):
                cleaned.append(Path(entry.path))
    return cleaned


@contextmanager
def _through_temporary(path: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file beside `path` that is renamed to it at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    clean_leftovers(path)
    mode = _mode(path)
    descriptor, temporary = _opened_temporary(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if mode is not None:
                os.chmod(temporary, mode)
            if not fcntl:  # Windows renames no file that is open
                file.close()
            os.replace(temporary, path)  # still locked: nobody takes it for a leftover
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def _opened_temporary(path: Path) -> tuple[int, str]:
    """Return the descriptor and the name of a new, locked file beside `path`."""
    while True:
        name = str(path.parent / f".{_stem(path.name)}.{secrets.token_hex(4)}{PART}")
        try:
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except FileExistsError:
            continue
        if not fcntl:
            return descriptor, name
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.exists(name):
            return descriptor, name
        os.close(descriptor)  # another writer took it for a leftover before it was locked


def _removed_if_nobodys(path: str) -> bool:
    """Remove a temporary file that no writer holds; return whether it was removed.

    It is removed under the lock: a writer that has made the file and waits for its lock then finds it gone.
    """
    if not fcntl:
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _stem(name: str) -> str:
    """Return as much of a file's name as leaves room for what a temporary file's has besides."""
    room = LONGEST - len(f"..{'0' * 8}{PART}")
    return os.fsdecode(os.fsencode(name)[:room]) if len(os.fsencode(name)) > room else name


def _mode(path: Path) -> int | None:
    """Return the rights of a file that is there, None where there is none.

    Raises:
        IsADirectoryError: it is a folder.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(21, "a folder is there", str(path))
    return stat.S_IMODE(found.st_mode)


def _stream(path: Path) -> BinaryIO | None:
    """Return the open file of a path that is a device, a pipe or one of this process's own descriptors, else None."""
    descriptor = _descriptor(path)
    if descriptor is not None:
        for own in (sys.stdout, sys.stderr):
            if own is not None:
                own.flush()
        return os.fdopen(os.dup(descriptor), "wb")
    if not path.exists() or path.is_dir() or stat.S_ISREG(path.stat().st_mode):
        return None
    return open(path, "wb")


def _descriptor(path: Path) -> int | None:
    """Return the number of the open descriptor that a path such as /dev/stdout, or a link to it, means."""
    name = os.path.abspath(path)
    for _ in range(MANY_LINKS):
        if name in STREAMS:
            return STREAMS[name]
        if found := DESCRIPTOR.fullmatch(name):
            return int(found[1])
        if not os.path.islink(name):
            return None
        name = os.path.normpath(os.path.join(os.path.dirname(name), os.readlink(name)))
    raise OSError(40, "too many links")


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a loss of power, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
