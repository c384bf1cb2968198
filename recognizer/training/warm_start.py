"""Starting from the weights of another model."""

import torch

from recognizer.alphabet import Alphabet
from recognizer.bundle import Bundle
from recognizer.model import Model

HEADS = ("network.head", "network.side_head")


def warm_start(model: Model, alphabet: Alphabet, source: Bundle) -> list[str]:
    """Copy into `model` what fits of `source`, output classes by their symbols; return what was left as it was."""
    own, other = model.state_dict(), source.model.state_dict()
    left = []
    for name, value in own.items():
        if name.rpartition(".")[0] in HEADS:
            continue
        if name in other and other[name].shape == value.shape:
            value.copy_(other[name])
        else:
            left.append(name)
    pairs = [(0, 0)]
    place = {symbol: i for i, symbol in enumerate(source.alphabet.symbols, 1)}
    pairs += [(i, place[symbol]) for i, symbol in enumerate(alphabet.symbols, 1) if symbol in place]
    to, of = torch.tensor(pairs).T
    for head in HEADS:
        for part in ("weight", "bias"):
            name = f"{head}.{part}"
            if name in own and name in other and own[name].shape[1:] == other[name].shape[1:]:
                own[name][to] = other[name][of]
            elif name in own:
                left.append(name)
    new = [symbol for symbol in alphabet.symbols if symbol not in place]
    return left + [f"output class {symbol!r}" for symbol in new]
