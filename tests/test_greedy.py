"""The best path."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.decoding.greedy import greedy
from recognizer.errors import RecognizerError

ALPHABET = Alphabet((" ", "a", "b"))


def peaked(path: str, sure: float = 0.7) -> Tensor:
    """Return (1, T, 4) log-probabilities whose best path is `path`; "-" is the blank."""
    probs = torch.full((1, len(path), 4), (1 - sure) / 3)
    for t, symbol in enumerate(path):
        probs[0, t, "- ab".index(symbol)] = sure
    return probs.log()


def read(path: str) -> str:
    return greedy(peaked(path), torch.tensor([len(path)]), ALPHABET)[0].text


def test_repeats_merge_and_blanks_go() -> None:
    assert read("aa-ab--b  a-") == "aabb a"
    assert read("----") == ""


def test_every_path_of_five_frames_collapses_as_its_definition_says() -> None:
    paths = ["".join(p) for p in itertools.product("- ab", repeat=5)]
    batch = torch.cat([peaked(p) for p in paths])
    for path, found in zip(paths, greedy(batch, torch.full((len(paths),), 5), ALPHABET), strict=True):
        spelled = "".join(c for c, _ in itertools.groupby(path)).replace("-", "")
        assert found.text == " ".join(spelled.split())
        assert "".join(s.text for s in found.characters) == found.text
        assert [w.text for w in found.words] == found.text.split()


def test_spans_are_the_frames_of_the_run() -> None:
    found = greedy(peaked("-aa-ab b"), torch.tensor([8]), ALPHABET)[0]
    assert [(s.text, s.start, s.end) for s in found.characters] == [
        ("a", 1, 3),
        ("a", 4, 5),
        ("b", 5, 6),
        (" ", 6, 7),
        ("b", 7, 8),
    ]
    assert [(w.text, w.start, w.end) for w in found.words] == [("aab", 1, 6), ("b", 7, 8)]


def test_confidences_are_maximum_product_and_geometric_mean() -> None:
    log_probs = torch.cat((peaked("aa", 0.5), peaked("a", 0.9), peaked("b", 0.6)), dim=1)
    found = greedy(log_probs, torch.tensor([4]), ALPHABET)[0]
    assert [s.confidence for s in found.characters] == pytest.approx([0.9, 0.6])
    assert found.words[0].confidence == pytest.approx(0.54)
    assert found.confidence == pytest.approx(math.sqrt(0.54))
    assert found.score == pytest.approx(math.log(0.5 * 0.5 * 0.9 * 0.6))


def test_a_line_of_a_thousand_doubtful_characters_keeps_a_confidence() -> None:
    found = greedy(peaked("ab" * 500, 0.4), torch.tensor([1000]), ALPHABET)[0]
    assert found.confidence == pytest.approx(0.4)


def test_padding_and_company_change_nothing() -> None:
    torch.manual_seed(1)
    log_probs = (3 * torch.randn(6, 30, 4)).log_softmax(2)
    counts = torch.tensor([30, 7, 0, 1, 19, 30])
    together = greedy(log_probs, counts, ALPHABET)
    alone = [greedy(log_probs[i : i + 1, :n], counts[i : i + 1], ALPHABET)[0] for i, n in enumerate(counts)]
    assert together == alone
    assert together[2].text == "" and together[2].confidence == 0.0


def test_a_run_does_not_go_on_into_the_next_sample() -> None:
    found = greedy(torch.cat((peaked("ba"), peaked("ab"))), torch.tensor([2, 2]), ALPHABET)
    assert [h.text for h in found] == ["ba", "ab"]
    assert found[0].characters[1].end == 2 and found[1].characters[0].start == 0


def test_tokens_are_words() -> None:
    alphabet = Alphabet(("ah", "b"), TextSettings(unit="token"))
    probs = torch.tensor([[[0.1, 0.8, 0.1], [0.2, 0.1, 0.7]]])
    found = greedy(probs.log(), torch.tensor([2]), alphabet)[0]
    assert found.text == "ah b" and [w.text for w in found.words] == ["ah", "b"]


def test_no_samples_and_no_frames_give_no_text() -> None:
    assert greedy(torch.zeros(0, 3, 4), torch.zeros(0, dtype=torch.long), ALPHABET) == []
    assert [h.text for h in greedy(torch.zeros(2, 0, 4), torch.tensor([0, 0]), ALPHABET)] == ["", ""]


def test_bad_batches_are_named() -> None:
    with pytest.raises(RecognizerError, match="of 4 classes, expected 2"):
        greedy(peaked("a"), torch.tensor([1]), Alphabet(("a",)))
    with pytest.raises(RecognizerError, match="expected 0 to 1 frames"):
        greedy(peaked("a"), torch.tensor([2]), ALPHABET)
    broken = peaked("aab")
    broken[0, 2, 1] = math.nan
    with pytest.raises(RecognizerError, match="sample 0, frame 2"):
        greedy(broken, torch.tensor([3]), ALPHABET)
    assert greedy(broken, torch.tensor([2]), ALPHABET)[0].text == "a"
