"""Views of a line: where things are in them, and the reader that takes its surest reading of several."""

from pathlib import Path

import numpy as np
import pytest
from tiny import Run

from recognizer.cli import main
from recognizer.corpus.store import Store
from recognizer.decoding.options import DecoderOptions
from recognizer.errors import RecognizerError
from recognizer.evaluation.evaluate import evaluate
from recognizer.inputs.lines.tta import VIEWS, View
from recognizer.reading.reader import Reader


def ink(values: np.ndarray) -> np.ndarray:
    return (255.0 - values) / 255.0


def test_the_first_view_is_the_line_itself_and_no_two_are_alike() -> None:
    line = np.random.default_rng(1).integers(0, 256, (90, 16), dtype=np.uint8)
    assert np.array_equal(VIEWS[0].of(line), line)
    seen = [view.of(line) for view in VIEWS]
    assert all(one.dtype == np.uint8 and one.shape[1] == 16 for one in seen)
    assert len({one.tobytes() for one in seen}) == len(VIEWS) == 5


def test_a_view_is_larger_by_its_factors_about_the_middle() -> None:
    line = np.full((100, 40), 255, np.uint8)
    line[30:50, 15:25] = 0
    for view in (View(1.2, 1.2), View(0.8, 0.8), View(1.5, 1.0)):
        seen = ink(view.of(line))
        assert len(seen) == round(100 * view.width)
        assert seen.sum() == pytest.approx(ink(line).sum() * view.width * view.height, rel=0.05)
        rows = (seen.sum(0) * np.arange(40)).sum() / seen.sum()
        assert rows == pytest.approx(19.5, abs=0.3)


def test_a_slanted_view_moves_upper_rows_to_the_right_and_loses_nothing() -> None:
    line = np.full((50, 40), 255, np.uint8)
    line[20:24] = 0  # an upright bar
    for slant in (0.35, -0.35):
        seen = ink(View(1.0, 1.0, slant).of(line))
        middle = (seen * np.arange(len(seen))[:, None]).sum(0) / seen.sum(0)
        assert (middle[:-1] - middle[1:]) == pytest.approx(slant, abs=0.05)
        assert seen.sum() == pytest.approx(ink(line).sum(), rel=0.02)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("start", [0, 8, 61, 117])
def test_what_is_found_in_a_view_is_placed_where_it_is_in_the_line(view: View, start: int) -> None:
    columns, rows = 121, 48
    line = np.full((columns, rows), 255, np.uint8)
    line[start : start + 4, 22:26] = 0  # a dot in the middle rows
    seen = ink(view.of(line)).sum(1)
    middle = (seen * (np.arange(len(seen)) + 0.5)).sum() / seen.sum()  # columns of the view
    assert view.place(middle, columns, rows) == pytest.approx(min(start + 2, columns), abs=1.0)
    assert 0.0 <= view.place(-5.0, columns, rows) <= view.place(1000.0, columns, rows) <= columns


def test_a_reading_of_several_views_is_the_surest_of_theirs(line_run: Run, lines: Path) -> None:
    plain = Reader.load(line_run.folder, "cpu")
    several = Reader.load(line_run.folder, "cpu", DecoderOptions(tta=5))
    store = Store(lines)
    values = [np.asarray(store.signal(i)) for i in store.indices("valid")]
    each = [plain.read_values([view.of(line) for line in values]) for view in VIEWS]
    found = several.read_values(values)
    surest = [max(readings, key=lambda one: one.confidence) for readings in zip(*each, strict=True)]
    assert [(one.text, one.confidence) for one in found] == [(one.text, one.confidence) for one in surest]
    assert [one.text for one in found] != [one.text for one in each[0]]  # or this run shows nothing
    for line, one in zip(values, found, strict=True):
        frames = len(line) / plain.model.steps_per_frame()
        assert all(0 <= span.start <= span.end <= frames for span in one.characters)


def test_evaluation_and_transcription_read_the_same_views(
    line_run: Run, lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = Reader.load(line_run.folder, "cpu", DecoderOptions(tta=3))
    report = evaluate(reader, "tiny", lines, "valid", lambda line: None)
    assert report.trust.decoder == "best path, surest of 3 views"
    names = [one.name for one in report.scored]
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["transcribe", *names, "--model", str(line_run.folder), "--tta", "3"])
    read = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert read == {one.name: one.text for one in report.scored}


def test_of_a_beam_the_reading_with_the_best_score_for_each_character_is_taken(line_run: Run, lines: Path) -> None:
    plain = Reader.load(line_run.folder, "cpu", DecoderOptions(beam=8))
    several = Reader.load(line_run.folder, "cpu", DecoderOptions(beam=8, tta=5))
    assert several.decoder.settings.describe() == "beam 8, surest of 5 views"
    store = Store(lines)
    values = [np.asarray(store.signal(i)) for i in store.indices("valid")]
    each = [plain.read_values([view.of(line) for line in values]) for view in VIEWS]
    best = [max(row, key=lambda one: one.score / max(1, len(one.text))) for row in zip(*each, strict=True)]
    found = several.read_values(values)
    assert [(one.text, one.score) for one in found] == [(one.text, one.score) for one in best]
    assert [one.text for one in found] != [one.text for one in each[0]]  # or this run shows nothing


def test_views_that_mean_nothing_are_refused(line_run: Run, sound_run: Run) -> None:
    for number in (0, 6):
        with pytest.raises(RecognizerError, match=rf"--tta \(views of a line\) is {number}, expected 1 to 5"):
            Reader.load(line_run.folder, "cpu", DecoderOptions(tta=number))
    with pytest.raises(RecognizerError, match="views are of lines of handwriting, and the model reads speech"):
        Reader.load(sound_run.folder, "cpu", DecoderOptions(tta=2))
