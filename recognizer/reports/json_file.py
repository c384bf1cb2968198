"""A report as JSON for other programs."""

import json
from pathlib import Path
from typing import Any

from recognizer.common.atomic_write import write_atomically


def write_json(path: Path, data: dict[str, Any]) -> None:
    r"""Write plain data; a byte of a file's name that is no UTF-8 stands there as \udcXX, which JSON reads as it was.

    Raises:
        RecognizerError: the file cannot be written.
    """
    text = json.dumps(data, indent=1, ensure_ascii=False)
    write_atomically(path, f"{text}\n".encode(errors="backslashreplace"))
