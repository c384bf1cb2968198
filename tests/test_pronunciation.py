"""Words as phones: the dictionary first, then rules, then a model; nothing is said in silence."""

from pathlib import Path

import pytest
import soundfile
from makers import tone

from recognizer.cli import main
from recognizer.corpus import pronunciation
from recognizer.corpus.alphabet import TextSettings
from recognizer.corpus.pronunciation import IPA, Pronouncer, Pronunciation, from_ipa, with_phones
from recognizer.corpus.sample import Sample
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError

WORDS = {
    "cat": [["K", "AE1", "T"]],
    "dog": [["D", "AO1", "G"], ["D", "AA1", "G"]],
    "bus": [["B", "AH1", "S"]],
    "oer": [["AO1", "R"]],
}

# All phones of the CMU Pronouncing Dictionary without its marks of stress.
CMU = tuple(
    "aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh".split()
)


@pytest.fixture(autouse=True)
def small_dictionary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pronunciation, "dictionary", lambda: WORDS)
    monkeypatch.setattr(pronunciation, "model", lambda word: {"blick": "blɪk", "zax": "zæʘ"}[word])


@pytest.mark.parametrize(
    ("word", "phones", "source"),
    [
        ("cat", "k ae t", "dictionary"),
        ("dog", "d ao g", "dictionary"),  # the first of two variants
        ("cat's", "k ae t s", "rule"),
        ("dog's", "d ao g z", "rule"),
        ("bus's", "b ah s ih z", "rule"),
        ("bus'", "b ah s", "rule"),
        ("blick", "b l ih k", "model"),
        ("blick's", "b l ih k s", "model"),
        ("o'er", "ao r", "model"),
    ],
)
def test_a_word_is_said_by_dictionary_rule_or_model(word: str, phones: str, source: str) -> None:
    assert Pronouncer().say(word) == Pronunciation(tuple(phones.split()), source)


@pytest.mark.parametrize(("word", "fault"), [("4", "letters a to z"), ("'", "letters a to z"), ("zax", "in no table")])
def test_what_cannot_be_said_is_named(word: str, fault: str) -> None:
    with pytest.raises(RecognizerError, match=f"{word}.*{fault}"):
        Pronouncer().say(word)


def test_every_sign_stands_for_phones_of_the_dictionary_and_long_ones_come_first() -> None:
    assert len(CMU) == 39 and {phone for phones in IPA.values() for phone in phones.split()} <= set(CMU)
    signs = list(IPA)
    for place, sign in enumerate(signs):
        assert not any(later.startswith(sign) for later in signs[place + 1 :])
    assert from_ipa("ˈtʃeɪn.d͡ʒ", "x") == ("ch", "ey", "n", "jh")


def test_a_sample_that_cannot_be_said_is_named_and_words_outside_the_dictionary_are_counted() -> None:
    samples = [Sample(Path("a"), text, "train", "x", f"t:{n}") for n, text in enumerate(("Cat's blick", "dog"))]
    said, sources = with_phones(samples, TextSettings(case="lower"))
    assert [sample.text for sample in said] == ["k ae t s b l ih k", "d ao g"]
    assert sorted(sources.values()) == [1, 1]
    said, _ = with_phones([Sample(Path("a"), "cat 5", "train", "x", "t:0")], TextSettings())
    assert said[0].fault.startswith("t:0: '5'") and said[0].text == "cat 5"


def test_prepare_puts_phones_and_the_ends_of_words_into_any_corpus_of_speech(tmp_path: Path) -> None:
    rows = {"a.wav": "Cat's dog.", "b.wav": "cat 5"}
    for name in rows:
        soundfile.write(tmp_path / name, tone(0.5), 16000)
    (tmp_path / "manifest.tsv").write_text("file\ttext\n" + "".join(f"{name}\t{text}\n" for name, text in rows.items()))
    arguments = ["prepare", str(tmp_path), "--phones", "--valid-share", "0", "--test-share", "0"]
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--out", str(tmp_path / "packed")])
    assert left.value.code == 1  # one sample is left out
    store = Store(tmp_path / "packed")
    assert [store.text(i) for i in range(len(store))] == ["k ae t s | d ao g"]
    assert store.header.text["unit"] == "token"
    assert [one.reason for one in store.unusable()] == ["a word that cannot be said"]
