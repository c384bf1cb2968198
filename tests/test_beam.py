"""The prefix beam search, against all paths and against itself."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from makers import EXACT
from numpy.typing import NDArray

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.alignment import align
from recognizer.decoding.batched_beam_search import AskOne
from recognizer.decoding.beam_search import (
    Candidate,
    advance_beam,
    beam_search,
    finish_beam,
    search_candidates,
    start_beam,
)
from recognizer.decoding.beam_settings import BeamSettings
from recognizer.decoding.frame_pruning import Certain
from recognizer.decoding.greedy import greedy
from recognizer.errors import RecognizerError


def matrices(samples: int, frames: int, classes: int, seed: int, scale: float = 2.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(samples, frames, classes, generator=generator).double()).log_softmax(2)


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(c for c, _ in itertools.groupby(path) if c)


def all_texts(log_probs: torch.Tensor) -> tuple[list[tuple[int, ...]], NDArray[np.float64]]:
    """Return every text of (N, T, C) and the (N, texts) probability of each, from all C^T paths."""
    _, frames, classes = log_probs.shape
    paths = list(itertools.product(range(classes), repeat=frames))
    texts = sorted({collapse(path) for path in paths})
    number = {text: i for i, text in enumerate(texts)}
    of_path = torch.tensor([number[collapse(path)] for path in paths])
    probs = sum(log_probs[:, t, torch.tensor(paths)[:, t]] for t in range(frames)).exp()  # type: ignore[union-attr]
    return texts, torch.zeros(len(probs), len(texts)).double().index_add(1, of_path, probs).numpy()


class Pairs:
    """A scorer with a number for every pair of neighbours; 0 stands for both ends."""

    certain = Certain.ALL
    scalar_limit = 2.0

    def __init__(self, classes: int, seed: int) -> None:
        """Draw the numbers."""
        self.table = np.random.default_rng(seed).normal(0, 2, (classes, classes))

    def initial(self, n: int) -> NDArray[np.int64]:
        """Start after the end mark."""
        return np.zeros((n, 1), dtype=np.int64)

    def score(
        self, states: NDArray[np.int64], classes: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Look the pairs up."""
        return self.table[states[:, 0], classes], classes[:, None]

    def scalar(self) -> AskOne:
        """Look one pair up."""
        return lambda state, label: (float(self.table[state[0], label]), (label,))

    def finish(self, states: NDArray[np.int64]) -> NDArray[np.float64]:
        """Look up the last class before the end mark."""
        return np.asarray(self.table[states[:, 0], 0])

    def of(self, text: tuple[int, ...]) -> float:
        """Return the worth of a whole text."""
        return float(sum(self.table[a, b] for a, b in zip((0, *text), (*text, 0), strict=True)))


