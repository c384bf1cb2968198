"""Tests of every cell on the whole road: it learns, its model file reads alike, company and a break change nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from recognizer.corpus.alphabet import Alphabet
from recognizer.errors import RecognizerError
from recognizer.inputs.speech.log_mel import LogMelSettings
from recognizer.model.model import Model, ModelSettings, pad_signals
from recognizer.model.model_file import ModelFile, load_model_file, save_model_file
from recognizer.network.cells import CELLS
from recognizer.network.front import FrontSettings
from recognizer.network.mdlstm import MultidimensionalSettings
from recognizer.network.network import NetworkSettings
from recognizer.training.config import Config
from recognizer.training.data import Batch
from recognizer.training.losses import ctc_loss

SCAN = MultidimensionalSettings(sizes=[2, 4], blocks=[[4, 2], [4, 1]], between=[4])
CHOICES = {cell: NetworkSettings(cell=cell, hidden=8) for cell in CELLS} | {
    "convolutional": NetworkSettings(cell="convolutional", hidden=8, features=2),  # 16 rows, patch 2, pools 2 and 2
    "multidimensional": NetworkSettings(hidden=8, front=FrontSettings(type="multidimensional", multidimensional=SCAN)),
}
LETTERS = Alphabet(tuple(" abcdefg"))
LINE = {"height": 16, "direction": "ltr", "contrast": "stretch"}


def network(choice: str, bidirectional: bool = True) -> NetworkSettings:
    """Return two layers of a cell on the tiny front, or the cell's own front."""
    settings = replace(CHOICES[choice], layers=2, bidirectional=bidirectional, dropout=0.0)
    return settings if settings.front.type == "multidimensional" else replace(settings, front=tiny.LINE_FRONT)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a packed corpus of a few lines, two batches."""
    return tiny.line_corpus(tmp_path_factory.mktemp("few"), train=6, valid=2)


def line_model(choice: str, bidirectional: bool = True) -> Model:
    """Return a model of random weights that changes its mind from frame to frame."""
    torch.manual_seed(3)
    settings = ModelSettings("handwriting", LINE, LogMelSettings(), network(choice, bidirectional))
    model = Model(settings, LETTERS.classes)
    with torch.no_grad():
        model.network.head.weight.normal_(std=4.0)
    return model.eval()


def random_lines(*lengths: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randint(0, 256, (length, 16), dtype=torch.uint8, generator=generator) for length in lengths]


def chancy_config(choice: str, corpus: Path) -> Config:
    """Return a run of one epoch after the other with all chance switched on."""
    config = tiny.line_config(corpus)
    settings = replace(network(choice), layers=1, dropout=0.3, recurrent_dropout=0.1)
    return replace(config, network=settings, learning=replace(config.learning, weight_noise=0.01))


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("choice", CHOICES)
@torch.inference_mode()
def test_1_the_company_of_a_line_changes_no_probability(choice: str, bidirectional: bool) -> None:
    model, lines = line_model(choice, bidirectional), random_lines(1, 2, 9, 13, 24, 31, 40)
    alone = [model(*pad_signals([line], "handwriting")) for line in lines]
    assert float((alone[6].log_probs[0, 0] - alone[6].log_probs[0, -1]).abs().max()) > 0.01
    for size, extra in ((1, 37), (2, 0), (7, 5)):
        for first in range(0, 7, size):
            x, counts = pad_signals(lines[first : first + size], "handwriting")
            output = model(torch.cat((x, x.new_full((len(x), extra, 16), 255)), 1), counts)
            for row, own in enumerate(alone[first : first + size]):
                frames = int(own.counts[0])
                assert frames == int(output.counts[row]) == int(model.counts(counts)[row]) == own.log_probs.shape[1]
                assert torch.allclose(output.log_probs[row, :frames], own.log_probs[0], atol=1e-4)


@pytest.mark.parametrize("choice", CHOICES)
def test_a_few_steps_learn_and_the_model_file_reads_alike(choice: str, tmp_path: Path) -> None:
    model = line_model(choice).train()
    x, counts = pad_signals(random_lines(24, 31, 40), "handwriting")
    batch = Batch(x, counts, torch.tensor([1, 2, 3, 4, 5, 6]), torch.tensor([2, 2, 2]), [], 0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(6):
        output = model(x, counts)
        loss = ctc_loss(output.log_probs, output.counts, batch).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    save_model_file(ModelFile(model.settings, LETTERS, model), tmp_path / "model.safetensors")
    loaded = load_model_file(tmp_path / "model.safetensors")
    assert loaded.settings == model.settings
    with torch.inference_mode():
        assert torch.equal(loaded.model(x, counts).log_probs, model.eval()(x, counts).log_probs)


@pytest.mark.parametrize("choice", CHOICES)
def test_every_cell_trains_on_a_corpus(choice: str, few: Path, tmp_path: Path) -> None:
    config = replace(tiny.line_config(few), network=replace(network(choice), layers=1))
    kept = tiny.fit(config, tmp_path, max_epochs=1)
    assert kept.epoch == 0
    model_file = load_model_file(tmp_path / "model.safetensors")
    assert model_file.settings.network == config.network


@pytest.mark.parametrize("choice", ["peephole", "convolutional"])
def test_4_a_run_that_was_cut_off_ends_with_the_same_bits(choice: str, few: Path, tmp_path: Path) -> None:
    config = chancy_config(choice, few)
    config = replace(config, learning=replace(config.learning, schedule="constant", warm_up=0.0))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    tiny.fit(config, whole, max_epochs=2)
    tiny.fit(config, parts, max_epochs=1)
    tiny.fit(config, parts, resume=True, max_epochs=2)
    wanted, found = (torch.load(run / "last.ckpt", weights_only=True)["state_dict"] for run in (whole, parts))
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)


def test_the_command_line_sets_the_scan(few: Path, tmp_path: Path) -> None:
    from recognizer.commands.train import run_train

    words = tiny.words(
        few,
        tmp_path / "run",
        trainer__max_epochs=1,
        network__front__type="multidimensional",
        network__front__multidimensional__sizes=[2, 4],
        network__front__multidimensional__blocks=[[4, 2], [4, 1]],
        network__front__multidimensional__between=[4],
    )
    assert run_train(words, lambda line: None) == 0
    front = load_model_file(tmp_path / "run" / "model.safetensors").settings.network.front
    assert (front.type, front.multidimensional, front.stride) == ("multidimensional", SCAN, 2)


def test_the_scan_is_refused_where_it_has_no_effect() -> None:
    with pytest.raises(RecognizerError, match="multidimensional has no effect on network.front.type frames"):
        FrontSettings(type="frames", multidimensional=SCAN)


def test_an_older_model_file_without_settings_of_the_scan_is_read() -> None:
    settings = line_model("lstm").settings
    data = settings.as_data()
    del data["network"]["front"]["multidimensional"]
    assert ModelSettings.from_data(data) == settings


def test_rows_that_are_not_those_of_the_front_are_refused_with_the_number_wanted() -> None:
    settings = replace(network("convolutional"), features=4)
    with pytest.raises(RecognizerError, match="features is 4, expected 2, the rows that the front leaves"):
        Model(ModelSettings("handwriting", LINE, LogMelSettings(), settings), 3)


def test_frames_reach_the_convolutional_cell_as_maps_of_their_rows() -> None:
    model, plain = line_model("convolutional"), line_model("lstm")
    front = model.network.front
    assert front.rows == 2 and front.size == 16
    plain.network.front.load_state_dict(front.state_dict())
    x, counts = torch.rand(2, 12, 16), torch.tensor([12, 7])
    maps, rows = front(x, counts)[0], plain.network.front(x, counts)[0]
    assert torch.equal(maps.view(2, 6, 8, 2), rows.view(2, 6, 2, 8).transpose(2, 3))
    assert not torch.equal(maps, rows)


def test_bands_and_their_differences_are_three_channels_of_one_axis() -> None:
    front = FrontSettings(type="frames", patch=[2, 1])
    settings = replace(network("convolutional"), hidden=34, features=17, front=front)
    features = LogMelSettings(bands=16, energy=True, deltas=True)
    model = Model(ModelSettings("speech", {"sample_rate": 16000}, features, settings), 3)
    assert (model.network.front.rows, model.network.front.size) == (17, 2 * 3 * 17)
    kernel = model.network.state_dict()["layers.0.directions.0.kernel_input"]
    assert kernel.shape == (4 * 2, 2 * 3, 3)
