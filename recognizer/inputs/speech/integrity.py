"""Whether a sound file is whole, where libsndfile shortens what is broken without a word."""

import io
import re
from typing import Any, BinaryIO

from recognizer.errors import RecognizerError

MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hz, by version bits
MPEG_1_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # layer III
MPEG_2_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
MPEG_SLACK = 4096  # samples: an encoder's own delay and padding are less
OGG_PAGE = 65307  # bytes: the longest page there is
OPEN_END = 0x7FFF0000  # bytes: what a recorder that cannot know the end writes is no less


def samples_to_expect(file: BinaryIO, sound: Any, name: str) -> int:
    """Return how many samples a whole decoding of `sound`, a soundfile.SoundFile over `file`, must give.

    Raises:
        RecognizerError: the file is broken off, or cannot be read to its end.
    """
    here = file.tell()
    try:
        _check_sizes(sound, name)
        if sound.format == "OGG" and not _ends_with_page(file):
            raise RecognizerError(f"{name}: broken off inside its last Ogg page")
        return _mpeg_expects(file, sound.frames, name) if sound.format == "MP3" else int(sound.frames)
    finally:
        file.seek(here)  # the decoder goes on from there


def _check_sizes(sound: Any, name: str) -> None:
    """Refuse a WAV, AIFF or AU file that holds fewer bytes than its header says."""
    declared = re.search(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", sound.extra_info, re.M)
    wanted, got = map(int, declared.groups()) if declared else (0, 0)
    if got < wanted < OPEN_END:
        raise RecognizerError(f"{name}: broken off, {got} bytes of sound, its header says {wanted}")


def _ends_with_page(file: BinaryIO) -> bool:
    """Tell whether the last Ogg page is whole (RFC 3533, section 6)."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - OGG_PAGE))
    tail = file.read()
    start = tail.rfind(b"OggS")
    if start < 0 or start + 27 > len(tail):
        return False
    table = tail[start + 27 : start + 27 + tail[start + 26]]
    return len(table) == tail[start + 26] and start + 27 + len(table) + sum(table) <= len(tail)


def _mpeg_expects(file: BinaryIO, frames: int, name: str) -> int:
    """Return the samples of an MP3 file: what its Xing header says, or else what its MPEG frames hold at least.

    Without that header libsndfile guesses `frames` from the size of the file and reads no further.
    """
    file.seek(0)
    held, first = _mpeg_samples(file.read())
    if b"Xing" in first or b"Info" in first:
        return frames
    if held > frames + MPEG_SLACK:
        reason = "variable bit rate without a Xing header"
        raise RecognizerError(f"{name}: holds {held} samples, {frames} can be read ({reason}); convert it to FLAC")
    return max(0, held - MPEG_SLACK)


def _mpeg_samples(data: bytes) -> tuple[int, bytes]:
    """Return how many samples all layer III frames hold (ISO 11172-3, 2.4.2.3; 13818-3), and the first frame."""
    position, samples, first = 0, 0, b""
    if data[:3] == b"ID3":
        position = 10 + sum((byte & 127) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    while (position := data.find(b"\xff", position)) >= 0 and position + 4 <= len(data):
        size, held = _mpeg_frame(data[position : position + 4])
        first = first or data[position : position + size]
        position += max(size, 1)
        samples += held
    return samples, first


def _mpeg_frame(header: bytes) -> tuple[int, int]:
    """Return bytes and samples of the layer III frame that `header` (4 bytes) starts, zeros if it starts none."""
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    kbits, rate = header[2] >> 4, header[2] >> 2 & 3
    if header[1] < 0xE0 or version == 1 or layer != 1 or kbits in (0, 15) or rate == 3:
        return 0, 0
    samples = 1152 if version == 3 else 576
    kbit = (MPEG_1_KBITS if version == 3 else MPEG_2_KBITS)[kbits]
    return samples // 8 * 1000 * kbit // MPEG_RATES[version][rate] + (header[2] >> 1 & 1), samples
