"""Tests of collections of pages as their projects publish them."""

import re
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from terminal import said
from test_pages_road import write_page

from recognizer.corpus.collection_recipes import read_collection_recipe
from recognizer.corpus.collections import CollectionSettings, document_of, read_card, read_collection, table
from recognizer.corpus.recipes import load_recipe
from recognizer.corpus.store import Store
from recognizer.errors import RecognizerError

CARD = """
title: Letters of nobody
url: https://example.org/letters
license:
  - name: CC-BY 4.0
    url: https://creativecommons.org/licenses/by/4.0/
language: [fra, lat]
script:
  - iso: Latn
time: {notBefore: '1701', notAfter: '1799'}
hands: {count: '2', precision: exact}
transcription-guidelines: |
  Abbreviations
  are kept.
"""


def clone(root: Path, documents: int = 3) -> Path:
    """Write a clone of a collection: documents of two pages each under data/, htr-united.yml, a README."""
    for number in range(documents):
        for page in "ab":
            write_page(root / "data" / f"doc{number}", f"{page}{number}", texts=("lox", f"o^x{number % 2}"))
    (root / "htr-united.yml").write_text(CARD, encoding="utf-8")
    (root / "README.md").write_text("letters", encoding="utf-8")
    return root


def test_a_collection_says_what_it_is(tmp_path: Path) -> None:
    assert read_card(clone(tmp_path, 1)) == {
        "title": "Letters of nobody",
        "home": "https://example.org/letters",
        "licence": "CC-BY 4.0",
        "languages": "fra, lat",
        "script": "Latn",
        "period": "1701 to 1799",
        "hands": "2 exact",
        "guidelines": "Abbreviations are kept.",
    }


def test_a_document_never_stands_in_two_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, out = clone(tmp_path / "letters", 10), tmp_path / "out"
    code, text, _ = said(capsys, "prepare", root, "--out", out, "--rules", "archives")
    store = Store(out)
    splits = {(store.group(i), store.sample(i).split) for i in range(len(store))}
    assert code == 0 and len(store) == 40 and len(splits) == 10
    assert Counter(split for _, split in splits) == {"train": 8, "valid": 1, "test": 1}
    assert set(store.column("text")) == {"lox", "ox0", "ox1"}
    assert store.header.licence == "CC-BY 4.0" and store.header.card["period"] == "1701 to 1799"
    assert store.header.rules.startswith("archives (sha256 ")
    assert "data/doc3" in text and "title: Letters of nobody" in text


def test_an_archive_is_read_as_its_clone_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = clone(tmp_path / "letters-main")
    archive = tmp_path / "letters.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in root.rglob("*"):
            file.write(path, path.relative_to(tmp_path))
    assert said(capsys, "prepare", root, "--out", tmp_path / "a")[0] == 0
    assert said(capsys, "prepare", archive, "--out", tmp_path / "b")[0] == 0
    one, other = Store(tmp_path / "a"), Store(tmp_path / "b")
    assert one.fingerprint() == other.fingerprint() and one.column("group") == other.column("group")
    assert other.sample(0).path == archive / "data" / "doc0" / "a0.xml#l0"
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["corpus.pack"]


def test_messages_about_an_archive_name_it_and_not_where_it_was_unpacked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, pages = tmp_path / "empty.zip", tmp_path / "pages.zip"
    with zipfile.ZipFile(empty, "w") as file:
        file.writestr("notes.txt", "no corpus")
    code, _, err = said(capsys, "prepare", empty, "--out", tmp_path / "a")
    assert code == 2 and err.startswith(f"recognizer: {empty}: no corpus") and ".unpacked" not in err
    with zipfile.ZipFile(pages, "w") as file:
        for path in (write_page(tmp_path, "a", texts=("lox", "x")), tmp_path / "a.png"):
            file.write(path, path.name)
        file.writestr("b.xml", "<PcGts><Page>")
    for out, more in (("b", ()), ("c", ("--pages", "*.xml"))):
        code, text, err = said(capsys, "prepare", pages, "--out", tmp_path / out, *more)
        assert code == 1 and f"{pages / 'b.xml'}: " in err and ".unpacked" not in text + err
        assert Store(tmp_path / out).header.name == "pages"
    with zipfile.ZipFile(pages, "a") as file:
        for path in (write_page(tmp_path / "doc", "c", texts=("ox",)), tmp_path / "doc" / "c.png"):
            file.write(path, path.relative_to(tmp_path))
    said(capsys, "prepare", pages, "--out", tmp_path / "d", "--pages", "*.xml")
    assert set(Store(tmp_path / "d").column("group")) == {"pages", "doc"}


