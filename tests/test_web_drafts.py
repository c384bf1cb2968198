"""Drafts of the page in the browser: found again where files were moved, never of what is no text or place."""

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from web_client import serving

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.inputs.strokes.strokes import write_inkml
from recognizer.reading.recordings import PieceReading
from recognizer.web.documents import read_draft
from recognizer.web.drafts import Draft, DraftLine, Drafts, digest_of
from recognizer.web.project import Project, ProjectFile
from recognizer.web.stray_drafts import give_back


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project with a drawing, whose draft holds a correction."""
    made = tmp_path / "letters"
    made.mkdir()
    (made / "a.inkml").write_bytes(write_inkml([[1.0, 2.0, 3.0, 4.0]]))
    draft = Draft("a.inkml", "strokes", digest_of(made / "a.inkml"), (DraftLine("line_1", "mine", "corrected"),))
    Drafts(tmp_path / "letters.drafts").put(id_of(Project((made,))), draft)
    return made


def id_of(project: Project) -> str:
    (file,) = project.files()
    return file.id


def opened(folder: Path, drafts: Path | None = None) -> tuple[Draft | None, list[str]]:
    """Return the draft of a project's only file, and what is said where a server of it starts."""
    project = Project((folder,), drafts)
    kept = Drafts(project.drafts)
    said = give_back(project, kept)
    return kept.get(id_of(project)), said


def moved(folder: Path) -> Path:
    folder.with_name("letters.drafts").rename(folder.with_name("new.drafts"))
    return folder.rename(folder.with_name("new"))


def test_a_project_that_was_moved_has_its_drafts(folder: Path) -> None:
    new = moved(folder)
    with serving(new) as client:
        (entry,) = client.get("/api/project").json()["files"]
    assert entry["checked"] == 1
    (new / "a.inkml").write_bytes(write_inkml([[5.0, 6.0]]))
    draft, said = opened(new)
    assert draft and draft.lines[0].text == "mine" and said == [], "also where its file was changed"


def test_drafts_of_earlier_versions_are_found(folder: Path) -> None:
    def as_formerly() -> None:
        (path,) = folder.with_name("letters.drafts").glob("*.json")
        place = hashlib.sha256(str(folder / "a.inkml").encode()).hexdigest()
        path.rename(path.with_name(f"{place[:16]}.json"))

    as_formerly()
    draft, said = opened(folder)
    assert draft and draft.lines[0].text == "mine" and said == []
    as_formerly()
    new = moved(folder)
    # Somebody has looked at the file meanwhile: a draft without work gives way.
    Drafts(new.with_name("new.drafts")).put(id_of(Project((new,))), Draft("a.inkml", "strokes", draft.digest))
    draft, said = opened(new)
    assert draft and draft.lines[0].text == "mine" and said == []


def test_a_draft_that_belongs_to_no_file_is_named(folder: Path) -> None:
    (folder / "a.inkml").rename(folder / "b.inkml")
    draft, said = opened(folder)
    assert draft is None and len(said) == 1
    assert "1 draft with corrections belongs to no file" in said[0] and ": a.inkml (" in said[0]
    (folder / "b.inkml").rename(folder / "a.inkml")
    draft, said = opened(folder)
    assert draft and said == []


def test_projects_that_share_a_folder_of_drafts_do_not_see_each_others(folder: Path) -> None:
    drafts = folder.with_name("letters.drafts")
    ours, _ = opened(folder, folder.with_name("shared"))
    assert ours is None
    Drafts(drafts).move(id_of(Project((folder,))), id_of(Project((folder,), drafts.with_name("shared"))))
    drafts.rename(drafts.with_name("shared"))
    other = folder.with_name("others")
    other.mkdir()
    (other / "a.inkml").write_bytes(write_inkml([[5.0, 6.0]]))
    assert opened(other, folder.with_name("shared"))[0] is None
    ours, said = opened(folder, folder.with_name("shared"))
    assert ours and ours.lines[0].text == "mine" and said == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (r'{"id": "line_1", "text": "\ud83d"}', "half a character"),
        ('{"id": "line_1", "start": NaN}', "no number"),
        ('{"id": "line_1", "outline": [[0, 1], [Infinity, 2]]}', "no number"),
        ('{"id": "line_1"}, {"id": "line_1"}', "two lines are called 'line_1'"),
    ],
)
def test_a_line_that_cannot_be_kept_is_refused(folder: Path, line: str, said: str) -> None:
    with serving(folder) as client:
        body = f'{{"revision": 0, "lines": [{line}]}}'
        headers = {"content-type": "application/json"}
        refused = client.put(f"/api/files/{id_of(Project((folder,)))}", content=body, headers=headers)
    assert refused.status_code == 422 and said in refused.json()["error"]


def test_what_has_a_long_name_is_backed_up_too(tmp_path: Path) -> None:
    path = tmp_path / f"{'ä' * 124}.gt.txt"
    path.write_text("a text")
    copy = Drafts(tmp_path / "drafts").back_up(path)
    assert copy and copy.read_text() == "a text" and copy.name.endswith("ä.txt") and len(copy.name.encode()) > 250


def test_speech_without_spaces_is_parted_into_stretches_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    characters = tuple(Span("一二三"[i % 3], i * 1.0, i * 1.0 + 0.8, 0.9) for i in range(20))
    text = "".join(one.text for one in characters)
    whole = Hypothesis(text, 0.5, characters, (Span(text, 0.0, 19.8, 0.5),))

    async def heard(*_: object) -> list[PieceReading]:
        return [PieceReading(0.0, 20.0, whole)]

    monkeypatch.setattr("recognizer.web.documents.read_recording", heard)
    monkeypatch.setattr("recognizer.web.documents.seconds", lambda *_: 20.0)
    models: Any = SimpleNamespace(refuse_missing=lambda *_: None, state=lambda _: SimpleNamespace(name="zh"))
    file = ProjectFile("id", "a.wav", tmp_path / "a.wav", "sound")

    def read(*lines: DraftLine) -> tuple[DraftLine, ...]:
        return anyio.run(read_draft, file, Draft("a.wav", "sound", "", lines), models).lines

    parted = read(DraftLine("line_1"))
    assert len(parted) >= 4 and "".join(line.text for line in parted) == text
    assert all(line.end - line.start <= 7.0 for line in parted)
    (kept,) = read(DraftLine("line_1", "mine", "corrected", given="mine"))
    assert kept.reading and [word.text for word in kept.reading.words] == [kept.reading.text] == [text]
