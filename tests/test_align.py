"""Forced alignment."""

import math

import pytest
import torch

from recognizer.decoding.alignment import align, align_batch
from recognizer.errors import RecognizerError


def random_batch(samples: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, list[list[int]]]:
    generator = torch.Generator().manual_seed(seed)
    log_probs = (2 * torch.randn(samples, 25, 5, generator=generator)).log_softmax(2)
    counts = torch.randint(13, 26, (samples,), generator=generator)
    labels = [torch.randint(1, 5, (int(n) % 7,), generator=generator).tolist() for n in counts]
    return log_probs, counts, labels


def best_path_score(log_probs: torch.Tensor, labels: list[int]) -> float:
    """The score of the best path, place by place of blank, label, blank ..., in plain numbers."""
    places = [0, *(place for label in labels for place in (label, 0))]
    scores = [-math.inf] * len(places)
    for t, chances in enumerate(log_probs.double().tolist()):
        before = scores
        scores = []
        for s, label in enumerate(places):
            came = [before[s], before[s - 1] if s else -math.inf]
            if s > 1 and label not in (0, places[s - 2]):
                came.append(before[s - 2])
            scores.append((max(came) if t else 0.0 if s < 2 else -math.inf) + chances[label])
    return max(scores[-2:])


def test_the_path_spells_the_labels_and_none_is_better() -> None:
    log_probs, counts, labels = random_batch(200, 0)
    for i, (alignment, sequence) in enumerate(zip(align_batch(log_probs, counts, labels), labels, strict=True)):
        own = log_probs[i, : counts[i]]
        path = alignment.path
        assert [c for t, c in enumerate(path) if c and (t == 0 or path[t - 1] != c)] == sequence
        assert alignment.score == pytest.approx(float(own.double()[range(len(path)), path].sum()), abs=1e-9)
        assert alignment.score == pytest.approx(best_path_score(own, sequence), abs=1e-9)


@pytest.mark.parametrize("seed", range(50))
def test_ties_mislead_nobody(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    whole = -torch.randint(0, 3, (12, 3), generator=generator).double()
    labels = torch.randint(1, 3, (4,), generator=generator).tolist()
    assert align(whole, labels).score == best_path_score(whole, labels)


def test_spans_are_the_runs_of_the_path() -> None:
    log_probs, counts, labels = random_batch(100, 1)
    for i, (alignment, sequence) in enumerate(zip(align_batch(log_probs, counts, labels), labels, strict=True)):
        placed = alignment.placed
        assert placed.labels == sequence
        for label, start, end, confidence in zip(
            placed.labels, placed.starts, placed.ends, placed.confidences, strict=True
        ):
            assert start < end and set(alignment.path[start:end]) == {label}
            assert confidence == pytest.approx(float(log_probs[i, start:end, label].max().exp()), rel=1e-5)
        assert sum(c != 0 for c in alignment.path) == sum(
            e - s for s, e in zip(placed.starts, placed.ends, strict=True)
        )


def test_company_and_padding_change_nothing() -> None:
    log_probs, counts, labels = random_batch(20, 2)
    together = align_batch(log_probs, counts, labels)
    assert together == [align(log_probs[i, :n], labels[i]) for i, n in enumerate(counts)]


def test_no_labels_are_all_blanks() -> None:
    found = align(torch.tensor([[0.5, 0.5], [0.25, 0.75]]).log(), [])
    assert found.path == [0, 0] and found.placed.labels == []
    assert found.score == pytest.approx(math.log(0.125))
    assert align(torch.zeros(0, 3), []).score == 0.0


def test_equal_neighbours_need_a_blank() -> None:
    log_probs = torch.tensor([[0.1, 0.9], [0.1, 0.9], [0.1, 0.9]]).log()
    assert align(log_probs, [1, 1]).path == [1, 0, 1]
    assert align(log_probs, [1]).path == [1, 1, 1]


def test_a_text_that_does_not_fit_is_named() -> None:
    with pytest.raises(RecognizerError, match="sample 0: 2 labels need 3 frames, there are 2"):
        align(torch.zeros(2, 3).log_softmax(1), [1, 1])
    with pytest.raises(RecognizerError, match="no path"):
        align(torch.tensor([[1.0, 0.0]]).log(), [1])