def test_of_two_pages_of_one_image_the_pattern_chooses(tmp_path: Path) -> None:
    path = write_page(tmp_path / "doc", "a", texts=("lox",))
    normal = path.with_name("a.normal.xml")
    normal.write_text(path.read_text(encoding="utf-8").replace("lox", "x"), encoding="utf-8")
    with pytest.raises(RecognizerError, match=r'--pages "\*.normal.xml"'):
        read_collection(tmp_path, CollectionSettings())
    found = read_collection(tmp_path, CollectionSettings(pages=("*.normal.xml",)))
    assert [sample.text for sample in found.samples] == ["x"]
    assert found.noted == {"XML that --pages does not name": 1}
    with pytest.raises(RecognizerError, match="no page as PAGE XML or ALTO named \\*.abc"):
        read_collection(tmp_path, CollectionSettings(pages=("*.abc",)))


TWICE = {  # names of pages, of images that their last letters name: the pattern that chooses
    "page/p.xml page/q.xml alto/p.xml alto/q.xml": "page/*.xml",
    "a/page/p.xml a/alto/p.xml b/page/q.xml b/alto/q.xml": "*/page/*.xml",
    "transkribus_p.xml kraken_p.xml transkribus_q.xml kraken_q.xml": "transkribus_*",
    "p_1.xml p_2.xml q_1.xml q_2.xml": "*_2.xml",
    "p.new.xml p.xml q.new.xml q.xml r.xml": "*.new.xml",
    "p_old.xml p.xml q.xml r.xml": "",
    "p1.xml p2.xml q.xml": "",
}


