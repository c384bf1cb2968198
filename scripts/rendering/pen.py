"""Text drawn large, letter by letter or word by word, before it is bent into a line."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from rendering.fonts import UNIT, Font, Freetype
from rendering.noise import Rng, happens

ABOVE, BELOW = 5 * UNIT, 4 * UNIT  # pixels of the drawing above and below the baseline
SIDE = 2 * UNIT  # pixels of paper left and right
BROKEN = 0.15  # share of lines in a joined hand whose pen lifts after every letter


@dataclass(frozen=True)
class Drawing:
    """Ink on a large canvas.

    Args:
        image: grey, ink 255 on 0; the baseline is row ABOVE.
        box: left, top, right, bottom of the ink of the text itself, in pixels of the canvas.
    """

    image: Image.Image
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Piece:
    """Letters that are drawn in one go: what, with which face, where."""

    text: str
    face: Freetype
    x: float
    y: float


def draw(text: str, font: Font, wobble: float, rng: Rng) -> Drawing:
    """Draw `text` with the irregular spaces and letters of a hand."""
    lifted = not font.joined or (wobble > 0 and happens(rng, BROKEN * wobble))
    gap = UNIT * float(rng.uniform(0.5, 1.3)) if wobble else 0.75 * UNIT
    spread = UNIT * float(rng.uniform(-0.05, 0.2)) * wobble if not font.joined else 0.0
    pieces: list[Piece] = []
    x = float(SIDE)
    for word in text.split(" "):
        made, x = _letters(word, font, x, spread, wobble, rng) if lifted else _word(word, font, x)
        pieces += made
        x += gap * float(np.exp(rng.normal(0, 0.2 * wobble)))
    return _ink(pieces, int(x) + SIDE)


def _word(word: str, font: Font, x: float) -> tuple[list[Piece], float]:
    """Place a word whose letters hang together."""
    face = font.faces[1]
    return [Piece(word, face, x, ABOVE)], x + face.getlength(word)


def _letters(word: str, font: Font, x: float, spread: float, wobble: float, rng: Rng) -> tuple[list[Piece], float]:
    """Place letters one by one, each a little off the place and size that the font gives it."""
    pieces = []
    for letter, follower in zip(word, [*word[1:], ""], strict=True):
        face = font.faces[int(rng.integers(3)) if happens(rng, 0.8 * wobble) else 1]
        pieces.append(Piece(letter, face, x, ABOVE + float(rng.normal(0, 0.05 * UNIT * wobble))))
        x += font.advance(letter, follower) + spread
    return pieces, x


def _ink(pieces: list[Piece], width: int) -> Drawing:
    image = Image.new("L", (width, ABOVE + BELOW))
    pen = ImageDraw.Draw(image)
    for piece in pieces:
        pen.text((piece.x, piece.y), piece.text, fill=255, font=piece.face, anchor="ls")
    return Drawing(image, image.getbbox() or (SIDE, ABOVE - UNIT, width - SIDE, ABOVE))
