"""What other programs get from the server: the readings that transcribe prints, one line for what cannot be read."""

import asyncio
import io
import json
import re
import shutil
import tempfile
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from made_pages import demo_lines, write_page
from PIL import Image
from terminal import said
from web_client import id_of, serving

from recognizer.reading.reader import Reader
from recognizer.web.drafts import Draft, Drafts
from recognizer.web.guard import Guard
from recognizer.web.limits import Limits
from recognizer.web.models import Models


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return files of some lines."""
    folder = tmp_path_factory.mktemp("lines")
    made = []
    for number, (_, image) in enumerate(demo_lines("test")[:8]):
        image.save(folder / f"line-{number}.png")
        made.append(folder / f"line-{number}.png")
    return made


def test_a_request_gets_what_transcribe_prints(lines: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "transcribe", lines[0], "--format", "json")
    assert code == 0
    printed = json.loads(out)
    with serving(lines[0].parent) as client:
        answer = client.post("/transcribe", files={"files": (lines[0].name, lines[0].read_bytes())})
    assert answer.status_code == 200
    (record,) = answer.json()["records"]
    assert record == {**printed, "file": lines[0].name}


def test_a_page_is_read_with_its_xml_and_without(tmp_path: Path) -> None:
    made = write_page(tmp_path / "page", 1, lines=6)
    files = [("files", (name, (tmp_path / name).read_bytes())) for name in ("page.xml", "page.jpg")]
    with serving(tmp_path) as client:
        described = client.post("/transcribe", files=files).json()
        found = client.post("/transcribe", files=files[1:]).json()
    assert [record["file"] for record in described["records"]] == [f"page.xml#l{i}" for i in range(1, len(made) + 1)]
    assert [record["file"] for record in found["records"]] == [f"page.jpg#line_{i}" for i in range(1, len(made) + 1)]
    assert described["errors"] == found["errors"] == []


def test_a_bad_file_among_good_ones_gets_its_line(lines: list[Path]) -> None:
    files = [("files", (path.name, path.read_bytes())) for path in lines[:2]]
    files.insert(1, ("files", ("broken.png", lines[0].read_bytes()[:300])))
    with serving(lines[0].parent) as client:
        answer = client.post("/transcribe", files=files)
        alone = client.post("/transcribe", files=files[1:2])
        text = client.post("/transcribe", files={"files": ("notes.txt", b"no image at all")})
    assert answer.status_code == 200 and len(answer.json()["records"]) == 2
    assert len(answer.json()["errors"]) == 1 and answer.json()["errors"][0].startswith("broken.png: ")
    assert alone.status_code == 422 and alone.json()["error"].startswith("broken.png: ")
    assert text.status_code == 415 and "\n" not in text.json()["error"]


def test_what_is_too_large_or_too_long_is_refused_before_it_is_decoded(lines: list[Path], tmp_path: Path) -> None:
    large, sound = io.BytesIO(), io.BytesIO()
    Image.new("L", (2000, 1000)).save(large, "PNG")
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(np.zeros(16000 * 3, np.int16).tobytes())
    limits = Limits(megabytes=0.2, megapixels=1.0, seconds=2.0)
    with serving(lines[0].parent, limits=limits) as client:
        pixels = client.post("/transcribe", files={"files": ("large.png", large.getvalue())})
        length = client.post("/transcribe", files={"files": ("long.wav", sound.getvalue())})
        size = client.post("/transcribe", files={"files": ("many.bin", bytes(300_000))})
        parts = [b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n', *[bytes(100_000)] * 3]
        form = {"content-type": "multipart/form-data; boundary=x"}
        unsaid = client.post("/transcribe", content=iter(parts), headers=form)
    assert (pixels.status_code, pixels.json()["error"]) == (413, "large.png: 2.0 million pixels, expected at most 1")
    assert (length.status_code, length.json()["error"]) == (413, "long.wav: 3 s, expected at most 2 s")
    assert size.status_code == 413 and unsaid.status_code == 413


def test_an_image_that_is_too_large_to_be_read_is_neither_taken_nor_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (2000, 1000)).save(tmp_path / "large.tif")
    data = (tmp_path / "large.tif").read_bytes()
    monkeypatch.setenv("RECOGNIZER_MAX_MEGAPIXELS", "1")
    with serving(tmp_path) as client:
        added = client.post("/api/files", files={"files": ("other.tif", data)})
        sent = client.post("/transcribe", files={"files": ("other.tif", data)})
        shown = client.get(f"/api/files/{id_of(client, 'large.tif')}/image")
    assert not (tmp_path / "other.tif").exists()
    for answer, name in ((added, "other.tif"), (sent, "other.tif"), (shown, "large.tif")):
        assert answer.status_code == 413
        assert answer.json()["error"].startswith(f"{name}: 2,000,000 pixels, expected at most 1,000,000 in all")


@pytest.mark.slow
def test_two_hundred_requests_at_once_are_all_answered_as_each_alone(lines: list[Path]) -> None:
    bad = b"RIFF----WAVEgarbage"
    sent = [(path.name, path.read_bytes()) for path in lines] * 24 + [("bad.wav", bad)] * 8
    with serving(lines[0].parent) as client:
        alone = {name: client.post("/transcribe", files={"files": (name, data)}).json() for name, data in sent[:8]}

        def ask(one: tuple[str, bytes]) -> tuple[str, int, dict[str, Any]]:
            answer = client.post("/transcribe", files={"files": one})
            return one[0], answer.status_code, answer.json()

        with ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(ask, sent))
    assert len(answers) == 200
    for name, status, answer in answers:
        if name == "bad.wav":
            assert status in (415, 422) and answer["error"].startswith("bad.wav: ")
            continue
        record, expected = answer["records"][0], alone[name]["records"][0]
        assert status == 200 and record["text"] == expected["text"]
        assert record["confidence"] == pytest.approx(expected["confidence"], abs=1e-4)


def test_a_full_queue_says_so(lines: list[Path]) -> None:
    data = lines[0].read_bytes()
    with serving(lines[0].parent, limits=Limits(queue=2)) as client:
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: client.post("/transcribe", files={"files": ("a.png", data)}), range(16)))
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 429}
    refused = answers[codes.index(429)]
    assert refused.headers["retry-after"] and "expected at most 2" in refused.json()["error"]


def post(client: Any, *files: tuple[str, bytes], query: str = "") -> Any:
    return client.post(f"/transcribe{query}", files=[("files", file) for file in files])


def test_an_image_is_sought_among_what_was_sent_alone(tmp_path: Path) -> None:
    write_page(tmp_path / "page", 1, lines=3)
    xml, beyond = (tmp_path / "page.xml").read_bytes(), Path(tempfile.gettempdir()) / f"{tmp_path.name}.jpg"
    named = xml.replace(b"page.jpg", beyond.name.encode())
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(tmp_path / "page.jpg", beyond)
    try:
        with serving(folder) as client:
            for sent in (named, xml.replace(b"page.jpg", str(beyond)[1:].encode())):
                answer = post(client, ("other.xml", sent))
                assert answer.status_code == 422 and "its image" in answer.json()["error"]
            refused = client.post("/api/files", files=[("files", ("page.xml", xml))])
            assert refused.status_code == 422 and "was not sent" in refused.json()["error"]
            assert list(folder.iterdir()) == []
            both = [("files", (name, (tmp_path / name).read_bytes())) for name in ("page.xml", "page.jpg")]
            assert client.post("/api/files", files=both).status_code == 200
            mets = client.post("/api/files", files=[("files", ("mets.xml", b"<mets/>"))])
            assert mets.status_code == 415
    finally:
        beyond.unlink()
    assert sorted(path.name for path in folder.iterdir()) == ["page.jpg", "page.xml"]


def test_pages_of_one_name_are_not_read_with_each_others_images(tmp_path: Path) -> None:
    write_page(tmp_path / "page", 1, lines=3)
    xml, image = (tmp_path / "page.xml").read_bytes(), (tmp_path / "page.jpg").read_bytes()
    with serving(tmp_path) as client:
        answer = post(client, ("1/page.xml", xml), ("1/page.jpg", image), ("2/page.xml", xml), ("2/page.jpg", image))
    assert answer.status_code == 422 and answer.json()["records"] == []
    assert answer.json()["errors"] == [
        f"page.{suffix}: 2 files of this request are called so, expected a request for each"
        for suffix in ("xml", "jpg")
    ]


def test_a_bad_line_costs_itself_and_not_its_page(tmp_path: Path) -> None:
    write_page(tmp_path / "page", 1, lines=3)
    xml, image = (tmp_path / "page.xml").read_text(), (tmp_path / "page.jpg").read_bytes()
    first = re.search(r'points="([^"]*)"', xml[xml.index("<TextLine") :])
    assert first is not None
    bad = xml.replace(first[0], 'points="NaN"', 1)
    with serving(tmp_path) as client:
        answer = post(client, ("page.xml", bad.encode()), ("page.jpg", image)).json()
        refused = post(client, ("page.xml", b"<PcGts>"), ("page.jpg", image)).json()
    assert [record["file"] for record in answer["records"]] == ["page.xml#l2", "page.xml#l3"]
    assert len(answer["errors"]) == 1 and answer["errors"][0].startswith("page.xml#l1: points 'NaN'")
    assert refused["records"] == [] and len(refused["errors"]) == 1


def test_each_page_of_a_tiff_is_read(lines: list[Path]) -> None:
    first, second = (Image.open(path).convert("L") for path in lines[:2])
    made = io.BytesIO()
    first.save(made, "TIFF", save_all=True, append_images=[second])
    with serving(lines[0].parent) as client:
        answer = post(client, ("m.tif", made.getvalue())).json()
        alone = [post(client, (path.name, path.read_bytes())).json()["records"][0] for path in lines[:2]]
    assert [(one["file"], one["text"]) for one in answer["records"]] == [
        (f"m.tif[{number}]", one["text"]) for number, one in enumerate(alone, 1)
    ]


def test_the_pages_of_a_file_are_bounded_together(lines: list[Path]) -> None:
    page = Image.open(lines[0]).convert("L")
    made = io.BytesIO()
    page.save(made, "TIFF", save_all=True, append_images=[page] * 19)
    with serving(lines[0].parent, limits=Limits(megapixels=page.width * page.height / 1e6)) as client:
        answer = post(client, ("m.tif", made.getvalue())).json()
    assert len(answer["records"]) == 16
    assert len(answer["errors"]) == 1 and answer["errors"][0].startswith("m.tif[17]: its pages together have more than")


def test_what_a_request_asks_in_vain_is_refused(lines: list[Path]) -> None:
    data = lines[0].read_bytes()
    with serving(lines[0].parent) as client:
        field = client.post("/transcribe", files=[("files", ("a.png", data)), ("file", ("b.png", data))])
        assert field.status_code == 422 and field.json()["error"] == "file: no field is called so, expected files"
        for query, line in (("?all_line=1", "all_line: no parameter"), ("?all_lines=1&all_lines=0", "stands twice")):
            answer = post(client, ("a.png", data), query=query)
            assert answer.status_code == 422 and line in answer.json()["error"]
        for name in ("..", "x" * 300 + ".png", "page.txt"):
            answer = post(client, (name, b"<PcGts/>"))
            assert answer.status_code in (415, 422) and answer.json()["error"].count("\n") == 0


def test_a_recording_in_which_nobody_is_heard_is_said(tmp_path: Path) -> None:
    made = io.BytesIO()
    soundfile.write(made, np.zeros(16000 * 61), 16000, format="WAV")
    with serving(tmp_path) as client:
        answer = post(client, ("silence.wav", made.getvalue())).json()
    assert answer["records"] == answer["errors"] == [] and "silence.wav: nobody is heard in it" in answer["notes"]


def test_a_folder_that_may_not_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Drafts, name: str, draft: Draft) -> None:
        raise PermissionError(13, "Permission denied", "/somewhere/a.json")

    write_page(tmp_path / "page", 1, lines=3)
    monkeypatch.setattr(Drafts, "put", refuse)
    with serving(tmp_path) as client:
        answer = client.get(f"/api/files/{id_of(client, 'page.xml')}")
    assert answer.status_code == 500
    assert answer.json() == {"error": "a.json: cannot be written or read (Permission denied)"}


def test_a_request_that_the_end_of_the_server_cuts_off_gets_a_line() -> None:
    sent: list[Any] = []

    async def never(*given: Any) -> Any:
        await asyncio.sleep(60)

    async def take(message: Any) -> None:
        sent.append(message)

    async def ended() -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
        request = asyncio.ensure_future(Guard(never, Limits(), frozenset({"localhost"}))(scope, never, take))
        await asyncio.sleep(0)
        request.cancel()
        await request

    asyncio.run(ended())
    assert sent[0]["status"] == 503 and b"the server ends" in sent[1]["body"]


def test_what_nobody_waits_for_any_more_harms_nobody_else(lines: list[Path]) -> None:
    models = Models({}, "cpu", Limits())
    reader = Reader.load("handwriting", "cpu")

    async def asked() -> list[Any]:
        signals = [reader.signal(path) for path in lines[:2]]
        given_up, kept = (asyncio.ensure_future(models.read("handwriting", [one])) for one in signals)
        await asyncio.sleep(0)
        given_up.cancel()
        return await kept

    assert asyncio.run(asked())[0].text == reader.transcribe(lines[1]).text
    models.close()


def test_other_sites_and_other_names_are_refused(lines: list[Path]) -> None:
    with serving(lines[0].parent) as client:
        assert client.get("/api/project", headers={"host": "evil.example"}).status_code == 421
        evil = {"origin": "http://evil.example"}
        assert client.post("/transcribe", headers=evil, files={"files": ("a", b"x")}).status_code == 403
        page = client.get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_a_request_reaches_no_file_outside_the_project(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    with serving(folder) as client:
        assert client.get("/api/project").json()["files"] == []
        for name in ("..%2Fsecret.png", "%2e%2e", "secret.png"):
            assert client.get(f"/api/files/{name}/image").status_code == 404
        added = client.post("/api/files", files={"files": ("../../evil.png", b"x")})
        assert added.status_code == 200 and (folder / "evil.png").exists() and not (tmp_path / "evil.png").exists()
        assert client.post("/api/files", files={"files": ("evil.py", b"x")}).status_code == 415
