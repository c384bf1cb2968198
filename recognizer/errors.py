"""The one exception that an input or a call at fault raises."""


class RecognizerError(Exception):
    """Say in one line what was wrong, where it stands, what was wanted instead.

    Args:
        message: the line.
        reason: a class that like faults share and that can be counted, such as "cut short"; "" where nobody counts.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        """Keep `message` as one line, whatever a library put into it."""
        super().__init__(" ".join(str(message).split()))
        self.reason = reason
