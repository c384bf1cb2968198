"""The LSTM language model: its scores, its training, its files."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

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
from recognizer.language.lstm_training import (
    Progress,
    Training,
    TrainingSettings,
    begin,
    load_training,
    rate_of,
    save_training,
    symbols_of,
    train,
)
from recognizer.language.neural import FIRST, NeuralCharacters
from recognizer.network.cells import CellSettings

TEXTS = ["a cab", "", "bad face", "zcab"]
SMALL = LanguageModelSettings(tuple(" abcdef"), embedding=6, layers=2, cell=CellSettings(hidden=10))


def small(settings: LanguageModelSettings = SMALL) -> LanguageModel:
    torch.manual_seed(3)
    return LanguageModel(settings).eval()


def ignore(progress: Progress) -> None:
    pass


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
    training = begin(SMALL, TrainingSettings(), "cpu")
    save_training(training, path)
    with pytest.raises(RecognizerError, match="lm.safetensors: format 'recognizer language training 1'"):
        load(path)
    with pytest.raises(RecognizerError, match="none: not a whole"):
        load(tmp_path / "none")


def lines(seed: int, count: int) -> list[str]:
    dice = random.Random(seed)
    return ["".join(dice.choice(["ab", "cde", "f "]) for _ in range(dice.randint(1, 8))).strip() for _ in range(count)]


def weights(training: Training) -> list[Tensor]:
    return list(training.model.state_dict().values())


def test_a_training_that_was_cut_goes_on_bit_by_bit(tmp_path: Path) -> None:
    model = replace(SMALL, dropout=0.3)
    settings = TrainingSettings(steps=14, batch=2, span=8, rate=0.01)
    text = lines(1, 15)
    whole = begin(model, settings, "cpu")
    train(whole, text, 14, ignore)
    cut = begin(model, settings, "cpu")
    train(cut, text, 9, ignore)
    save_training(cut, tmp_path / "half")
    torch.manual_seed(99)
    resumed = load_training(tmp_path / "half", "cpu")
    assert resumed.step == 9 and resumed.settings == settings
    epochs: list[int] = []
    train(resumed, text, 14, lambda progress: epochs.append(progress.epoch))
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(weights(whole), weights(cut), strict=True))
    assert epochs[-1] >= 1


def test_training_lowers_the_bits_of_a_text_to_what_it_holds() -> None:
    training = begin(replace(SMALL, layers=1), TrainingSettings(steps=200, batch=4, span=20, rate=0.02), "cpu")
    text = lines(2, 60)
    before = perplexity(training.model.eval(), text).bits_per_character
    seen: list[float] = []
    train(training, text, 200, lambda progress: seen.append(progress.bits))
    after = perplexity(training.model, text).bits_per_character
    # Three equally likely pieces of two or three characters: 1.58 bits a piece with a little for the ends.
    assert before > 2.5 and after < 1.1 and len(seen) == 200


def test_the_rate_rises_then_falls_to_zero() -> None:
    settings = TrainingSettings(steps=100, rate=1.0, warm=0.1)
    rates = [rate_of(step, settings) for step in range(101)]
    assert rates[:11] == sorted(rates[:11]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[0] > 0 and max(rates) == 1.0 and rates[100] == pytest.approx(0)


def test_rare_characters_are_named_and_learned_as_unknown() -> None:
    symbols, rare = symbols_of(["aab", "ab é"], 2)
    assert symbols == ("a", "b") and rare == {" ": 1, "é": 1}


@pytest.mark.parametrize("text", [[], ["ab"], ["abcde" * 3]])
def test_a_text_too_short_for_the_streams_is_refused(text: Sequence[str]) -> None:
    with pytest.raises(RecognizerError, match="expected at least 18"):
        train(begin(SMALL, TrainingSettings(batch=2, span=8), "cpu"), text, 5, ignore)


def test_a_text_of_the_least_length_is_enough() -> None:
    training = begin(SMALL, TrainingSettings(batch=2, span=8), "cpu")
    train(training, ["a" * 17], 1, ignore)
    assert training.step == 1


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
