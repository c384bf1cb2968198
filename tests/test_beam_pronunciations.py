"""Words by sound: a lexicon of pronunciations in the beam, homophones told apart by a language model."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from recognizer.corpus.alphabet import Alphabet, TextSettings
from recognizer.decoding.batched_beam_search import Scorer
from recognizer.decoding.beam_search import search_candidates
from recognizer.decoding.beam_settings import BeamSettings
from recognizer.decoding.decoder_factory import make_decoder
from recognizer.decoding.frame_pruning import Certain, beam_steps
from recognizer.decoding.options import DecoderOptions
from recognizer.decoding.pronunciation_model import PronunciationModel
from recognizer.decoding.pronunciations import has_pronunciations, read_pronunciations
from recognizer.errors import RecognizerError
from recognizer.language.build import BuildSettings, build
from recognizer.language.ngram_file import open_ngram

ALPHABET = Alphabet(("|", "ah", "iy", "r", "s", "t", "uw"), TextSettings(unit="token"))
LEXICON = "two\tt uw\ntoo\tt uw\nto\tt uw\nto\tt ah\nsee\ts iy\nsea\ts iy\nus\tah s\ntrue\tt r uw\n"
TEXT = "see us too\nsee us too\nthe sea too\ntwo see\ntwo true\nto see\nto see\nto see us\nto sea\nus two\n"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Return a folder with a lexicon and a language model of words."""
    (tmp_path / "lexicon").write_text(LEXICON)
    (tmp_path / "text.txt").write_text(TEXT)
    build([tmp_path / "text.txt"], BuildSettings(3, "word"), tmp_path / "w.arpa", lambda line: None)
    return tmp_path


def scorer(made: Path, weight: float = 1.0, bonus: float = 0.0) -> PronunciationModel:
    said = read_pronunciations(made / "lexicon", ALPHABET)
    return PronunciationModel(open_ngram(made / "w.arpa"), said, ALPHABET, weight, bonus)


def labels(units: str) -> list[int]:
    return ALPHABET.encode(units)


def frames(units: str, sure: float = 0.9) -> torch.Tensor:
    """Return (1, T, C) log-probabilities of a network that hears `units`, a blank behind each."""
    rows = []
    for label in labels(units):
        for heard in (label, 0):
            row = np.full(ALPHABET.classes, (1 - sure) / (ALPHABET.classes - 1))
            row[heard] = sure
            rows.append(row)
    return torch.tensor(np.log(rows), dtype=torch.float32)[None]


def judged(model: Scorer, units: list[int]) -> float:
    """Return what a scorer says of a whole text, one unit after another."""
    states, total = model.initial(1), 0.0
    for label in units:
        gain, states = model.score(states, np.array([label]))
        total += float(gain[0])
    return total + float(model.finish(states)[0])


def by_hand(made: Path, words: list[str], weight: float, bonus: float) -> float:
    """Return what the language model says of a sentence."""
    model = open_ngram(made / "w.arpa")
    states, total = np.array([model.start]), 0.0
    for number in model.ids(words).tolist():
        said, states = model.scores(states, np.array([number]))
        total += weight * float(said[0]) + bonus
    return total + weight * float(model.finish(states)[0])


@pytest.mark.parametrize(
    ("units", "choices"),
    [
        ("t uw | s iy | ah s", (("two", "too", "to"), ("see", "sea"), ("us",))),
        ("s iy | ah s | t uw", (("see", "sea"), ("us",), ("two", "too", "to"))),
        ("t ah | s iy", (("to",), ("see", "sea"))),
    ],
)
def test_a_prefix_is_worth_its_best_reading_and_is_written_so(
    made: Path, units: str, choices: tuple[tuple[str, ...], ...]
) -> None:
    sentences = [list(words) for words in itertools.product(*choices)]
    worths = [by_hand(made, words, 0.7, 0.3) for words in sentences]
    model = scorer(made, 0.7, 0.3)
    assert judged(model, labels(units)) == pytest.approx(max(worths), abs=1e-4)
    written = model.written(labels(units))
    assert [one.word for one in written] == sentences[int(np.argmax(worths))]
    assert [ALPHABET.decode(labels(units)[one.start : one.end]) for one in written] == units.split(" | ")


def test_homophones_follow_the_language_model_on_both_sides(made: Path) -> None:
    decoder = make_decoder(DecoderOptions(lm=made / "w.arpa", lexicon=made / "lexicon", lm_weight=1.0), {}, ALPHABET)
    for units, text in (("t uw | s iy", "to see"), ("s iy | ah s | t uw", "see us too"), ("t uw | t r uw", "two true")):
        x = frames(units)
        found = decoder.decode(x, torch.tensor([x.shape[1]]))[0]
        assert found.text == text == decoder.texts(x, torch.tensor([x.shape[1]]))[0]
        assert [word.text for word in found.words] == text.split()
        assert "".join(span.text for span in found.characters) == text
        assert all(a.end <= b.start for a, b in itertools.pairwise(found.words))


