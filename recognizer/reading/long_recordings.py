"""Recordings that are longer than what is read at once, for the verbs that read files."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from recognizer.errors import RecognizerError
from recognizer.formats.result import Result
from recognizer.inputs.speech.audio import SpeechSettings
from recognizer.inputs.speech.streaming import open_recording
from recognizer.reading.reader import Reader
from recognizer.reading.recordings import PieceReader, PieceReading

Say = Callable[[str], None]
Progress = Callable[[int, int], None]  # seconds read, seconds in all or 0 where the file does not say


class LongRecording:
    """A recording whose pieces are read as they are asked for."""

    def __init__(
        self, reader: Reader, source: Path | BinaryIO, name: str, channel: int, say: Say, progress: Progress
    ) -> None:
        """Read `source` with `reader`.

        Args:
            reader: of speech.
            source: the file.
            name: of the file as the user gave it.
            channel: to read, 0 for the mean of all.
            say: takes what a user should know.
            progress: takes how far it is.
        """
        self.reader, self.source, self.name, self.channel = reader, source, name, channel
        self.say, self.progress = say, progress
        self.seconds = 0.0

    def records(self) -> Iterator[Result]:
        """Yield a record for each piece with speech; `seconds` is the length of the recording afterwards.

        Raises:
            RecognizerError: the recording is at fault, at its beginning or where it breaks off.
        """
        used = self.reader.describe()
        for one in self.readings():
            yield Result(self.name, one.hypothesis, "s", one.end, part=(one.start, one.end), decoder=used)

    def readings(self) -> Iterator[PieceReading]:
        """Yield what is read of each piece with speech."""
        pieces = PieceReader(self.reader)
        settings = SpeechSettings(**self.reader.model_file.settings.signal)
        with open_recording(self.source, settings, self.name, self.say, self.channel) as recording:
            try:
                for block in recording.blocks():
                    yield from pieces.push(block)
                    whole = recording.seconds if math.isfinite(recording.seconds) else 0.0
                    self.progress(int(pieces.heard), math.ceil(whole))
            except RecognizerError:
                yield from pieces.finish()  # what came before the fault
                raise
            finally:
                end = max(1, math.ceil(pieces.heard))
                self.progress(end, end)
            yield from pieces.finish()
        self.seconds = pieces.heard
        noun = "piece" if pieces.pieces == 1 else "pieces"
        left = f", {clock(pieces.silence)} without speech left out" if pieces.silence >= 1 else ""
        self.say(f"{self.name}: {clock(pieces.heard)} read in {pieces.pieces} {noun}{left}")


def clock(seconds: float) -> str:
    """Return h:mm:ss."""
    if not math.isfinite(seconds):
        return "?"
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
