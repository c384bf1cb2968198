"""Label priors: measured by training and lm tune, stated by the model file, divided out by the search alone."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from terminal import said
from tiny import Run

from recognizer.corpus.alphabet import Alphabet
from recognizer.decoding.decoder_factory import make_decoder
from recognizer.decoding.label_priors import RAREST, measure_priors, without_priors
from recognizer.decoding.options import DecoderOptions
from recognizer.errors import RecognizerError
from recognizer.evaluation.tuning import cache_log_probs
from recognizer.language.build import BuildSettings, build
from recognizer.language.ngram_file import open_ngram
from recognizer.model.model_file import load_model_file, read_header, save_model_file, write_header
from recognizer.reading.reader import Reader

ALPHABET = Alphabet((" ", "a", "b", "c"))
PRIORS = [0.9, 0.04, 0.03, 0.02, 0.01]


def random(seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    x = (2 * torch.randn(6, 14, 5, generator=torch.Generator().manual_seed(seed))).log_softmax(2)
    return x, torch.tensor([14, 13, 12, 11, 10, 9])


@pytest.fixture
def lm(tmp_path: Path) -> Path:
    """Return a language model that states how decoders should use it."""
    (tmp_path / "text.txt").write_text("ab cab\nbac ab\nab ab cab\ncab bac\n")
    settings = BuildSettings(3, "character", weight=0.7, prior_weight=0.5, temperature=1.25)
    build([tmp_path / "text.txt"], settings, tmp_path / "c.ng", lambda line: None)
    return tmp_path / "c.ng"


def test_priors_are_the_mean_over_frames() -> None:
    rows = [torch.tensor([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]).log(), torch.tensor([[0.1, 0.9]]).log()]
    assert measure_priors(rows) == pytest.approx([0.4, 0.6])
    with pytest.raises(RecognizerError, match="no frame"):
        measure_priors([])


def test_probabilities_are_divided_by_a_power_of_the_priors() -> None:
    log_probs, _ = random()
    found = without_priors(log_probs, PRIORS, 0.5, 2.0)
    wanted = log_probs.exp().pow(0.5) / torch.tensor(PRIORS).pow(0.5)
    assert torch.allclose(found.exp(), wanted / wanted.sum(-1, keepdim=True), atol=1e-6)
    assert torch.equal(without_priors(log_probs, PRIORS, 0.0, 1.0), log_probs.log_softmax(-1))


def test_a_class_that_was_never_seen_gets_no_endless_bonus() -> None:
    found = without_priors(random()[0], [1.0, 0.0, 0.0, 0.0, 0.0], 1.0, 1.0)
    assert found.isfinite().all()
    assert torch.equal(found, without_priors(random()[0], [1.0] + 4 * [RAREST], 1.0, 1.0))


def test_priors_change_what_a_beam_reads_and_neither_places_nor_confidences_otherwise() -> None:
    log_probs, counts = random()
    beam = make_decoder(DecoderOptions(engine="beam"), {}, ALPHABET, PRIORS).decode(log_probs, counts)
    options = DecoderOptions(prior_weight=0.6, temperature=1.5)
    changed = make_decoder(options, {}, ALPHABET, PRIORS).decode(log_probs, counts)
    assert [one.text for one in changed] != [one.text for one in beam]
    length = [sum(len(one.text) for one in read) for read in (beam, changed)]
    assert length[0] < length[1]  # what was blank before is read
    little = make_decoder(DecoderOptions(prior_weight=0.02), {}, ALPHABET, PRIORS).decode(log_probs, counts)
    both = [(new, old) for new, old in zip(little, beam, strict=True) if new.text == old.text]
    assert both and all((new.characters, new.confidence) == (old.characters, old.confidence) for new, old in both)
    alone = [make_decoder(options, {}, ALPHABET, PRIORS).decode(log_probs[[i]], counts[[i]])[0] for i in range(6)]
    assert [one.text for one in alone] == [one.text for one in changed]


def test_a_language_models_own_settings_count_on_priors(lm: Path) -> None:
    settings = make_decoder(DecoderOptions(lm=lm), {}, ALPHABET, PRIORS).settings
    assert (settings.lm_weight, settings.prior_weight, settings.temperature) == (0.7, 0.5, 1.25)
    assert "priors x 0.5, temperature 1.25" in settings.describe()
    asked = make_decoder(DecoderOptions(lm=lm, prior_weight=0.0, temperature=1.0), {}, ALPHABET, PRIORS).settings
    assert (asked.prior_weight, asked.temperature) == (0.0, 1.0)
    without = make_decoder(DecoderOptions(lm=lm), {}, ALPHABET)
    assert (without.settings.prior_weight, without.settings.temperature) == (0.0, 1.0)
    assert "states no label priors" in without.notes[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (DecoderOptions(prior_weight=0.5), "prior-weight: the model file states no label priors"),
        (DecoderOptions(prior_weight=-0.5), "prior-weight is -0.5, expected 0 or more"),
        (DecoderOptions(temperature=0.0), "temperature is 0.0, expected more than 0"),
        (DecoderOptions(engine="greedy", temperature=2.0), "--temperature has no effect on the best path"),
    ],
)
def test_what_cannot_be_done_is_refused(options: DecoderOptions, said: str) -> None:
    with pytest.raises(RecognizerError, match=said):
        make_decoder(options, {}, ALPHABET)


def test_training_states_the_priors_of_its_validation_samples(line_run: Run, lines: Path) -> None:
    model_file = load_model_file(line_run.folder / "model.safetensors")
    reader = Reader.load(line_run.folder, options=DecoderOptions(engine="greedy"))
    heard = cache_log_probs(reader, lines, "valid", 0, print)
    assert model_file.priors == pytest.approx(measure_priors(heard.log_probs), abs=1e-5)
    assert sum(model_file.priors) == pytest.approx(1)


def test_tuning_measures_priors_where_a_model_file_states_none(
    line_run: Run, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.txt").write_text("lox ol\nxo lx-\nol lox\n")
    text, lm, model = tmp_path / "text.txt", tmp_path / "lox.ng", tmp_path / "model.safetensors"
    stated = ["--lm-weight", 0.7, "--prior-weight", 0.5, "--temperature", 1.25]
    assert said(capsys, "lm", "build", text, "--order", 3, *stated, "--out", lm)[0] == 0
    about = open_ngram(lm).about
    assert (about.weight, about.prior_weight, about.temperature) == (0.7, 0.5, 1.25)
    save_model_file(replace(load_model_file(line_run.folder / "model.safetensors"), priors=[]), model)
    tune = ["lm", "tune", model, lines, "--lm", lm, "--beam", 4, "--samples", 3]
    code, _, err = said(capsys, *tune)
    assert code == 0 and "no label priors" not in err
    assert sum(load_model_file(model).priors) == pytest.approx(1)


@pytest.mark.parametrize(("name", "value"), [("prior_weight", -0.5), ("temperature", 0.0)])
def test_a_language_model_states_no_settings_that_mean_nothing(name: str, value: float) -> None:
    with pytest.raises(RecognizerError, match=f"{name.replace('_', '-')} is {value}, expected"):
        BuildSettings(3, **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("priors", [[0.5, 0.5], [2.0, -1.0], ["a"], [True]])
def test_priors_that_are_none_are_refused(line_run: Run, tmp_path: Path, priors: list[object]) -> None:
    path = tmp_path / "model.safetensors"
    write_header(line_run.folder / "model.safetensors", path, {"priors": priors})
    with pytest.raises(RecognizerError, match="header is at fault .priors: expected"):
        load_model_file(path)


def test_a_model_file_without_priors_is_read(line_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model_file = load_model_file(line_run.folder / "model.safetensors")
    save_model_file(replace(model_file, priors=[]), path)
    assert read_header(path)["priors"] == [] and load_model_file(path).priors == []
