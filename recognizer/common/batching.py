"""Samples of like length put together so that a padded batch stays within a budget."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def batch_by_budget(items: Sequence[Item], counts: Sequence[float], budget: float, shares: int = 1) -> list[list[Item]]:
    """Return runs of `items`, in their order; the padded size (longest x number) of each share stays in `budget`.

    A sample beyond the budget is a run of its own.
    """
    runs: list[list[Item]] = []
    longest = 0.0
    for item, count in zip(items, counts, strict=True):
        longest = max(longest, count)
        if not runs or longest * -(-(len(runs[-1]) + 1) // shares) > budget:
            runs.append([])
            longest = count
        runs[-1].append(item)
    return runs
