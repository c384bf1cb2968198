"""Tests of fetching and unpacking, against a server on this machine."""

import hashlib
import io
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recognizer.corpus.download import Download, fetch, obtain, unpack
from recognizer.errors import RecognizerError

DATA = bytes(range(256)) * 400
SUM = hashlib.sha256(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """A server of one file that can break off and that remembers what was asked."""

    data = DATA
    tag = '"one"'
    ranges = True
    breaks_after: int | None = None

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        """Say where the file is."""
        return f"http://127.0.0.1:{self.server_address[1]}/a.bin"


class Answer(BaseHTTPRequestHandler):
    """What the server says."""

    server: Server

    def do_GET(self) -> None:
        """Send the file, from where the request wants it."""
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.path != "/a.bin":
            self.send_error(404)
            return
        same = self.headers.get("If-Range") in (None, self.server.tag)
        start = int(wanted[len("bytes=") : -1]) if wanted and self.server.ranges and same else 0
        if start >= len(self.server.data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(self.server.data)}")
            self.end_headers()
            return
        self.answer(self.server.data, start)

    def answer(self, data: bytes, start: int) -> None:
        """Send `data` from `start`, maybe not to its end."""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        if self.server.tag:
            self.send_header("ETag", self.server.tag)
        self.end_headers()
        self.wfile.write(data[start : self.server.breaks_after])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def refusal(server: Server, path: Path, sha256: str | None) -> str:
    with pytest.raises(RecognizerError) as caught:
        fetch(server.url, path, sha256)
    return str(caught.value)


def test_a_file_is_fetched_checked_and_reported(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    path = tmp_path / "new" / "a.bin"
    assert fetch(server.url, path, SUM.upper(), lambda done, total: seen.append((done, total))) == SUM
    assert path.read_bytes() == DATA and seen[-1] == (len(DATA), len(DATA))
    assert sorted(file.name for file in path.parent.iterdir()) == ["a.bin", "a.bin.sha256"]


def test_a_fetch_that_broke_half_way_goes_on_from_there(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 1000
    message = refusal(server, tmp_path / "a.bin", SUM)
    assert f"ended at byte 1000 of {len(DATA)}" in message and "run again" in message
    assert not (tmp_path / "a.bin").exists()
    server.breaks_after = None
    fetch(server.url, tmp_path / "a.bin", SUM)
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert server.asked == [None, "bytes=1000-"]


def test_a_server_without_ranges_starts_anew(server: Server, tmp_path: Path) -> None:
    server.breaks_after, server.ranges = 1000, False
    refusal(server, tmp_path / "a.bin", SUM)
    server.breaks_after = None
    fetch(server.url, tmp_path / "a.bin", SUM)
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 1000
    refusal(server, tmp_path / "a.bin", None)
    server.breaks_after, server.tag, server.data = None, '"two"', DATA[::-1]
    fetch(server.url, tmp_path / "a.bin", None)
    assert (tmp_path / "a.bin").read_bytes() == DATA[::-1]


def test_without_checksum_and_version_nothing_is_kept(server: Server, tmp_path: Path) -> None:
    server.breaks_after, server.tag = 1000, ""
    refusal(server, tmp_path / "a.bin", None)
    server.breaks_after = None
    fetch(server.url, tmp_path / "a.bin", None)
    assert server.asked == [None, None]


def test_a_part_that_was_whole_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(DATA)
    fetch(server.url, tmp_path / "a.bin", SUM)
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_part_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(DATA + b"more")
    assert "416" in refusal(server, tmp_path / "a.bin", SUM)
    assert fetch(server.url, tmp_path / "a.bin", SUM) == SUM


def test_a_wrong_checksum_is_refused_and_nothing_stays(server: Server, tmp_path: Path) -> None:
    message = refusal(server, tmp_path / "a.bin", "0" * 64)
    assert SUM in message and "0" * 64 in message and "\n" not in message
    assert not (tmp_path / "a.bin").exists() and not (tmp_path / "a.bin.part").exists()


def test_an_unknown_checksum_is_recorded_and_holds_from_then_on(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    assert fetch(server.url, path, None) == SUM
    assert (tmp_path / "a.bin.sha256").read_text() == f"{SUM}  a.bin\n"
    assert fetch(server.url, path, None) == SUM and len(server.asked) == 1
    path.write_bytes(b"other")
    assert "is there but has SHA-256" in refusal(server, path, None)
    assert path.read_bytes() == b"other"


def test_an_address_that_does_not_answer_is_one_line(server: Server, tmp_path: Path) -> None:
    for url in (server.url + "x", "http://127.0.0.1:1/a", "file:///a"):
        with pytest.raises(RecognizerError, match="fetched"):
            fetch(url, tmp_path / "a.bin", None)


STRANGE = {
    "no number": b"HTTP/1.0 200 OK\r\nContent-Length: many\r\n\r\nabc",
    "below nothing": b"HTTP/1.0 200 OK\r\nContent-Length: -5\r\n\r\nabc",
    "no HTTP": b"\x00\x01\x02 hello\r\n\r\n",
    "no status": b"HTTP/1.0 abc OK\r\n\r\n",
    "nothing": b"",
    "a code that is none": b"HTTP/1.0 999 What\r\n\r\n",
    "endless header": b"HTTP/1.0 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    "chunks that are none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc",
    "elsewhere": b"HTTP/1.0 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
}


@pytest.mark.parametrize("name", list(STRANGE))
def test_an_answer_that_makes_no_sense_is_one_line(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection = listening.accept()[0]
            with connection:
                connection.recv(4096)
                connection.sendall(STRANGE[name])

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(RecognizerError, match="not fetched"):
            fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/a.bin", tmp_path / "a.bin", None)
        thread.join()
    assert not (tmp_path / "a.bin").exists()


def tar(path: Path, name: str, kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.size, member.linkname = kind, 2 * (kind == tarfile.REGTYPE), "/etc/passwd"
        archive.addfile(member, io.BytesIO(b"un"))
    return path


def zipped(path: Path, name: str, mode: int = 0o100644) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        archive.writestr(member, "un")
    return path


def test_tar_and_zip_are_unpacked(tmp_path: Path) -> None:
    for archive in (tar(tmp_path / "a.tar.gz", "deep/a.txt"), zipped(tmp_path / "a.zip", "deep/a.txt")):
        assert unpack(archive, tmp_path / archive.suffix) == 1
        assert (tmp_path / archive.suffix / "deep" / "a.txt").read_text() == "un"


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt", "C:/out.txt", "..\\out.txt"])
def test_a_member_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    for archive in (tar(tmp_path / "a.tar.gz", name), zipped(tmp_path / "a.zip", name)):
        with pytest.raises(RecognizerError, match="leaves the folder"):
            unpack(archive, tmp_path / "in")
    assert not (tmp_path / "out.txt").exists()


def test_links_are_refused(tmp_path: Path) -> None:
    archives = [tar(tmp_path / f"{i}.tgz", "a", kind) for i, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE))]
    for archive in (*archives, zipped(tmp_path / "a.zip", "a", 0o120777)):
        with pytest.raises(RecognizerError, match="is a link"):
            unpack(archive, tmp_path / "in")


def test_a_way_out_through_a_link_that_is_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "way").symlink_to(tmp_path)
    with pytest.raises(RecognizerError, match="leaves the folder"):
        unpack(tar(tmp_path / "a.tgz", "way/out.txt"), tmp_path / "in")


def test_what_is_no_whole_archive_is_one_line(tmp_path: Path) -> None:
    whole = tar(tmp_path / "a.tgz", "a.txt").read_bytes()
    for data in (b"", b"text", whole[: len(whole) // 2]):
        (tmp_path / "b.tgz").write_bytes(data)
        with pytest.raises(RecognizerError, match=r"b\.tgz: cannot be unpacked"):
            unpack(tmp_path / "b.tgz", tmp_path / "in")


def test_an_archive_is_obtained_in_one_call(server: Server, tmp_path: Path) -> None:
    server.data = tar(tmp_path / "a.tgz", "deep/a.txt").read_bytes()
    obtain((Download(server.url, None, "b.tgz"),), tmp_path / "in")
    assert (tmp_path / "in" / "deep" / "a.txt").read_text() == "un"
    with pytest.raises(RecognizerError, match="expected --source"):
        obtain((), tmp_path)
