"""Learning rates that fall from the output layer down to the front, and a pull back to the first weights."""

from typing import Any

import torch
from torch import nn

from recognizer.network.private_operators import lerp_all
from recognizer.training.config import LearningSettings

HEADS = ("head", "auxiliary_head")


def parameter_groups(network: nn.Module, rest: nn.Module, learning: LearningSettings) -> list[dict[str, Any]]:
    """Return the optimizer's groups: matrices decay, vectors do not; each level has its own rate.

    The rate of a level is `layer_decay` of that of the level above: the output layers, the recurrent layers from the
    last to the first, the front (Howard and Ruder 2018, "discriminative fine-tuning").

    Args:
        network: whose parameters are learned, with `layers`, `front` and output layers.
        rest: the whole model; what it has beside the network counts as part of the front.
        learning: the settings.
    """
    depth = len(network.layers)  # type: ignore[arg-type]
    levels: dict[int, list[nn.Parameter]] = {level: [] for level in range(depth + 2)}
    for name, parameter in rest.named_parameters():
        levels[_level(name.removeprefix("network."), depth) if learning.layer_decay < 1.0 else 0].append(parameter)
    groups = []
    for level, parameters in levels.items():
        rate = learning.rate * learning.layer_decay**level
        matrices = [p for p in parameters if p.ndim > 1]
        vectors = [p for p in parameters if p.ndim <= 1]
        if parameters:
            groups.append({"params": matrices, "weight_decay": learning.weight_decay, "lr": rate})
            groups.append({"params": vectors, "weight_decay": 0.0, "lr": rate})
    return groups


def _level(name: str, depth: int) -> int:
    """Return how many levels below the output layers a parameter of the network stands."""
    first, _, rest = name.partition(".")
    if first in HEADS:
        return 0
    return depth - int(rest.partition(".")[0]) if first == "layers" else depth + 1


@torch.no_grad()
def pull_back(model: nn.Module, start: nn.Module, groups: list[dict[str, Any]], anchor: float) -> None:
    """Move weights towards those that the run started from by `anchor` times their rate.

    The weight decay of AdamW with the first weights in the place of zero (Li, Grandvalet and Davoine 2018, "L2-SP").
    """
    first = dict(zip(model.parameters(), start.parameters(), strict=True))
    for group in groups:
        parameters = group["params"]
        if parameters:
            lerp_all(parameters, [first[p] for p in parameters], anchor * group["lr"])
