"""Of the lines found on an image those are left out that are no writing, wherever they are read, and it is said."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from made_pages import write_page
from terminal import said
from web_client import id_of, read, serving

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError
from recognizer.inputs.signal import Signal
from recognizer.pages.parse import read_page
from recognizer.reading.found_lines import is_writing, left_out, writing_of
from recognizer.reading.reader import Reader

STAINS = {1, 4}  # which of the lines read together nothing is believed of


def reading(*confidences: float) -> Hypothesis:
    spans = tuple(Span("a", float(i), i + 1.0, value) for i, value in enumerate(confidences))
    text = "a" * len(confidences)
    return Hypothesis(text, 0.1, spans, (Span(text, 0.0, len(text), 0.1),) if text else ())


@pytest.mark.parametrize(
    ("confidences", "expected"),
    [
        ((), False),
        ((0.4,), False),
        ((0.6,), True),  # a page number
        ((0.3, 0.3, 0.3), False),
        ((0.3, 0.9, 0.2, 0.3), True),
        ((0.1,) * 30, True),  # read badly, but long
    ],
)
def test_what_is_believed_is_writing(confidences: Sequence[float], expected: bool) -> None:
    assert is_writing(reading(*confidences)) == expected


def test_a_page_of_nothing_but_stains_is_refused() -> None:
    assert writing_of("p.jpg", [reading(), reading(0.9), reading(0.2)]) == [1]
    with pytest.raises(RecognizerError, match=r"p\.jpg: nothing that is read of the 2 lines found on it is believed"):
        writing_of("p.jpg", [reading(), reading(0.2)])


def _disbelieve(monkeypatch: pytest.MonkeyPatch, which: set[int] | None) -> None:
    whole = Reader.read

    def doubting(self: Reader, signals: Sequence[Signal]) -> list[Hypothesis]:
        found = whole(self, signals)
        return [reading(0.2) if which is None or i in which else one for i, one in enumerate(found)]

    monkeypatch.setattr(Reader, "read", doubting)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an image of a page of six lines, two of which are stains to whoever reads it."""
    write_page(tmp_path / "page", 1, lines=6, xml=False)
    _disbelieve(monkeypatch, STAINS)
    return tmp_path / "page.jpg"


def test_transcribe_leaves_them_out_and_says_so(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "transcribe", page, "--format", "json")
    names = [json.loads(line)["file"] for line in out.splitlines()]
    assert (code, names) == (0, [f"{page}#line_{i}" for i in (1, 3, 4, 6)])
    assert err.splitlines()[-2:] == [
        f"{page}: a page, 6 lines found on it",
        f"{page}: 2 of them are left out as no writing, since no character that is read there is believed "
        f"(--all-lines has all)",
    ]
    code, out, err = said(capsys, "transcribe", page, "--all-lines")
    assert (code, len(out.splitlines())) == (0, 6) and "left out" not in err


def test_the_xml_of_a_page_has_only_what_is_writing(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "transcribe", page, "--format", "page")
    page.with_suffix(".xml").write_text(out, encoding="utf-8")
    assert code == 0 and [line.id for line in read_page(page.with_suffix(".xml")).lines] == [
        "line_1", "line_3", "line_4", "line_6",
    ]  # fmt: skip


def test_lines_that_an_xml_names_all_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_page(tmp_path / "page", 1, lines=6)
    _disbelieve(monkeypatch, STAINS)
    code, out, _ = said(capsys, "transcribe", tmp_path / "page.xml")
    assert (code, len(out.splitlines())) == (0, 6)


def test_an_option_of_found_lines_that_meets_no_image_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_page(tmp_path / "page", 1, lines=6)
    for option in ("--find-lines", "--all-lines"):
        code, _, err = said(capsys, "transcribe", tmp_path / "page.xml", option)
        assert code == 0 and f"{option} had no effect: no image without XML is among what was read" in err
        code, _, err = said(capsys, "transcribe", tmp_path / "page.jpg", option)
        assert code == 0 and "no effect" not in err


def test_where_nothing_is_writing_the_page_is_at_fault(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _disbelieve(monkeypatch, None)
    code, out, err = said(capsys, "transcribe", page)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == (
        f"recognizer: {page}: nothing that is read of the 6 lines found on it is believed, expected writing that the "
        f"model knows, or --all-lines"
    )
    with serving(page.parent) as client:
        answer = client.post("/transcribe", files={"files": ("page.jpg", page.read_bytes())})
        draft = read(client, "page.jpg")
    assert answer.status_code == 422 and answer.json()["error"].startswith("page.jpg: nothing that is read of the 6")
    assert len(draft["lines"]) == 6 and draft["left_out"] == 0


def test_the_server_leaves_them_out_and_says_so(page: Path) -> None:
    files = {"files": ("page.jpg", page.read_bytes())}
    with serving(page.parent) as client:
        some, every = client.post("/transcribe", files=files), client.post("/transcribe?all_lines=true", files=files)
    assert [one["file"] for one in some.json()["records"]] == [f"page.jpg#line_{i}" for i in (1, 3, 4, 6)]
    found = "page.jpg: a page, 6 lines found on it"
    assert some.json()["notes"] == [
        found,
        "page.jpg: 2 of them are left out as no writing, since no character that is read there is believed",
    ]
    assert len(every.json()["records"]) == 6 and every.json()["notes"] == [found]


def test_the_first_reading_of_a_draft_takes_them_away_and_a_later_one_nothing(page: Path) -> None:
    with serving(page.parent) as client:
        first = read(client, "page.jpg")
        again = client.post(f"/api/files/{id_of(client, 'page.jpg')}/read").json()
    assert [line["id"] for line in first["lines"]] == [f"line_{i}" for i in (1, 3, 4, 6)] and first["left_out"] == 2
    assert len(again["lines"]) == 4 and again["left_out"] == 0


def test_what_a_person_drew_stays(page: Path) -> None:
    with serving(page.parent) as client:
        file = id_of(client, "page.jpg")
        draft = client.get(f"/api/files/{file}").json()
        lines = [{**line, "moved": line["id"] == "line_2"} for line in draft["lines"]]
        client.put(f"/api/files/{file}", json={"revision": draft["revision"], "lines": lines}).raise_for_status()
        made = client.post(f"/api/files/{file}/read").json()
    assert [line["id"] for line in made["lines"]] == [f"line_{i}" for i in (1, 2, 3, 4, 6)]


def test_a_transcript_that_lacks_no_writing_lacks_nothing(
    page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = said(capsys, "transcribe", page)
    (tmp_path / "page.txt").write_text(out, encoding="utf-8")
    words = ("align", page, "--lines", tmp_path / "page.txt", "--model", "handwriting", "--format", "page")
    code, _, err = said(capsys, *words)
    assert (code, err) == (0, "")
    (tmp_path / "page.txt").write_text(out.partition("\n")[2], encoding="utf-8")
    code, _, err = said(capsys, *words)
    assert code == 1 and err.startswith(f"recognizer: {page}#line_1: ") and err.count("\n") == 1


def test_one_line_is_said_in_the_singular() -> None:
    assert left_out(1).startswith("1 of them is left out")
