"""Whether texts run from right to left, while their lines are read from the left."""

from collections.abc import Iterable, Mapping
from typing import Any
from unicodedata import bidirectional

RIGHT_TO_LEFT = ("R", "AL")  # classes of Unicode's bidirectional algorithm: Hebrew, Arabic and their like


def direction_fault(texts: Iterable[str], signal: Mapping[str, Any]) -> str:
    """Return what is wrong with the reading direction of lines, "" where nothing is.

    Args:
        texts: of the lines.
        signal: the settings that the corpus is prepared with; those of other kinds of input have no direction.
    """
    if signal.get("direction") != "ltr":
        return ""
    right = left = 0
    for text in texts:
        classes = [bidirectional(character) for character in text]
        right += sum(one in RIGHT_TO_LEFT for one in classes)
        left += classes.count("L")
    if right <= left:
        return ""
    return f"texts run from right to left ({right} of {right + left} letters), expected --direction rtl of prepare"
