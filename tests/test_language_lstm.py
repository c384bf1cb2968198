"""The LSTM language model: its scores, its training, its files."""

import math
import random
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recognizer.common.interruption import Interrupted
from recognizer.errors import RecognizerError
from recognizer.language.lstm import (
    END_ID,
    UNKNOWN_ID,
    LanguageModel,
    LanguageModelSettings,
    load,
    perplexity,
    save,
)
from recognizer.language.neural import FIRST, NeuralCharacters
from recognizer.network.cells import CellSettings
from recognizer.training.language_learner import LanguageProgress, TrainingSettings, symbols_of
from recognizer.training.language_training import SaveState, fit_language, made_of

TEXTS = ["a cab", "", "bad face", "zcab"]
SMALL = LanguageModelSettings(tuple(" abcdef"), embedding=6, layers=2, cell=CellSettings(hidden=10))


def small(settings: LanguageModelSettings = SMALL) -> LanguageModel:
    torch.manual_seed(3)
    return LanguageModel(settings).eval()


def ignore(progress: LanguageProgress) -> None:
    pass


def test_no_more_threads_learn_than_processors_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognizer.training.language_training.usable_processors", lambda: 2)
    before, threads = torch.get_num_threads(), list[int]()
    torch.set_num_threads(5)
    try:
        settings = TrainingSettings(steps=1, batch=2, span=8)
        fit_language(SMALL, settings, ["a" * 30], lambda progress: threads.append(torch.get_num_threads()))
    finally:
        torch.set_num_threads(before)
    assert threads == [2]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "peephole"])
def test_a_text_scored_step_by_step_scores_as_the_whole(cell: str) -> None:
    model = small(replace(SMALL, cell=CellSettings(cell=cell, hidden=10)))
    for text, whole in zip(TEXTS, model.rescore(TEXTS), strict=True):
        states, total = model.start(1), torch.zeros(1)
        for number in model.ids(text):
            log_prob, states = model.score(states, torch.tensor([number]))
            total += log_prob
        assert float(total + model.finish(states)) == pytest.approx(float(whole), abs=1e-5)


def test_the_company_of_a_text_changes_nothing() -> None:
    model = small()
    together = model.rescore(TEXTS)
    assert [float(model.rescore([text])[0]) for text in TEXTS] == pytest.approx(together.tolist(), abs=1e-5)
    assert model.rescore([]).tolist() == []


def test_what_may_follow_sums_to_one() -> None:
    model = small()
    states = model.advance(model.start(4), torch.tensor([UNKNOWN_ID, END_ID, 2, 5]))
    assert states.log_probs.exp().sum(1).tolist() == pytest.approx([1.0] * 4, abs=1e-5)


def test_a_beam_may_select_states_in_any_order_and_repeat_them() -> None:
    model = small()
    states = model.advance(model.start(3), torch.tensor([2, 3, 4]))
    chosen = model.advance(states.select(torch.tensor([2, 0, 0])), torch.tensor([5, 6, 7]))
    alone = model.advance(model.advance(model.start(1), torch.tensor([2])), torch.tensor([7]))
    assert torch.allclose(chosen.log_probs[2], alone.log_probs[0], atol=1e-6)
    assert torch.allclose(chosen.hidden[2], alone.hidden[0], atol=1e-6)


def test_perplexity_adds_up_to_the_scores_with_unknown_characters_apart() -> None:
    model = small()
    found = perplexity(model, ["a  cab", " ", "zcab"])
    assert (found.lines, found.tokens, found.unknown, found.characters) == (2, 10, 1, 11)
    assert found.log_prob + found.unknown_log_prob == pytest.approx(float(model.rescore(["a cab", "zcab"]).sum()))
    first = model.start(1).log_probs[0, UNKNOWN_ID]
    assert found.unknown_log_prob == pytest.approx(float(first), abs=1e-5)


def test_a_saved_model_gives_the_same_scores(tmp_path: Path) -> None:
    model = small()
    save(model, tmp_path / "lm.safetensors")
    again = load(tmp_path / "lm.safetensors")
    assert again.settings == model.settings
    assert torch.equal(again.rescore(TEXTS), model.rescore(TEXTS))


def test_a_file_that_is_no_language_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lm.safetensors"
    save(small(), path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(RecognizerError, match="lm.safetensors: not a whole language model"):
        load(path)
    torch.save({"state_dict": {}}, path)
    with pytest.raises(RecognizerError, match="lm.safetensors: not a whole language model"):
        load(path)
    with pytest.raises(RecognizerError, match="none: not a whole"):
        load(tmp_path / "none")


def lines(seed: int, count: int) -> list[str]:
    dice = random.Random(seed)
    return ["".join(dice.choice(["ab", "cde", "f "]) for _ in range(dice.randint(1, 8))).strip() for _ in range(count)]


def weights(model: LanguageModel) -> list[Tensor]:
    return list(model.state_dict().values())


def test_a_training_that_was_cut_goes_on_bit_by_bit(tmp_path: Path) -> None:
    model = replace(SMALL, dropout=0.3)
    settings = TrainingSettings(steps=14, batch=2, span=8, rate=0.01)
    text = lines(1, 15)
    whole = fit_language(model, settings, text, ignore)
    saving = SaveState(tmp_path / "half", 3, made_of(model, settings, text))

    def stop(progress: LanguageProgress) -> None:
        if progress.step == 11:
            raise Interrupted(signal.SIGTERM)

    with pytest.raises(Interrupted):
        fit_language(model, settings, text, stop, saving)
    torch.manual_seed(99)
    steps: list[LanguageProgress] = []
    resumed = fit_language(model, settings, text, steps.append, saving)
    assert [one.step for one in steps] == [10, 11, 12, 13, 14] and steps[-1].epoch >= 1  # nine were saved
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))


