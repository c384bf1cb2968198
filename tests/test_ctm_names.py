"""Files of several folders that are called alike have names of their own in CTM."""

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.formats.ctm_names import CtmNames
from recognizer.formats.formats import format_reading
from recognizer.formats.result import Result


def test_files_of_one_name_are_told_apart_and_that_is_said() -> None:
    said: list[str] = []
    names = CtmNames(said.append)
    word = Span("yes", 0.0, 1.0, 0.5)
    files = ("a/rec.wav", "b/rec.wav", "b/rec.flac", "b/rec.wav")
    made = [Result(name, Hypothesis("yes", 0.5, (), (word,)), "s", 1.0) for name in files]
    rows = [format_reading(names.named(one), "ctm") for one in made]
    assert [row.split()[0] for row in rows] == ["rec", "b_rec", "b_rec_2", "b_rec"]
    assert said[0] == "b/rec.wav: called b_rec in CTM, rec is a/rec.wav" and len(said) == 2
