"""The one exception that an input or a call at fault raises."""


class RecognizerError(Exception):
    """Say in one line what was wrong, where it stands, what was wanted instead.

    Args:
        message: the line.
        reason: a class that like faults share and that can be counted, such as "cut short"; "" where nobody counts.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        """Keep `message` as one line, whatever a library or the name of a file put into it."""
        super().__init__(printable(" ".join(str(message).split())))
        self.reason = reason


def printable(text: str) -> str:
    """Return a text with escapes in the place of what moves the cursor, hides, or is no character."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
