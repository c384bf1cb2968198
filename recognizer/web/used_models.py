"""The models that came out of learnings and are read with: remembered, for a server that starts anew."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError

FORM = TypeAdapter(dict[str, str])


class UsedModels:
    """A file that names models by kind, those of its own folder by their paths below it: it may be moved."""

    def __init__(self, file: Path) -> None:
        """Remember in `file`, which is made with the first model."""
        self.file = file

    def all(self) -> dict[str, Path]:
        """Return the models by kind.

        Raises:
            RecognizerError: the file is damaged or cannot be read.
        """
        try:
            named = FORM.validate_json(self.file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError):
            raise RecognizerError(
                f"{self.file}: no record of the models in use can be read there, expected to use them once more"
            ) from None
        return {kind: self.file.parent / path for kind, path in named.items()}

    def remember(self, kind: str, path: Path) -> None:
        """Note the model that a kind is read with from now on."""
        try:
            known = self.all()
        except RecognizerError:
            known = {}
        home = self.file.parent
        known[kind] = path
        named = {
            kind: (one.relative_to(home) if one.is_relative_to(home) else one).as_posix() for kind, one in known.items()
        }
        write_atomically(self.file, json.dumps(named, ensure_ascii=False).encode())
