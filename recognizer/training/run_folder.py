"""The folder of a run: one training at a time writes there, and none over another's."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recognizer.errors import RecognizerError
from recognizer.training.history import HISTORY

try:
    import fcntl
except ImportError:  # a system without it: nothing is locked
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
LEAVINGS = ("last.ckpt", "model.safetensors", HISTORY)  # of a run, each of which tells that there was one
COMMAND = "# recognizer train"  # with which the config.yaml of a run begins


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Keep a run's folder for this process; the lock ends with the process, however that ends.

    The system's record locks are used, which worker processes do not inherit.

    Raises:
        RecognizerError: another process has it, or the folder cannot be written.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        descriptor = _locked_file(run)
    except OSError as error:
        raise RecognizerError(f"{run}: cannot be written ({error.strerror or error}), expected another --run") from None
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(run / LOCK)
        os.close(descriptor)
        with suppress(OSError):
            run.rmdir()  # where nothing came of it


def _locked_file(run: Path) -> int:
    """Return the descriptor of the run's lock, held by this process."""
    path = run / LOCK
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not fcntl:
            return descriptor
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            holder = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            by = f" (process {holder})" if holder else ""
            raise RecognizerError(
                f"{run}: another training is at work there{by}, expected to wait for it or another --run"
            ) from None
        with suppress(FileNotFoundError):
            if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
                return descriptor
        os.close(descriptor)  # its holder has just removed it


def refuse_old_run(run: Path) -> None:
    """Refuse to begin a run in a folder that holds another.

    Raises:
        RecognizerError: a run is there, or a config.yaml that no run wrote.
    """
    if run.exists() and not run.is_dir():
        raise RecognizerError(f"{run}: a file is there, expected a folder for the run")
    found = [name for name in LEAVINGS if os.path.lexists(run / name)]
    if "last.ckpt" in found:
        raise RecognizerError(
            f"{run}: a run is there already, expected --resume {shlex.quote(str(run))} or another --run"
        )
    if found:
        raise RecognizerError(f"{run}: {' and '.join(found)} of a run are there already, expected another --run")
    config = run / "config.yaml"
    if os.path.lexists(config):
        with suppress(OSError), open(config, "rb") as file:
            if file.read(len(COMMAND)) == COMMAND.encode():
                return
        raise RecognizerError(f"{config}: is there already and not of a run, expected another --run")
