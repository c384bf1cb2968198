"""A font, what it can write, how its hand moves."""

from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from recognizer.errors import RecognizerError

UNIT = 32  # pixels of an "x" in the drawing that lines are bent from
PROBE = 64  # font size at which a font is measured
ABSENT = "\U0010fffd"  # private use: no font of writing has it
SHEARS = np.arange(-4, 14) / 10.0
SIZES = (0.93, 1.0, 1.07)  # of letters that stand alone
APART = ["-liga", "-clig", "-dlig"]  # else "fi" is as wide as its ligature

Freetype = ImageFont.FreeTypeFont


class Font:
    """A font file, or Pillow's own font, scaled until its "x" is UNIT pixels high."""

    def __init__(self, path: Path | None) -> None:
        """Open a font file; None is the font that Pillow brings.

        Raises:
            RecognizerError: the file is no font.
        """
        self.path = path
        self.name = path.stem if path else "default"
        self._covered: dict[str, bool] = {}
        self._advances: dict[str, float] = {}
        probe = self._open(PROBE)
        top, bottom = probe.getbbox("x", anchor="ls")[1::2]
        if bottom - top < PROBE / 20:
            raise RecognizerError(f"{self.name}: has no letter x, expected a font of Latin letters")
        self._probe = probe
        self._size = PROBE * UNIT / (bottom - top)

    @cached_property
    def faces(self) -> list[Freetype]:
        """The font at a little less, exactly, a little more than its size."""
        return [self._open(max(8, round(self._size * size))) for size in SIZES]

    @cached_property
    def joined(self) -> bool:
        """Whether its letters hang together."""
        inked = np.flatnonzero(np.asarray(self._drawn("minimum")).max(axis=0))
        return len(inked) == int(inked[-1] - inked[0]) + 1

    @cached_property
    def slant(self) -> float:
        """Shift of its upright strokes to the right per pixel upwards: the shear that makes columns most unequal."""
        image = self._drawn("Hlbdhinkp")
        unequal = []
        for shear in SHEARS:
            upright = image.transform(
                image.size, Image.Transform.AFFINE, (1, -shear, shear * image.height / 2, 0, 1, 0)
            )
            unequal.append(np.square(np.asarray(upright, dtype=np.float32).sum(axis=0)).sum())
        return float(SHEARS[int(np.argmax(unequal))])

    def missing(self, text: str) -> list[str]:
        """Return the characters of `text` that the font cannot draw, each once, in order."""
        return [char for char in dict.fromkeys(text) if not char.isspace() and not self._covers(char)]

    def advance(self, letter: str, follower: str) -> float:
        """Return the pixels from the place of `letter` to that of `follower`, "" at the end, kerning included."""
        pair = letter + follower
        if pair not in self._advances:
            face = self.faces[1]
            alone = face.getlength(follower) if follower else 0.0
            shapes = face.layout_engine == ImageFont.Layout.RAQM  # the basic engine knows no ligatures
            self._advances[pair] = face.getlength(pair, features=APART if shapes else None) - alone
        return self._advances[pair]

    def _covers(self, char: str) -> bool:
        if char not in self._covered:
            mask = self._probe.getmask(char)
            absent = self._probe.getmask(ABSENT)
            drawn = mask.getbbox() is not None
            self._covered[char] = drawn and (mask.size != absent.size or bytes(mask) != bytes(absent))
        return self._covered[char]

    def _drawn(self, text: str) -> Image.Image:
        """Return `text` as ink 255 on 0, with room for every shear."""
        left, top, right, bottom = self._probe.getbbox(text, anchor="ls")
        image = Image.new("L", (int(right - left) + 4 * PROBE, int(bottom - top)))
        ImageDraw.Draw(image).text((2 * PROBE - left, -top), text, fill=255, font=self._probe, anchor="ls")
        return image

    def _open(self, size: int) -> Freetype:
        if self.path is None:
            font = ImageFont.load_default(size)
            assert isinstance(font, Freetype), "expected a Pillow with FreeType"
            return font
        try:
            return ImageFont.truetype(str(self.path), size)
        except OSError as error:
            raise RecognizerError(f"{self.path}: not a font ({error}), expected .ttf, .otf or .woff") from error


def read_fonts(folder: Path) -> list[Font]:
    """Open every font of a folder, in the order of their names.

    Raises:
        RecognizerError: there is none, or one cannot be opened.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".woff", ".ttf", ".otf"))
    if not paths:
        raise RecognizerError(f"{folder}: holds no font, expected .woff, .ttf or .otf files")
    return [Font(path) for path in paths]
