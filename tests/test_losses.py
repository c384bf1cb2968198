"""The losses of a training step, by pencil and paper."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from recognizer.inputs.lines.augment import LineAugment, LineAugmentSettings
from recognizer.training.data import Batch
from recognizer.training.losses import cr_ctc_loss, ctc_loss, frames_wanted


def test_an_impossible_sample_has_an_infinite_loss() -> None:
    log_probs = torch.full((1, 2, 3), 1 / 3).log()
    batch = Batch(torch.zeros(1), torch.tensor([2]), torch.tensor([1, 1]), torch.tensor([2]), [], 0)
    assert ctc_loss(log_probs, torch.tensor([2]), batch).tolist() == [float("inf")]  # "aa" needs three frames


def test_the_loss_is_that_of_pencil_and_paper() -> None:
    log_probs = torch.tensor([[[0.5, 0.4, 0.1], [0.3, 0.6, 0.1]]]).log()
    batch = Batch(torch.zeros(1), torch.tensor([2]), torch.tensor([1]), torch.tensor([1]), [], 0)
    probability = 0.4 * 0.6 + 0.4 * 0.3 + 0.5 * 0.6  # aa, a-, -a
    assert ctc_loss(log_probs, torch.tensor([2]), batch)[0].exp() == pytest.approx(1 / probability)


def test_equal_neighbours_want_a_frame_between_them_but_not_across_samples() -> None:
    labels = torch.tensor([1, 1, 2, 2, 2, 2])
    batch = Batch(torch.zeros(1), torch.zeros(1), labels, torch.tensor([3, 0, 3]), [], 0)
    assert frames_wanted(batch).tolist() == [4, 0, 5]


def test_the_loss_of_two_views_is_the_mean_of_theirs() -> None:
    log_probs = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    batch = Batch(torch.zeros(1), torch.tensor([6, 5]), torch.tensor([1, 2, 1]), torch.tensor([2, 1]), [], 0)
    counts = torch.tensor([6, 5, 6, 5])
    apart = [ctc_loss(half, counts[:2], batch) for half in log_probs.chunk(2)]
    assert torch.allclose(ctc_loss(log_probs, counts, batch), (apart[0] + apart[1]) / 2)


def test_two_views_are_apart_by_the_mean_of_both_divergences() -> None:
    one, other = [0.5, 0.5], [0.9, 0.1]
    log_probs = torch.tensor([[one, one, one], [other, other, other]]).log()
    to_other = 0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1)
    to_one = 0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5)
    found = cr_ctc_loss(log_probs, torch.tensor([2, 2]))  # the third frame is padding
    assert found.tolist() == pytest.approx([2 * (to_other + to_one) / 2])
    assert cr_ctc_loss(log_probs[:1].repeat(2, 1, 1), torch.tensor([3, 3])).tolist() == [0.0]


def test_each_view_learns_from_the_other_held_still() -> None:
    scores = torch.tensor([[[0.0, 0.0]], [[2.0, 0.0]]], requires_grad=True)
    apart = cr_ctc_loss(scores.log_softmax(-1), torch.tensor([1, 1])).sum()
    (gradient,) = torch.autograd.grad(apart, scores)
    p = scores.detach().softmax(-1)[:, 0]
    # The gradient of KL(aim || softmax(s)) is softmax(s) - aim where the aim is constant.
    assert torch.allclose(gradient[:, 0], 0.5 * torch.stack((p[0] - p[1], p[1] - p[0])), atol=1e-6)


def test_the_views_of_a_line_have_one_shape_and_two_looks() -> None:
    ink = torch.zeros(3, 120, 16)
    ink[:, 10:60, 5:9] = 1.0
    counts, least = torch.tensor([120, 100, 80]), torch.tensor([10, 10, 10])
    shapes = LineAugmentSettings(share=1.0, thickness=0, contrast=0, blur=0, noise=0, shadow=0, gaps=0)
    x, after = LineAugment(shapes)(ink, counts, least, torch.Generator().manual_seed(1), 2)
    assert x.shape[0] == 6 and torch.equal(after[:3], after[3:]) and not torch.equal(after[:3], counts)
    assert torch.equal(x[:3], x[3:])
    whole = replace(shapes, noise=0.1, thickness=0.7)
    y, again = LineAugment(whole)(ink, counts, least, torch.Generator().manual_seed(1), 2)
    assert torch.equal(after, again)
    assert all(not torch.equal(y[i], y[i + 3]) for i in range(3))


@pytest.mark.parametrize("kind", ["lines", "sounds", "strokes"])
def test_a_step_with_two_views_has_the_same_loss_and_more(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus: Path = request.getfixturevalue(kind)
    config = {"lines": tiny.line_config, "sounds": tiny.sound_config, "strokes": tiny.stroke_config}[kind](corpus)
    config = replace(config, network=replace(config.network, dropout=0.3, layers=2))
    losses = {}
    for weight in (0.0, 1e-9, 1.0):
        learner = tiny.made_learner(corpus, replace(config, learning=replace(config.learning, cr_ctc=weight)))
        monkeypatch.setattr(learner, "_log_step", lambda batch, output, loss: None)
        torch.manual_seed(2)
        losses[weight] = float(learner.training_step(tiny.made_batch(corpus, learner), 0).detach())
    assert losses[1e-9] == pytest.approx(losses[0.0], rel=0.2)  # other draws of dropout
    assert losses[1.0] > losses[1e-9] + 1e-4
