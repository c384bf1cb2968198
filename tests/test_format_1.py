"""Model files of format 1, as version 0.1 wrote them, are read as they were meant."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from recognizer.model.model_file import load_model_file, read_header
from recognizer.reading.reader import Reader

DATA = Path(__file__).parent / "data"
SUMS = {"handwriting": -81.70353698730469, "speech": -136.5283203125, "strokes": -85.11543273925781}  # by version 0.1
FILES = {"handwriting": "handwriting", "speech": "speech", "strokes": "ink"}


def signal(kind: str) -> Tensor:
    """Return the signal whose log-probabilities version 0.1 summed up."""
    if kind == "handwriting":
        return (torch.arange(40 * 16).view(1, 40, 16) % 251).to(torch.uint8)
    if kind == "speech":
        return (torch.arange(8000) * 37 % 2000 - 1000).short()[None]
    return torch.stack((torch.arange(40) * 0.05, torch.sin(torch.arange(40.0)), torch.ones(40)), 1)[None]


@pytest.mark.parametrize("kind", SUMS)
def test_an_old_model_computes_what_it_did(kind: str) -> None:
    loaded = load_model_file(DATA / f"format-1-{FILES[kind]}.safetensors")
    x = signal(kind)
    assert loaded.settings.kind == kind and loaded.settings.network.auxiliary_head == 0.3
    with torch.inference_mode():
        total = float(loaded.model(x, torch.tensor([x.shape[1]])).log_probs.sum())
    assert total == pytest.approx(SUMS[kind], abs=1e-3)


def test_the_decoder_of_an_old_model_keeps_its_settings() -> None:
    decoder = Reader(load_model_file(DATA / "format-1-ink.safetensors"), torch.device("cpu")).decoder.settings
    assert (decoder.engine, decoder.tta, decoder.word_bonus) == ("beam", 1, 0.25)
    beam = decoder.beam
    assert (beam.width, beam.token_min_logp, beam.beam_threshold, beam.blank_skip_threshold) == (7, -8.0, 12.0, 0.99)


def test_a_header_of_format_1_is_told_as_one_of_format_2() -> None:
    header = read_header(DATA / "format-1-ink.safetensors")
    assert header["format"] == 2 and header["settings"]["kind"] == "strokes"
