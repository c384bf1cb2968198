"""What transcribe reads of folders and files of several pages, and where it writes the texts."""

import os
from pathlib import Path

import pytest
from makers import line_image, page_image, save_model
from PIL import Image

from recognizer.cli import main
from recognizer.commands.output_places import OutputPlaces
from recognizer.errors import RecognizerError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("handwriting", tmp_path_factory.mktemp("model") / "model.safetensors")


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["transcribe", *map(str, words)])
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out, said.err


def test_texts_stand_below_out_as_files_stand_below_what_was_named(tmp_path: Path) -> None:
    (tmp_path / "in" / "vol1").mkdir(parents=True)
    places = OutputPlaces(tmp_path / "out", ".txt", [str(tmp_path / "in")], False)
    for name, expected in (
        ("in/vol1/0001.png", "vol1/0001.txt"), ("in/vol2/0001.png", "vol2/0001.txt"), ("in/m.tif[2]", "m[2].txt"),
        ("in/vol1/p.xml", "vol1/p.txt"), ("in/vol1/p.xml#r1.l1", "vol1/p#r1.l1.txt"),
        ("in/s.flac[1-4.5]", "s[1-4.5].txt"), ("in/s.flac[4.5 - 9.75]", "s[4.5 - 9.75].txt"), ("in/[2]", "[2].txt"),
        ("in/a.b [x].png", "a.b [x].txt"), ("in/p.page.xml#a", "p.page#a.txt"),
    ):  # fmt: skip
        assert places.of(str(tmp_path / name)) == tmp_path / "out" / expected
    assert places.of("-") == tmp_path / "out" / "stdin.txt"
    assert places.of("-[2]") == tmp_path / "out" / "stdin[2].txt"
    with pytest.raises(RecognizerError, match="is that of"):
        places.of(str(tmp_path / "in" / "vol1" / "0001.jpg"))


def test_names_that_differ_in_case_are_one_where_the_file_system_says_so(tmp_path: Path) -> None:
    files = [str(tmp_path / "in" / name) for name in ("Scan.jpg", "scan.png")]
    apart = OutputPlaces(tmp_path / "apart", ".txt", files, True)
    assert len({apart.of(name) for name in files}) == 2
    as_one = OutputPlaces(tmp_path / "one", ".txt", files, True)
    as_one.write(files[0], "first")
    if not (tmp_path / "one" / "scan.txt").exists():  # a file system that tells them apart is made to look as if not
        (tmp_path / "one" / "scan.txt").hardlink_to(tmp_path / "one" / "Scan.txt")
    with pytest.raises(RecognizerError, match=r"scan\.txt is that of .*Scan\.jpg, expected files of different names"):
        as_one.write(files[1], "second")
    assert (tmp_path / "one" / "Scan.txt").read_text() == "first"


def test_files_of_several_drives_keep_their_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def commonpath(paths: list[str]) -> str:
        raise ValueError("Paths don't have the same drive")

    monkeypatch.setattr(os.path, "commonpath", commonpath)
    names = [str(tmp_path / folder / "a.png") for folder in ("c", "d")]
    places = OutputPlaces(tmp_path / "out", ".txt", names, False)
    inner = tmp_path.relative_to(tmp_path.anchor)
    assert [places.of(name) for name in names] == [tmp_path / "out" / inner / f"{folder}/a.txt" for folder in "cd"]


def test_a_text_that_is_there_stays_unless_it_is_the_same_or_replacing_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "0.txt").write_text("mine")
    with pytest.raises(RecognizerError, match=r"0\.txt is there already with another text, --overwrite replaces it"):
        OutputPlaces(tmp_path, ".txt", ["0.png"], False).write("0.png", "other")
    assert (tmp_path / "0.txt").read_text() == "mine"
    OutputPlaces(tmp_path, ".txt", ["0.png"], False).write("0.png", "mine")
    OutputPlaces(tmp_path, ".txt", ["0.png"], True).write("0.png", "other")
    assert (tmp_path / "0.txt").read_text() == "other"


def test_a_long_name_of_other_scripts_is_written(tmp_path: Path) -> None:
    name = "\u5b57" * 80
    OutputPlaces(tmp_path, ".txt", [f"{name}.png"], False).write(f"{name}.png", "x")
    assert (tmp_path / f"{name}.txt").read_text() == "x"


