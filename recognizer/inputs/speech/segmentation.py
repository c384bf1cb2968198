"""Cutting sound of any length at its pauses into pieces that a network reads one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError
from recognizer.inputs.speech.voice_activity import (
    BANDS,
    HOP,
    Mask,
    VoiceActivitySettings,
    band_levels,
    runs,
    speech_frames,
    speech_score,
)

Signal = NDArray[np.int16]


@dataclass(frozen=True)
class SegmentationSettings:
    """Where a recording is cut.

    Args:
        longest: s of a piece at most.
        shortest: s of a piece before an ordinary pause may end it.
        pause: s without speech that can end a piece.
        long_pause: s without speech that end a piece in any case.
        edge: s of silence that a piece keeps at each end.
        overlap: s that two pieces share where there was no pause to cut at.
        memory: s of sound before a piece from which the noise floor is still known.
        live: cut at the first pause, as soon as it has lasted; else look ahead for the best one.
        step: s of sound from one look for a pause to the next, where `live`.
        activity: what counts as speech.
    """

    longest: float = 25.0
    shortest: float = 6.0
    pause: float = 0.25
    long_pause: float = 2.0
    edge: float = 0.3
    overlap: float = 2.0
    memory: float = 10.0
    live: bool = False
    step: float = 0.1
    activity: VoiceActivitySettings = VoiceActivitySettings()

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name, good, expected in (
            ("longest", self.longest >= 1, "1 s or more"),
            ("shortest", 0 <= self.shortest < self.longest, "0 or more and less than longest"),
            ("pause", self.pause > 0, "more than 0 s"),
            ("long_pause", self.long_pause >= self.pause, "pause or more"),
            ("edge", self.edge >= 0, "0 s or more"),
            ("overlap", 0 <= self.overlap <= self.longest / 2, "0 s to half of longest"),
            ("memory", self.memory >= 0, "0 s or more"),
            ("step", self.step >= HOP, f"{HOP} s or more"),
        ):
            if not good:
                raise RecognizerError(f"segmentation.{name} is {getattr(self, name)}, expected {expected}")


QUIET = 3.0  # s without speech that are kept, since speech may be found in them once more is known
LIVE = SegmentationSettings(shortest=0.0, pause=0.6, live=True)


@dataclass(frozen=True)
class Piece:
    """A part of a recording that holds speech.

    Args:
        start: first sample in the recording.
        values: (samples,) int16.
        overlaps: whether its beginning repeats the end of the piece before, since there was no pause to cut at.
        heard: samples of the recording that had come in when the piece was cut.
    """

    start: int
    values: Signal
    overlaps: bool = False
    heard: int = 0

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.start + len(self.values)


class Segmenter:
    """Takes sound block by block, gives pieces as soon as they are sure; the size of the blocks changes nothing.

    Memory holds a piece, what is looked at beyond it, and the levels of `memory` seconds before it.
    """

    def __init__(self, rate: int, settings: SegmentationSettings | None = None) -> None:
        """Begin a recording of `rate` samples per second."""
        self.rate, self.settings = rate, settings or SegmentationSettings()
        self.hop = round(HOP * rate)
        self.silence = 0  # samples that no piece holds
        self._sound = np.zeros(0, np.int16)
        self._start = 0  # of `_sound` in the recording
        self._levels = np.zeros((0, BANDS), np.float32)  # of `_past` frames before `_sound` and of those in it
        self._past = 0
        self._unseen = 0  # samples that came in since the last look
        self.overlaps = False  # whether the next piece repeats the end of the last

    @property
    def heard(self) -> int:
        """Samples that have come in."""
        return self._start + len(self._sound)

    def push(self, block: Signal) -> Iterator[Piece]:
        """Take the next samples (n,) and yield the pieces that they complete."""
        at = 0
        while len(block) - at >= (missing := self._missing()):
            self._add(block[at : at + missing])
            at += missing
            self._unseen = 0
            yield from self._pieces(last=False)
        self._add(block[at:])

    def finish(self) -> Iterator[Piece]:
        """Yield what is left at the end of the recording."""
        yield from self._pieces(last=True)

    def _missing(self) -> int:
        """Return how many samples must come in before the next look."""
        if self.settings.live:
            return self._samples(self.settings.step) - self._unseen
        return self._samples(self.settings.longest + self.settings.long_pause) - len(self._sound)

    def _frames(self, seconds: float) -> int:
        return round(seconds / HOP)

    def _samples(self, seconds: float) -> int:
        return self._frames(seconds) * self.hop

    def _add(self, block: Signal) -> None:
        self._sound = np.concatenate((self._sound, block))
        self._unseen += len(block)
        known = len(self._levels) - self._past
        new = band_levels(self._sound[known * self.hop :], self.rate)
        self._levels = np.concatenate((self._levels, new))

    def _pieces(self, last: bool) -> Iterator[Piece]:
        """Yield what can be cut off; with less than a whole window of sound, only at the end or `live`."""
        while len(self._sound) and (last or self.settings.live or not self._missing()):
            piece = self._cut(last)
            if piece is None:
                return
            yield piece

    def _cut(self, last: bool) -> Piece | None:
        """Return the next piece, or None where more sound is needed or none is left."""
        speech = self._speech()
        if not speech.any():
            self._skip(len(speech) - self._frames(QUIET), last)
            return None
        if not self.overlaps:
            self._skip(int(np.argmax(speech)) - self._frames(self.settings.edge), False)
            speech = self._speech()
        end, forced = self._end(speech, last)
        if not end:
            return None
        whole = last and end >= len(speech)
        length = len(self._sound) if whole else end * self.hop
        piece = Piece(self._start, self._sound[:length].copy(), self.overlaps, self.heard)
        self._forget(length - self._samples(self.settings.overlap) if forced else length)
        self.overlaps = forced
        return piece

    def _speech(self) -> Mask:
        """Return which frames of `_sound` hold speech."""
        return speech_frames(self._levels, self.settings.activity)[self._past :]

    def _end(self, speech: Mask, last: bool) -> tuple[int, bool]:
        """Return the frame where the piece ends, 0 where that is not known yet, and whether it ends without a pause."""
        longest, gaps = self._frames(self.settings.longest), [gap for gap in runs(speech, False) if gap[0]]
        sure = self.settings.pause if self.settings.live else self.settings.long_pause
        for start, end in gaps:
            if end - start >= self._frames(sure) and start < longest:
                return min(start + self._frames(self.settings.edge), longest), False
        if len(speech) <= longest:
            return (len(speech) if last else 0), False
        if not last and self._missing() > 0 and not self.settings.live:
            return 0, False
        if found := self._best_pause(gaps, longest):
            return found, False
        return self._quietest(longest), True

    def _best_pause(self, gaps: list[tuple[int, int]], longest: int) -> int:
        """Return the middle of the best pause in a stretch that is too long for one piece, 0 if it has none.

        A pause counts by its length times its place: longer pieces give the network more to go by.
        """
        shortest, pause = self._frames(self.settings.shortest), self._frames(self.settings.pause)
        fitting = [(a, b) for a, b in gaps if b - a >= pause and a >= shortest and (a + b) // 2 < longest]
        start, end = max(fitting, key=lambda gap: (gap[1] - gap[0]) * gap[0], default=(0, 0))
        return (start + end) // 2

    def _quietest(self, longest: int) -> int:
        """Return the frame of the last second before `longest` that least stands out as speech."""
        score = speech_score(self._levels, self.settings.activity)[self._past :]
        start = longest - self._frames(1.0)
        return start + int(np.argmin(score[start:longest]))

    def _skip(self, frames: int, everything: bool) -> None:
        """Leave out so many frames without speech, or all that is there."""
        samples = len(self._sound) if everything else max(0, frames) * self.hop
        self.silence += samples
        self.overlaps = self.overlaps and not samples
        self._forget(samples)

    def _forget(self, samples: int) -> None:
        """Forget the first samples of `_sound`; their levels become the past."""
        frames = min(len(self._levels) - self._past, -(-samples // self.hop))
        self._start += samples
        self._sound = self._sound[samples:]
        past = self._past + frames
        forgotten = max(0, past - self._frames(self.settings.memory))
        self._levels, self._past = self._levels[forgotten:], past - forgotten
