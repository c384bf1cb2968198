"""The project of the page in the browser: drafts on disk, corrections that go into the files, what is never lost."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
import tiny
from made_pages import demo_lines, write_page
from web_client import id_of, read, serving

from recognizer.inputs.strokes.strokes import write_inkml
from recognizer.pages.parse import read_page
from recognizer.web import file_routes, saving, uploads
from recognizer.web.drafts import Draft, DraftLine, Drafts
from recognizer.web.limits import Refused
from recognizer.web.project import Project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project with a page of XML and an image of a page."""
    made = tmp_path / "letters"
    made.mkdir()
    write_page(made / "first", 0, lines=4)
    write_page(made / "second", 1, lines=6, xml=False)
    return made


def corrected(draft: dict[str, Any], number: int, text: str) -> dict[str, Any]:
    lines = [dict(line) for line in draft["lines"]]
    lines[number] |= {"text": text, "state": "corrected"}
    return {"revision": draft["revision"], "lines": lines}


def test_a_page_is_read_and_a_correction_goes_into_its_own_xml(folder: Path) -> None:
    before = (folder / "first.xml").read_bytes()
    with serving(folder) as client:
        draft = read(client, "first.xml")
        assert all(line["state"] == "read" and line["reading"]["words"] for line in draft["lines"])
        file = id_of(client, "first.xml")
        client.put(f"/api/files/{file}", json=corrected(draft, 1, "Quite another text")).raise_for_status()
        assert (folder / "first.xml").read_bytes() == before, "nothing is written before it is saved"
        done = client.post(f"/api/files/{file}/save", json={}).json()
        assert done["written"] == ["first.xml"] and Path(done["backup"]).read_bytes() == before
        again = client.post(f"/api/files/{file}/save", json={}).json()
        assert again["written"] == []
        (entry,) = (one for one in client.get("/api/project").json()["files"] if one["id"] == file)
        assert entry["checked"] == 1 and entry["saved"]
    page = read_page(folder / "first.xml")
    assert [line.text for line in page.lines] == [None, "Quite another text", None, None]
    after = (folder / "first.xml").read_text()
    kept = [line for line in after.splitlines() if line in before.decode().splitlines()]
    assert kept == before.decode().splitlines(), "every line of the file that was stays as it was"
    root = ElementTree.fromstring(after)
    assert len([e for e in root.iter() if e.tag.endswith("}Word")]) == 3, "words stand where they are aligned"


def test_readings_nobody_has_looked_at_are_written_when_asked_with_their_confidence(folder: Path) -> None:
    with serving(folder) as client:
        draft = read(client, "first.xml")
        file = id_of(client, "first.xml")
        assert client.post(f"/api/files/{file}/save", json={}).json()["written"] == []
        client.post(f"/api/files/{file}/save", json={"unchecked": True}).raise_for_status()
    assert [line.text for line in read_page(folder / "first.xml").lines] == [line["text"] for line in draft["lines"]]
    assert 'conf="0.' in (folder / "first.xml").read_text()


def test_an_image_of_a_page_gets_xml_of_its_own(folder: Path) -> None:
    with serving(folder) as client:
        draft = read(client, "second.jpg")
        assert draft["kind"] == "page" and len(draft["lines"]) == 6 and draft["found"]
        file = id_of(client, "second.jpg")
        client.put(f"/api/files/{file}", json=corrected(draft, 0, "A first line")).raise_for_status()
        early = client.get("/api/export.tsv")
        assert early.status_code == 409 and early.json()["error"].startswith("second.jpg: its lines are in no XML yet")
        done = client.post(f"/api/files/{file}/save", json={}).json()
        names = [one["name"] for one in client.get("/api/project").json()["files"]]
        assert names == ["first.xml", "second.xml"] and done["file"] == id_of(client, "second.xml")
        assert client.get(f"/api/files/{done['file']}").json()["lines"][0]["text"] == "A first line"
        assert f"second.xml#{draft['lines'][0]['id']}\tA first line" in client.get("/api/export.tsv").text.splitlines()
    page = read_page(folder / "second.xml")
    assert [line.text for line in page.lines] == [
        "A first line",
        *[None] * 5,
    ] and page.image_path().name == "second.jpg"
    assert all(line.area and len(line.area.baseline) > 1 for line in page.lines)


