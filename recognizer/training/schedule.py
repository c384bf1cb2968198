"""The learning rate over the course of a run."""

import math

from recognizer.training.config import LearningSettings


def rate_share(learning: LearningSettings, step: int, steps: int) -> float:
    """Return the share of the highest rate that `step` of `steps` learns with."""
    rise = max(1, round(learning.warm_up * steps))
    if step < rise:
        at = (step + 1) / rise
        return (1.0 - math.cos(math.pi * at)) / 2.0 if learning.schedule == "one-cycle" else at
    at = min(1.0, (step - rise) / max(1, steps - rise))
    if learning.schedule in ("one-cycle", "cosine"):
        return (1.0 + math.cos(math.pi * at)) / 2.0
    if learning.schedule == "step":
        at = step / steps
        return 1.0 if at < 0.6 else 0.1 if at < 0.85 else 0.01
    return 1.0
