"""Scripts that are written without spaces between words."""

import re

# Inside a class of a regular expression: Thai and Lao, Myanmar, Khmer, the scripts of the Tai, kana and Han.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf"
    "\u3005-\u3007\u3041-\u3096\u309d-\u30fa\u30fc-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
IN_UNSPACED = re.compile(f"[{UNSPACED}]")


def is_unspaced(text: str) -> bool:
    """Return whether most of the characters of `text`, spaces apart, are of scripts without spaces between words."""
    return 2 * len(IN_UNSPACED.findall(text)) > len("".join(text.split()))
