"""Whether a sound file is whole, where libsndfile shortens what is broken without a word."""

import hashlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError

MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hz, by version bits
MPEG_1_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # layer III
MPEG_2_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
MPEG_SLACK = 4096  # samples: an encoder's own delay and padding are less
XING = (b"Xing", b"Info")  # in the first frame of a stream that says how many follow
FLAC_HEAD = 42  # bytes: the mark, the head of the first block, and STREAMINFO
FEW_FRAMES = 4  # behind the frames that were announced: fewer are a tag that looks like frames


class SampleDigest:
    """The MD5 of all samples that STREAMINFO of a FLAC file states (RFC 9639, 8.2), counted while they are read.

    Each frame has a checksum too, but a decoder passes over frames that are damaged, and gives silence or nothing.
    """

    def __init__(self, bits: int, said: bytes) -> None:
        """Expect the digest `said` of samples of 8, 16 or 24 `bits`."""
        self.bits, self.said = bits, said
        self._md5 = hashlib.md5(usedforsecurity=False)

    @classmethod
    def stated(cls, file: BinaryIO) -> "SampleDigest | None":
        """Return the digest that a file states; None where it is no FLAC file, or its writer left it open."""
        here = file.tell()
        file.seek(0)
        head = file.read(FLAC_HEAD)
        file.seek(here)
        if len(head) < FLAC_HEAD or head[:4] != b"fLaC" or head[4] & 127:
            return None
        bits, said = ((head[20] & 1) << 4 | head[21] >> 4) + 1, head[26:42]
        return cls(bits, said) if bits in (8, 16, 24) and any(said) else None

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next samples (samples, channels), full scale 1: a float32 holds 24 bits exactly."""
        whole = np.rint(block * np.float32(1 << (self.bits - 1))).astype("<i4")
        kept = np.ascontiguousarray(whole).view(np.uint8).reshape(*whole.shape, 4)[..., : self.bits // 8]
        self._md5.update(kept.tobytes())

    def fits(self) -> bool:
        """Return whether the samples so far are those that the file states."""
        return self._md5.digest() == self.said


def samples_to_expect(file: BinaryIO, sound: Any, name: str) -> int:
    """Return how many samples a whole decoding of `sound`, a soundfile.SoundFile over `file`, must give.

    Raises:
        RecognizerError: the file is broken off, or cannot be read to its end.
    """
    here = file.tell()
    try:
        return _mpeg_expects(file, sound.frames, name) if sound.format == "MP3" else int(sound.frames)
    finally:
        file.seek(here)  # the decoder goes on from there


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


def mpeg_parts(data: bytes) -> list[int]:
    """Return where the MP3 streams begin that stand one after the other in a file, mostly one: 0.

    A stream that says how many frames it has ends behind them; so does any stream where another one's first frame is.
    """
    starts, counts, announced = [0], [0], 0
    for at, size, _ in _mpeg_frames(data):
        says = _announced(data[at : at + size])
        if counts[-1] and (says or 0 < announced <= counts[-1] - 1):
            starts.append(at)
            counts.append(0)
            announced = 0
        announced = says or announced
        counts[-1] += 1
    return [starts[0], *(at for at, count in zip(starts[1:], counts[1:], strict=True) if count >= FEW_FRAMES)]


def _announced(frame: bytes) -> int:
    """Return how many frames follow one that says so, 0 for any other frame."""
    for mark in XING:
        at = frame.find(mark, 4, 60)
        if at >= 0 and len(frame) >= at + 12 and frame[at + 7] & 1:
            return int.from_bytes(frame[at + 8 : at + 12], "big")
    return 0


def _mpeg_samples(data: bytes) -> tuple[int, bytes]:
    """Return how many samples all layer III frames hold, and the first frame."""
    frames = list(_mpeg_frames(data))
    first = data[frames[0][0] : frames[0][0] + frames[0][1]] if frames else b""
    return sum(samples for _, _, samples in frames), first


def _mpeg_frames(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield place, bytes and samples of each layer III frame (ISO 11172-3, 2.4.2.3; 13818-3)."""
    position = 0
    if data[:3] == b"ID3" and len(data) >= 10:
        position = 10 + sum((byte & 127) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    while (position := data.find(b"\xff", position)) >= 0 and position + 4 <= len(data):
        size, held = _mpeg_frame(data[position : position + 4])
        if held:
            yield position, size, held
        position += max(size, 1)


def _mpeg_frame(header: bytes) -> tuple[int, int]:
    """Return bytes and samples of the layer III frame that `header` (4 bytes) starts, zeros if it starts none."""
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    kbits, rate = header[2] >> 4, header[2] >> 2 & 3
    if header[1] < 0xE0 or version == 1 or layer != 1 or kbits in (0, 15) or rate == 3:
        return 0, 0
    samples = 1152 if version == 3 else 576
    kbit = (MPEG_1_KBITS if version == 3 else MPEG_2_KBITS)[kbits]
    return samples // 8 * 1000 * kbit // MPEG_RATES[version][rate] + (header[2] >> 1 & 1), samples