def test_a_killed_server_finds_its_drafts_again(folder: Path) -> None:
    with serving(folder) as client:
        draft = read(client, "first.xml")
        file = id_of(client, "first.xml")
        client.put(f"/api/files/{file}", json=corrected(draft, 2, "typed and not saved")).raise_for_status()
        # No end of the server is waited for: what it has answered is on disk.
        with serving(folder) as another:
            kept = another.get(f"/api/files/{file}").json()
    assert kept["lines"][2]["text"] == "typed and not saved" and kept["lines"][2]["state"] == "corrected"
    assert (folder.parent / "letters.drafts" / f"{file}.json").is_file()


def test_two_browsers_do_not_write_over_each_other(folder: Path) -> None:
    with serving(folder) as client:
        draft = read(client, "first.xml")
        file = id_of(client, "first.xml")
        assert client.put(f"/api/files/{file}", json=corrected(draft, 0, "one")).status_code == 200
        refused = client.put(f"/api/files/{file}", json=corrected(draft, 0, "two"))
        assert refused.status_code == 409 and "changed elsewhere" in refused.json()["error"]


def test_a_file_that_changed_on_disk_is_not_written_over(folder: Path) -> None:
    with serving(folder) as client:
        draft = read(client, "first.xml")
        file = id_of(client, "first.xml")
        client.put(f"/api/files/{file}", json=corrected(draft, 0, "mine")).raise_for_status()
        theirs = (folder / "first.xml").read_text().replace("made for a test", "changed by another program")
        (folder / "first.xml").write_text(theirs)
        refused = client.post(f"/api/files/{file}/save", json={})
        assert refused.status_code == 409 and "changed on disk" in refused.json()["error"]
        assert client.get(f"/api/files/{file}/state").json() == {"changed_on_disk": True}
        assert client.get(f"/api/files/{file}").json()["lines"][0]["text"] == "mine", "work is not thrown away unasked"
        client.delete(f"/api/files/{file}/draft").raise_for_status()
        assert client.get(f"/api/files/{file}").json()["lines"][0]["state"] == "empty"
    assert (folder / "first.xml").read_text() == theirs
    backups = list((folder.parent / "letters.drafts" / "backups").iterdir())
    assert any("mine" in path.read_text() for path in backups)


def test_a_moved_line_is_cut_and_read_where_it_stands_now(folder: Path) -> None:
    with serving(folder) as client:
        draft = read(client, "first.xml")
        file = id_of(client, "first.xml")
        first, second = draft["lines"][:2]
        lines = [
            {**first, "outline": second["outline"], "baseline": second["baseline"], "moved": True},
            *draft["lines"][1:],
        ]
        client.put(f"/api/files/{file}", json={"revision": draft["revision"], "lines": lines}).raise_for_status()
        again = client.post(f"/api/files/{file}/read", json=[first["id"]]).json()
        assert again["lines"][0]["text"] == second["text"] != first["text"]
        pictures = [client.get(f"/api/files/{file}/lines/{one['id']}/picture").content for one in (first, second)]
        assert pictures[0] == pictures[1] and pictures[0].startswith(b"\x89PNG")
        client.post(f"/api/files/{file}/save", json={}).raise_for_status()
    page = read_page(folder / "first.xml")
    assert page.lines[0].area == page.lines[1].area


