"""A made-up hand of single pen strokes that writes lower-case English, as samples of a tablet that anyone may have."""

import random

import numpy as np

from recognizer.errors import RecognizerError

# Control points x,y of each letter, y downwards: ascenders from 0, small letters from 5, the line at 10, descenders to
# 15. A stroke is smooth between its corners (/), and | lifts the pen.
LETTERS = {
    "a": "4,6 2.5,4.6 0,5.5 0,9.5 2,10.6 4,9 / 4,5 4,9.5 5,10",
    "b": "0,0 0,10 / 0,6.5 2,4.6 4,5.5 4,9.5 2,10.6 0,9.5",
    "c": "4,6 2.5,4.5 0,5.5 0,9.5 2.5,10.7 4,9",
    "d": "4,6 2.5,4.6 0,5.5 0,9.5 2,10.6 4,9 / 4,0 4,10",
    "e": "0,7.5 4,7.3 / 4,5 2,4.3 0,5.5 0,9.5 2.5,10.7 4,9.2",
    "f": "4,1 2.5,-0.7 1.5,1 1.5,10 | 0,5 3.5,5",
    "g": "4,6 2.5,4.6 0,5.5 0,9.5 2,10.6 4,9 / 4,5 4,13 2,15 0,13.5",
    "h": "0,0 0,10 / 0,6.5 2,4.6 4,5.2 4,10",
    "i": "0.5,5 0.5,10 | 0.5,2.5 0.6,3",
    "k": "0,0 0,10 | 3.5,5 0.3,7.7 / 4,10",
    "l": "0.5,0 0.5,10",
    "m": "0,5 0,10 / 0,6.5 1.5,4.4 3,5.2 3,10 / 3,6.5 4.5,4.4 6,5.2 6,10",
    "n": "0,5 0,10 / 0,6.5 2,4.4 4,5.2 4,10",
    "o": "2,5 0,4.8 0,10.2 4,10.2 4,4.8 2,5",
    "p": "0,5 0,14 / 0,6.5 2,4.6 4,5.5 4,9.5 2,10.6 0,9.5",
    "r": "0,5 0,10 / 0,7 1.5,4.8 3.5,5.4",
    "s": "3.8,5.7 2,4.3 -0.3,5.6 0.5,7.3 3.5,7.7 4.3,9.5 2,10.8 0,9.4",
    "t": "1.5,1.5 1.5,9 2.3,10.6 3.8,9.5 | 0,5 3.5,5",
    "u": "0,5 0,9.3 1.5,10.7 4,9.2 / 4,5 4,10",
    "v": "0,5 2,10 / 4,5",
    "w": "0,5 1.5,10 / 3,6 / 4.5,10 / 6,5",
    "y": "0,5 2,10 | 4,5 1.3,13 0,14.5",
}
GAP, SPACE = 1.6, 4.0  # behind a letter, and more behind a word
BASELINE = 10.0
SCALE = 10  # units of the tablet to one of a letter
ROUNDS = 3  # of cutting corners, each of which doubles the points


def written(text: str) -> list[list[float]]:
    """Return the strokes x0, y0, x1, y1, ... of a line; the text alone decides on slant, width, height of letters.

    Raises:
        RecognizerError: a character that this hand cannot write.
    """
    if strange := set(text) - LETTERS.keys() - {" "}:
        raise RecognizerError(f"{text}: the hand has no {min(strange)!r}, expected {' '.join(LETTERS)}")
    chance, x = random.Random(text), 0.0
    slant, strokes = chance.uniform(-0.05, 0.25), []
    for letter in text:
        if letter == " ":
            x += SPACE
            continue
        width = chance.uniform(0.9, 1.1)
        drawn = [smooth * (width, 1.0) + (x, chance.uniform(-0.2, 0.2)) for smooth in _strokes(letter)]
        strokes += drawn
        x = max(float(stroke[:, 0].max()) for stroke in drawn) + GAP
    return [_leaning(stroke, slant) for stroke in strokes]


def _leaning(stroke: np.ndarray, slant: float) -> list[float]:
    """Return a stroke (points, 2) that leans to the right, flat and in units of the tablet."""
    x, y = stroke.T
    places = np.stack([x - slant * (y - BASELINE), y], 1)
    return [float(place) for place in np.round(SCALE * places).ravel()]


def _strokes(letter: str) -> list[np.ndarray]:
    """Return the strokes (points, 2) of a letter."""
    return [_stroke(part.split("/")) for part in LETTERS[letter].split("|")]


def _stroke(parts: list[str]) -> np.ndarray:
    """Return a stroke (points, 2) of smooth parts, each of which begins at the end of the one before."""
    found = np.empty((0, 2))
    for part in parts:
        points = np.array([[float(place) for place in pair.split(",")] for pair in part.split()])
        found = np.concatenate([found[:-1], _smoothed(np.concatenate([found[-1:], points]))])
    return found


def _smoothed(points: np.ndarray) -> np.ndarray:
    """Return points (n, 2) with their corners cut (Chaikin 1974); both ends stay."""
    for _ in range(ROUNDS if len(points) > 2 else 0):
        before, after = points[:-1], points[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], 1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut[1:-1], points[-1:]])
    return points
