"""Pages on the road: packed as a corpus, evaluated, transcribed, written back into their own XML."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tiny
import torch
from makers import line_image, model_file, save_model
from PIL import Image
from terminal import said
from test_pages import ALTO, PAGE

import recognizer
from recognizer.corpus.store import Store
from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError
from recognizer.evaluation.metrics import total
from recognizer.evaluation.report import score
from recognizer.formats.layout import box_around, layout_of_page
from recognizer.formats.result import make_result
from recognizer.pages.parse import read_page
from recognizer.reading.reader import Reader

TEXTS = ("lox", "ox-", "x-l")
STEP, LEFT = 40, 10  # pixels from line to line, and before each


def write_page(folder: Path, name: str = "p", form: str = "page", texts: tuple[str, ...] = TEXTS) -> Path:
    """Write a page of lines of the tiny script, in PAGE XML or ALTO, beside its image."""
    folder.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", (200, 40 + STEP * len(texts)), 240)
    lines = ""
    for i, text in enumerate(texts):
        drawn = tiny.draw_line(text or "o", np.random.default_rng(i))
        top = 20 + STEP * i
        image.paste(drawn, (LEFT, top))
        right, bottom = LEFT + drawn.width, top + drawn.height
        if form == "page":
            corners = f"{LEFT},{top} {right},{top} {right},{bottom} {LEFT},{bottom}"
            said = f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv>" if text else ""
            lines += (
                f'<TextLine id="l{i}" custom="kept {i}"><Coords points="{corners}"/>'
                f'<Baseline points="{LEFT},{bottom - 3} {right},{bottom - 3}"/>{said}<TextStyle/></TextLine>'
            )
        else:
            box = f'HPOS="{LEFT}" VPOS="{top}" WIDTH="{drawn.width}" HEIGHT="{drawn.height}"'
            said = f'<String CONTENT="{text}"/>' if text else ""
            lines += f'<TextLine ID="l{i}" TAGREFS="kept{i}" BASELINE="{bottom - 3}" {box}>{said}</TextLine>'
    image.save(folder / f"{name}.png")
    if form == "page":
        region = '<!-- by hand --><TextRegion id="r1"><TextEquiv><Unicode>old text</Unicode></TextEquiv></TextRegion>'
        xml = PAGE.format(region.replace("<TextEquiv>", lines + "<TextEquiv>", 1))
    else:
        xml = ALTO.format(lines)
    xml = (
        xml.replace("p.png", f"{name}.png")
        .replace('eight="100"', f'eight="{image.height}"')
        .replace('EIGHT="100">', f'EIGHT="{image.height}">')
    )
    (folder / f"{name}.xml").write_text(xml, encoding="utf-8")
    return folder / f"{name}.xml"


def test_a_folder_of_pages_is_a_corpus_of_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_page(tmp_path / "in/train", "a")
    write_page(tmp_path / "in/train", "b", "alto", ("lo", "", "x"))
    write_page(tmp_path / "in/valid", "c", texts=("x",))
    (tmp_path / "in/train/mets.xml").write_text("<mets/>")
    (tmp_path / "in/train/d.xml").write_text(PAGE.format("<TextRegion>"))
    Image.new("L", (30, 30), 255).save(tmp_path / "in/train/cover.png")
    code, out, err = said(capsys, "prepare", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 1
    assert "train: 5 samples, 12 characters" in out and "valid: 1 samples, 1 characters" in out
    assert "left out: 1 (line without text)" in out and "left out: 1 (XML that is broken)" in out
    assert "noted: 1 (XML that is no page)" in out and "noted: 1 (image that no page describes)" in out
    assert "d.xml" in err and "mismatched tag" in err and len(err.splitlines()) == 1
    store = Store(tmp_path / "out")
    assert [Path(name).name for name in store.column("path")] == [
        *(f"a.xml#l{i}" for i in range(3)), "b.xml#l0", "b.xml#l2", "c.xml#l0",
    ]  # fmt: skip
    assert store.column("group") == ["train/a"] * 3 + ["train/b"] * 2 + ["valid/c"]
    assert len({store.digest(i) for i in range(len(store))}) == len(store)


def test_what_is_called_xml_and_is_none_is_read_by_its_content_or_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    folder = tmp_path / "folder"
    folder.mkdir()
    line_image("a line").save(folder / "a.xml", "PNG")
    (folder / "b.xml").write_text("no XML at all")
    (folder / "c.xml").write_text("<html/>")
    code, out, err = said(capsys, "transcribe", folder, "--model", model)
    assert code == 1 and out.startswith(f"{folder / 'a.xml'}\t") and out.count("\n") == 1
    assert err.startswith(f"recognizer: {folder / 'b.xml'}: ") and err.count("\n") == 1


def test_empty_xml_and_a_broken_link_beside_pages_are_left_out_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pages"
    write_page(folder)
    (folder / "empty.xml").write_bytes(b"")
    (folder / "away").symlink_to(tmp_path / "gone")
    code, out, err = said(capsys, "prepare", folder, "--out", tmp_path / "packed")
    assert code == 1 and "empty.xml: an empty file" in err and "away: a link to" in err
    assert len(Store(tmp_path / "packed")) > 0


def test_pages_without_folders_of_splits_are_dealt_out_whole(tmp_path: Path) -> None:
    for i in range(10):
        write_page(tmp_path / "in", f"p{i}")
    store = Store(tiny.pack(tmp_path / "in", tmp_path / "out"))
    of_page: dict[str, set[str]] = {group: set() for group in store.column("group")}
    for group, split in zip(store.column("group"), store.column("split"), strict=True):
        of_page[group].add(split)
    assert all(len(splits) == 1 for splits in of_page.values())
    assert sorted(next(iter(splits)) for splits in of_page.values()) == ["test", *["train"] * 8, "valid"]


def test_a_line_of_a_page_stands_in_a_manifest_as_file_and_id(tmp_path: Path) -> None:
    write_page(tmp_path, "a")
    (tmp_path / "manifest.tsv").write_text("file\ttext\na.xml#l1\tox-\n")
    store = Store(tiny.pack(tmp_path / "manifest.tsv", tmp_path / "out"))
    whole = Store(tiny.pack(tmp_path / "a.xml", tmp_path / "whole"))
    assert np.array_equal(store.signal(0), whole.signal(1))


AT_FAULT = {
    "one image on two pages": "describes a.png, as",
    "a transcript beside": "expected one form of transcripts",
    "no line with text": "lines without text, expected transcribed ones",
}


@pytest.mark.parametrize("name", AT_FAULT)
def test_a_folder_at_fault_is_refused(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_page(tmp_path / "in", "a", texts=("",) if name.startswith("no line") else TEXTS)
    if name.startswith("one image"):
        path.with_name("b.xml").write_text(path.read_text())
    if name.startswith("a transcript"):
        path.with_suffix(".gt.txt").write_text("lox")
    code, _, err = said(capsys, "prepare", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 2 and AT_FAULT[name] in err and len(err.splitlines()) == 1


def test_a_page_is_read_as_its_lines_are_read_alone_and_as_evaluate_reads_them(
    tmp_path: Path, line_run: tiny.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_page(tmp_path)
    model = line_run.folder / "model.safetensors"
    reader = Reader.load(model)
    lines = reader.transcribe_page(path)
    assert [line.id for line, _ in lines] == ["l0", "l1", "l2"]
    for i, (_, found) in enumerate(lines):
        alone = reader.transcribe(f"{path}#l{i}")
        assert found.text == alone.text and found.confidence == pytest.approx(alone.confidence, abs=1e-4)
    code, out, err = said(capsys, "transcribe", path, "--model", model)
    assert (code, err) == (0, "") and out.split("\n")[:-1] == [found.text for _, found in lines]
    scores = [
        score("", "", text, found.text, 0.0, reader.alphabet) for text, (_, found) in zip(TEXTS, lines, strict=True)
    ]
    rate = total(one.characters for one in scores).rate
    said(capsys, "evaluate", model, path, "--split", "all", "--json", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["cer"] == pytest.approx(rate)


def test_lines_of_many_pages_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    pages = [write_page(tmp_path / "in", name, form) for name, form in (("a", "page"), ("b", "alto"))]
    code, out, err = said(capsys, "transcribe", tmp_path / "in", "--model", model)
    assert (code, err) == (0, "")
    assert [row.partition("\t")[0] for row in out.splitlines()] == [f"{p}#l{i}" for p in pages for i in range(3)]
    code, out, _ = said(capsys, "transcribe", pages[0], "--model", model, "--json")
    assert [json.loads(row)["file"] for row in out.splitlines()] == [f"{pages[0]}#l{i}" for i in range(3)]
    said(capsys, "transcribe", tmp_path / "in", "--model", model, "--out", tmp_path / "out")
    assert [len((tmp_path / f"out/{name}.txt").read_text().split("\n")) for name in "ab"] == [4, 4]


def test_a_line_at_fault_does_not_stop_its_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    folder = tmp_path / "letter"  # beside no folder of images
    folder.mkdir()
    path = write_page(folder)
    xml = path.read_text()
    path.write_text(xml.replace(xml[xml.index("<Coords") : xml.index("/>") + 2], "", 1))
    code, out, err = said(capsys, "transcribe", path, "--model", model)
    assert code == 1 and len(out.splitlines()) == 2
    assert err == f"recognizer: {path}#l0: the page names no outline of this line, expected one\n"
    (folder / "p.png").unlink()
    code, out, err = said(capsys, "transcribe", path, "--model", model)
    assert (code, out) == (2, "") and "its image 'p.png' is neither beside it" in err and err.count("\n") == 1


def test_a_whole_page_where_one_line_is_wanted_is_refused_with_the_name_of_one(tmp_path: Path) -> None:
    path = write_page(tmp_path)
    model = recognizer.load(save_model("handwriting", tmp_path / "model.safetensors"))
    with pytest.raises(RecognizerError, match="a page of 3 lines, expected one of them, such as .*p.xml#l0"):
        model.transcribe(path)
    with pytest.raises(RecognizerError, match="no line 'l9', it has 3"):
        model.transcribe(f"{path}#l9")


def test_a_page_of_another_size_than_its_image_is_scaled_and_of_another_shape_refused(tmp_path: Path) -> None:
    path = write_page(tmp_path)
    reader = Reader.load(save_model("handwriting", tmp_path / "model.safetensors"))
    once = reader.signal(f"{path}#l1").values
    image = Image.open(tmp_path / "p.png").copy()
    image.resize((image.width * 2, image.height * 2)).save(tmp_path / "p.png")
    twice = reader.signal(f"{path}#l1").values
    assert abs(len(once) - len(twice)) < 0.05 * len(once) and abs(once.mean() - twice.mean()) < 5
    image.resize((image.width * 2, image.height)).save(tmp_path / "p.png")
    with pytest.raises(RecognizerError, match="expected the image that the XML was made of"):
        reader.signal(f"{path}#l1")


@pytest.mark.parametrize(
    ("direction", "box"), [("ltr", (17, 20, 47, 36)), ("rtl", (17, 20, 47, 36)), ("ttb", (10, 21, 50, 35))]
)
def test_places_in_a_line_of_a_page_are_places_on_the_page_in_every_direction(
    tmp_path: Path, direction: str, box: tuple[int, int, int, int]
) -> None:
    made = model_file("handwriting")
    made.settings.signal["direction"] = direction
    page, (signal, *_) = Reader(made, torch.device("cpu")).named_page(write_page(tmp_path))
    begin, end = signal.place(0.0), signal.place(float(len(signal.values)))
    assert (begin > end) == (direction == "rtl") and signal.vertical == (direction == "ttb")
    word = Span("x", min(begin, end), max(begin, end), 1.0)  # all of the ink, in the outline 10, 20, 50, 36
    read = make_result(str(page.name_of(page.lines[0])), Hypothesis("x", 1.0, (), (word,)), signal)
    assert box_around(layout_of_page(page, [read]).lines[0].words[0]) == box


@pytest.mark.parametrize("form", ["page", "alto"])
def test_readings_go_into_the_pages_own_xml_which_keeps_all_else(
    tmp_path: Path, line_run: tiny.Run, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_page(tmp_path, form=form)
    model = line_run.folder / "model.safetensors"
    wanted = [found for _, found in Reader.load(model).transcribe_page(path)]
    code, out, err = said(capsys, "transcribe", path, "--model", model, "--format", form)
    assert (code, err) == (0, "")
    made = path.with_name("q.xml")
    made.write_text(out, encoding="utf-8")
    before, after = read_page(path), read_page(made)
    assert [line.area for line in after.lines] == [line.area for line in before.lines]
    assert [(line.text or "").split() for line in after.lines] == [found.text.split() for found in wanted]
    assert all(f"kept {i}" in out or f"kept{i}" in out for i in range(3)) and "old text" not in out
    if form == "page":
        assert "<!-- by hand -->" in out and out.count("<TextStyle") == 3
        region = "\n".join(found.text for found in wanted)
        assert f"<Unicode>{region}</Unicode>\n      </TextEquiv>\n    </TextRegion>" in out
    tag = "Word" if form == "page" else "String"
    words = [element for element in ElementTree.fromstring(out).iter() if element.tag.endswith("}" + tag)]
    assert len(words) == sum(len(found.words) for found in wanted)


def test_a_page_whose_namespace_has_a_prefix_keeps_it_readable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_model("handwriting", tmp_path / "model.safetensors")
    for prefix in ("ns2", "page"):
        path = write_page(tmp_path)
        xml = re.sub(r"<(/?)(?=[A-Z])", rf"<\1{prefix}:", path.read_text()).replace("xmlns=", f"xmlns:{prefix}=")
        path.write_text(xml)
        code, out, err = said(capsys, "transcribe", path, "--model", model, "--format", "page")
        assert (code, err) == (0, "")
        path.with_name("q.xml").write_text(out, encoding="utf-8")
        assert [line.id for line in read_page(path.with_name("q.xml")).lines] == ["l0", "l1", "l2"]


@pytest.mark.parametrize(("form", "other"), [("page", "alto"), ("alto", "page"), ("page", "hocr"), ("alto", "hocr")])
def test_a_page_is_written_in_another_form_with_its_lines(
    tmp_path: Path, form: str, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_page(tmp_path, form=form)
    model = save_model("handwriting", tmp_path / "model.safetensors")
    code, out, err = said(capsys, "transcribe", path, "--model", model, "--format", other)
    assert (code, err) == (0, "")
    if other == "hocr":
        lines = [e for e in ElementTree.fromstring(out).iter() if e.get("class") == "ocr_line"]
        assert [line.get("id") for line in lines] == ["l0", "l1", "l2"]
    else:
        path.with_name("q.xml").write_text(out, encoding="utf-8")
        before, after = read_page(path), read_page(path.with_name("q.xml"))
        assert [(line.id, line.area) for line in after.lines] == [(line.id, line.area) for line in before.lines]
        assert (after.image, after.size) == (before.image, before.size)
    code, _, err = said(capsys, "transcribe", path, "--model", model, "--format", "srt")
    assert code == 2 and "its places are in px, expected a recording for srt" in err


@pytest.mark.slow
def test_real_pages_are_cut_and_read(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = {path.stem: read_page(path).lines for path in (shared / "pages").rglob("*.xml")}
    assert {name: len(found) for name, found in lines.items()} == {
        "01R_P1S8P1_004": 13, "JDH_2_16_177_003": 25, "JDH_2_16_196_003": 25,
        "imp_wikitexte_0126": 20, "imp_wikitexte_0184": 21,
    }  # fmt: skip
    code, out, err = said(
        capsys, "evaluate", "handwriting", shared / "pages", "--split", "all", "--json", tmp_path / "report.json"
    )
    assert code == 0 and "samples 104, skipped 0" in out
    assert json.loads((tmp_path / "report.json").read_text())["cer"] < 0.1
