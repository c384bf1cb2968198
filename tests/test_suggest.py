"""Tests of what to transcribe next."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from made_pages import demo_lines
from makers import save_model
from PIL import Image
from terminal import code_of, said
from test_pages_road import write_page

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.evaluation.suggestion import Candidate, candidate_of, suggest
from recognizer.inputs.lines.style import BANDS, DIRECTIONS, style_of
from recognizer.inputs.signal import Signal


def candidate(name: str, wrong: float, *style: float, lines: int = 1) -> Candidate:
    return Candidate(name, lines, 100, wrong, np.array(style))


def names(candidates: list[Candidate], seen: list[np.ndarray], number: int = 9) -> list[str]:
    return [one.candidate.name for one in suggest(candidates, seen, number)]


def test_the_worst_page_comes_first_and_its_likeness_waits() -> None:
    pages = [candidate("a", 30.0, 1, 0), candidate("a again", 29.0, 1, 0.01), candidate("b", 20.0, 0, 1)]
    assert names(pages, []) == ["a", "b", "a again"]
    assert names(pages, [], 1) == ["a"]


def test_what_was_learned_already_waits() -> None:
    pages = [candidate("known", 30.0, 1, 0), candidate("new", 20.0, 0, 1)]
    assert names(pages, [np.array([1.0, 0.0])]) == ["new", "known"]


def test_pages_are_compared_by_the_line_since_a_line_is_what_is_typed() -> None:
    assert names([candidate("long", 60.0, 1, 0, lines=30), candidate("short", 8.0, 1, 0)], []) == ["short", "long"]


def test_confidences_say_how_much_is_wrong_and_an_empty_reading_counts() -> None:
    spans = tuple(Span("x", 0.0, 1.0, confidence) for confidence in (0.5, 0.75, 1.0))
    signal = Signal(np.full((20, 16), 255, np.uint8), 20.0, "px")
    found = candidate_of("p", [signal, signal], [Hypothesis("xxx", 0.5, spans), Hypothesis("", 0.0)])
    assert (found.lines, found.characters, found.wrong) == (2, 4, 0.25 + 0.5 + 1.0)
    assert found.expected_cer == pytest.approx(1.75 / 4)


def test_hands_of_another_slant_are_farther_than_two_lines_of_one() -> None:
    def line(slant: float, phase: int) -> np.ndarray:
        at, row = np.meshgrid(np.arange(200), np.arange(48), indexing="ij")
        return np.where((at + phase + slant * row) % 16 < 4, 0, 255).astype(np.uint8)

    upright, again, slanted = (style_of(line(*one)) for one in ((0.0, 0), (0.0, 5), (0.8, 0)))
    assert upright.shape == (BANDS * DIRECTIONS,) and np.linalg.norm(upright) == pytest.approx(1.0)
    assert np.linalg.norm(upright - again) < 0.2 * np.linalg.norm(upright - slanted)
    assert not style_of(np.full((30, 48), 255, np.uint8)).any()


def test_an_image_of_a_line_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    text, image = demo_lines("test")[0]
    image.save(tmp_path / "line.png")
    for number, more in enumerate(([], ["--lines"])):
        names = tmp_path / f"{number}.txt"
        code, out, err = said(capsys, "suggest", model, tmp_path / "line.png", *more, "--list", names)
        assert (code, err) == (0, "") and text and out.splitlines()[1].split()[2] == "1"
        assert names.read_text() == f"{tmp_path / 'line.png'}\n"


def test_a_name_that_is_no_utf_8_is_listed_as_it_is(tmp_path: Path) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    line = tmp_path / os.fsdecode(b"caf\xe9.png")
    demo_lines("test")[0][1].save(tmp_path / "line.png")
    (tmp_path / "line.png").rename(line)
    assert code_of("suggest", model, line, "--list", tmp_path / "list.txt") == 0
    assert (tmp_path / "list.txt").read_bytes() == os.fsencode(line) + b"\n"


def test_pages_are_ranked_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    paths = [str(write_page(tmp_path / "pages", name)) for name in "ab"]
    (tmp_path / "pages" / "c.xml").write_text("<PcGts>", encoding="utf-8")
    code, out, err = said(capsys, "suggest", model, tmp_path / "pages", "--list", tmp_path / "list.txt")
    assert code == 1 and "left out" in err and "c.xml" in err
    assert sorted((tmp_path / "list.txt").read_text().splitlines()) == paths
    assert "expected CER" in out and len(out.splitlines()) == 3
    code, out, _ = said(capsys, "suggest", model, paths[0], "--lines", "--number", 2)
    assert code == 0 and out.count("#l") == 2


def test_two_pages_of_one_image_are_not_ranked_as_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    path = write_page(tmp_path / "pages")
    (tmp_path / "pages" / "alto").mkdir()
    twin = Path(shutil.copy(path, tmp_path / "pages" / "alto" / "p.xml"))
    code, out, err = said(capsys, "suggest", model, tmp_path / "pages")
    assert code == 2 and out == "" and f"{path}: describes p.png, as {twin} does" in err and err.count("\n") == 1
    code, out, _ = said(capsys, "suggest", model, tmp_path / "pages" / "alto")
    assert code == 0 and len(out.splitlines()) == 2


def test_what_is_named_is_ranked_or_named_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    path = write_page(tmp_path / "pages")
    scan = tmp_path / "two.tif"
    with Image.open(next(path.parent.glob("*.png"))) as page:
        page.save(scan, save_all=True, append_images=[page])
    (tmp_path / "notes.txt").write_text("no page")
    code, out, err = said(capsys, "suggest", model, path, f"{scan}[2]", tmp_path / "notes.txt")
    assert code == 1 and err.startswith(f"left out: {tmp_path / 'notes.txt'}: ") and err.count("\n") == 1
    assert {line.split()[-1] for line in out.splitlines()[1:]} == {str(path), f"{scan}[2]"}


def test_a_link_that_leads_nowhere_is_named_and_the_pages_are_ranked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    folder = write_page(tmp_path / "pages").parent
    (folder / "README.md").symlink_to("nowhere")
    code, out, err = said(capsys, "suggest", model, folder)
    assert code == 1 and len(out.splitlines()) == 2
    assert err == f"left out: {folder / 'README.md'}: a link to 'nowhere', which is not there\n"


def test_nothing_to_rank_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    code, _, err = said(capsys, "suggest", model, tmp_path / "nowhere")
    assert code == 2 and "no such file" in err
    (tmp_path / "empty").mkdir()
    code, _, err = said(capsys, "suggest", model, tmp_path / "empty")
    assert code == 2 and "expected pages" in err
