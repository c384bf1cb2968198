"""Label priors: how often a network sees each class, and log-probabilities without that habit.

A network answers P(class | frame), while a search beside a language model wants P(frame | class), which is that over
P(class): what a class is worth must not count twice, once in the network's habits and once in the language model
(Bourlard and Morgan 1994, chapter 7; for CTC, whose blank is the strongest habit, Miao, Gowayyed and Metze 2015,
section 3.2). A temperature above 1 flattens what a network is too sure of on input that is strange to it.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from torch import Tensor

RAREST = 1e-6  # a class that is seen less often counts as seen so often


def measure_priors(log_probs: "Iterable[Tensor]") -> list[float]:
    """Return the mean probability of each class over all frames of log-probabilities (T, C) each.

    Raises:
        RecognizerError: there is no frame.
    """
    sums, frames = None, 0
    for row in log_probs:
        seen = row.detach().double().exp().sum(0)
        sums, frames = seen if sums is None else sums + seen, frames + len(row)
    if sums is None or not frames:
        raise RecognizerError("label priors: there is no frame to measure them on")
    return [float(value) for value in sums / frames]


def without_priors(log_probs: "Tensor", priors: Sequence[float], prior_weight: float, temperature: float) -> "Tensor":
    """Return log-probabilities (N, T, C), flattened and with a power of the priors taken off, of sum 1 again.

    Args:
        log_probs: (N, T, C), natural logarithms.
        priors: of each class; used where `prior_weight` is not 0.
        prior_weight: the power of the priors that the probabilities are divided by.
        temperature: what the log-probabilities are divided by.
    """
    import torch

    changed = log_probs / temperature
    if prior_weight:
        seen = torch.tensor(priors, dtype=torch.float64).clamp_min(RAREST).log()
        changed = changed - prior_weight * seen.to(changed)
    return changed.log_softmax(-1)
