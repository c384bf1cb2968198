"""Sound in the containers of phones and films (MP4, WebM, AAC, WMA), which PyAV reads where it is installed."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError

CONTAINERS = (".m4a", ".mp4", ".m4b", ".mov", ".webm", ".mkv", ".mka", ".aac", ".wma")
CONTAINER_STARTS = (b"\x1aE\xdf\xa3", b"\xff\xf1", b"\xff\xf9", b"0&\xb2u\x8ef\xcf\x11")  # Matroska, AAC, ASF
PICTURE_BRANDS = (b"hei", b"hev", b"mif", b"msf", b"avi")  # of MP4 files that are pictures: HEIC, AVIF
LOST = 0.5  # s: a container's own length may be so much more than what it holds
LATE = 0.05  # s: what sound begins later than its film is silence before it; less is the codec's own delay
MICROSECONDS = 1e6  # of a second: PyAV's unit of a container's length

Samples = NDArray[np.float32]


def is_container(head: bytes) -> bool:
    """Return whether a file that begins with `head`, 12 bytes or more, is a container of sound or film."""
    return head[4:8] == b"ftyp" and head[8:11] not in PICTURE_BRANDS or head.startswith(CONTAINER_STARTS)


@dataclass
class MediaSound:
    """The first sound of a container.

    Args:
        container: of PyAV.
        stream: of PyAV.
        name: of the file, for messages.
        end: where the last packet ends that was taken from the container so far, in seconds.
    """

    container: Any
    stream: Any
    name: str
    end: float = 0.0

    @property
    def rate(self) -> int:
        """Hz."""
        return int(self.stream.rate)

    @property
    def seconds(self) -> float:
        """The length of the sound, or else of the container, as the file says, nan where it does not."""
        if self.stream.duration:
            return self._delay(self.stream.start_time) + float(self.stream.duration * self.stream.time_base)
        return self.container.duration / MICROSECONDS if self.container.duration else math.nan

    @property
    def note(self) -> str:
        """What a user should know of the choice of the sound, "" for nothing."""
        tracks = len(self.container.streams.audio)
        return f"the first of its {tracks} sounds is read (ffmpeg -map takes another out)" if tracks > 1 else ""

    def blocks(self) -> Iterator[Samples]:
        """Yield samples (n, channels), full scale 1, about a second at a time; silence where sound begins late.

        Raises:
            RecognizerError: the sound, or the container, breaks off.
        """
        import av

        resampler, held, got = av.AudioResampler(format="fltp"), [], 0  # type: Any, list[Samples], int
        self.end = 0.0
        try:
            for frame in self._frames():
                planes = [np.ascontiguousarray(one.to_ndarray().T, np.float32) for one in resampler.resample(frame)]
                if planes and not got and (late := round(self._delay(frame.pts) * self.rate)):
                    for start in range(0, late, self.rate):
                        yield np.zeros((min(self.rate, late - start), planes[0].shape[1]), np.float32)
                    got = late
                held += planes
                got += sum(map(len, planes))
                if sum(map(len, held)) >= self.rate:
                    yield np.concatenate(held)
                    held = []
        except av.error.FFmpegError:
            raise self._broken(got) from None
        if held:
            yield np.concatenate(held)
        # A film may go on when its sound is over: where only the container says how long it is, all of it has to end.
        if (got / self.rate if self.stream.duration else max(self.end, got / self.rate)) < self.seconds - LOST:
            raise self._broken(got)

    def _frames(self) -> Iterator[Any]:
        """Yield the frames of the sound; note where the last packet of anything ends."""
        for packet in self.container.demux():
            if packet.pts is not None:
                self.end = max(self.end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream.index == self.stream.index:
                yield from packet.decode()

    def _delay(self, start: int | None) -> float:
        """Return by how many seconds the sound, from a time stamp of its own on, begins later than the container."""
        if start is None:
            return 0.0
        late = float(start * self.stream.time_base) - (self.container.start_time or 0) / MICROSECONDS
        return late if late > LATE else 0.0

    def _broken(self, got: int) -> RecognizerError:
        whole = f", it says {self.seconds:.2f} s" if math.isfinite(self.seconds) else ""
        return RecognizerError(
            f"{self.name}: broken off, {got / self.rate:.2f} s can be decoded{whole}", "cut short or damaged"
        )


@contextmanager
def open_media(source: Path | BinaryIO, name: str) -> Iterator[MediaSound]:
    """Open the sound of a container.

    Raises:
        RecognizerError: PyAV is not installed, or the file is damaged or without sound.
    """
    try:
        import av
    except ImportError:
        raise RecognizerError(
            f"{name}: sound in a container such as MP4, WebM, AAC or WMA, which needs PyAV:"
            " pip install 'recognizer[media]', or convert it to FLAC or WAV",
            "needs recognizer[media]",
        ) from None
    try:
        container = av.open(str(source) if isinstance(source, Path) else _rewound(source))
    except (av.error.FFmpegError, OSError) as error:
        raise RecognizerError(f"{name}: cannot be read ({error}), expected whole sound", "not a sound") from None
    with container:
        if not container.streams.audio:
            raise RecognizerError(f"{name}: holds no sound, expected a recording", "without sound")
        yield MediaSound(container, container.streams.audio[0], name)


def _rewound(file: BinaryIO) -> BinaryIO:
    if not file.seekable():
        return io.BytesIO(file.read())
    file.seek(0)
    return file
