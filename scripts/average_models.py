"""Average the weights of models that share their network, as those of several cycles from one start do.

Run: python scripts/average_models.py runs/third runs/second --weights 0.6 0.4 --out averaged.safetensors

The first model lends its header, less its card and scores; what was averaged stands in it. Whether the average
reads better is for `recognizer evaluate --split valid` to say. Two differences can be let through:

    --differ alphabet       other symbols: the first model's are kept, each the mean over the models that know it
    --differ speech-range   another `features.speech_range_db`: that of the first model is kept
"""

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.corpus.alphabet import BLANK  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.model.model_file import ModelFile, load_model_file, save_model_file  # noqa: E402
from recognizer.pretrained import find_model  # noqa: E402

ALPHABET, SPEECH_RANGE = "alphabet", "speech-range"
HEADS = ("network.head.", "network.auxiliary_head.")  # weights with a row for each class


def average(paths: list[str], weights: list[float], differ: Collection[str] = ()) -> ModelFile:
    """Return the first model with the weighted mean of all models' weights, whose sum is brought to 1.

    Args:
        paths: of the models.
        weights: of the models.
        differ: in what they may differ, of ALPHABET and SPEECH_RANGE.

    Raises:
        RecognizerError: not one weight a model, weights that cannot be shares, or models that differ in more than that.
    """
    if len(weights) != len(paths):
        raise RecognizerError(f"--weights has {len(weights)} numbers, expected {len(paths)}, one for each model")
    if min(weights) < 0 or sum(weights) <= 0:
        raise RecognizerError(f"--weights are {weights}, expected shares of at least 0 whose sum is above 0")
    shares = [weight / sum(weights) for weight in weights]
    bundles = [load_model_file(find_model(path)) for path in paths]
    first = bundles[0]
    states = [model_file.model.state_dict() for model_file in bundles]
    form = _form(first, differ)
    for path, model_file in zip(paths, bundles, strict=True):
        if _form(model_file, differ) != form:
            raise RecognizerError(f"{path}: its alphabet or network is not that of {paths[0]}, expected models alike")
    rows = [_rows(first, model_file) for model_file in bundles]
    with torch.no_grad():
        for name, value in first.model.state_dict().items():
            if value.is_floating_point():
                by_class = name.startswith(HEADS) and ALPHABET in differ
                values = [state[name].double() for state in states]
                value.copy_(_mean_of_rows(values, rows, shares) if by_class else _mean(values, shares))
    first.training["averaged"] = [
        {"model": Path(path).name, "share": share, "command": model_file.training.get("command", "")}
        for path, share, model_file in zip(paths, shares, bundles, strict=True)
    ]
    first.card, first.results, first.calibration, first.priors = "", {}, {}, []
    return first


def _mean(values: Sequence[torch.Tensor], shares: Sequence[float]) -> torch.Tensor:
    return torch.stack([share * value for share, value in zip(shares, values, strict=True)]).sum(0)


def _mean_of_rows(
    values: Sequence[torch.Tensor], rows: Sequence[torch.Tensor], shares: Sequence[float]
) -> torch.Tensor:
    """Return (C, ...) the mean of each class's row over the models that have it.

    Args:
        values: (C of the model, ...) of each model.
        rows: (C,) of each model the row of every class of the first one, -1 where it has none.
        shares: of each model.
    """
    total, weight = torch.zeros_like(values[0]), torch.zeros(len(values[0]), dtype=torch.float64)
    for value, row, share in zip(values, rows, shares, strict=True):
        known = row >= 0
        total[known] += share * value[row[known]]
        weight[known] += share
    # A class that only models without a share know is the first model's own.
    mean = total / weight.clamp(min=1e-12).view(-1, *[1] * (total.ndim - 1))
    mean[weight == 0] = values[0][weight == 0]
    return mean


def _rows(first: ModelFile, other: ModelFile) -> torch.Tensor:
    """Return (C,) the class of `other` that each class of the first model is, -1 where it has none."""
    numbers = {symbol: i for i, symbol in enumerate(other.alphabet.symbols, 1)}
    return torch.tensor([BLANK, *(numbers.get(symbol, -1) for symbol in first.alphabet.symbols)])


def _form(model_file: ModelFile, differ: Collection[str]) -> tuple[object, ...]:
    """Return all that must be alike: what it reads, its symbols, the shapes of its weights."""
    settings, symbols = model_file.settings, ALPHABET not in differ
    features = replace(settings.features, speech_range_db=0.0) if SPEECH_RANGE in differ else settings.features
    shapes = {
        name: value.shape if symbols or not name.startswith(HEADS) else value.shape[1:]
        for name, value in model_file.model.state_dict().items()
    }
    alphabet = model_file.alphabet if symbols else model_file.alphabet.text
    return settings.kind, settings.signal, features, alphabet, shapes


def main() -> None:
    """Write the average."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="model files, folders of runs, or names of shipped models")
    parser.add_argument("--weights", nargs="+", type=float, help="share of each; equal shares where not given")
    parser.add_argument("--differ", nargs="+", default=[], choices=(ALPHABET, SPEECH_RANGE), help="see above")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    weights = chosen.weights or [1.0] * len(chosen.models)
    save_model_file(average(chosen.models, weights, chosen.differ), chosen.out)
    print(chosen.out)


if __name__ == "__main__":
    run_and_exit("average_models", main)
