"""Matrices that other systems recorded, against what an independent implementation reads in them."""

import json
import math
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import EXACT
from torch import Tensor

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.alignment import align
from recognizer.decoding.beam_search import advance_beam, beam_search, finish_beam, start_beam
from recognizer.decoding.beam_settings import BeamSettings
from recognizer.decoding.greedy import greedy
from recognizer.decoding.word_model import WordModel
from recognizer.decoding.word_scorers import HotWords
from recognizer.language.ngram_file import open_ngram

NAMES = ("iam-line.csv", "iam-word.csv", "bentham-0.csv", "bentham-1.csv", "bentham-2.csv", "librispeech.json")


@dataclass(frozen=True)
class Recorded:
    """A matrix with what is known of it.

    Args:
        log_probs: (1, T, C) float64, the blank moved to class 0.
        counts: (1,) all its frames.
        alphabet: its characters.
        truth: what was written or said.
        greedy: the best path's text.
        beam: the text of a beam of 25.
        beam_probability: of that text.
        loss: of the truth.
    """

    log_probs: Tensor
    counts: Tensor
    alphabet: Alphabet
    truth: str
    greedy: str
    beam: str
    beam_probability: float
    loss: float


@pytest.fixture(params=NAMES)
def recorded(shared: Path, request: pytest.FixtureRequest) -> Recorded:
    known = {one["file"]: one for one in json.loads((shared / "ctc/known.json").read_text())}[request.param]
    text = (shared / "ctc" / request.param).read_text()
    rows = json.loads(text) if request.param.endswith(".json") else [
        [float(value) for value in line.rstrip(";").split(";")] for line in text.split()
    ]  # fmt: skip
    values = torch.tensor(rows, dtype=torch.float64)
    assert values.shape == (known["frames"], known["classes"]) and known["logits"]
    blank = known["blank"]
    values = torch.cat((values[:, blank : blank + 1], values[:, :blank], values[:, blank + 1 :]), 1).log_softmax(1)
    return Recorded(
        values[None],
        torch.tensor([len(values)]),
        Alphabet(tuple(known["alphabet"])),
        *(known[name] for name in ("truth", "greedy", "beam25", "beam25_prob", "loss_truth")),
    )


def test_the_best_path_is_the_known_one(recorded: Recorded) -> None:
    assert greedy(recorded.log_probs, recorded.counts, recorded.alphabet)[0].text == recorded.greedy


def test_an_exact_beam_of_25_finds_the_known_text_with_no_less_probability(recorded: Recorded) -> None:
    found = beam_search(recorded.log_probs, recorded.counts, recorded.alphabet, EXACT)[0][0]
    assert found.text == recorded.beam
    assert math.exp(found.score) >= recorded.beam_probability * (1 - 1e-7)


def test_the_shortcuts_of_the_default_beam_change_no_text(recorded: Recorded) -> None:
    found = beam_search(recorded.log_probs, recorded.counts, recorded.alphabet, BeamSettings())[0][0]
    assert found.text == recorded.beam
    assert found.score == pytest.approx(math.log(recorded.beam_probability), abs=0.02)


def test_the_loss_of_the_truth_is_the_known_one(recorded: Recorded) -> None:
    labels = torch.tensor([recorded.alphabet.encode(recorded.truth)])
    loss = torch.nn.functional.ctc_loss(
        recorded.log_probs.transpose(0, 1), labels, recorded.counts, torch.tensor([labels.shape[1]]), reduction="sum"
    )
    assert float(loss) == pytest.approx(recorded.loss, abs=1e-4)


def test_the_truth_aligns_at_least_as_well_as_torchaudio_aligns_it(recorded: Recorded) -> None:
    from torchaudio.functional import forced_align

    labels = recorded.alphabet.encode(recorded.truth)
    found = align(recorded.log_probs[0], labels)
    path = torch.tensor(found.path)
    assert [c for c, _ in groupby(found.path) if c] == labels
    assert found.score == pytest.approx(float(recorded.log_probs[0].gather(1, path[:, None]).sum()))
    # torchaudio takes a wrong turn where two ways tie, as they do in the recording of whole numbers.
    _, scores = forced_align(recorded.log_probs, torch.tensor([labels]))
    assert float(scores.sum()) - 1e-4 <= found.score <= -recorded.loss


def test_chunks_of_a_recording_read_the_same(recorded: Recorded) -> None:
    settings = BeamSettings()
    state = start_beam(1, settings)
    for begin in range(0, recorded.log_probs.shape[1], 17):
        chunk = recorded.log_probs[:, begin : begin + 17]
        state = advance_beam(state, chunk, torch.tensor([chunk.shape[1]]), settings)
    assert recorded.alphabet.decode(finish_beam(state, settings)[0][0].labels) == recorded.beam


def toy() -> tuple[Tensor, Tensor, Alphabet]:
    """Return "bugs bunny" and "bunny bunny" laid over each other, 49 to 51, letter by letter."""
    alphabet = Alphabet(tuple(" bgnsuy"))
    probs = np.zeros((1, 13, 8))
    for text, share in (("bugs-- bun-ny", 0.49), ("bun-ny bun-ny", 0.51)):
        for frame, symbol in enumerate(text):
            probs[0, frame, "- bgnsuy".index(symbol)] += share
    return torch.from_numpy(probs).clamp(min=1e-15).log(), torch.tensor([13]), alphabet


def test_the_toy_model_decodes_as_its_source_says(shared: Path) -> None:
    log_probs, counts, alphabet = toy()
    model = open_ngram(shared / "ctc/bugs_bunny_kenlm.arpa")
    settings = BeamSettings(token_min_logp=-5.0, width=100)

    def text(weight: float, vocabulary: tuple[str, ...] = model.words, unknown: float = -10.0) -> str:
        scorer = WordModel(model, vocabulary, alphabet, weight, model.about.text, unknown)
        return beam_search(log_probs, counts, alphabet, settings, scorer)[0][0].text

    assert beam_search(log_probs, counts, alphabet, settings)[0][0].text == "bunny bunny"
    assert text(0.0, unknown=0.0) == "bunny bunny"
    assert text(1.0) == "bugs bunny"
    assert len(beam_search(log_probs, counts, alphabet, replace(settings, n_best=100))[0]) == 16
    hot = beam_search(log_probs, counts, alphabet, settings, HotWords(["bugs"], alphabet, 10.0))[0][0]
    assert [(w.text, w.start, w.end) for w in hot.words] == [("bugs", 0, 4), ("bunny", 7, 13)]
