"""Line images as other tools and cameras make them: black around them, dark edges, light on dark, skewed."""

import math

import numpy as np
import pytest
from makers import line_image
from PIL import Image

from recognizer.inputs.lines.image import HandwritingSettings, line_from_array
from recognizer.inputs.lines.skew import levelled, skew_of
from recognizer.inputs.lines.surround import without_surround

TEXT = "the lines of a page that other tools have cut"


@pytest.fixture(scope="module")
def line() -> np.ndarray:
    return np.pad(np.asarray(line_image(TEXT)), 6, constant_values=255)


def polygon(line: np.ndarray, outside: int) -> np.ndarray:
    """Return a line with what is outside a wavy polygon around its writing of one value."""
    rows, columns = line.shape
    wave = 4 + 3 * np.sin(np.arange(columns) / 40)
    row = np.arange(rows)[:, None]
    return np.where((row > wave) & (row < rows - wave), line, np.uint8(outside)).astype(np.uint8)


def framed(line: np.ndarray, value: int, share: float = 0.5) -> np.ndarray:
    return np.pad(line, int(len(line) * share), constant_values=value)


def dark_edges(line: np.ndarray) -> np.ndarray:
    """Return a line with the noisy dark lid of a scanner above it and to its right."""
    lid = np.pad(line, ((20, 0), (0, 30)), constant_values=20).astype(float)
    return np.clip(lid + np.random.default_rng(1).normal(0, 5, lid.shape), 0, 255).astype(np.uint8)


def ink_share(grey: np.ndarray) -> float:
    return float((grey < 128).mean())


CUT = {
    "black outside a polygon": lambda line: framed(polygon(line, 0), 0, 0.3),
    "black outside, yellowed paper": lambda line: framed(polygon((line * 0.75).astype(np.uint8), 0), 0, 0.3),
    "a black frame": lambda line: framed(line, 0),
    "the lid of a scanner": dark_edges,
}


@pytest.mark.parametrize("how", CUT)
def test_a_dark_surround_becomes_paper_and_the_writing_stays(how: str, line: np.ndarray) -> None:
    freed = without_surround(CUT[how](line))
    assert freed.notes == ("dark surround, taken for paper",)
    assert ink_share(freed.grey) == pytest.approx(ink_share(line), rel=0.35)
    edge = np.concatenate([freed.grey[0], freed.grey[-1], freed.grey[:, 0], freed.grey[:, -1]])
    assert (edge < 128).mean() < 0.02


@pytest.mark.parametrize("darkest", [0.3, 0.45, 0.6])
@pytest.mark.parametrize("side", [1, -1])
def test_a_shadow_is_no_surround(darkest: float, side: int, line: np.ndarray) -> None:
    light = np.linspace(1.0, darkest, line.shape[1])[::side] * np.linspace(1.0, 0.8, len(line))[:, None]
    noise = np.random.default_rng(1).normal(0, 6, line.shape)
    shaded = np.clip(line * light + noise, 0, 255).astype(np.uint8)
    assert without_surround(shaded).grey is shaded


def test_dark_on_light_is_left_as_it_is_and_light_on_dark_is_inverted(line: np.ndarray) -> None:
    assert without_surround(line).grey is line
    inverted = without_surround(255 - line)
    assert inverted.notes == ("light on dark, inverted",)
    assert np.array_equal(inverted.grey, line)


@pytest.mark.parametrize("margin", [0.05, 0.3, 0.8])
def test_light_on_dark_paper_that_stands_on_white_is_inverted(margin: float, line: np.ndarray) -> None:
    freed = without_surround(framed(polygon(255 - line, 255), 255, margin))
    assert freed.notes == ("light on dark, inverted",)
    rows, columns = freed.grey.shape
    assert ink_share(freed.grey) * rows * columns == pytest.approx(ink_share(line) * line.size, rel=0.35)


