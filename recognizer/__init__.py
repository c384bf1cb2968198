"""Reads handwriting and speech: train a model, evaluate it, transcribe with it."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recognizer.reading.reader import Reader

__version__ = "0.2.0"
__all__ = ["__version__", "load"]


def load(path_or_name: str | os.PathLike[str], device: str = "auto", precision: str = "float32") -> "Reader":
    """Return the reader of a model file, or of a shipped model by its name; torch is imported here, not before.

    Args:
        path_or_name: of the model.
        device: "auto" takes a GPU where there is one.
        precision: what the network is computed in: "float32", "bf16", or "auto", which measures what is faster.
    """
    from recognizer.reading.reader import Reader

    return Reader.load(path_or_name, device, precision=precision)
