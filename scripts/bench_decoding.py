"""Times our beam beside pyctcdecode and flashlight on the recorded matrices.

    python scripts/bench_decoding.py ../shared/ctc [--arpa FILE] [--threads 1] [--repeats 3]

Every system decodes the same frames in one process: with a beam of 25, with and without the word n-gram of --arpa, each
matrix alone and, by our own beam, 32 at a time (pyctcdecode and flashlight know no batch).
Time is the process's own (all its threads), the shortest of the repeats; the systems take turns.
"""

import argparse
import importlib.util
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from recognizer.commands.exit_codes import run_and_exit
from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.decoding.beam_search import beam_search
from recognizer.decoding.beam_settings import BeamSettings
from recognizer.decoding.flashlight import Flashlight, FlashlightSettings
from recognizer.decoding.word_model import WordModel
from recognizer.language.ngram import NGram
from recognizer.language.ngram_file import open_ngram

WIDTH, BATCH = 25, 32
WEIGHT, BONUS, UNKNOWN = 0.5, 1.5, -10.0  # the defaults of pyctcdecode
NEAR = BeamSettings(
    width=WIDTH, token_min_logp=-5.0, beam_threshold=10.0, blank_skip_threshold=0.9933
)  # pyctcdecode's thresholds: 1 - e^-5 = 0.9933
LOWER = TextSettings(case="lower")

Decode = Callable[[Tensor, Tensor], object]


@dataclass(frozen=True)
class Group:
    """Matrices of one alphabet: (N, T, C) log-probabilities, blank first, and (N,) counts."""

    alphabet: Alphabet
    log_probs: Tensor
    counts: Tensor

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Return the matrices again and again until there are `size`."""
        index = torch.arange(size) % len(self.counts)
        return self.log_probs[index], self.counts[index]


def groups(folder: Path) -> list[Group]:
    """Read the recorded matrices, those of one alphabet together."""
    found: dict[str, list[Tensor]] = {}
    for known in json.loads((folder / "known.json").read_text()):
        text = (folder / known["file"]).read_text()
        rows = json.loads(text) if known["file"].endswith(".json") else csv_rows(text)
        values = torch.tensor(rows, dtype=torch.float32).roll(1, 1).log_softmax(1)
        assert known["blank"] == known["classes"] - 1, "expected the blank last"
        found.setdefault(known["alphabet"], []).append(values)
    pad = torch.nn.utils.rnn.pad_sequence
    return [
        Group(Alphabet(tuple(name)), pad(all_of, batch_first=True), torch.tensor([len(one) for one in all_of]))
        for name, all_of in found.items()
    ]


def csv_rows(text: str) -> list[list[float]]:
    """Return the values of lines that end in a semicolon."""
    return [[float(value) for value in line.rstrip(";").split(";")] for line in text.split()]


def own(group: Group, settings: BeamSettings, model: NGram | None) -> Decode:
    """Return our beam."""
    if model is None:
        return lambda log_probs, counts: beam_search(log_probs, counts, group.alphabet, settings)
    scorer = WordModel(model, model.words, group.alphabet, WEIGHT, LOWER, UNKNOWN, BONUS)
    return lambda log_probs, counts: beam_search(log_probs, counts, group.alphabet, settings, scorer)


def pyctcdecode(group: Group, arpa: Path | None, model: NGram | None) -> Decode:
    """Return pyctcdecode's beam with its defaults but the width."""
    from pyctcdecode import build_ctcdecoder

    labels = ["", *group.alphabet.symbols]
    unigrams = [word for word in model.words if not word.startswith("<")] if model else None
    decoder = build_ctcdecoder(labels, str(arpa) if arpa else None, unigrams, alpha=WEIGHT, beta=BONUS)

    def decode(log_probs: Tensor, counts: Tensor) -> object:
        return [
            decoder.decode_beams(one[:count].numpy(), beam_width=WIDTH)[0]
            for one, count in zip(log_probs, counts.tolist(), strict=True)
        ]

    return decode


def flashlight(group: Group, arpa: Path | None, model: NGram | None) -> Decode:
    """Return flashlight's beam; with a model it reads only words of the model."""
    known = set(group.alphabet.symbols)
    words = tuple(word for word in model.words if not word.startswith("<") and set(word) <= known) if model else ()
    options = FlashlightSettings(arpa, words, WEIGHT, BONUS if arpa else 0.0)
    return Flashlight(group.alphabet, BeamSettings(width=WIDTH, beam_threshold=50.0), options).search


def systems(group: Group, arpa: Path | None, model: NGram | None) -> dict[str, Decode]:
    """Return the systems that are installed."""
    found = {
        "own": own(group, BeamSettings(width=WIDTH), model),
        "own, pyctcdecode's thresholds": own(group, NEAR, model),
    }
    if importlib.util.find_spec("pyctcdecode") and (arpa is None or importlib.util.find_spec("kenlm")):
        found["pyctcdecode"] = pyctcdecode(group, arpa, model)
    if importlib.util.find_spec("flashlight"):
        found["flashlight (C++)"] = flashlight(group, arpa, model)
    return found


def seconds(decode: Decode, log_probs: Tensor, counts: Tensor, size: int) -> float:
    """Return the processor time that the frames take, `size` matrices a call."""
    begin = time.process_time()
    for i in range(0, len(counts), size):
        decode(log_probs[i : i + size, : int(counts[i : i + size].max())], counts[i : i + size])
    return time.process_time() - begin


def main() -> None:
    """Print a table of frames a second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the recorded matrices with known.json")
    parser.add_argument("--arpa", type=Path, help="a word n-gram")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    logging.disable(logging.WARNING)
    all_groups = groups(given.folder)
    model = open_ngram(given.arpa) if given.arpa else None
    print(f"beam {WIDTH}, {given.threads} threads, frames a second of processor time")
    print("| decoder | n-gram | batch 1 | batch 32 |\n| --- | --- | --- | --- |")
    for arpa in (None, given.arpa) if given.arpa else (None,):
        prepared = [systems(group, arpa, model if arpa else None) for group in all_groups]
        for name, cells in measure(all_groups, prepared, given.repeats).items():
            batched = f"{cells[BATCH]:,.0f}" if BATCH in cells else "-"
            print(f"| {name} | {arpa.name if arpa else '-'} | {cells[1]:,.0f} | {batched} |", flush=True)


def measure(all_groups: list[Group], prepared: list[dict[str, Decode]], repeats: int) -> dict[str, dict[int, float]]:
    """Return the frames a second of every system for each batch size, the systems in turn."""
    best: dict[tuple[str, int, int], float] = {}
    for _ in range(repeats):
        for number, (group, decoders) in enumerate(zip(all_groups, prepared, strict=True)):
            for name, decode in decoders.items():
                for size in (1, BATCH) if name.startswith("own") else (1,):
                    frames = group.batch(max(size, len(group.counts)))
                    took = seconds(decode, *frames, size) / int(frames[1].sum())
                    best[name, size, number] = min(took, best.get((name, size, number), math.inf))
    table: dict[str, dict[int, float]] = {}
    for (name, size, _), _ in best.items():
        spent = sum(best[name, size, n] * int(group.counts.sum()) for n, group in enumerate(all_groups))
        table.setdefault(name, {})[size] = sum(int(group.counts.sum()) for group in all_groups) / spent
    return table


if __name__ == "__main__":
    run_and_exit("bench_decoding", main)