def test_a_state_of_another_training_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    settings, text = TrainingSettings(steps=4, batch=2, span=8), lines(1, 15)
    path = tmp_path / "n.training"
    fit_language(SMALL, settings, text, ignore, SaveState(path, 2, made_of(SMALL, settings, text)))
    for model, learning, read in (
        (replace(SMALL, dropout=0.1), settings, text),
        (SMALL, replace(settings, rate=0.1), text),
        (SMALL, settings, [*text, "ab"]),
    ):
        with pytest.raises(RecognizerError, match="n.training: begun with other settings or another text"):
            fit_language(model, learning, read, ignore, SaveState(path, 2, made_of(model, learning, read)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(RecognizerError, match="n.training: damaged or no checkpoint .* delete it to begin again"):
        fit_language(SMALL, settings, text, ignore, SaveState(path, 2, made_of(SMALL, settings, text)))


def test_training_lowers_the_bits_of_a_text_to_what_it_holds() -> None:
    model, text = replace(SMALL, layers=1), lines(2, 60)
    seen: list[float] = []
    settings = TrainingSettings(steps=100, batch=4, span=20, rate=0.05)
    torch.manual_seed(settings.seed)
    before = perplexity(LanguageModel(model).eval(), text).bits_per_character
    learned = fit_language(model, settings, text, lambda progress: seen.append(progress.bits))
    after = perplexity(learned, text).bits_per_character
    # Three equally likely pieces of two or three characters: 1.58 bits a piece with a little for the ends.
    assert before > 2.5 and after < 1.1 and len(seen) == 100


def test_the_rate_rises_then_falls_to_zero() -> None:
    settings, steps = TrainingSettings(steps=40, batch=2, span=4, rate=0.01, warm=0.25), list[LanguageProgress]()
    fit_language(replace(SMALL, layers=1), settings, lines(2, 60), steps.append)
    rates = [one.rate for one in steps]
    assert len(rates) == 40 and [one.step for one in steps] == list(range(1, 41))
    assert rates[:10] == sorted(rates[:10]) and rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[0] > 0 and max(rates) == 0.01 and rates[-1] < 5e-5


def test_rare_characters_are_named_and_learned_as_unknown() -> None:
    symbols, rare = symbols_of(["aab", "ab é"], 2)
    assert symbols == ("a", "b") and rare == {" ": 1, "é": 1}


@pytest.mark.parametrize("text", [[], ["ab"], ["abcde" * 3]])
def test_a_text_too_short_for_the_streams_is_refused(text: list[str]) -> None:
    with pytest.raises(RecognizerError, match="expected at least 18"):
        fit_language(SMALL, TrainingSettings(batch=2, span=8), text, ignore)


def test_a_text_of_the_least_length_is_enough() -> None:
    steps: list[LanguageProgress] = []
    fit_language(SMALL, TrainingSettings(steps=2, batch=2, span=8), ["a" * 17], steps.append)
    assert [(one.step, one.epoch) for one in steps] == [(1, 0), (2, 1)]


def test_a_device_that_is_none_is_refused() -> None:
    with pytest.raises(RecognizerError, match="--device is 'tpu', expected cpu or cuda"):
        fit_language(SMALL, TrainingSettings(batch=2, span=8), ["a" * 17], ignore, device="tpu")


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 0), ("batch", 0), ("span", -1), ("rate", math.nan), ("clip", 0.0), ("warm", 1.0)]
)
def test_training_settings_that_mean_nothing_are_refused(name: str, value: float) -> None:
    with pytest.raises(RecognizerError, match=name):
        replace(TrainingSettings(), **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"), [("embedding", 0), ("layers", 0), ("dropout", 1.0), ("symbols", ("a", "a"))]
)
def test_model_settings_that_mean_nothing_are_refused(name: str, value: object) -> None:
    with pytest.raises(RecognizerError, match="language model"):
        replace(SMALL, **{name: value})  # type: ignore[arg-type]


def test_more_texts_than_there_was_room_for_end_as_they_do_alone() -> None:
    model = small()
    asked = NeuralCharacters(model)
    letters = asked.ids(list("abcdef"))
    states = np.array([asked.start])
    while len(states) * len(letters) <= 2 * FIRST:
        states = asked.scores(states.repeat(len(letters)), np.tile(letters, len(states)))[1]
    ends = asked.finish(states)  # none of these texts was read before
    for place in (0, len(states) // 2, -1):
        alone, state = NeuralCharacters(model), np.array([0])
        for digit in np.base_repr(place % len(states), len(letters)).zfill(4):
            state = alone.scores(state, letters[[int(digit)]])[1]
        assert alone.finish(state)[0] == pytest.approx(ends[place], abs=1e-5)