@pytest.mark.parametrize("names", TWICE)
def test_the_pattern_that_is_advised_for_two_pages_of_one_image_chooses(
    tmp_path: Path, names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in"
    for name in names.split():
        image = re.findall("(?<![a-z])[pqr](?![a-z])", name)[0]
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_page(path.parents["/" in name], image, texts=("lox",)).rename(path)
    code, _, err = said(capsys, "prepare", source, "--out", tmp_path / "out")
    assert code == 2 and err.endswith("move one of the two out of the folder\n")
    assert ("(1 images have no such page)" in err) == ("r.xml" in names and bool(TWICE[names]))
    advised = re.findall('--pages "(.+?)"', err)
    assert advised == [TWICE[names]] * bool(TWICE[names])
    for pattern in advised:
        assert said(capsys, "prepare", source, "--out", tmp_path / "out", "--pages", pattern)[0] == 0
        assert len(Store(tmp_path / "out")) == 2


def test_what_is_left_out_stands_in_the_table_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "pages.yaml"
    path.write_text("pages: ['*.xml']\n", encoding="utf-8")
    write_page(tmp_path / "one", "a", texts=("lox", "", "x"))
    write_page(tmp_path / "two", "b", texts=("lox", "⟦x⟧"))
    rules = read_collection_recipe(Path("datasets/cremma-18/pages.yaml").resolve()).settings.rules
    found = read_collection(tmp_path, CollectionSettings(rules=rules))
    assert found.left_out == {"line without text": 1, "crossed out or inserted": 1}
    assert table(found.documents) == [
        "document  split  pages  lines  left out",
        "one                  1      2  1 line without text",
        "two                  1      1  1 crossed out or inserted",
    ]


def rows(out: str) -> list[list[str]]:
    """Return the table of documents, row by row."""
    lines = [re.split("  +", line) for line in out.splitlines()]
    start = next(number for number, cells in enumerate(lines) if cells[0] == "document")
    return [cells for cells in lines[start + 1 :] if cells[0].startswith("data")]


def test_the_table_counts_what_was_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = clone(tmp_path / "letters", 3)
    (root / "data/doc0/a0.png").unlink()
    (root / "data/doc0/b0.xml").write_text("<PcGts><Page>")
    path = root / "data/doc1/b1.xml"
    path.write_text(re.sub('points="[^"]+"', 'points="x"', path.read_text(), count=1))
    code, out, _ = said(capsys, "prepare", root, "--out", tmp_path / "out")
    assert code == 1 and len(Store(tmp_path / "out")) == 7
    assert rows(out) == [
        ["data/doc0", "2", "0", "1 no such image, 1 XML that is broken"],
        ["data/doc1", "train", "2", "3", "1 bad points"],
        ["data/doc2", "valid", "2", "4"],
    ]


def test_the_table_of_one_document_names_the_splits_of_its_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_page(tmp_path / "in", "a", texts=("lox", "x", "ox"))
    code, out, _ = said(capsys, "prepare", tmp_path / "in", "--pages", "*.xml", "--out", tmp_path / "out")
    splits = Counter(Store(tmp_path / "out").column("split"))
    assert code == 0 and len(splits) == 3
    assert re.search(r"^a  +test 1, train 1, valid 1  +1  +3$", out, re.MULTILINE)


def test_shards_that_workers_make_have_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "recognizer.reading.ray_engine.on_ray",
        lambda make, numbers, *_: ((one, "") for number in numbers for one in make()([number])),
    )
    root = clone(tmp_path / "letters", 2)
    (root / "data/doc1/a1.png").unlink()
    alone = said(capsys, "prepare", root, "--shards", 3, "--out", tmp_path / "alone")
    shared = said(capsys, "prepare", root, "--shards", 3, "--engine", "ray", "--out", tmp_path / "shared")
    assert alone[0] == shared[0] == 1 and rows(alone[1]) == rows(shared[1])
    assert [row[3:] for row in rows(alone[1])] == [["4"], ["2", "1 no such image"]]


def test_lines_that_somebody_saw_to_be_wrong_are_left_out_by_name(tmp_path: Path) -> None:
    write_page(tmp_path / "one", "a", texts=("lox", "x"))
    every = read_collection(tmp_path, CollectionSettings())
    wrong = every.samples[0].path.name
    found = read_collection(tmp_path, CollectionSettings(wrong=(wrong,)))
    assert [sample.path for sample in found.samples] == [every.samples[1].path]
    assert found.left_out == {"a line that does not show its text": 1}
    with pytest.raises(RecognizerError, match="wrong: 0 lines are called as the 1 named"):
        read_collection(tmp_path, CollectionSettings(wrong=("a.xml#no",)))


def test_a_recipe_keeps_its_test_documents_apart(tmp_path: Path) -> None:
    write_page(tmp_path / "data" / "page", "a", texts=("lox",))
    write_page(tmp_path / "data" / "other", "b", texts=("x",))
    settings = CollectionSettings(test=("other",))
    splits = {sample.group: sample.split for sample in read_collection(tmp_path, settings).samples}
    assert splits == {"data": "train", "data/other": "test"}
    with pytest.raises(RecognizerError, match="test: no document 'othr'"):
        read_collection(tmp_path, CollectionSettings(test=("othr",)))


@pytest.mark.parametrize(
    ("group", "document"), [("folder", "data/x"), ("page", "data/x/page/JDH_2_001"), (r"(.+)_\d+$", "JDH_2")]
)
def test_a_document_is_a_folder_a_page_or_what_a_pattern_says(group: str, document: str) -> None:
    assert document_of(Path("root"), Path("root/data/x/page/JDH_2_001.xml"), group) == document


def test_a_page_without_its_image_is_named_and_the_others_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = clone(tmp_path / "letters")
    (root / "data" / "doc1" / "a1.png").unlink()
    code, _, _ = said(capsys, "prepare", root, "--out", tmp_path / "out")
    assert code == 1 and len(Store(tmp_path / "out")) == 10


