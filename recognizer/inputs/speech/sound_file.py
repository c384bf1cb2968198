"""What libsndfile reads of a sound file, all of its streams one after the other."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError
from recognizer.inputs.native_messages import without_native_messages
from recognizer.inputs.speech.integrity import SampleDigest, samples_to_expect
from recognizer.inputs.speech.whole_file import sound_parts

FLOATS = ("FLOAT", "DOUBLE")  # how libsndfile calls samples that may go beyond full scale and lose nothing there
SILENT = (b"RIFF", b"fLaC", b"OggS")  # what files begin with of which libsndfile's libraries have nothing to say
UNKNOWN = 1 << 62  # samples or more: the header leaves the length open


class OpenSound:
    """A sound file that is open: its streams, which have one rate and one number of channels, as one sound."""

    def __init__(self, files: list[BinaryIO], sounds: list[Any], name: str, note: str = "") -> None:
        """Join soundfile.SoundFile objects over the `files`; `note` is what a user should know of them, or "".

        Raises:
            RecognizerError: their rates or channels differ.
        """
        self.files, self.sounds, self.name, self.note = files, sounds, name, note
        self.digest = SampleDigest.stated(files[0])
        self.samplerate, self.channels = int(sounds[0].samplerate), int(sounds[0].channels)
        self.frames = sum(int(sound.frames) for sound in sounds)
        self.floats = all(sound.subtype in FLOATS for sound in sounds)
        self.now = 0
        if any((sound.samplerate, sound.channels) != (self.samplerate, self.channels) for sound in sounds):
            raise RecognizerError(
                f"{name}: {len(sounds)} sounds of different rates or channels one after the other, expected one"
            )

    def expected(self) -> int:
        """Return how many samples a whole decoding gives at least, 0 where nothing says so.

        Raises:
            RecognizerError: the file is broken off.
        """
        known = zip(self.files, self.sounds, strict=True)
        return sum(samples_to_expect(file, sound, self.name) for file, sound in known if sound.frames < UNKNOWN)

    def read(self, size: int, dtype: str = "float32", always_2d: bool = True) -> NDArray[np.float32]:
        """Return the next samples (at most `size`, channels), none at the end.

        Raises:
            soundfile.SoundFileError: what comes next cannot be decoded.
        """
        while self.now < len(self.sounds):
            sound = self.sounds[self.now]
            with _quiet(sound.format):
                block: NDArray[np.float32] = sound.read(size, dtype=dtype, always_2d=always_2d)
            if len(block):
                if self.digest:
                    self.digest.add(block)
                return block
            self.now += 1
        return np.zeros((0, self.channels), np.float32)

    def verify(self) -> None:
        """Hold all samples, now that they were read, against the checksum of the file, where it has one.

        Raises:
            RecognizerError: they are not those that were written.
        """
        if self.digest and not self.digest.fits():
            raise RecognizerError(
                f"{self.name}: damaged, its samples are not those of its MD5 checksum, expected a whole FLAC file",
                "cut short or damaged",
            )


@contextmanager
def open_sound(file: BinaryIO, name: str) -> Iterator[OpenSound]:
    """Yield the sound of a file, to be read from its start block by block.

    Raises:
        RecognizerError: it is no sound, broken off or damaged.
    """
    import soundfile

    class Straight(soundfile.SoundFile):  # type: ignore[misc]
        """Reads on without seeking after each block, which harms MP3, and which GSM cannot do."""

        def seekable(self) -> bool:
            return False

    parts, note = sound_parts(file, name)
    with ExitStack() as stack:
        try:
            with _quiet("" if _begins_silent(parts[0]) else "MP3"):
                sounds = [stack.enter_context(Straight(part)) for part in parts]
        except (soundfile.SoundFileError, TypeError) as error:  # TypeError: a name that ends in .raw
            raise RecognizerError(
                f"{name}: not a sound that can be read, expected WAV, FLAC, Ogg Vorbis, Opus or MP3", "not a sound"
            ) from error
        yield OpenSound(parts, sounds, name, note)


def _begins_silent(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    return head in SILENT


def _quiet(form: str) -> AbstractContextManager[None]:
    return without_native_messages() if form == "MP3" else nullcontext()
