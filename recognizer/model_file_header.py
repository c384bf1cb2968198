"""Changing what a model file says of itself, its weights untouched to the last bit."""

from pathlib import Path
from typing import Any

from recognizer.atomic_write import write_atomically
from recognizer.model_file import read_header, refuse_damage, with_header


def write_header(path: Path, out: Path, changes: dict[str, Any]) -> None:
    """Write the model file `path` as `out` with some parts of its header changed, whole or not at all.

    Raises:
        RecognizerError: no such model file, a damaged one, or `out` cannot be written.
    """
    header = {**read_header(path), **changes}
    refuse_damage(path)
    write_atomically(out, with_header(path.read_bytes(), header))
