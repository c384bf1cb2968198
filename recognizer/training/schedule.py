"""The learning rate over the course of a run."""

import math
from typing import TYPE_CHECKING

from recognizer.training.config import LearningSettings

if TYPE_CHECKING:
    import lightning


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


def time_share(trainer: "lightning.Trainer") -> float:
    """Return the share of `trainer.max_time` that has gone by, the same in every process; 0 where none is set.

    A run that its time ends before its epochs do would else stop with the rate still high.
    """
    from lightning.pytorch.callbacks import Timer

    timers = [one for one in trainer.callbacks if isinstance(one, Timer)]  # type: ignore[attr-defined]
    if not timers:
        return 0.0
    gone, left = timers[0].time_elapsed(), timers[0].time_remaining()
    share = 1.0 if left is None or left <= 0.0 else gone / (gone + left)
    # Clocks of processes differ, and weights that learn at different rates would drift apart.
    return share if trainer.world_size == 1 else float(trainer.strategy.broadcast(share))