def test_a_link_that_leads_nowhere_is_named_and_the_others_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = clone(tmp_path / "letters")
    (root / "notes.md").symlink_to("nowhere")
    code, _, err = said(capsys, "prepare", root, "--pages", "*.xml", "--out", tmp_path / "out")
    assert code == 1 and len(Store(tmp_path / "out")) == 12
    assert "notes.md: a link to 'nowhere', which is not there" in err


def test_empty_xml_is_named_as_it_is_beside_pages_that_are_no_collection(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = clone(tmp_path / "letters")
    (root / "data" / "doc1" / "c1.xml").write_bytes(b"")
    told = said(capsys, "prepare", root, "--out", tmp_path / "a")
    (root / "htr-united.yml").unlink()
    plain = said(capsys, "prepare", root, "--out", tmp_path / "b")
    assert told[0] == plain[0] == 1 and told[2] == plain[2]
    assert "c1.xml: an empty file" in told[2] and told[2].count("\n") == 1


def test_text_of_regions_without_lines_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = clone(tmp_path / "letters")
    path = root / "data" / "doc1" / "a1.xml"
    region = "<TextRegion><TextEquiv><Unicode>four words and more</Unicode></TextEquiv></TextRegion>"
    path.write_text(path.read_text().replace("</Page>", f"{region}</Page>"))
    for source in (root, root / "data"):
        _, out, _ = said(capsys, "prepare", source, "--out", tmp_path / "out")
        assert "noted: 1 (page with text of a region that has no lines, which is not read)" in out


def test_pages_and_rules_go_with_a_path_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, text = said(
        capsys, "prepare", "copiste", "--source", tmp_path, "--out", tmp_path / "o", "--rules", "archives"
    )
    assert code == 2 and "the recipe of copiste has its own" in text


def test_pages_and_rules_go_with_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_page(tmp_path, "a", texts=("lox",))
    for more in (("--rules", "archives"), ("--pages", "*.xml")):
        code, _, text = said(capsys, "prepare", path, "--out", tmp_path / "o", *more)
        assert code == 2 and f"{path}: --pages and --rules go with a folder or an archive of pages" in text


def test_cut_lines_and_published_pages_have_one_recipe(tmp_path: Path) -> None:
    recipe = load_recipe("peraire")
    write_page(tmp_path / "data" / "train", "B.1", texts=("lox",))
    with pytest.raises(RecognizerError, match="test: no document"):
        recipe.read(tmp_path)
    with pytest.raises(RecognizerError, match="transcripts.tsv"):
        (tmp_path / "empty").mkdir()
        recipe.read(tmp_path / "empty")


@pytest.mark.parametrize("images", ["jpg", "images", "."])
def test_images_lie_beside_the_xml_above_it_or_in_a_folder_of_their_own(tmp_path: Path, images: str) -> None:
    path = write_page(tmp_path / "alto", "a", texts=("lox",))
    (tmp_path / images).mkdir(exist_ok=True)
    path.with_suffix(".png").rename(tmp_path / images / "a.png")
    found = read_collection(tmp_path, CollectionSettings())
    assert [sample.text for sample in found.samples] == ["lox"]


def test_a_model_names_the_rules_that_its_texts_went_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out, run = clone(tmp_path / "letters", 4), tmp_path / "out", tmp_path / "run"
    said(capsys, "prepare", root, "--out", out, "--rules", "archives", "--height", 32, "--valid-share", 0.25)
    small = ["--network.hidden", 4, "--network.layers", 1, "--network.front.channels", "[4]"]
    pools = ["--network.front.pool_time", "[2]", "--network.front.pool_features", "[2]", "--trainer.max_epochs", 1]
    chosen = ["--trainer.devices", 1, "--trainer.precision", "32-true"]
    code, _, _ = said(capsys, "train", "--data.corpus", out, "--run", run, *small, *pools, *chosen)
    assert code == 0
    code, text, _ = said(capsys, "info", run)
    assert code == 0 and f"texts by the rules {Store(out).header.rules}" in text and "licence CC-BY 4.0" in text
