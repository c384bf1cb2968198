"""The language models that come with the package: small, whole, of their unit, and of their language."""

import pytest

from recognizer.language.ngram import NGram
from recognizer.language.ngram_file import open_ngram
from recognizer.pretrained import FOLDER, find_language_model, language_models

SAID = {  # language and kind of input: a sentence, and the same words in no order
    ("en", "speech"): ("shall i carry you to the house", "carry the to house you shall i"),
    ("en", "handwriting"): ("I have seen the letter.", "htt vraelene I ese .eelhT"),
    ("fr", "handwriting"): ("La maison est dans la rue.", "nuamaaol s.rtn Les iadsase"),
    ("medieval", "handwriting"): ("Et dixit dn\u0303s ad eum. ⁊ li rois", "ne.⁊ iltx dsi uro\u0303tmdeE i adi sn"),
}
LARGEST = 10_000_000  # bytes


@pytest.mark.parametrize(("language", "kind"), SAID)
def test_a_shipped_language_model_knows_its_language(language: str, kind: str) -> None:
    path = find_language_model(language, kind)
    model = open_ngram(path)
    assert path.stat().st_size <= LARGEST
    assert model.about.unit == ("word" if kind == "speech" else "character")
    assert model.about.weight is not None and model.about.word_bonus is not None
    sentence, scrambled = SAID[language, kind]
    assert likelihood(model, sentence) > likelihood(model, scrambled) + 5


def likelihood(model: NGram, text: str) -> float:
    return float(model.rescore([text])[0])


def test_every_shipped_language_model_is_one_of_these() -> None:
    files = {find_language_model(*key) for key in SAID}
    assert files == set(FOLDER.glob("*.lm"))
    assert language_models("speech") == ["en"] and language_models("strokes") == ["en", "fr", "medieval"]
