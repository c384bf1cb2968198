"""Average the weights of models that share their network, as those of several cycles from one start do.

Run: python scripts/average_models.py runs/third runs/second --weights 0.6 0.4 --out averaged.safetensors

The first model lends its header, less its card and scores; what was averaged stands in it. Whether the average
reads better is for `recognizer evaluate --split valid` to say.
"""

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.model_file import ModelFile, load_model_file, save_model_file  # noqa: E402
from recognizer.pretrained import find_model  # noqa: E402


def average(paths: list[str], weights: list[float]) -> ModelFile:
    """Return the first model with the weighted mean of all models' weights, whose sum is brought to 1.

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
    form = _form(first)
    for path, model_file in zip(paths, bundles, strict=True):
        if _form(model_file) != form:
            raise RecognizerError(f"{path}: its alphabet or network is not that of {paths[0]}, expected models alike")
    with torch.no_grad():
        for name, value in first.model.state_dict().items():
            if value.is_floating_point():
                mean = sum(share * state[name].double() for share, state in zip(shares, states, strict=True))
                value.copy_(torch.as_tensor(mean))
    first.training["averaged"] = [
        {"model": Path(path).name, "share": share, "command": model_file.training.get("command", "")}
        for path, share, model_file in zip(paths, shares, bundles, strict=True)
    ]
    first.card, first.results, first.calibration = "", {}, {}
    return first


def _form(model_file: ModelFile) -> tuple[object, ...]:
    """Return all that must be alike: what it reads, its symbols, the shapes of its weights."""
    settings, shapes = model_file.settings, {name: value.shape for name, value in model_file.model.state_dict().items()}
    return settings.kind, settings.signal, settings.features, model_file.alphabet, shapes


def main() -> None:
    """Write the average."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="model files, folders of runs, or names of shipped models")
    parser.add_argument("--weights", nargs="+", type=float, help="share of each; equal shares where not given")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    save_model_file(average(chosen.models, chosen.weights or [1.0] * len(chosen.models)), chosen.out)
    print(chosen.out)


if __name__ == "__main__":
    run_and_exit("average_models", main)