def test_a_line_a_recording_and_a_drawing_get_their_text_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recognizer.web.models.pretrained_models", lambda: ["handwriting", "speech"])
    _, image = demo_lines("test")[0]
    image.save(tmp_path / "line.png")
    strokes = tiny.flat_strokes("lox", np.random.default_rng(1))
    (tmp_path / "drawing.inkml").write_bytes(write_inkml(strokes))
    soundfile.write(tmp_path / "said.wav", tiny.play("abba", np.random.default_rng(1)), tiny.RATE)
    with serving(tmp_path) as client:
        for name in ("line.png", "drawing.inkml", "said.wav"):
            file = id_of(client, name)
            draft = client.get(f"/api/files/{file}").json()
            client.put(f"/api/files/{file}", json=corrected(draft, 0, f"text of {name}")).raise_for_status()
            client.post(f"/api/files/{file}/save", json={}).raise_for_status()
        sound = id_of(client, "said.wav")
        assert client.get(f"/api/files/{sound}/sound").content.startswith(b"RIFF")
        wave = client.get(f"/api/files/{sound}/waveform?parts=50").json()
        assert wave["seconds"] == pytest.approx(0.52, abs=0.1) and max(wave["high"]) > 0.3 and len(wave["low"]) == 50
        unread = client.post(f"/api/files/{id_of(client, 'drawing.inkml')}/read")
        assert unread.status_code == 415 and "--model-strokes FILE" in unread.json()["error"]
        table = client.get("/api/export.tsv").text
    assert (tmp_path / "line.gt.txt").read_text() == "text of line.png\n"
    assert (tmp_path / "drawing.gt.txt").read_text() == "text of drawing.inkml\n"
    assert (tmp_path / "said.gt.txt").read_text() == "text of said.wav\n"
    assert table.splitlines()[0] == "file\ttext" and "line.png\ttext of line.png" in table.splitlines()


def test_what_is_typed_while_a_page_is_saved_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(folder) as client:
        draft = read(client, "first.xml")
        file = id_of(client, "first.xml")
        sent = client.put(f"/api/files/{file}", json=corrected(draft, 0, "to be saved")).json()
        whole = saving.save

        def slow(*given: Any) -> Any:
            done = whole(*given)
            path = folder.parent / "letters.drafts" / f"{file}.json"
            kept = json.loads(path.read_text())
            kept["lines"][1] |= {"text": "typed meanwhile", "state": "corrected"}
            path.write_text(json.dumps(kept | {"revision": sent["revision"] + 1}))
            return done

        monkeypatch.setattr("recognizer.web.file_routes.save", slow)
        done = client.post(f"/api/files/{file}/save", json={}).json()["draft"]
        assert [line["text"] for line in done["lines"][:2]] == ["to be saved", "typed meanwhile"]
        assert done["revision"] > sent["revision"] + 1 and done["lines"][0]["given"] == "to be saved"
        (entry,) = (one for one in client.get("/api/project").json()["files"] if one["id"] == file)
        assert not entry["saved"]
        monkeypatch.setattr("recognizer.web.file_routes.save", whole)
        client.post(f"/api/files/{file}/save", json={}).raise_for_status()
    assert [line.text for line in read_page(folder / "first.xml").lines[:2]] == ["to be saved", "typed meanwhile"]


def test_nothing_long_is_done_where_requests_are_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: dict[str, bool] = {}

    def watch(place: Any, name: str) -> None:
        work = getattr(place, name)

        def watched(*given: Any) -> Any:
            with suppress(RuntimeError):
                asyncio.get_running_loop()
                done[name] = False
            done.setdefault(name, True)
            return work(*given)

        monkeypatch.setattr(place, name, watched)

    for place, names in (
        (file_routes, ("open_draft", "refuse_beyond", "save", "saved_into", "write_inkml")),
        (uploads, ("refuse_beyond",)),
        (Project, ("add",)),
        (Drafts, ("update",)),
    ):
        for name in names:
            watch(place, name)
    with serving(folder) as client:
        file = id_of(client, "first.xml")
        draft = read(client, "first.xml")
        client.put(f"/api/files/{file}", json=corrected(draft, 0, "a text")).raise_for_status()
        client.post(f"/api/files/{file}/save", json={}).raise_for_status()
        for address in ("/api/files", "/transcribe"):
            client.post(address, files={"files": ("third.jpg", (folder / "first.jpg").read_bytes())}).raise_for_status()
        client.post("/api/strokes", json={"strokes": [[1, 2, 3, 4]], "keep": "drawn"}).raise_for_status()
    assert len(done) == 7 and all(done.values()), done


