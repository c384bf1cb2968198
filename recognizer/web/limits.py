"""What a request may ask of the server."""

from dataclasses import dataclass

from recognizer.errors import RecognizerError


@dataclass(frozen=True)
class Limits:
    """Bounds; what is beyond them is refused with one line, 413 or 429.

    Args:
        megabytes: of one request.
        megapixels: of an image.
        seconds: of a recording.
        queue: requests to be read that may wait at once.
        batch: lines, recordings and drawings that are read together.
    """

    megabytes: float = 64.0
    megapixels: float = 50.0
    seconds: float = 3600.0
    queue: int = 256
    batch: int = 64

    def __post_init__(self) -> None:
        """Refuse bounds that let nothing through."""
        for name in ("megabytes", "megapixels", "seconds", "queue", "batch"):
            if not getattr(self, name) > 0:
                raise RecognizerError(f"--max-{name} is {getattr(self, name):g}, expected a positive number")


class Refused(RecognizerError):
    """A request that is answered with one line and a status of HTTP.

    Args:
        status: 404, 409, 413, 415, 422, 429.
        message: the line.
    """

    def __init__(self, status: int, message: str) -> None:
        """Keep the status."""
        super().__init__(message)
        self.status = status
