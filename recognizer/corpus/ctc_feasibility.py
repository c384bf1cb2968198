"""The rule that says whether CTC can spell a text in the frames that are there."""

from recognizer.corpus.alphabet import Alphabet, frames_needed

EMPTY, SHORT = "empty text", "more characters than frames"


def needed(text: str, alphabet: Alphabet) -> int:
    """Return the fewest output frames that CTC can spell a raw `text` in; symbols without a class count like others."""
    numbers: dict[str, int] = {}
    symbols = alphabet.learned(alphabet.text.normalize(text))
    return frames_needed([numbers.setdefault(symbol, len(numbers)) for symbol in symbols])


def infeasible(need: int, frames: int) -> tuple[str, str] | None:
    """Return why CTC cannot learn a text that needs `need` output frames from `frames`: the fault and its numbers.

    None if it can. Source: Graves et al. 2006, section 3.1: a path of T frames spells at most T labels, and a blank
    must stand between two equal ones.
    """
    if need == 0:
        return EMPTY, ""
    return (SHORT, f"{need} frames needed, {frames} there") if frames < need else None
