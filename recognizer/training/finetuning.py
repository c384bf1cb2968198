"""Starting from the weights of another model."""

from dataclasses import asdict, replace
from typing import Any

import torch

from recognizer.corpus.alphabet import Alphabet
from recognizer.inputs.registry import kind_named
from recognizer.model.model import Model, ModelSettings
from recognizer.model.model_file import ModelFile

HEADS = ("network.head", "network.auxiliary_head")


def load_weights(model: Model, alphabet: Alphabet, source: ModelFile) -> list[str]:
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


def with_symbols_of(alphabet: Alphabet, source: ModelFile) -> Alphabet:
    """Return `alphabet` with what `source` can write besides, where both go by characters or both by tokens."""
    if alphabet.text.unit != source.alphabet.text.unit:
        return alphabet
    return replace(alphabet, symbols=tuple(sorted({*alphabet.symbols, *source.alphabet.symbols})))


def changes(settings: ModelSettings, source: ModelFile) -> list[str]:
    """Return in words where a model that starts from `source` is made otherwise, dropout aside."""
    own, other = _flat(asdict(settings)), _flat(asdict(source.settings))
    names = [name for name in own if own[name] != other.get(name) and not name.endswith("dropout")]
    if kind_named(settings.kind).values:  # such a kind has no settings of features
        names = [name for name in names if not name.startswith("features.")]
    return [f"{name} {own[name]}, there {other.get(name)}" for name in names]


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of a tree under dotted names."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found