def test_every_page_of_a_file_is_read_and_written(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [line_image(text) for text in ("one", "two", "three")]
    pages[0].save(tmp_path / "m.tif", save_all=True, append_images=pages[1:])
    code, _, err = run(capsys, tmp_path / "m.tif", "--model", model, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["m[1].txt", "m[2].txt", "m[3].txt"]


def test_a_line_of_a_page_does_not_take_the_place_of_the_page(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page_image(3).save(tmp_path / "p.png")
    line = '<TextLine id="{}"><Coords points="10,{} 500,{} 500,{} 10,{}"/></TextLine>'
    (tmp_path / "p.xml").write_text(
        '<PcGts xmlns="x"><Page imageFilename="p.png"><TextRegion id="r">'
        + "".join(line.format(name, top, top, top + 50, top + 50) for name, top in (("l1", 10), ("l2", 70)))
        + "</TextRegion></Page></PcGts>"
    )
    words = ("--model", model, "--out", tmp_path / "out")
    assert run(capsys, tmp_path / "p.xml#l1", tmp_path / "p.xml#l2", *words)[0] == 0
    assert run(capsys, tmp_path / "p.xml", *words, "--resume")[0] == 0
    texts = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert texts["p.txt"] == texts["p#l1.txt"] + texts["p#l2.txt"] and len(texts) == 3
    for form in ("page", "alto", "hocr"):  # which name an image, that of a page
        code, out, err = run(capsys, tmp_path / "p.xml#l1", "--model", model, "--format", form)
        assert (code, out) == (2, "") and f"a line of a page, expected the page for {form}: {tmp_path}/p.xml" in err


def test_a_folder_names_what_it_cannot_look_into_and_reads_the_rest(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("in/a.png", "there/b.png", "in/.hidden.png", "in/@eaDir/c.png", "in/p.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        line_image().save(tmp_path / name)
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "there")
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "in" / "p.xml").write_text("")
    code, out, err = run(capsys, tmp_path / "in", "--model", model)
    assert code == 1 and [line.partition("\t")[0][-5:] for line in out.splitlines()] == ["a.png", "b.png"]
    assert "gone.png: a link to" in err and "p.xml: the file is empty" in err and err.count("\n") == 2


def test_xml_that_was_written_here_is_not_read_as_a_page_of_its_own(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line_image().save(tmp_path / "a.png")
    words = (tmp_path, "--model", model, "--out", tmp_path, "--format", "page")
    assert run(capsys, *words)[0] == 0
    first = (tmp_path / "a.page.xml").read_text()
    code, _, err = run(capsys, *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.page.xml", "a.png"]
    assert code in (0, 1) and "a.page.page" not in err and first.count("<TextLine") == 1


def test_what_is_wrong_with_the_image_of_a_page_is_said_once(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (200, 100), 255).save(tmp_path / "p.png")
    line = '<TextLine id="{}"><Coords points="1,1 9,1 9,9"/></TextLine>'
    (tmp_path / "p.xml").write_text(
        '<PcGts xmlns="x"><Page imageFilename="p.png"><TextRegion id="r">'
        + "".join(line.format(name) for name in "abc")
        + "</TextRegion></Page></PcGts>"
    )
    monkeypatch.setenv("RECOGNIZER_MAX_MEGAPIXELS", "0.01")
    code, _, err = run(capsys, tmp_path / "p.xml", "--model", model)
    assert code == 2 and err.count("\n") == 1 and "RECOGNIZER_MAX_MEGAPIXELS=1" in err


def test_what_a_folder_holds_besides_files_is_at_fault_with_resume_as_without(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    for name in ("a.png", "c.png", "sub/b.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        line_image().save(folder / name)
    (folder / "c.pdf").write_bytes(b"%PDF-1.4 x")
    (folder / "sub" / "up").symlink_to("..")
    (folder / "12:30.png").symlink_to("nowhere")
    words = (folder, "--model", model, "--out", tmp_path / "out")
    first, again = run(capsys, *words), run(capsys, *words, "--resume")
    assert first == again and first[0] == 1 and first[2].count("\n") == 3
    assert "12:30.png: a link to 'nowhere'" in first[2] and "c.pdf: PDF is not read" in first[2]
    read = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.txt"))
    assert read == ["a.txt", "c.txt", "sub/b.txt"]


def test_pages_whose_texts_are_there_are_left_out_and_no_others(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [line_image(text) for text in ("one", "two", "three")]
    (tmp_path / "in").mkdir()
    pages[0].save(tmp_path / "in" / "m.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "in" / "m.png")
    words = (tmp_path / "in", "--model", model, "--out", tmp_path / "out", "--resume")
    names = ["m.txt", "m[1].txt", "m[2].txt", "m[3].txt"]
    assert run(capsys, *words) == (0, "", "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    (tmp_path / "out" / "m[2].txt").write_text("corrected")
    third = tmp_path / "out" / "m[3].txt"
    text = third.read_text()
    third.unlink()
    for _ in range(2):
        assert run(capsys, *words) == (0, "", "")
        assert (tmp_path / "out" / "m[2].txt").read_text() == "corrected" and third.read_text() == text


def test_pictures_of_forms_that_are_not_read_are_named_in_a_folder(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line_image("one").save(tmp_path / "a.png")
    for name in ("scan.PDF", "b.tga", "notes.docx"):
        (tmp_path / name).write_bytes(b"%PDF-1.4 x")
    code, out, err = run(capsys, tmp_path, "--model", model)
    assert code == 1 and len(out.splitlines()) == 1
    assert err.count("is not read, expected it as PNG") == 2 and "scan.PDF" in err and "b.tga" in err