def test_saves_at_once_come_one_after_the_other(folder: Path) -> None:
    with serving(folder) as client:
        file = id_of(client, "first.xml")
        draft = read(client, "first.xml")
        client.put(f"/api/files/{file}", json=corrected(draft, 0, "a text")).raise_for_status()
        with ThreadPoolExecutor(3) as pool:
            saved = list(pool.map(lambda _: client.post(f"/api/files/{file}/save", json={}).json(), range(3)))
        assert sorted(one["written"] for one in saved) == [[], [], ["first.xml"]]
        assert client.get(f"/api/files/{file}/state").json() == {"changed_on_disk": False}


def test_what_a_full_disk_does_not_take_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(path.name for path in folder.iterdir())
    sent = {"files": ("a.inkml", write_inkml([[1.0, 2.0, 3.0, 4.0]]))}
    with serving(folder) as client:
        file = id_of(client, "first.xml")
        monkeypatch.setattr("os.fsync", full)
        answer = client.post("/api/files", files=sent)
        draft = client.get(f"/api/files/{file}")
        monkeypatch.undo()
        assert answer.status_code == draft.status_code == 500
        assert answer.json()["error"] == "a.inkml: cannot be written (No space left on device), nothing was added"
        assert f"{file}.json: cannot be written" in draft.json()["error"]
        assert sorted(path.name for path in folder.iterdir()) == before
        (folder / "a-2.inkml").symlink_to("nowhere")
        (folder / "a.inkml").write_bytes(b"other")
        assert [one["name"] for one in client.post("/api/files", files=sent).json()] == ["a-3.inkml"]
        assert [one["name"] for one in client.post("/api/files", files=sent).json()] == ["a-3.inkml"]
        monkeypatch.setattr("os.link", lambda *_: full(0))
        (folder / "a-3.inkml").write_bytes(b"other")
        assert [one["name"] for one in client.post("/api/files", files=sent).json()] == ["a-4.inkml"]
    assert (folder / "a-4.inkml").read_bytes() == sent["files"][1]
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_of_changes_at_once_one_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = Drafts(folder)
    drafts.put("a", Draft("a", "line", "", (DraftLine("line_1"),)))

    def slowly(name: str, draft: Draft) -> None:
        time.sleep(0.01)
        Drafts.put(drafts, name, draft)

    monkeypatch.setattr(drafts, "put", slowly)

    def change(number: int) -> int:
        try:
            drafts.change("a", 0, (DraftLine("line_1", text=str(number)),))
        except Refused as refused:
            return refused.status
        return 200

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, range(4))) == [200, 409, 409, 409]


def test_a_text_beside_a_file_that_changed_on_disk_is_not_written_over(tmp_path: Path) -> None:
    _, image = demo_lines("test")[0]
    for name in ("line.png", "line.jpg"):
        image.convert("RGB").save(tmp_path / name)
    theirs = tmp_path / "line.gt.txt"
    with serving(tmp_path) as client:
        for name in ("line.png", "line.jpg"):
            draft = client.get(f"/api/files/{id_of(client, name)}").json()
            client.put(f"/api/files/{id_of(client, name)}", json=corrected(draft, 0, f"of {name}")).raise_for_status()
        file, other = id_of(client, "line.png"), id_of(client, "line.jpg")
        assert client.post(f"/api/files/{file}/save", json={}).json()["written"] == ["line.gt.txt"]
        assert client.post(f"/api/files/{file}/save", json={}).json()["written"] == []
        refused = client.post(f"/api/files/{other}/save", json={})
        assert refused.status_code == 409 and refused.json()["error"].startswith("line.gt.txt: changed on disk")
        theirs.write_text("somebody else's\n")
        assert client.get(f"/api/files/{file}/state").json() == {"changed_on_disk": True}
        assert client.post(f"/api/files/{file}/save", json={}).status_code == 409
        assert theirs.read_text() == "somebody else's\n"
        client.delete(f"/api/files/{file}/draft").raise_for_status()
        assert client.get(f"/api/files/{file}").json()["lines"][0]["text"] == "somebody else's"


