"""Changing what a model file says of itself, its weights untouched to the last bit."""

import json
import struct
from pathlib import Path
from typing import Any

from recognizer.atomic_write import write_atomically
from recognizer.model_file import KEY, read_header


def write_header(path: Path, out: Path, changes: dict[str, Any]) -> None:
    """Write the model file `path` as `out` with some parts of its header changed, whole or not at all.

    Raises:
        RecognizerError: no such model file, or `out` cannot be written.
    """
    header = {**read_header(path), **changes}
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    table = json.loads(data[8 : 8 + length])
    table["__metadata__"][KEY] = json.dumps(header, ensure_ascii=False, sort_keys=True)
    text = json.dumps(table, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the weights stay aligned
    write_atomically(out, struct.pack("<Q", len(text)) + text + data[8 + length :])