@pytest.mark.parametrize("slope", [-0.1, 0.06])
def test_light_writing_on_a_dark_strip_that_climbs_is_inverted(slope: float, line: np.ndarray) -> None:
    strip = framed(polygon(255 - line, 255), 255, 0.1)
    steps = np.rint(slope * np.arange(strip.shape[1])).astype(int)
    steps -= steps.min()
    climbing = np.full((len(strip) + int(steps.max()), strip.shape[1]), 255, np.uint8)
    for column, step in enumerate(steps):
        climbing[step : step + len(strip), column] = strip[:, column]
    assert without_surround(climbing).notes == ("light on dark, inverted",)


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.5])
def test_dark_writing_on_grey_paper_that_stands_on_white_is_not_inverted(margin: float, line: np.ndarray) -> None:
    freed = without_surround(framed(polygon((20 + line * 0.35).astype(np.uint8), 255), 255, margin))
    assert freed.notes == ("light surround, taken for paper",)
    assert freed.grey.max() < 120 and np.median(freed.grey) == 109
    assert (freed.grey < 60).sum() == pytest.approx((line < 114).sum(), rel=0.2)


@pytest.mark.parametrize("gap", [4, 10])
def test_letters_that_are_bold_are_no_dark_paper(gap: int) -> None:
    bar, letter = 12, np.zeros((48, 36), bool)  # an E, an H, an O
    letter[:, :bar] = True
    e, h, o = letter.copy(), letter.copy(), letter.copy()
    e[:bar] = e[18:30] = e[-bar:] = True
    h[18:30] = h[:, -bar:] = True
    o[:bar] = o[-bar:] = o[:, -bar:] = True
    word = np.concatenate([np.pad(part, ((0, 0), (0, gap))) for part in (e, h, o, e, h, o)], axis=1)
    image = np.where(np.pad(word, 12), 0, 255).astype(np.uint8)
    assert without_surround(image).grey is image


def test_a_solid_bar_holds_no_writing() -> None:
    bar = np.pad(np.zeros((30, 300), np.uint8), 20, constant_values=255)
    assert without_surround(bar).grey is bar


def test_a_bold_word_in_the_middle_of_white_is_no_dark_paper() -> None:
    word = np.full((64, 160), 255, np.uint8)
    word[20:44, 50:70] = word[26:38, 66:110] = word[20:44, 100:112] = 0
    assert without_surround(word).grey is word


def test_an_empty_sheet_gets_no_notes() -> None:
    assert without_surround(np.full((40, 300), 90, np.uint8)).notes == ()


def test_places_count_in_the_pixels_of_the_file(line: np.ndarray) -> None:
    margin = 60
    signal = line_from_array(np.pad(line, ((9, 9), (margin, 0))), HandwritingSettings())
    assert signal.extent == line.shape[1] + margin
    assert signal.place(0.0) == pytest.approx(margin, abs=4)
    assert signal.place(len(signal.values)) == pytest.approx(signal.extent, abs=1)


@pytest.mark.parametrize("degrees", [-8.0, -4.0, 4.0, 8.0])
def test_a_skewed_line_is_levelled_and_said_to_be(degrees: float, line: np.ndarray) -> None:
    turned = Image.fromarray(line).rotate(-degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=255)
    skewed = np.asarray(turned)
    assert math.degrees(math.atan(skew_of(skewed))) == pytest.approx(degrees, abs=0.7)
    level = levelled(skewed)
    assert abs(skew_of(level.grey)) < 0.02
    assert level.grey.shape[1] == skewed.shape[1]
    assert len(level.grey) < 1.4 * len(line)
    assert any("levelled" in note for note in line_from_array(skewed, HandwritingSettings()).notes)
    assert not line_from_array(skewed, HandwritingSettings(), cut_from_page=True).notes


def test_a_level_line_stays_as_it_is(line: np.ndarray) -> None:
    assert skew_of(line) == 0.0
    assert levelled(line).grey is line


def test_every_real_line_is_left_level(shared: object) -> None:
    """Of the corpora's lines, which people levelled or wrote level, none is turned."""
    from pathlib import Path

    folder = Path(str(shared)) / "corpora" / "hooker" / "lines"
    turned = 0
    paths = sorted(folder.iterdir())[::60]
    for path in paths:
        with Image.open(path) as image:
            turned += levelled(np.asarray(image.convert("L"))).degrees != 0
    assert turned <= 0.02 * len(paths)
