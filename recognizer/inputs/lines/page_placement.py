"""Which pixels of its image the places of a page's XML count: as stored or turned upright, of which size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image_file import ImagePage, turned_back
from recognizer.pages.page import LineRegion, Page, Points

SAME_SHAPE = 0.01  # by how much the shares of an image's sides may differ from those that the XML states
CLEARLY = 1.25  # times as much ink inside the outlines: one of two readings of their places is the right one
SOME_INK = 1.05  # times as much ink inside the outlines as on the page: with less they stand beside the writing
WORK_SIDE = 900  # pixels of the picture in which ink is counted
LEVELS_OF_INK = 24.0  # grey levels below the paper around it: what is darker is ink
TURNED_BY_EXIF = {2: "mirrored", 3: "upside down", 4: "mirrored and upside down"}


@dataclass(frozen=True)
class Placement:
    """How the places of a page come onto its image.

    Args:
        stored: take the pixels as they are stored, not turned as the file's orientation says.
        across: pixels of the image for one of the XML, along the rows.
        down: likewise along the columns.
        notes: what a user should know of it.
    """

    stored: bool = False
    across: float = 1.0
    down: float = 1.0
    notes: tuple[str, ...] = ()

    def of(self, area: LineRegion) -> LineRegion:
        """Return an area of the XML in pixels of the image."""
        if self.across == self.down == 1.0:
            return area
        outline, baseline = (self._scaled(part) for part in (area.outline, area.baseline))
        return replace(area, outline=outline, baseline=baseline)

    def _scaled(self, points: Points) -> Points:
        return tuple((x * self.across, y * self.down) for x, y in points)


def placement_of(page: Page, image: ImagePage) -> Placement:
    """Return how the places of a page come onto its image, told by the size that the XML states, else by the ink.

    Raises:
        RecognizerError: the XML was made of an image of another shape.
    """
    areas = [line.area for line in page.lines if line.area is not None]
    upright, stored = _size(image.grey), _size(image.stored())
    if page.size == (0, 0) or page.size == upright == stored:
        found = _by_orientation(areas, image)
    elif page.size == upright:
        found = Placement()
    elif page.size == stored:
        found = Placement(True, notes=(f"places count in the pixels as stored, {page.size[0]} x {page.size[1]}",))
    else:
        found = _by_scale(page, areas, image)
    return _with_a_word_on_blanks(found, areas, image)


def _by_orientation(areas: Sequence[LineRegion], image: ImagePage) -> Placement:
    """Choose between the image upright and as stored, where both have the size that the XML states."""
    if image.orientation == 1 or not areas:
        return Placement()
    upright, stored = (_ink_inside(grey, areas) for grey in (image.grey, image.stored()))
    if stored < CLEARLY * upright:
        return Placement()
    how = TURNED_BY_EXIF.get(image.orientation, "turned")
    return Placement(True, notes=(f"the file says that it is {how}, the places of its lines say that it is not",))


def _by_scale(page: Page, areas: Sequence[LineRegion], image: ImagePage) -> Placement:
    """Choose between places in pixels of the image and places in the size that the XML states."""
    columns, rows = _size(image.grey)
    (width, height), stored = page.size, False
    across, down = columns / max(width, 1), rows / max(height, 1)
    if image.orientation > 4 and _same_shape(rows / max(width, 1), columns / max(height, 1)):
        stored, across, down = True, rows / max(width, 1), columns / max(height, 1)
        columns, rows = rows, columns
    grey = image.stored() if stored else image.grey
    said = f"the XML states {width} x {height} pixels, the image has {columns} x {rows}"
    scaled = Placement(stored, across, down, (f"{said}: places are scaled by {across:.4g}",))
    same = _same_shape(across, down)
    reach = np.max([np.max(area.outline, axis=0) for area in areas], axis=0) if areas else np.zeros(2)
    if areas and reach[0] <= 1.01 * columns and reach[1] <= 1.01 * rows:
        as_they_are = _ink_inside(grey, areas)
        as_stated = _ink_inside(grey, [scaled.of(area) for area in areas])
        if as_they_are > CLEARLY * (as_stated if same else max(1.0, as_stated)):
            return Placement(stored, notes=(f"{said}: places are taken as they are, for there the writing is",))
    if not same:
        raise RecognizerError(
            f"{page.path}: its page says {width} x {height} pixels, {page.image} has {columns} x {rows}: expected the "
            "image that the XML was made of",
            "an image of another shape",
        )
    return scaled


def _same_shape(across: float, down: float) -> bool:
    return down > 0 and abs(across / down - 1) <= SAME_SHAPE


def _with_a_word_on_blanks(found: Placement, areas: Sequence[LineRegion], image: ImagePage) -> Placement:
    """Return the placement with a note where its lines hold no more ink than the rest of the page."""
    grey = image.stored() if found.stored else image.grey
    if len(areas) < 2 or _ink_inside(grey, [found.of(area) for area in areas]) >= SOME_INK:
        return found
    word = f"where its {len(areas)} lines stand there is no more writing than elsewhere: places or image may be wrong"
    return replace(found, notes=(*found.notes, word))


def _ink_inside(grey: np.ndarray, areas: Sequence[LineRegion]) -> float:
    """Return how many times as much ink stands inside the outlines as on the page on average; 1 where none is."""
    rows, columns = grey.shape
    share = min(1.0, WORK_SIDE / max(rows, columns))
    size = max(8, round(columns * share)), max(8, round(rows * share))
    small = Image.fromarray(np.ascontiguousarray(grey)).resize(size, Image.Resampling.BOX)
    # The paper around a pixel is the lightest grey of coarse cells, made large again.
    coarse = Image.fromarray(np.asarray(small)).resize((max(1, size[0] // 24), max(1, size[1] // 24)))
    paper = np.asarray(coarse.resize(size, Image.Resampling.BILINEAR), np.float32)
    ink = paper - np.asarray(small, np.float32) > LEVELS_OF_INK
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for area in areas:
        draw.polygon([(x * share, y * share) for x, y in area.outline], fill=255)
    inside = np.asarray(mask) > 0
    whole = float(ink.mean())
    if whole == 0.0 or not inside.any():
        return 1.0 if whole == 0.0 else 0.0
    return float(ink[inside].mean()) / whole


def placed_image(image: ImagePage, placement: Placement) -> np.ndarray:
    """Return the grey values that the places count in."""
    return turned_back(image.grey, image.orientation) if placement.stored else image.grey


def _size(grey: np.ndarray) -> tuple[int, int]:
    return grey.shape[1], grey.shape[0]
