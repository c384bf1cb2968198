"""Reads handwriting and speech: train a model, evaluate it, transcribe with it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recognizer.reading.reader import Reader

__version__ = "0.2.0"
__all__ = ["__version__", "load"]


def load(path_or_name: "str | Any", device: str = "auto") -> "Reader":
    """Return the reader of a model file, or of a shipped model by its name; torch is imported here, not before."""
    from recognizer.reading.reader import Reader

    return Reader.load(path_or_name, device)
