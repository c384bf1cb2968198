"""Which of the lines that were found on an image are writing: those of which the reader believes anything."""

from collections.abc import Sequence

from recognizer.decoding.hypothesis import Hypothesis
from recognizer.errors import RecognizerError

# Chosen on pages of docs/lab/segmentation.md, measured there on others.
FEWEST_RIGHT = 1.0  # characters that are expected to be right
LEAST_BELIEVED = 0.5  # of all characters


def is_writing(hypothesis: Hypothesis) -> bool:
    """Return whether what was read where a line was found is believed to be writing.

    The edge of a book, a seal or a finger is read as nothing, or as a few characters that are hardly believed: less
    than one of them is expected to be right (their confidences add up to less), nor half of them. A long line that is
    read badly is writing, and so is a page number that is read well.
    """
    right = sum(character.confidence for character in hypothesis.characters)
    return right >= FEWEST_RIGHT or right >= LEAST_BELIEVED * max(1, len(hypothesis.characters))


def writing_of(name: str, hypotheses: Sequence[Hypothesis]) -> list[int]:
    """Return the numbers of those of a page's found lines that are writing; `name` is what the page is called.

    Raises:
        RecognizerError: none of them is.
    """
    kept = [i for i, hypothesis in enumerate(hypotheses) if is_writing(hypothesis)]
    if not kept:
        raise RecognizerError(
            f"{name}: nothing that is read of the {len(hypotheses)} lines found on it is believed, expected writing "
            f"that the model knows"
        )
    return kept


def left_out(number: int) -> str:
    """Return in words that so many of the lines found on a page are left out."""
    which = "1 of them is" if number == 1 else f"{number} of them are"
    return f"{which} left out as no writing, since no character that is read there is believed"
