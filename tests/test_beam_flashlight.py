"""Flashlight behind our call."""

import sys

import pytest
import torch

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.beam_search import beam_search
from recognizer.decoding.beam_settings import BeamSettings
from recognizer.decoding.flashlight import Flashlight, FlashlightSettings
from recognizer.errors import RecognizerError

ALPHABET = Alphabet((" ", "a", "b"))


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchaudio.models.decoder", None)
    with pytest.raises(RecognizerError, match=r"recognizer\[flashlight\]"):
        Flashlight(ALPHABET, BeamSettings(), FlashlightSettings())


def test_it_reads_what_our_beam_reads() -> None:
    pytest.importorskip("flashlight.lib.text.decoder")
    log_probs = (5 * torch.randn(40, 20, 4, generator=torch.Generator().manual_seed(1))).log_softmax(2)
    counts = torch.randint(0, 21, (40,), generator=torch.Generator().manual_seed(2))
    ours = beam_search(log_probs, counts, ALPHABET, BeamSettings(width=50))
    theirs = Flashlight(ALPHABET, BeamSettings(width=50, beam_threshold=50.0), FlashlightSettings()).search(
        log_probs, counts
    )
    same = sum(a[0].text.split() == b[0].text.split() for a, b in zip(ours, theirs, strict=True))
    assert same >= 36


def test_a_lexicon_holds_its_words() -> None:
    pytest.importorskip("flashlight.lib.text.decoder")
    log_probs = torch.randn(20, 12, 4, generator=torch.Generator().manual_seed(3)).log_softmax(2)
    decoder = Flashlight(ALPHABET, BeamSettings(), FlashlightSettings(words=("ab", "ba")))
    found = decoder.search(log_probs, torch.full((20,), 12))
    assert {word for row in found for word in row[0].text.split()} <= {"ab", "ba"}
    assert any(row[0].text for row in found)
