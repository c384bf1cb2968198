"""A transcript of a page finds the lines that it stands on."""

import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from terminal import said

from recognizer.pages.parse import read_page
from recognizer.reading.page_alignment import matched_lines

LINES = (
    "une journée de pluie",
    "les jardins de la ville",
    "le maire et son fils",
    "un cheval sur la route",
    "dans la maison",
    "je vous remercie",
    "monsieur le docteur",
)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Draw a page of LINES."""
    page = Image.new("L", (900, 1100), 255)
    font = ImageFont.load_default(44)
    for number, text in enumerate(LINES):
        ImageDraw.Draw(page).text((60, 60 + 140 * number), text, font=font, fill=0)
    page.save(tmp_path / "page.png")
    return tmp_path / "page.png"


@pytest.mark.parametrize(
    ("read", "said", "pairs"),
    [
        (["abcd", "efgh"], ["abcd", "efgh"], [(0, 0), (1, 1)]),
        (["abxd", "exgh"], ["abcd", "efgh"], [(0, 0), (1, 1)]),
        (["abcd", "noise", "efgh"], ["abcd", "efgh"], [(0, 0), (2, 1)]),
        (["efgh"], ["abcd", "efgh", "ijkl"], [(0, 1)]),
        (["abcd"], ["wxyz"], []),
        (["abcd", "abcd"], ["abcd"], [(0, 0)]),
        ([""], ["abcd"], []),
    ],
)
def test_lines_are_paired_in_order_and_by_likeness(
    read: list[str], said: list[str], pairs: list[tuple[int, int]]
) -> None:
    assert matched_lines(read, said) == pairs


def test_a_line_apart_costs_what_three_tenths_of_it_do() -> None:
    near, far = "abcdexxxxx", "abcdxxxxxx"  # of abcdefghij: five and six edits of ten
    assert matched_lines([near], ["abcdefghij"]) == [(0, 0)]
    assert matched_lines([far[:3] + "xxxxxxx"], ["abcdefghij"]) == []


def test_a_transcript_and_an_image_make_a_page_to_learn_from(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = image.with_name("text.txt")
    text.write_text("\n".join(["the heading", *LINES[:3], "", *LINES[4:]]) + "\n", encoding="utf-8")
    code, out, err = said(capsys, "align", image, "--lines", text, "--model", "handwriting", "--format", "page")
    assert code == 1 and len(err.splitlines()) == 2
    assert f"{text}:1: 'the heading' is on no line" in err and f"{image}#line_4: " in err
    image.with_suffix(".xml").write_text(out, encoding="utf-8")
    page = read_page(image.with_suffix(".xml"))
    assert [line.text for line in page.lines] == [*LINES[:3], *LINES[4:]]
    code, out, _ = said(capsys, "prepare", image.with_suffix(".xml"), "--out", image.parent / "out")
    samples = [int(number) for number in re.findall(r"^\w+: (\d+) samples", out, re.MULTILINE)]
    assert code == 0 and sum(samples) == 6, out  # of a single page, its lines are dealt out one by one
    code, out, _ = said(capsys, "align", image.with_suffix(".xml"), "--lines", text, "--model", "handwriting")
    assert code == 1 and [row.split("\t")[2] for row in out.splitlines()] == [*LINES[:3], *LINES[4:]]


def test_a_transcript_of_something_else_is_refused(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = image.with_name("text.txt")
    for content, complaint in (("QQQQ ZZZZ XXXX\n", "none of its lines is like"), ("\n \n", "no line of text")):
        text.write_text(content, encoding="utf-8")
        code, _, err = said(capsys, "align", image, "--lines", text, "--model", "handwriting")
        assert code == 2 and complaint in err and err.count("\n") == 1
    code, _, err = said(capsys, "align", image, "--model", "handwriting")
    assert code == 2 and "--text" in err and "--lines" in err
