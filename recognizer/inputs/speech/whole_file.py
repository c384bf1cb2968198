"""A sound file as it lies on the disk: its streams one after the other, what its header should have said, damage."""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.integrity import mpeg_parts

OPEN_END = 0x7FFF0000  # bytes: what a recorder that cannot know the end writes is no less
OGG_HEAD = 27  # bytes of an Ogg page before its table (RFC 3533, section 6)
FIRST, LAST = 2, 4  # flags of an Ogg page
NO_SOUND = (b"TAG", b"ID3", b"APETAGEX", b"LIST", b"id3 ")  # what programs put behind the sound
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
WAV_HEAD = 44  # bytes of the usual header: some programs count them as sound
W64_CHUNK = 24  # bytes before the content of a chunk of Sony's Wave64


class Window(io.RawIOBase):
    """A part of a file as a file of its own, some of its bytes replaced; nothing is copied."""

    def __init__(self, file: BinaryIO, start: int, end: int, patches: dict[int, bytes] | None = None) -> None:
        """Show `file` from byte `start` to `end`; `patches` are by their places in the window."""
        self.file, self.start, self.size = file, start, end - start
        self.patches, self.at = patches or {}, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place in the window."""
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place in the window."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        self.at = max(0, base + offset)
        return self.at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as the window goes; return how many bytes there were."""
        self.file.seek(self.start + self.at)
        data = bytearray(self.file.read(max(0, min(len(buffer), self.size - self.at))))
        for place, patch in self.patches.items():
            for offset, byte in enumerate(patch, place - self.at):
                if 0 <= offset < len(data):
                    data[offset] = byte
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)


@dataclass(frozen=True)
class _Stated:
    """What a header says of where the sound stands.

    Args:
        begin: byte at which it begins.
        size: bytes of it as the header says, -1 where it leaves that open.
        places: of the fields that say so, with how a number is written there; the number 0 stands for the sound's
            size, 8 less than the file's for the file's.
    """

    begin: int
    size: int
    places: tuple[tuple[int, str, bool], ...] = ()


def sound_parts(file: BinaryIO, name: str) -> tuple[list[BinaryIO], str]:
    """Return the streams that a sound file holds one after the other, mostly one: the file itself; and a note, or "".

    A header that was never finished, or says less than there is, is mended on the way.

    Raises:
        RecognizerError: the file is broken off, or damaged.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(64)
    file.seek(0)
    if head[:4] == b"OggS":
        streams, note = _ogg_streams(file, size, name)
        return [_window(file, start, end, size) for start, end in streams], note
    if head[:4] == b"NIST":
        _check_sphere(file, size, name)
        return [file], ""
    if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
        starts = mpeg_parts(file.read())
        ends = [*starts[1:], size]
        return [_window(file, start, end, size) for start, end in zip(starts, ends, strict=True)], ""
    stated = _stated(file, head, size)
    if stated is None:
        return [file], ""
    return [_mended(file, size, stated, name)], ""


def _window(file: BinaryIO, start: int, end: int, size: int) -> BinaryIO:
    if (start, end) == (0, size):
        file.seek(0)
        return file
    return io.BufferedReader(Window(file, start, end))


def _mended(file: BinaryIO, size: int, stated: _Stated, name: str) -> BinaryIO:
    """Return the file with a header that says what is there.

    Raises:
        RecognizerError: the header says more, by more than its own length.
    """
    there = size - stated.begin
    file.seek(0)
    if stated.size < 0:
        wanted = there
    elif stated.size > there:
        # Programs that count the header as sound lose nothing by it.
        if stated.size - there > WAV_HEAD and stated.size != size:
            raise RecognizerError(
                f"{name}: broken off, {there} bytes of sound, its header says {stated.size}", "cut short or damaged"
            )
        wanted = there
    elif stated.places and _is_sound_behind(file, stated.begin + stated.size, size):
        wanted = there
    else:
        file.seek(0)
        return file
    patches = {
        place: struct.pack(form, min(size - 8 if of_file else wanted, _largest(form)))
        for place, form, of_file in stated.places
    }
    file.seek(0)
    return io.BufferedReader(Window(file, 0, size, patches)) if patches else file


def _largest(form: str) -> int:
    return int(2 ** (8 * struct.calcsize(form) - form[-1].islower())) - 1


def _is_sound_behind(file: BinaryIO, end: int, size: int) -> bool:
    """Return whether what stands behind the sound's end as a RIFF header states it is sound: it is no chunks."""
    end += end % 2
    if size - end < 8:
        return False
    file.seek(end)
    rest = file.read(size - end)
    if rest.startswith(NO_SOUND) or not rest.strip(b"\0"):
        return False
    at = 0
    while at + 8 <= len(rest):
        kind, length = rest[at : at + 4], int.from_bytes(rest[at + 4 : at + 8], "little")
        if not all(32 <= byte < 127 for byte in kind) or at + 8 + length > len(rest) + 1:
            return True
        at += 8 + length + length % 2
    return False


