"""Tests of the masked convolutional front."""

from typing import Any

import pytest
import torch
from torch import Tensor

from recognizer.errors import RecognizerError
from recognizer.network.front import Front, FrontSettings
from recognizer.network.mdlstm import MultidimensionalSettings
from recognizer.network.packing import pack, unpack, valid_frames

FORMS = {
    "as in the tests": FrontSettings(channels=[4, 8], pool_time=[1, 1], pool_features=[2, 2]),
    "pools in time": FrontSettings(channels=[4, 8], pool_time=[2, 2], pool_features=[2, 2]),
    "three by three": FrontSettings(patch=[1, 1], channels=[4, 8], pool_time=[3, 1], pool_features=[3, 1]),
    "odd patch": FrontSettings(patch=[3, 2], channels=[4], pool_time=[2], pool_features=[2]),
    "two convolutions": FrontSettings(channels=[4], pool_time=[2], pool_features=[2], convolutions=2),
    "no norm": FrontSettings(channels=[4, 8], pool_time=[2, 1], pool_features=[2, 2], norm="none"),
    "frames": FrontSettings(type="frames", patch=[3, 1]),
    "multidimensional": FrontSettings(
        type="multidimensional",
        multidimensional=MultidimensionalSettings(sizes=[2, 3], blocks=[[2, 2], [2, 1]], between=[4]),
    ),
}


def random_batch(counts: list[int], features: int = 10) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(len(counts), max(counts), features, generator=generator), torch.tensor(counts)


@pytest.mark.parametrize("form", FORMS)
def test_the_frames_are_as_many_as_the_counts_say(form: str) -> None:
    settings = FORMS[form]
    front = Front(10, settings).eval()
    for steps in (1, 2, 7, 12, 13):
        x, counts = random_batch([steps])
        y, frames = front(x, counts)
        assert y.shape == (1, -(-steps // settings.stride), front.size)
        assert frames.tolist() == settings.counts(counts).tolist() == [y.shape[1]]


@pytest.mark.parametrize("form", FORMS)
def test_what_stands_behind_the_end_changes_neither_frames_nor_statistics(form: str) -> None:
    plain, foul = Front(10, FORMS[form]), Front(10, FORMS[form])
    foul.load_state_dict(plain.state_dict())
    x, counts = random_batch([13, 7, 2])
    longer = torch.cat((x, torch.zeros(3, 9, 10)), 1)
    for row, count in zip(longer, counts.tolist(), strict=True):
        row[count:] = 100.0
    y, frames = plain(x, counts)
    z, _ = foul(longer, counts)
    for i, count in enumerate(frames.tolist()):
        assert torch.allclose(y[i, :count], z[i, :count], atol=1e-5)
    for name, value in plain.state_dict().items():
        assert torch.allclose(value.float(), foul.state_dict()[name].float(), atol=1e-5), name


def test_a_batch_norm_learns_from_valid_frames_alone() -> None:
    front = Front(2, FrontSettings(patch=[1, 1], channels=[3], pool_time=[1], pool_features=[1]))
    stage: Any = front.stages[0]
    x, counts = random_batch([5, 2], features=2)
    front(x, counts)
    alone = [stage.first(x[i : i + 1, :count, :, None].permute(0, 3, 1, 2)) for i, count in enumerate([5, 2])]
    # Two features a frame: 10 and 4 values of each channel.
    values = torch.cat([part.flatten(2)[0] for part in alone], 1)
    assert values.shape == (3, 14)
    assert torch.allclose(stage.first_norm.running_mean, 0.1 * values.mean(1), atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_no_gradient_flows_from_behind_the_end(form: str) -> None:
    front = Front(10, FORMS[form])
    x, counts = random_batch([12, 5])
    x.requires_grad_()
    y, frames = front(x, counts)
    sum(y[i, :count].square().sum() for i, count in enumerate(frames.tolist())).backward()
    assert x.grad is not None
    assert x.grad[1, 5:].abs().max() == 0.0
    assert x.grad[1, :5].abs().max() > 0.0


def test_rows_that_no_patch_fills_are_padded_rather_than_dropped() -> None:
    front = Front(3, FrontSettings(patch=[1, 2], channels=[4], pool_time=[1], pool_features=[1])).eval()
    x, counts = random_batch([4], features=3)
    other = x.clone()
    other[:, :, 2] += 1.0
    assert not torch.allclose(front(x, counts)[0], front(other, counts)[0])


def test_pooling_that_leaves_no_row_is_refused() -> None:
    with pytest.raises(RecognizerError, match="leaves nothing of 4 features"):
        Front(4, FrontSettings(channels=[4, 4], pool_time=[1, 1], pool_features=[2, 2]))


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "round"},
        {"norm": "layer"},
        {"channels": [4]},
        {"patch": [2]},
        {"patch": [0, 1]},
        {"convolutions": 0},
        {"dropout": 1.0},
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(RecognizerError, match="front"):
        FrontSettings(**settings)  # type: ignore[arg-type]


def test_packing_takes_the_valid_frames_and_unpacking_puts_them_back() -> None:
    index = valid_frames(torch.tensor([2, 1]), 3)
    assert index.tolist() == [0, 1, 3]
    x = torch.arange(6.0).view(6, 1)
    assert pack(x, index).flatten().tolist() == [0.0, 1.0, 3.0]
    assert unpack(pack(x, index), index, 6).flatten().tolist() == [0.0, 1.0, 0.0, 3.0, 0.0, 0.0]


def test_the_gradient_of_packing_is_that_of_its_numbers() -> None:
    index = valid_frames(torch.tensor([2, 1]), 3)
    x = torch.rand(6, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: unpack(pack(x, index).square(), index, 6), (x,))


def test_an_output_frame_for_more_frames_than_any_input_has_is_refused() -> None:
    with pytest.raises(RecognizerError, match="an output frame for 2048 input frames, expected 1024 at most"):
        FrontSettings(patch=[2, 2], channels=[4], pool_time=[1024], pool_features=[2])
