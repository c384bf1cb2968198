"""The one exception that an input or a call at fault raises."""


class RecognizerError(Exception):
    """Say in one line what was wrong, where it stands, what was wanted instead."""

    def __init__(self, message: str) -> None:
        """Keep `message` as one line, whatever a library put into it."""
        super().__init__(" ".join(str(message).split()))
