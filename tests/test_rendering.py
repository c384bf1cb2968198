"""Rendered lines: the same for the same seed, whole, dark on light, in the text that was asked for."""

import io
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rendering.fonts import Font, read_fonts
from rendering.line import render_line
from rendering.recombine import Hand, Word, cut_words, new_line
from rendering.settings import MILD, RenderSettings
from rendering.text import ALPHABET, LONGEST, line_text, plain, read_sentences

from recognizer.corpus.manifest import read_corpus
from recognizer.errors import RecognizerError

ROOT = Path(__file__).resolve().parents[1]
FULL = RenderSettings()
PLAIN = replace(MILD, wobble=0.0, bend=0.0, pressure=0.0, margin=0.0)
SENTENCES = ["Il y avait un roi.", "The « king » said — “no”; he left…", "Elle revint plus tard avec trois hommes."]


@pytest.fixture(scope="module")
def font() -> Font:
    return Font(None)


def test_the_same_seed_gives_the_same_image_and_another_seed_another(font: Font) -> None:
    one, same, other = (render_line("a small hill", font, seed, FULL) for seed in (3, 3, 4))
    assert np.array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_a_line_does_not_depend_on_what_was_drawn_before_it(font: Font) -> None:
    fresh = render_line("quill", Font(None), 5, FULL)
    render_line("another line", font, 9, FULL)
    assert np.array_equal(fresh, render_line("quill", font, 5, FULL))


@pytest.mark.parametrize("seed", range(12))
def test_a_line_is_dark_ink_on_light_paper_of_the_height_asked_for(font: Font, seed: int) -> None:
    image = render_line("Paris, 1858", font, seed, FULL)
    assert image.dtype == np.uint8 and image.shape[0] == FULL.height
    assert np.median(image) > 200 and image.min() < 170
    assert (image < 128).mean() < 0.4


def test_the_height_is_a_setting(font: Font) -> None:
    assert [render_line("ab", font, 1, replace(FULL, height=h)).shape[0] for h in (32, 48, 96)] == [32, 48, 96]


def test_more_letters_make_a_longer_line(font: Font) -> None:
    assert render_line("mmmm", font, 1, PLAIN).shape[1] > 1.8 * render_line("mm", font, 1, PLAIN).shape[1]


def test_every_letter_of_the_text_leaves_ink(font: Font) -> None:
    inked = (render_line("l l l l l", font, 1, PLAIN) < 128).any(axis=0)
    starts = np.diff(inked.astype(int)) == 1
    assert starts.sum() == 5


def test_all_ink_lies_within_two_columns_of_the_borders_where_no_margin_is_wanted(font: Font) -> None:
    columns = np.flatnonzero((render_line("hello", font, 1, PLAIN) < 128).any(axis=0))
    width = render_line("hello", font, 1, PLAIN).shape[1]
    assert 1 <= columns[0] <= 4 and width - 5 <= columns[-1] <= width - 2


def test_a_font_refuses_characters_that_it_lacks(font: Font) -> None:
    assert font.missing("hello 漢字ー漢") == ["漢", "字", "ー"]
    with pytest.raises(RecognizerError, match="default has no '漢' for 'a 漢'"):
        render_line("a 漢", font, 1, FULL)


@pytest.mark.parametrize("text", ["", " a", "a ", "a  b", "a\nb"])
def test_a_text_that_is_not_one_clean_line_is_refused(font: Font, text: str) -> None:
    with pytest.raises(RecognizerError, match="expected one line"):
        render_line(text, font, 1, FULL)


@pytest.mark.parametrize(
    "field, value", [("height", 4), ("ink", (30, 10)), ("slant", (-3, 0)), ("rules", 1.5), ("wobble", -1)]
)
def test_a_setting_that_means_nothing_is_named(field: str, value: object) -> None:
    with pytest.raises(RecognizerError, match=field):
        replace(FULL, **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "field", ["rules", "pencil", "faded", "shining", "stained", "blots", "artefacts", "neighbours"]
)
def test_each_share_changes_the_image(font: Font, field: str) -> None:
    with_it = replace(PLAIN, **{field: 1.0})  # type: ignore[arg-type]
    pairs = [(render_line("jolly", font, s, PLAIN), render_line("jolly", font, s, with_it)) for s in range(4)]
    assert any(a.shape != b.shape or not np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    "field, low, high", [("thickness", 0.02, 0.06), ("x_height", 0.2, 0.4), ("advance", 0.2, 0.4), ("ink", 0, 120)]
)
def test_each_range_moves_what_it_names(font: Font, field: str, low: float, high: float) -> None:
    ink = [255.0 - render_line("noon", font, 1, replace(PLAIN, **{field: (v, v)})) for v in (low, high)]  # type: ignore[arg-type]
    measures = {
        "thickness": [i.mean() for i in ink],
        "x_height": [(i > 128).any(axis=1).sum() for i in ink],
        "advance": [i.shape[1] for i in ink],
        "ink": [-i.max() for i in ink],
    }
    less, more = measures[field]
    assert less < more


