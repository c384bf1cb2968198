"""Make a shipped model of a run: half-precision weights, measured error rates, a card.

Run: python scripts/ship.py RUN NAME --card docs/models/NAME.md --test data/copiste:test --test data/hooker:test
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.evaluation.evaluate import evaluate  # noqa: E402
from recognizer.model.model_file import ModelFile, load_model_file, save_model_file  # noqa: E402
from recognizer.pretrained import FOLDER, SUFFIX, find_model  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402


def main() -> None:
    """Write the model, read it back, score it on the splits, write it again with its scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="folder of a run, or a model file")
    parser.add_argument("name", help="of the shipped model")
    parser.add_argument("--card", type=Path, required=True, help="text for people, kept in the model file")
    parser.add_argument("--test", action="append", default=[], metavar="CORPUS:SPLIT", help="scored once, at the end")
    chosen = parser.parse_args()
    path = FOLDER / f"{chosen.name}{SUFFIX}"
    model_file = load_model_file(find_model(chosen.run))
    model_file.card = chosen.card.read_text(encoding="utf-8")
    forget_folders(model_file.training)
    save_model_file(model_file, path, half=True)
    reader = Reader.load(path)
    shipped = reader.model_file
    assert isinstance(shipped, ModelFile), "what is shipped is a model file"
    shipped.results = {}
    for test in chosen.test:
        corpus, _, split = test.rpartition(":")
        data = evaluate(reader, chosen.name, Path(corpus), split, print).as_data()
        kept = ("cer", "wer", "cer_95", "wer_95", "samples", "characters", "words", "skipped", "sha256")
        shipped.results[f"{data['corpus']} {split}"] = {name: data[name] for name in kept}
        print(f"{data['corpus']} {split}: CER {data['cer']:.2%} {data['cer_95']}, WER {data['wer']:.2%}")
    save_model_file(shipped, path, half=True)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def forget_folders(training: dict[str, Any]) -> None:
    """Name run, corpora and samples by their last parts, not as they lie where the model was made."""
    training["left_out"] = [re.sub(r"\S*/", "", name) for name in training.get("left_out", [])]
    config = training["config"]
    given = config["data"]["corpus"]
    corpora = [given] if isinstance(given, str) else list(given)
    names = {made: f"data/{Path(made).name}" for made in corpora}
    if config["run"]:
        names[config["run"]] = f"runs/{Path(config['run']).name}"
        config["run"] = names[config["run"]]
    config["data"]["corpus"] = [names[made] for made in corpora]
    for made, short in names.items():
        training["command"] = re.sub(rf"(?<![^\s,\['\"]){re.escape(made)}(?![\w/-])", short, training["command"])


if __name__ == "__main__":
    run_and_exit("ship", main)
