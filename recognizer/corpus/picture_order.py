"""Texts of both writing directions in the order in which their characters stand in a picture, and back.

Unicode keeps a text as it is spoken; Hebrew with a number, or French with a Hebrew word, stands otherwise on paper. The
order there is that of the Unicode bidirectional algorithm (UAX 9), of which python-bidi has the rules.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from unicodedata import bidirectional, mirrored

from recognizer.errors import RecognizerError

DIRECTIONS = ("ltr", "rtl")
RIGHT_TO_LEFT = ("R", "AL", "AN")  # classes of UAX 9: Hebrew, Arabic and their like, Arabic digits
WEIGHTLESS = ("BN", "")  # without a direction: joiners and their like, and characters that Python does not know
RUNS_ALONG = ("R", "AL", "NSM", "WS", "ON", "CS", "ES", "ET", *WEIGHTLESS)  # of Hebrew without numbers: goes its way
ISOLATES = {"LRI": "LRE", "RLI": "RLE", "PDI": "PDF"}  # python-bidi knows embeddings alone
MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # that set a direction, and stand nowhere in the picture
NUMBERS = re.compile(r"\d+(?:[^\w\s]\d+)+")  # such as 12-05, which stands the other way round behind Arabic letters
MARKED = "text with marks of direction, learned without them, so that a right reading counts as wrong; take them out"
MISSING = "text of both writing directions, which wants python-bidi: pip install 'recognizer[bidi]'"


def has_right_to_left(text: str) -> bool:
    """Return whether a character of a text is written from right to left."""
    return not text.isascii() and any(bidirectional(character) in RIGHT_TO_LEFT for character in text)


def marks_in(text: str) -> str:
    """Return the code points of the marks of direction in a text, each once, such as "U+202B, U+202C"."""
    return ", ".join(f"U+{ord(mark):04X}" for mark in dict.fromkeys(MARKS.findall(text)))


def in_picture_order(text: str, direction: str) -> str:
    """Return the characters of a text in the order of the picture, brackets as they look there, without MARKS.

    Args:
        text: as it is spoken.
        direction: of the paragraph, "ltr" or "rtl"; the picture is read the same way.
    """
    return "".join(character for _, character in _reordered(text, direction)) if _matters(text, direction) else text


def in_text_order(characters: Sequence[str], direction: str) -> tuple[list[int], str]:
    """Return for each character of a text which of the `characters` in the order of a picture it is, and the text.

    It is the text that `in_picture_order` turns into them, where there is one. Some orders could be those of two texts;
    12-05 behind Arabic letters is taken for such a text as stands there as it is read.
    """
    seen = "".join(characters)
    if not _matters(seen, direction):
        return list(range(len(seen))), seen
    if direction == "rtl":
        shown = _reordered(seen[::-1], direction)
        found = [(len(seen) - 1 - place, character) for place, character in shown][::-1]
    else:
        found = _reordered(seen, direction)
    for made in (found, _with_numbers_turned(found)):
        text = "".join(character for _, character in made)
        if in_picture_order(text, direction) == seen:
            found = made
            break
    return [place for place, _ in found], "".join(character for _, character in found)


def _matters(text: str, direction: str) -> bool:
    """Return whether a text may stand otherwise in the picture: it has what does not run in `direction`, or turns."""
    if direction == "ltr":
        return has_right_to_left(text)
    return any(bidirectional(character) not in RUNS_ALONG or mirrored(character) for character in text)


def _with_numbers_turned(found: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return characters with the numbers between other signs, such as 12-05, in the opposite order."""
    text, made = "".join(character for _, character in found), list(found)
    for run in NUMBERS.finditer(text):
        parts = [part.span() for part in re.finditer(r"\d+|[^\d]", run[0])]
        made[run.start() : run.end()] = [
            one for start, end in reversed(parts) for one in found[run.start() + start : run.start() + end]
        ]
    return made


@lru_cache(maxsize=4096)
def _reordered(text: str, direction: str) -> list[tuple[int, str]]:
    """Return place in `text` and look of each character as a picture that is read in `direction` shows them."""
    try:
        from bidi import algorithm as rules
    except ImportError:
        raise RecognizerError(MISSING) from None
    level = DIRECTIONS.index(direction)
    storage: dict[str, Any] = rules.get_empty_storage()
    storage["base_level"], storage["base_dir"] = level, "LR"[level]
    rules.get_embedding_levels(text, storage, False, False)
    for place, character in enumerate(storage["chars"]):
        character["place"] = place
        if character["type"] == "FSI":
            character["type"] = ("LRE", "RLE")[rules.get_base_level(text[place + 1 :])]
        character["type"] = ISOLATES.get(character["type"], character["type"])
    weightless = [character for character in storage["chars"] if character["type"] in WEIGHTLESS]
    storage["chars"] = [character for character in storage["chars"] if character["type"] not in WEIGHTLESS]
    for rule in (
        rules.explicit_embed_and_overrides,
        rules.resolve_weak_types,
        rules.resolve_neutral_types,
        rules.resolve_implicit_levels,
    ):
        rule(storage, False)
    storage["chars"] = _put_back(weightless, storage["chars"], level)
    for rule in (rules.reorder_resolved_levels, rules.apply_mirroring):
        rule(storage, False)
    shown = [(character["place"], character["ch"]) for character in storage["chars"]]
    return shown[::-1] if direction == "rtl" else shown


def _put_back(weightless: list[dict[str, Any]], others: list[dict[str, Any]], base: int) -> list[dict[str, Any]]:
    """Return characters in their order, those without a direction (X9 drops them) with the outer of their sides."""
    found = sorted([*weightless, *others], key=lambda character: character["place"])
    waiting: list[dict[str, Any]] = []
    before = base
    for character in found:
        if character["type"] in WEIGHTLESS:
            character["level"] = base
            waiting.append(character)
            continue
        for one in waiting:
            one["level"] = min(before, character["level"])
        waiting, before = [], character["level"]
    return found
