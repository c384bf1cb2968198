"""Names of files as a line of a table or a list holds them."""

import re

ESCAPES = str.maketrans({"\t": r"\t", "\n": r"\n", "\r": r"\r"})
ESCAPED = re.compile(r"\\(?:([tnr])|u(dc[89a-f][0-9a-f]))")  # of these, and of a byte that is no UTF-8
CHARACTERS = {"t": "\t", "n": "\n", "r": "\r"}


def unescaped(name: str) -> str:
    """Return a name as it was before a table escaped it."""
    return ESCAPED.sub(lambda found: CHARACTERS[found[1]] if found[1] else chr(int(found[2], 16)), name)