def test_subtitles_of_another_program_are_not_written_over(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "said.wav", tiny.play("abba", np.random.default_rng(1)), tiny.RATE)
    with serving(tmp_path) as client:
        file = id_of(client, "said.wav")
        draft = client.get(f"/api/files/{file}").json()
        client.put(f"/api/files/{file}", json=corrected(draft, 0, "abba")).raise_for_status()
        wish = {"subtitles": True}
        assert client.post(f"/api/files/{file}/save", json=wish).json()["written"] == ["said.gt.txt", "said.srt"]
        assert client.post(f"/api/files/{file}/save", json=wish).status_code == 200
        (tmp_path / "said.srt").write_text("theirs")
        assert client.post(f"/api/files/{file}/save", json=wish).status_code == 409
    assert (tmp_path / "said.srt").read_text() == "theirs"


def test_requests_that_mean_nothing_are_one_line(tmp_path: Path) -> None:
    _, image = demo_lines("test")[0]
    image.save(tmp_path / "line.png")
    with serving(tmp_path) as client:
        file = id_of(client, "line.png")
        draft = client.get(f"/api/files/{file}").json()
        asked = {
            404: client.post(f"/api/files/{file}/read", json=["nope"]),
            422: client.put(f"/api/files/{file}", json={"revision": draft["revision"], "lines": []}),
        }
        drawn = client.post("/api/strokes", json={"strokes": [[1, 2, 3]]})
        assert drawn.status_code == 422 and drawn.json()["error"] == "strokes[0] has 3 numbers, expected pairs x, y"
    for status, answer in asked.items():
        assert answer.status_code == status and answer.json()["error"].count("\n") == 0


def test_every_form_of_export_is_given_for_its_kind(folder: Path) -> None:
    with serving(folder) as client:
        draft = read(client, "first.xml")
        file = id_of(client, "first.xml")
        texts = client.get(f"/api/files/{file}/export/txt").text.splitlines()
        assert texts == [line["text"] for line in draft["lines"]]
        for form, root in (("page", "PcGts"), ("alto", "alto"), ("hocr", "html")):
            made = ElementTree.fromstring(client.get(f"/api/files/{file}/export/{form}").text)
            assert made.tag.rpartition("}")[2] == root
        assert json.loads(client.get(f"/api/files/{file}/export/json").text)["lines"]
        assert client.get(f"/api/files/{file}/export/srt").status_code == 422
        assert client.get(f"/api/files/{file}/export/doc").status_code == 404


def test_what_is_likeliest_wrong_is_suggested_first(folder: Path) -> None:
    with serving(folder) as client:
        draft = read(client, "first.xml")
        found = client.get("/api/suggestions").json()
        doubts = {
            line["id"]: sum(1 - word["confidence"] for word in line["reading"]["words"]) for line in draft["lines"]
        }
        assert [one["line"] for one in found] == sorted(doubts, key=lambda name: -doubts[name])
        file = id_of(client, "first.xml")
        client.put(f"/api/files/{file}", json=corrected(draft, 0, "checked")).raise_for_status()
        assert draft["lines"][0]["id"] not in [one["line"] for one in client.get("/api/suggestions").json()]
