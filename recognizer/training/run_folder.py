"""The folder of a run: one training at a time writes there, and none over another's."""

import os
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from recognizer.common.folder_lock import FolderHeld, locked_folder
from recognizer.errors import RecognizerError
from recognizer.training.history import HISTORY

LEAVINGS = ("last.ckpt", "model.safetensors", HISTORY)  # of a run, each of which tells that there was one
COMMAND = "# recognizer train"  # with which the config.yaml of a run begins


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Keep a run's folder for this process; the lock ends with the process, however that ends.

    Raises:
        RecognizerError: another process has it, or the folder cannot be written.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked_folder(run))
        except FolderHeld as other:
            by = f" (process {other.holder})" if other.holder else ""
            raise RecognizerError(
                f"{run}: another training is at work there{by}, expected to wait for it or another --run"
            ) from None
        except OSError as error:
            raise RecognizerError(
                f"{run}: cannot be written ({error.strerror or error}), expected another --run"
            ) from None
        yield


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