@pytest.mark.parametrize(
    ("samples", "frames", "classes", "scale"),
    [(1500, 4, 3, 2.0), (1500, 5, 3, 4.0), (500, 4, 4, 1.0), (500, 6, 2, 3.0)],
)
def test_a_wide_beam_finds_what_all_paths_say(samples: int, frames: int, classes: int, scale: float) -> None:
    log_probs = matrices(samples, frames, classes, frames, scale)
    texts, probs = all_texts(log_probs)
    settings = replace(EXACT, width=len(texts), n_best=len(texts))
    found = search_candidates(log_probs, torch.full((samples,), frames), settings)
    assert [row[0].labels for row in found] == [texts[i] for i in probs.argmax(1)]
    scores = [{one.labels: one.score for one in row} for row in found]
    assert all(len(score) == len(row) == len(texts) for score, row in zip(scores, found, strict=True))
    np.testing.assert_allclose(np.exp([[score[text] for text in texts] for score in scores]), probs, rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_with_a_scorer_it_finds_what_all_paths_say(seed: int) -> None:
    log_probs = matrices(400, 5, 3, seed)
    texts, probs = all_texts(log_probs)
    scorer = Pairs(3, seed)
    wanted = np.log(probs) + np.array([scorer.of(text) for text in texts])
    settings = replace(EXACT, width=len(texts), n_best=5)
    for row, line in zip(search_candidates(log_probs, torch.full((400,), 5), settings, scorer), wanted, strict=True):
        order = np.argsort(-line)[:5]
        assert [one.labels for one in row] == [texts[i] for i in order]
        np.testing.assert_allclose([one.score for one in row], line[order], rtol=1e-9)


def test_a_prefix_that_was_cut_and_comes_back_is_one_prefix() -> None:
    log_probs = matrices(300, 12, 4, 7, 1.5)
    for row in search_candidates(log_probs, torch.full((300,), 12), replace(EXACT, width=4, n_best=4)):
        assert len({one.labels for one in row}) == len(row)


def test_no_score_is_above_the_probability_of_its_text() -> None:
    log_probs = matrices(100, 20, 5, 8)
    for width in (1, 3, 10):
        for i, row in enumerate(search_candidates(log_probs, torch.full((100,), 20), replace(EXACT, width=width))):
            labels = torch.tensor([row[0].labels], dtype=torch.long)
            loss = torch.nn.functional.ctc_loss(
                log_probs[i : i + 1].transpose(0, 1), labels, torch.tensor([20]), torch.tensor([labels.shape[1]]),
                reduction="sum",
            )  # fmt: skip
            assert row[0].score <= -float(loss) + 1e-9


def test_a_wider_beam_is_no_worse_on_the_whole() -> None:
    log_probs = matrices(200, 15, 6, 9, 1.5)
    totals = [
        sum(row[0].score for row in search_candidates(log_probs, torch.full((200,), 15), replace(EXACT, width=w)))
        for w in (1, 4, 16)
    ]
    assert totals[0] < totals[1] < totals[2]


@pytest.mark.parametrize("scorer", [None, Pairs(5, 3)])
@pytest.mark.parametrize(
    "settings", [BeamSettings(width=4), BeamSettings(width=25, beam_threshold=3.0, blank_skip_threshold=0.6)]
)
def test_the_engine_for_one_sample_is_that_for_many(settings: BeamSettings, scorer: Pairs | None) -> None:
    peaks = matrices(12, 50, 5, 11, 4.0)[:, torch.arange(50) // 3]  # of several frames, but no two frames alike
    log_probs = (peaks + matrices(12, 50, 5, 12, 1.0)).log_softmax(2)
    counts = torch.arange(39, 51)
    together = search_candidates(log_probs, counts, settings, scorer)
    for one, count, found in zip(log_probs, counts, together, strict=True):
        assert_same(search_candidates(one[None, : int(count)], count[None], settings, scorer)[0], found)


@pytest.mark.parametrize("n_best", [1, 3])
@pytest.mark.parametrize("scorer", [None, Pairs(5, 3)])
def test_company_and_padding_change_nothing(scorer: Pairs | None, n_best: int) -> None:
    log_probs = matrices(12, 40, 5, 10, 6.0)
    counts = torch.tensor([40, 0, 1, 2, 17, 39, 40, 8, 25, 3, 31, 12])
    settings = BeamSettings(width=8, n_best=n_best, blank_skip_threshold=0.9)
    together = search_candidates(log_probs, counts, settings, scorer)
    padded = torch.cat((log_probs, torch.zeros(12, 7, 5)), 1)
    for i, n in enumerate(counts.tolist()):
        alone = search_candidates(log_probs[i : i + 1, :n], counts[i : i + 1], settings, scorer)[0]
        assert_same(alone, together[i])
        assert_same(search_candidates(padded[i : i + 1], counts[i : i + 1], settings, scorer)[0], together[i])


def assert_same(a: list[Candidate], b: list[Candidate]) -> None:
    assert [one.labels for one in a] == [one.labels for one in b]
    np.testing.assert_allclose([one.score for one in a], [one.score for one in b], atol=1e-6)


@pytest.mark.parametrize("scorer", [None, Pairs(5, 4)])
@pytest.mark.parametrize("certain", [2.0, 0.9, 0.6])
@pytest.mark.parametrize("pieces", [(1, 1, 38), (13, 13, 14), (7, 0, 30, 3), tuple([1] * 40)])
@pytest.mark.parametrize("n_best", [1, 4])
def test_chunks_give_the_same_as_the_whole(
    pieces: tuple[int, ...], certain: float, scorer: Pairs | None, n_best: int
) -> None:
    log_probs = matrices(10, 40, 5, 11, 6.0)
    counts = torch.tensor([40, 33, 0, 21, 14, 13, 12, 1, 40, 39])
    settings = BeamSettings(width=10, n_best=n_best, blank_skip_threshold=certain)
    state = start_beam(10, settings, scorer)
    begin = 0
    for piece in pieces:
        chunk = log_probs[:, begin : begin + piece]
        state = advance_beam(state, chunk, (counts - begin).clamp(0, piece), settings, scorer)
        begin += piece
    for a, b in zip(
        finish_beam(state, settings, scorer), search_candidates(log_probs, counts, settings, scorer), strict=True
    ):
        assert_same(a, b)


def test_prefixes_that_the_scorer_cannot_tell_apart_take_no_place_in_a_full_beam() -> None:
    log_probs, counts, scorer = matrices(20, 40, 6, 21, 1.5), torch.full((20,), 40), Pairs(6, 5)
    narrow = replace(EXACT, width=12)
    best = [row[0].score for row in search_candidates(log_probs, counts, replace(EXACT, width=150), scorer)]
    lost = {}
    for recombine in (False, True):
        found = search_candidates(log_probs, counts, replace(narrow, recombine=recombine), scorer)
        lost[recombine] = sum(a - row[0].score for a, row in zip(best, found, strict=True))
    assert lost[True] < lost[False] / 2
    several = search_candidates(log_probs, counts, replace(narrow, n_best=4), scorer)
    assert all(len(row) == 4 for row in several)
    assert several == search_candidates(log_probs, counts, replace(narrow, n_best=4, recombine=False), scorer)


def test_a_beam_that_is_not_full_keeps_every_prefix() -> None:
    log_probs, counts, scorer = matrices(40, 6, 3, 22), torch.full((40,), 6), Pairs(3, 6)
    wide = replace(EXACT, width=200)
    assert search_candidates(log_probs, counts, wide, scorer) == search_candidates(
        log_probs, counts, replace(wide, recombine=False), scorer
    )


def test_certain_stretches_cost_next_to_nothing() -> None:
    log_probs = matrices(200, 60, 6, 12, 8.0)
    counts = torch.full((200,), 60)
    fast, exact = search_candidates(log_probs, counts, BeamSettings()), search_candidates(log_probs, counts, EXACT)
    same = sum(a[0].labels == b[0].labels for a, b in zip(fast, exact, strict=True))
    assert same >= 198
    assert all(
        abs(a[0].score - b[0].score) < 0.05 for a, b in zip(fast, exact, strict=True) if a[0].labels == b[0].labels
    )


def test_a_floor_cuts_classes_and_a_margin_prefixes() -> None:
    log_probs = torch.tensor([[[0.6, 0.3, 0.1], [0.6, 0.1, 0.3]]]).log()
    counts = torch.tensor([2])
    wide = replace(EXACT, n_best=20)
    assert len(search_candidates(log_probs, counts, wide)[0]) == 5
    cut = search_candidates(log_probs, counts, replace(wide, token_min_logp=math.log(0.2)))[0]
    assert {one.labels for one in cut} == {(), (1,), (2,), (1, 2)}
    assert len(search_candidates(log_probs.repeat(1, 8, 1), counts * 8, replace(wide, beam_threshold=0.5))[0]) < 20


def test_spans_and_confidences_are_those_of_the_forced_alignment() -> None:
    alphabet = Alphabet(("a", "b", "c", "d"))
    log_probs = matrices(50, 20, 5, 13, 1.5).float()
    counts = torch.full((50,), 20)
    found = beam_search(log_probs, counts, alphabet, replace(EXACT, n_best=3))
    best = greedy(log_probs, counts, alphabet)
    assert any(row[0].text != one.text for row, one in zip(found, best, strict=True))
    for i, row in enumerate(found):
        for one in row:
            placed = align(log_probs[i], alphabet.encode(one.text)).placed
            assert [(s.start, s.end) for s in one.characters] == list(zip(placed.starts, placed.ends, strict=True))
            assert [s.confidence for s in one.characters] == pytest.approx(placed.confidences)
            assert [w.text for w in one.words] == one.text.split()


def test_nothing_read_is_as_sure_as_its_blanks() -> None:
    log_probs = torch.tensor([[[0.9, 0.1], [0.8, 0.2]]]).log()
    found = beam_search(log_probs, torch.tensor([2]), Alphabet(("a",)), BeamSettings())[0][0]
    assert found.text == "" and found.confidence == pytest.approx(0.8)


def test_no_samples_give_nothing() -> None:
    assert beam_search(torch.zeros(0, 3, 2), torch.zeros(0, dtype=torch.long), Alphabet(("a",)), BeamSettings()) == []


def test_bad_settings_and_batches_are_named() -> None:
    for bad in (
        {"width": 0},
        {"n_best": 30},
        {"token_min_logp": 1.0},
        {"token_min_logp": math.nan},
        {"beam_threshold": 0.0},
        {"blank_skip_threshold": 0.3},
    ):
        with pytest.raises(RecognizerError, match=r"^beam: "):
            replace(BeamSettings(), **bad)
    broken = matrices(1, 3, 2, 0)
    broken[0, 1, 0] = math.nan
    with pytest.raises(RecognizerError, match="sample 0, frame 1"):
        beam_search(broken, torch.tensor([3]), Alphabet(("a",)), BeamSettings())