def _stated(file: BinaryIO, head: bytes, size: int) -> _Stated | None:
    """Return what the header of a WAV, RF64, W64, AIFF, AU or CAF file says; None for what is none of them."""
    if head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:12] == b"WAVE":
        return _riff(file, head, size)
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return _wave64(file, size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _chunks(file, size, 12, ">4sI", b"SSND", less=8)
    if head[:4] == b".snd" and len(head) >= 12:
        begin, length = struct.unpack(">II", head[4:12])
        return _Stated(begin, -1 if length >= OPEN_END else length)
    if head[:4] == b"caff":
        return _chunks(file, size, 8, ">4sq", b"data", less=4)
    return None


def _riff(file: BinaryIO, head: bytes, size: int) -> _Stated | None:
    order = ">" if head[:4] == b"RIFX" else "<"
    found = _chunks(file, size, 12, f"{order}4sI", b"data")
    if found is None:
        return None
    if head[:4] == b"RF64":
        if head[12:16] != b"ds64":
            return None
        return _Stated(found.begin, struct.unpack("<Q", head[28:36])[0])
    length = -1 if found.size >= OPEN_END or (found.size == 0 and size > found.begin) else found.size
    return _Stated(found.begin, length, ((found.begin - 4, f"{order}I", False), (4, f"{order}I", True)))


def _chunks(file: BinaryIO, size: int, at: int, form: str, wanted: bytes, less: int = 0) -> _Stated | None:
    """Return where the content of a chunk stands and what its size is; `less` bytes of it come before the sound."""
    length = struct.calcsize(form)
    while at + length <= size:
        file.seek(at)
        kind, content = struct.unpack(form, file.read(length))
        if kind == wanted:
            return _Stated(at + length + less, -1 if content < 0 or content >= 1 << 62 else content - less)
        at += length + max(content, 0) + (content % 2 if length == 8 else 0)
    return None


def _wave64(file: BinaryIO, size: int) -> _Stated | None:
    at = 40
    while at + W64_CHUNK <= size:
        file.seek(at)
        guid = file.read(16)
        length = struct.unpack("<Q", file.read(8))[0]
        if guid[:4] == b"data":
            return _Stated(at + W64_CHUNK, max(0, length - W64_CHUNK))
        at += max(W64_CHUNK, -(-length // 8) * 8)
    return None


def _check_sphere(file: BinaryIO, size: int, name: str) -> None:
    """Refuse NIST SPHERE with fewer samples than its header counts."""
    head = file.read(16)
    file.seek(0)
    try:
        length = int(head[8:].split()[0])
        lines = file.read(length).decode("latin-1").split("\n")
    except (ValueError, IndexError):
        return
    finally:
        file.seek(0)
    fields = {parts[0]: parts[2] for line in lines if len(parts := line.split(None, 2)) == 3}
    if "shorten" in fields.get("sample_coding", "") or "sample_count" not in fields:
        return
    try:
        count = int(fields["sample_count"])
        width = int(fields.get("sample_n_bytes", "2")) * int(fields.get("channel_count", "1"))
    except ValueError:
        return
    there = (size - length) // max(width, 1)
    if there < count:
        raise RecognizerError(f"{name}: broken off, {there} of {count} samples", "cut short or damaged")


def _ogg_streams(file: BinaryIO, size: int, name: str) -> tuple[list[tuple[int, int]], str]:
    """Return where each of the streams chained in an Ogg file begins and ends, and a note on what does not end, or "".

    Every page is looked at.

    Raises:
        RecognizerError: a page is damaged or missing, or the last one is cut.
    """
    file.seek(0)
    data = file.read()
    at, begin, number, first = 0, 0, 0, True
    following: dict[int, int] = {}  # the number that the next page of each stream must have
    ended, open_ends = False, 0
    streams: list[tuple[int, int]] = []
    while at < size:
        if data[at : at + 4] != b"OggS":
            if ended and b"OggS" not in data[at:]:
                break  # what programs put behind the sound
            raise RecognizerError(f"{name}: damaged, no Ogg page at byte {at}", "cut short or damaged")
        segments = data[at + 26] if at + 26 < size else 0
        end = at + OGG_HEAD + segments + sum(data[at + OGG_HEAD : at + OGG_HEAD + segments])
        if end > size or at + OGG_HEAD + segments > size:
            if not number:
                raise RecognizerError(f"{name}: not a sound that can be read, its first Ogg page is cut", "not a sound")
            raise RecognizerError(f"{name}: broken off inside its last Ogg page", "cut short or damaged")
        number += 1
        page = data[at:end]
        flags, serial, place, said = page[5], *struct.unpack("<III", page[14:26])
        if ogg_checksum(page) != said:
            raise RecognizerError(f"{name}: damaged, Ogg page {number} has a wrong checksum", "cut short or damaged")
        if flags & FIRST:
            if not first:
                streams.append((begin, at))
                open_ends += not ended
                begin, following = at, {}
            first = True
        else:
            first = False
            if place != following.get(serial, place):
                raise RecognizerError(f"{name}: Ogg pages are missing before page {number}", "cut short or damaged")
        following[serial] = (place + 1) & 0xFFFFFFFF
        ended = bool(flags & LAST)
        at = end
    streams.append((begin, at))
    open_ends += not ended
    # A recorder that was stopped leaves whole pages and no end: they are sound, whether more was said is open.
    note = "an Ogg stream without its end flag, read as far as it goes: what was behind it may be missing"
    return streams, note if open_ends else ""


def ogg_checksum(page: bytes) -> int:
    """Return the CRC-32 of an Ogg page (polynomial 04C11DB7, not reflected, from 0), its own field taken as 0.

    zlib has the reflected one, from all ones and inverted: bits are turned round before and after.
    """
    turned = (page[:22] + bytes(4) + page[26:]).translate(REVERSED)
    crc = zlib.crc32(turned, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)
