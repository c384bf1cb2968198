"""Bringing an archive of a corpus here, checked."""

import hashlib
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from recognizer.common.atomic_write import write_atomically
from recognizer.errors import RecognizerError

CHUNK = 1 << 20  # bytes read at once
PATIENCE = 60  # seconds that a server may stay silent

Progress = Callable[[int, int | None], None]  # bytes done, bytes in all (None where the server does not say)


@dataclass(frozen=True)
class Download:
    """An archive that a recipe may fetch.

    Args:
        url: where it is, http or https.
        sha256: its checksum, None where none was published: then the one found is recorded beside the file.
        name: the file name it gets.
        size: how much it is, for people, such as "337 MB", "" where unknown.
    """

    url: str
    sha256: str | None
    name: str
    size: str = ""


def obtain(downloads: tuple[Download, ...], folder: Path, progress: Progress | None = None) -> None:
    """Fetch each archive into `folder` and unpack it there.

    Raises:
        RecognizerError: there is nothing to fetch, a fetch failed, or an archive is at fault.
    """
    if not downloads:
        raise RecognizerError(
            "download: this recipe fetches nothing by itself, expected --source (its card says from where)"
        )
    for download in downloads:
        fetch(download.url, folder / download.name, download.sha256, progress)
        unpack(folder / download.name, folder)


def fetch(url: str, path: Path, sha256: str | None, progress: Progress | None = None) -> str:
    """Fetch `url` as `path`, from where an earlier try ended, and return its SHA-256 in hexadecimal.

    The bytes so far stand in `path` + ".part"; the checksum found goes into `path` + ".sha256". A file that is
    there already is checked and not fetched again.

    Raises:
        RecognizerError: no connection, an answer other than wanted, too few bytes, another checksum.
    """
    if not url.startswith(("https://", "http://")):
        raise RecognizerError(f"{url}: cannot be fetched, expected an address that starts with https:// or http://")
    if path.is_file():
        return _verified(path, sha256 or _recorded(path), f"{path}: is there but")
    part = _beside(path, ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _receive(url, part, sha256 is not None, progress)
        found = _verified(part, sha256, f"{url}:")
        write_atomically(_beside(path, ".sha256"), f"{found}  {path.name}\n".encode())
        os.replace(part, path)
    except (OSError, HTTPException, ValueError) as error:
        raise RecognizerError(f"{url}: not fetched ({error}), run again to go on from {part.name}") from error
    _beside(part, ".version").unlink(missing_ok=True)
    return found


def unpack(archive: Path, folder: Path) -> int:
    """Unpack a .zip or .tar (also .gz, .bz2, .xz) under `folder` and return the number of files.

    Raises:
        RecognizerError: not an archive, cut short, or a member that is a link, a device or outside `folder`.
    """
    try:
        if zipfile.is_zipfile(archive):
            return _unzip(archive, folder)
        return _untar(archive, folder)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        LZMAError,
        EOFError,
        OSError,
        NotImplementedError,
    ) as error:
        raise RecognizerError(
            f"{archive}: cannot be unpacked ({error}), expected a whole .zip or .tar archive"
        ) from error


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _recorded(path: Path) -> str | None:
    record = _beside(path, ".sha256")
    return record.read_text(encoding="utf-8").partition(" ")[0] or None if record.is_file() else None


def _verified(path: Path, wanted: str | None, what: str) -> str:
    """Return the checksum of `path`; a file with another one than `wanted` is removed if it is a part."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    found = digest.hexdigest()
    if wanted is not None and found != wanted.lower():
        if path.suffix == ".part":
            path.unlink()
        raise RecognizerError(f"{what} has SHA-256 {found}, expected {wanted}")
    return found


def _receive(url: str, part: Path, checked: bool, progress: Progress | None) -> None:
    """Append to `part` until the server's file is whole."""
    version = _beside(part, ".version")
    start = _resumable(part, version, checked)
    try:
        response: HTTPResponse = urlopen(_request(url, start, version), timeout=PATIENCE)
    except HTTPError as error:
        if error.code == 416 and error.headers.get("Content-Range") == f"bytes */{start}":
            return  # the part was whole already
        if error.code == 416:
            part.unlink()
        raise
    with response:
        start = _start(response, start)
        version.write_text(_version(response), encoding="utf-8")
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            _copy(response, file, start, progress)


def _resumable(part: Path, version: Path, checked: bool) -> int:
    """Return how many bytes may be kept: only those of a version that the server or a checksum can vouch for."""
    known = version.is_file() and version.read_text(encoding="utf-8") != ""
    return part.stat().st_size if part.is_file() and (checked or known) else 0


def _request(url: str, start: int, version: Path) -> Request:
    request = Request(url, headers={"User-Agent": "recognizer", "Accept-Encoding": "identity"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        if version.is_file() and (tag := version.read_text(encoding="utf-8")):
            request.add_header("If-Range", tag)
    return request


def _version(response: HTTPResponse) -> str:
    """Return what tells one version of the file from another; a weak tag does not."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _start(response: HTTPResponse, wanted: int) -> int:
    """Return the place of the first byte that the server sends: `wanted`, or 0 where it starts anew."""
    if response.status != 206:
        return 0
    if not response.headers.get("Content-Range", "").startswith(f"bytes {wanted}-"):
        raise HTTPException(f"the server sent {response.headers.get('Content-Range')}, expected bytes from {wanted}")
    return wanted


def _copy(response: HTTPResponse, file: BinaryIO, done: int, progress: Progress | None) -> None:
    length = response.headers.get("Content-Length")
    if length is not None and not length.isdecimal():
        raise HTTPException(f"the server states a length of {length[:40]!r}, expected a number of bytes")
    total = None if length is None else done + int(length)
    while chunk := response.read(CHUNK):
        file.write(chunk)
        done += len(chunk)
        if progress is not None:
            progress(done, total)
    file.truncate()
    file.flush()
    os.fsync(file.fileno())
    if total is not None and done != total:
        raise HTTPException(f"the connection ended at byte {done} of {total}")


def _place(folder: Path, name: str, archive: Path) -> Path:
    """Return where a member goes, refusing every way out of `folder`."""
    target = folder / name
    parts = name.replace("\\", "/").split("/")
    inside = target.resolve().is_relative_to(folder.resolve())
    if not inside or ".." in parts or Path(name).is_absolute() or ":" in parts[0]:
        raise RecognizerError(f"{archive}: member {name!r} leaves the folder, nothing of it was written")
    return target


def _write(source: BinaryIO, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while chunk := source.read(CHUNK):
            file.write(chunk)


def _unzip(archive: Path, folder: Path) -> int:
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.infolist() if not member.is_dir()]
        for member in members:
            if stat.S_ISLNK(member.external_attr >> 16):
                raise RecognizerError(f"{archive}: member {member.filename!r} is a link, expected plain files")
            target = _place(folder, member.filename, archive)
            with opened.open(member) as source:
                _write(source, target)  # type: ignore[arg-type]
    return len(members)


def _untar(archive: Path, folder: Path) -> int:
    files = 0
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.isdir():
                continue
            if not member.isfile():
                raise RecognizerError(f"{archive}: member {member.name!r} is a link or device, expected plain files")
            source = opened.extractfile(member)
            assert source is not None
            with source:
                _write(source, _place(folder, member.name, archive))  # type: ignore[arg-type]
            files += 1
    return files