def test_lines_above_and_below_stay_near_the_borders(font: Font) -> None:
    even = replace(PLAIN, ink=(20, 20))
    for seed in range(6):
        alone = render_line("xxxx", font, seed, even)
        crowded = render_line("xxxx", font, seed, replace(even, neighbours=1.0))
        middle = slice(alone.shape[0] * 3 // 8, alone.shape[0] * 5 // 8)
        assert alone.shape == crowded.shape
        assert np.array_equal(alone[middle] < 128, crowded[middle] < 128)


def test_texts_are_short_clean_and_in_the_alphabet() -> None:
    texts = [line_text(SENTENCES, np.random.default_rng([1, i])) for i in range(400)]
    assert texts == [line_text(SENTENCES, np.random.default_rng([1, i])) for i in range(400)]
    assert all(text == " ".join(text.split()) and 0 < len(text) <= LONGEST and ALPHABET >= set(text) for text in texts)
    assert len(set(texts)) > 100


def test_quotes_dashes_and_spaces_become_plain() -> None:
    assert plain("l’un — “oui”… \u00a0non") == 'l\'un - "oui"... non'


def test_a_text_file_without_a_sentence_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(RecognizerError, match="holds no sentence"):
        read_sentences(tmp_path / "empty.txt")


def test_a_folder_without_fonts_and_a_file_that_is_no_font_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match="holds no font"):
        read_fonts(tmp_path)
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    with pytest.raises(RecognizerError, match="not a font"):
        read_fonts(tmp_path)


def test_no_text_in_a_thousand_is_refused_by_the_renderer() -> None:
    marks = ["- « »", "« - » …", "! ?"]
    texts = [line_text(marks + SENTENCES, np.random.default_rng([2, i])) for i in range(1000)]
    assert not [text for text in texts if text != " ".join(text.split())]


def test_the_script_writes_a_corpus_that_can_be_read_and_the_same_with_two_workers(tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    file = Font(None).faces[1].path
    assert isinstance(file, io.BytesIO), "expected the font that Pillow brings in memory"
    (fonts / "plain.ttf").write_bytes(file.getvalue())
    (tmp_path / "text.txt").write_text("\n".join(SENTENCES[::2]))
    command = [sys.executable, "scripts/render_lines.py", "--fonts", str(fonts), "--text", str(tmp_path / "text.txt")]
    for out, workers in (("one", "1"), ("two", "2")):
        more = ["--count", "5", "--seed", "2", "--out", str(tmp_path / out), "--workers", workers, "--format", "png"]
        made = subprocess.run(
            [*command, *more], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr
    one, two = read_corpus(tmp_path / "one"), read_corpus(tmp_path / "two")
    assert [sample.text for sample in one] == [sample.text for sample in two] and len(one) == 5
    assert [sample.path.read_bytes() for sample in one] == [sample.path.read_bytes() for sample in two]
    assert {(sample.split, sample.group) for sample in one} == {("train", "plain")}


def test_the_shipped_lines_are_small_readable_and_share_no_text(tmp_path: Path) -> None:
    archive = ROOT / "recognizer" / "demo_data" / "demo.zip"
    assert archive.stat().st_size < 2_000_000
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    samples = read_corpus(tmp_path)
    train = [sample.text for sample in samples if sample.split == "train"]
    unseen = [sample.text for sample in samples if sample.split in ("valid", "test")]
    assert len(train) >= 700 and len(unseen) >= 200
    assert not [text for text in unseen if any(text in other for other in train)]
    assert {char for text in unseen for char in text} <= {char for text in train for char in text}
    assert (tmp_path / "LICENCE.md").read_text() == (archive.parent / "LICENCE.md").read_text()


def written(*columns: tuple[int, int, int]) -> np.ndarray:
    """Return a line of paper with blocks of ink: first column, column behind the last, first row."""
    image = np.full((20, 40), 255, np.uint8)
    for first, last, top in columns:
        image[top : top + 8, first:last] = 0
    return image


def test_a_line_is_cut_where_paper_parts_the_words_and_nowhere_else() -> None:
    # "ab" stands apart, "c" touches "d": the gap between them is no gap, and neither word can be had.
    image = written((2, 10, 4), (16, 21, 4), (21, 26, 4), (32, 36, 4))
    places = [(2, 6), (6, 10), (11, 15), (16, 20), (20, 22), (22, 26), (28, 30), (32, 36)]
    words, gaps = cut_words(image, "ab c d e", places)
    assert [name for name, _ in words] == ["ab", "e"]
    assert [word.image.shape for _, word in words] == [(20, 8), (20, 4)]
    assert gaps == [6, 6]
    with pytest.raises(RecognizerError, match="7 places for the 8 characters"):
        cut_words(image, "ab c d e", places[1:])


def test_words_of_other_lines_make_a_new_line_with_their_middles_on_one_row() -> None:
    words: dict[str, list[Word]] = {}
    for name, top in (("il", 2), ("y", 8), ("avait", 5), ("un", 4)):
        ((_, word),), _ = cut_words(written((3, 9, top)), name, [(3, 9)] * len(name))
        words[name] = [word]
    hand = Hand(words, gaps=[5], margin=3, longest=100)
    texts, lines = zip(
        *(new_line(hand, ["Oh, il y avait un roi"], np.random.default_rng(i)) for i in range(5)), strict=True
    )
    assert set(texts) == {"il y avait un"}
    assert {line.shape for line in lines} == {(20, 3 + 4 * 6 + 3 * 5 + 3)}
    assert [int(row) for row in np.flatnonzero((lines[0] < 128).any(axis=1))] == list(range(2, 10))
    short = replace(hand, longest=25)
    assert new_line(short, ["il y avait un"], np.random.default_rng(0))[0] == "il y"
    with pytest.raises(RecognizerError, match="written by this hand"):
        new_line(hand, ["elle y avait"], np.random.default_rng(0))
