"""Pages of an image that holds several go the whole way: read, written as XML, read by it, learned from."""

import shutil
from pathlib import Path

import pytest
from made_pages import MadeLine, write_page
from PIL import Image
from terminal import said
from web_client import id_of, read, serving

from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError
from recognizer.pages.image_lookup import find_image


@pytest.fixture
def tiff(tmp_path: Path) -> tuple[Path, list[list[MadeLine]]]:
    """Return a TIFF of two pages of six lines, and what stands on each."""
    made = [write_page(tmp_path / f"p{number}", number, lines=6, xml=False) for number in (1, 2)]
    first, second = (Image.open(tmp_path / f"p{number}.jpg") for number in (1, 2))
    (tmp_path / "scans").mkdir()
    first.save(tmp_path / "scans" / "two.tif", save_all=True, append_images=[second])
    return tmp_path / "scans" / "two.tif", made


@pytest.mark.parametrize("form", ["page", "alto"])
def test_what_is_written_of_each_page_is_read_and_learned_from(
    form: str, tiff: tuple[Path, list[list[MadeLine]]], capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = tiff
    code, out, _ = said(capsys, "transcribe", path)
    assert code == 0 and len(texts := [line.split("\t")[-1] for line in out.splitlines()]) == 12
    assert said(capsys, "transcribe", path, "--format", form, "--out", path.parent)[0] == 0
    files = [path.with_name(f"two[{number}].{form}.xml") for number in (1, 2)]
    for number, file in enumerate(files):
        code, out, _ = said(capsys, "transcribe", file)
        assert (code, out.splitlines()) == (0, texts[6 * number : 6 * number + 6])
    code, _, err = said(capsys, "prepare", path.parent, "--out", path.parent.parent / "packed")
    assert code == 0, err
    store = Store(path.parent.parent / "packed")
    assert sorted(store.text(i) for i in range(len(store))) == sorted(texts)
    assert len({store.digest(i) for i in range(len(store))}) == 12


def test_a_document_for_each_page_goes_into_a_folder(
    tiff: tuple[Path, list[list[MadeLine]]], capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = tiff
    code, out, err = said(capsys, "transcribe", path, "--format", "page")
    assert code == 1 and out.count("<?xml") == 1
    assert err.splitlines()[-1] == (
        f"recognizer: {path}[2]: --format page is a document for each page, expected --out with a folder for them"
    )


def test_the_browser_shows_reads_and_keeps_each_page(
    tiff: tuple[Path, list[list[MadeLine]]], capsys: pytest.CaptureFixture[str]
) -> None:
    path, made = tiff
    said(capsys, "transcribe", path, "--format", "page", "--out", path.parent)
    for number in (1, 2):  # as if another program had corrected them: they are pages of their own then
        file = path.with_name(f"two[{number}].page.xml")
        file.write_text(file.read_text().replace("<!-- recognizer ", "<!-- corrected "))
        shutil.move(file, path.with_name(f"two-{number}.xml"))
    with serving(path.parent) as client:
        for number in (1, 2):
            draft = read(client, f"two-{number}.xml")
            assert len(draft["lines"]) == len(made[number - 1])
            picture = client.get(f"/api/files/{id_of(client, f'two-{number}.xml')}/image")
            assert picture.status_code == 200 and picture.headers["content-type"] == "image/jpeg"


def test_a_page_that_is_called_so_by_a_file_of_its_own_is_that_file(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif", "b.tif[2]"):
        (tmp_path / name).touch()
    (tmp_path / "a.xml").touch()
    assert find_image(tmp_path / "a.xml", "a.tif[2]").path == tmp_path / "a.tif[2]"
    assert find_image(tmp_path / "a.xml", "b.tif[2]").path == tmp_path / "b.tif[2]"
    (tmp_path / "in" / "a folder" / "of its own").mkdir(parents=True)
    away = tmp_path / "in" / "a folder" / "of its own" / "away.xml"
    with pytest.raises(RecognizerError, match=r"its image 'away\.tif' is neither"):
        find_image(away, "away.tif[2]")


def test_of_an_image_the_pages_that_no_xml_describes_are_read_too(
    tiff: tuple[Path, list[list[MadeLine]]], capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = tiff
    assert said(capsys, "transcribe", path, "--format", "page", "--out", path.parent)[0] == 0
    described = path.with_name("two[1].page.xml")
    described.write_text(described.read_text().replace("<!-- recognizer ", "<!-- corrected "))
    path.with_name("two[2].page.xml").unlink()
    code, out, _ = said(capsys, "transcribe", path.parent)
    assert code == 0 and len(out.splitlines()) == 12
    code, out, _ = said(capsys, "suggest", "handwriting", path.parent)
    assert code == 0
    assert sorted(line.split()[-1] for line in out.splitlines()[1:]) == [f"{path}[2]", str(described)]
    whole = path.with_name("two.xml")
    described.rename(whole)
    whole.write_text(whole.read_text().replace("two.tif[1]", "two.tif"))
    code, out, err = said(capsys, "transcribe", path.parent)
    assert code == 1 and not out and "holds 2 pages, expected one: " in err


def test_the_browser_has_each_page_of_an_image_sent(
    tiff: tuple[Path, list[list[MadeLine]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, made = tiff
    project = tmp_path / "project"
    project.mkdir()
    with serving(project) as client:
        added = client.post("/api/files", files=[("files", ("two.tif", path.read_bytes()))])
        names = ["two.tif[1]", "two.tif[2]"]
        assert added.status_code == 200 and [one["name"] for one in added.json()] == names
        for number, name in enumerate(names, start=1):
            draft = read(client, name)
            assert len(draft["lines"]) == len(made[number - 1])
            file = id_of(client, name)
            assert client.get(f"/api/files/{file}/image").headers["content-type"] == "image/jpeg"
            first, *rest = draft["lines"]
            lines = [{**first, "text": f"page {number}", "state": "corrected"}, *rest]
            change = {"revision": draft["revision"], "lines": lines}
            client.put(f"/api/files/{file}", json=change).raise_for_status()
            saved = client.post(f"/api/files/{file}/save", json={"unchecked": True})
            assert saved.status_code == 200, saved.text
            assert saved.json()["written"] == [f"two[{number}].xml"]
            left = [one["name"] for one in client.get("/api/project").json()["files"]]
            assert left == [*names[number:], *(f"two[{n}].xml" for n in range(1, number + 1))]
    for number in (1, 2):
        code, out, _ = said(capsys, "transcribe", project / f"two[{number}].xml")
        assert code == 0 and len(out.splitlines()) == len(made[number - 1])
        assert f"page {number}" in (project / f"two[{number}].xml").read_text()
