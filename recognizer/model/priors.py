"""Label priors as a model file states them: how often its network sees each class."""

import math
from collections.abc import Sequence

from recognizer.errors import RecognizerError

ROUNDED = 1e-3  # how far their sum may be off 1


def checked_priors(priors: Sequence[float], classes: int) -> list[float]:
    """Return the priors of a file, [] where it states none.

    Raises:
        RecognizerError: they are not a probability for each class.
    """
    if not priors:
        return []
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in priors)
    if len(priors) != classes or not numbers or not all(0 <= one <= 1 for one in priors):
        raise RecognizerError(f"priors: expected {classes} probabilities, one for each class")
    if abs(math.fsum(priors) - 1) > ROUNDED:
        raise RecognizerError(f"priors: their sum is {math.fsum(priors):.4g}, expected 1")
    return [float(one) for one in priors]