def test_what_is_in_no_lexicon_is_not_read(made: Path) -> None:
    """The network hears "s uw", which is no word: the nearest that is one is read, in a batch as alone."""
    decoder = make_decoder(DecoderOptions(lm=made / "w.arpa", lexicon=made / "lexicon"), {}, ALPHABET)
    x = frames("s uw | ah s", 0.6)
    alone = decoder.texts(x, torch.tensor([x.shape[1]]))
    assert set(alone[0].split()) <= {"two", "too", "to", "see", "sea", "us", "true"} and alone[0].endswith("us")
    assert decoder.texts(torch.cat([x, x]), torch.tensor([x.shape[1]] * 2)) == alone * 2


@pytest.mark.parametrize("samples", [1, 2])
def test_certain_blanks_are_passed_over_and_nothing_changes(made: Path, samples: int) -> None:
    """Units of 0.99 among blanks of 0.9995: with and without a threshold that those blanks reach."""
    heard = frames("t uw | s iy | ah s", 0.99).repeat(samples, 1, 1)
    heard[:, 1::2] = frames("t uw | s iy | ah s", 0.9995)[:, 1::2]
    counts, found = torch.full((samples,), heard.shape[1]), []
    for threshold in (0.999, 2.0):
        settings = BeamSettings(width=40, blank_skip_threshold=threshold)
        found.append(search_candidates(heard, counts, settings, scorer(made))[-1][0])
    assert found[0].labels == found[1].labels == tuple(labels("t uw | s iy | ah s"))
    assert found[0].score == pytest.approx(found[1].score, abs=0.02)
    steps, _ = beam_steps(heard, counts, Certain.BLANKS, 0.999, -9.0, np.full(samples, -1))
    assert steps.around.counts.tolist() == [heard.shape[1] // 2] * samples, "the units are steps, the blanks are none"


def test_the_beam_finds_the_best_of_all_texts(made: Path) -> None:
    """Against every text of up to two words, each with the probability of all its paths."""
    x = (1.5 * torch.randn(1, 6, ALPHABET.classes, generator=torch.Generator().manual_seed(5))).log_softmax(2)
    model = scorer(made, 0.8, 0.5)
    said = [labels(" ".join(units)) for units in read_pronunciations(made / "lexicon", ALPHABET).units]
    said = [list(one) for one in dict.fromkeys(map(tuple, said))]
    texts = said + [[*a, 1, *b] for a in said for b in said]
    loss = torch.nn.CTCLoss(reduction="none")
    worths = [
        -float(loss(x.transpose(0, 1), torch.tensor([one]), torch.tensor([6]), torch.tensor([len(one)])))
        + judged(model, one)
        for one in texts
    ]
    found = search_candidates(x, torch.tensor([6]), BeamSettings(width=200, token_min_logp=-100), model)[0][0]
    assert list(found.labels) == texts[int(np.argmax(worths))]
    assert found.score == pytest.approx(max(worths), abs=1e-3)


def test_a_last_word_that_is_only_begun_is_not_written(made: Path) -> None:
    assert [one.word for one in scorer(made).written(labels("s iy | t r"))] == ["see"]


def test_a_lexicon_of_sounds_needs_no_language_model(made: Path) -> None:
    decoder = make_decoder(DecoderOptions(lexicon=made / "lexicon"), {}, ALPHABET)
    x = frames("ah s | s iy")
    assert decoder.texts(x, torch.tensor([x.shape[1]])) == ["us see"]


def test_a_list_tells_what_it_is(made: Path) -> None:
    (made / "letters").write_text("tea\tt e a |\nsea s e a |\n")
    assert has_pronunciations(made / "lexicon") and not has_pronunciations(made / "letters")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("two\tt uw\nthree\n", r":2: 'three', expected a word, a tabulator and its units"),
        ("two\tt uw\nox\taa k s\n", r":2: 'ox' has the unit 'aa', which the model lacks"),
        ("two words\tt uw\n", r":1: 'two words"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "lexicon").write_text(text)
    with pytest.raises(RecognizerError, match=says):
        read_pronunciations(tmp_path / "lexicon", ALPHABET)


@pytest.mark.parametrize("option", ["hot_words", "oov_penalty"])
def test_options_of_letters_are_refused(made: Path, option: str) -> None:
    value = {"hot_words": made / "lexicon", "oov_penalty": 3.0}[option]
    with pytest.raises(RecognizerError, match="needs the letters of words"):
        make_decoder(DecoderOptions(lexicon=made / "lexicon", **{option: value}), {}, ALPHABET)  # type: ignore[arg-type]


def test_a_model_without_a_boundary_is_refused(made: Path) -> None:
    alphabet = Alphabet(ALPHABET.symbols[1:], ALPHABET.text)
    with pytest.raises(RecognizerError, match="no symbol '|' between words"):
        make_decoder(DecoderOptions(lexicon=made / "lexicon"), {}, alphabet)


def test_nothing_allowed_is_minus_infinity(made: Path) -> None:
    assert judged(scorer(made), labels("r r | t uw")) == -math.inf
