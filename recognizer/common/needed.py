"""Packages that only some of the work takes, and that need not be there for the rest."""

from collections.abc import Iterator
from contextlib import contextmanager

from recognizer.errors import RecognizerError

LEFT_OUT = ("torch", "torchaudio")  # where an exported model is all that reads


@contextmanager
def taking_torch(what: str) -> Iterator[None]:
    """Name the work that an import of torch within the block is for, where torch is not installed.

    Raises:
        RecognizerError: it is not.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in LEFT_OUT:
            raise
        raise RecognizerError(
            f"{what} takes the package {package}, which is not installed: pip install {package}"
        ) from None
