"""The shipped models read what was recorded when they were shipped: fifty samples each."""

from pathlib import Path

import pytest
import record_texts
from record_texts import PEN, SAMPLES, is_shared, names, recorded, source_of
from rendering.pen_hand import LETTERS, written

from recognizer.errors import RecognizerError
from recognizer.evaluation.metrics import distance

# Sums of another processor round otherwise, and may turn one close call of a corpus.
SLACK = 1  # edits


@pytest.mark.parametrize("model", SAMPLES)
def test_fifty_texts_of_each_model_are_recorded(model: str) -> None:
    sources = [source_of(name) for name in recorded(model)]
    assert {source: sources.count(source) for source in sources} == SAMPLES[model]
    assert len(sources) == 50


@pytest.mark.slow
@pytest.mark.parametrize("model, source", [(model, source) for model in SAMPLES for source in SAMPLES[model]])
def test_a_shipped_model_reads_what_was_recorded(model: str, source: str, request: pytest.FixtureRequest) -> None:
    if is_shared(source):
        request.getfixturevalue("shared")
    texts = {name: text for name, text in recorded(model).items() if source_of(name) == source}
    read = record_texts.read(model, list(texts))
    differ = [f"{name}: {text!r}, now {read[name]!r}" for name, text in texts.items() if text != read[name]]
    edits = sum(distance(text, read[name]) for name, text in texts.items())
    assert edits <= SLACK, "\n".join([*differ, f"where the weights are new: python scripts/record_texts.py {model}"])


def test_the_made_up_pen_writes_all_its_letters_and_refuses_others() -> None:
    assert all(written(Path(name).stem) for name in names(PEN))
    line = written("ill")
    assert len(line) == 4 and line == written("ill")  # strokes: the body and the dot of i, l, l
    assert [min(stroke[0::2]) for stroke in line[2:]] > [max(stroke[0::2]) for stroke in line[:2]]
    assert len(written("".join(LETTERS))) == sum(1 + strokes.count("|") for strokes in LETTERS.values())
    with pytest.raises(RecognizerError, match="the hand has no 'B', expected a b c"):
        written("Bad")
