"""Measure how well lines are found on images of pages, and how much each constant of the segmentation matters.

    python scripts/segmentation_table.py FOLDER [FOLDER ...] [--pages 4] [--model NAME] [--constants [MODULE ...]]

Each folder is a collection with PAGE XML or ALTO whose baselines count as the truth; three times `--pages` of its files
are looked at, evenly over their names, and the first `--pages` of these that can be used are taken. A found line is
right where its baseline runs along one of the XML's: over half of the shorter one, on average no farther than 0.3 of
the spacing between lines from it. With `--model` (and `--lm`) the lines are read, and those that are no writing are
left out, as `recognizer transcribe` does. `--constants` repeats it all without a model, with each constant of
recognizer/pages made smaller and larger by `--factor`: a constant that may be changed without loss needs no care.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from recognizer.commands.exit_codes import run_and_exit
from recognizer.decoding.options import DecoderOptions
from recognizer.errors import RecognizerError
from recognizer.inputs.lines.image import HandwritingSettings
from recognizer.inputs.lines.image_file import read_image
from recognizer.inputs.lines.page_line import line_signal
from recognizer.inputs.lines.page_placement import placed_image, placement_of
from recognizer.inputs.signal import Signal
from recognizer.pages import columns, line_segmentation, ridge_tracking, rules
from recognizer.pages.background import even_light
from recognizer.pages.line_segmentation import find_lines
from recognizer.pages.page import LineRegion, Points
from recognizer.pages.parse import read_page
from recognizer.reading.found_lines import is_writing
from recognizer.reading.reader import Reader

NEAR = 0.3  # of the spacing between lines: how far a found baseline may lie from the true one
ALONG = 0.5  # of the shorter of two baselines: how much of it the other has to run along
MODULES = {"rules": rules, "ridge_tracking": ridge_tracking, "columns": columns, "line_segmentation": line_segmentation}
PLACES = 50  # along a baseline at which it is compared
FEWEST = 3  # lines of a page that is taken: with fewer its spacing is not known


@dataclass(frozen=True)
class TruePage:
    """An evenly lit page, uint8 (rows, columns), and the baselines that its XML states, in pixels of it."""

    grey: np.ndarray
    baselines: tuple[Points, ...]


@dataclass
class Counts:
    """Lines of some pages: how many there are, were found, and are right."""

    there: int = 0
    found: int = 0
    right: int = 0

    def add(self, other: "Counts") -> None:
        """Add another's."""
        self.there, self.found, self.right = (
            self.there + other.there,
            self.found + other.found,
            self.right + other.right,
        )

    @property
    def f(self) -> float:
        """Harmonic mean of recall and precision."""
        return 2 * self.right / max(1, self.there + self.found)

    def row(self) -> str:
        """Return the cells of a table."""
        recall, precision = self.right / max(1, self.there), self.right / max(1, self.found)
        return f"{self.there:,} | {self.found:,} | {recall:.1%} | {precision:.1%} | {self.f:.1%}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pages", type=int, default=4, help="of each folder")
    parser.add_argument("--between", action="store_true", help="take pages halfway to the next instead")
    parser.add_argument("--model", help="leave out of what is found what this model takes for no writing")
    parser.add_argument("--lm", type=Path, help="language model that it reads with")
    parser.add_argument("--constants", nargs="*", choices=MODULES, help="of these modules (default of all)")
    parser.add_argument("--factor", type=float, default=1.4)
    chosen = parser.parse_args()
    if chosen.lm and not chosen.model:
        raise RecognizerError("--lm has no effect without --model")
    reader = Reader.load(chosen.model, options=DecoderOptions(lm=chosen.lm)) if chosen.model else None
    pages: list[TruePage] = []
    every = Counts()
    print("| collection | pages | lines | found | recall | precision | F |\n| --- |" + " ---: |" * 6)
    for folder in chosen.folders:
        taken = list(true_pages(folder, chosen.pages, chosen.between))
        counts = measured(taken, reader)
        print(f"| {folder.name} | {len(taken)} | {counts.row()} |", flush=True)
        pages += taken
        every.add(counts)
    print(f"| all | {len(pages)} | {every.row()} |")
    if chosen.constants is not None:
        print(f"\n| constant | value | F, divided by {chosen.factor:g} | F, times {chosen.factor:g} |")
        print("| --- |" + " ---: |" * 3)
        usual = measured(pages).f
        for module, name in constants(chosen.constants or list(MODULES)):
            value = getattr(module, name)
            cells = []
            for factor in (1 / chosen.factor, chosen.factor):
                with changed(module, name, factor):
                    cells.append(f"{measured(pages).f - usual:+.1%}")
            where = module.__name__.rsplit(".", 1)[1]
            print(f"| {where}.{name} | {value:g} | {' | '.join(cells)} |", flush=True)


def true_pages(folder: Path, number: int, between: bool = False) -> Iterator[TruePage]:
    """Yield the first `number` pages with an image and a few baselines, of thrice as many evenly over the names.

    With `between` the pages stand halfway between those, so that none of them was seen where those were looked at.
    """
    files = sorted(path for path in folder.rglob("*.xml") if path.name != "METS.xml")
    taken = 0
    places = np.linspace(0, len(files) - 1, min(len(files), 3 * number))
    if between:
        places = (places[:-1] + places[1:]) / 2
    for at in places:
        if taken < number and (page := true_page(files[round(at)])):
            taken += 1
            yield page


def true_page(path: Path) -> TruePage | None:
    """Return a page, None where its XML or image cannot be used."""
    try:
        page = read_page(path)
        image = read_image(page.image_path())
    except RecognizerError:
        return None
    placement = placement_of(page, image)
    areas = [placement.of(line.area) for line in page.lines if line.area is not None]
    baselines = tuple(area.baseline for area in areas if len(area.baseline) > 1)
    if len(baselines) < FEWEST:
        return None
    return TruePage(even_light(placed_image(image, placement)), baselines)


def measured(pages: Sequence[TruePage], reader: Reader | None = None) -> Counts:
    """Return how many lines are found rightly on pages; of what is found only that which a reader takes for writing."""
    total = Counts()
    for page in pages:
        grey = rules.erase_rules(page.grey)
        areas = find_lines(grey)
        if reader:
            areas = written(grey, areas, reader)
        total.add(compare(page.baselines, [area.baseline for area in areas]))
    return total


def written(grey: np.ndarray, areas: Sequence[LineRegion], reader: Reader) -> list[LineRegion]:
    """Return those of the lines found on a page that a reader takes for writing."""
    settings = HandwritingSettings(**reader.model_file.settings.signal)
    cut: list[tuple[LineRegion, Signal]] = []
    for area in areas:
        with suppress(RecognizerError):  # too small to be cut: no line
            cut.append((area, line_signal(grey, area, settings, "a line")))
    read = reader.read([signal for _, signal in cut])
    return [area for (area, _), hypothesis in zip(cut, read, strict=True) if is_writing(hypothesis)]


def compare(true: Sequence[Points], found: Sequence[Points]) -> Counts:
    """Return how many found baselines run along a true one, each of both counted once, nearest pairs first."""
    spacing = spacing_of(true)
    pairs = sorted(
        (gap, i, j)
        for i, one in enumerate(true)
        for j, other in enumerate(found)
        if (gap := distance(one, other)) <= NEAR * spacing
    )
    here: set[int] = set()
    there: set[int] = set()
    for _, i, j in pairs:
        if i not in here and j not in there:
            here.add(i)
            there.add(j)
    return Counts(len(true), len(found), len(here))


def distance(one: Points, other: Points) -> float:
    """Return the mean vertical distance of two baselines where both run, infinite where that is too short a way."""
    (x, y), (u, v) = (np.array(sorted(points), dtype=float).T for points in (one, other))
    low, high = max(x[0], u[0]), min(x[-1], u[-1])
    if high - low < ALONG * max(1.0, min(x[-1] - x[0], u[-1] - u[0])):
        return float("inf")
    at = np.linspace(low, high, PLACES)
    return float(np.abs(np.interp(at, x, y) - np.interp(at, u, v)).mean())


def spacing_of(baselines: Sequence[Points]) -> float:
    """Return the median distance of a baseline from the next below it that it shares columns with, in pixels."""
    gaps = []
    for one in baselines:
        middle, (low, high) = float(np.mean([y for _, y in one])), (min(x for x, _ in one), max(x for x, _ in one))
        below = [
            float(np.mean([y for _, y in other])) - middle
            for other in baselines
            if min(high, max(x for x, _ in other)) > max(low, min(x for x, _ in other))
        ]
        gaps += [min((gap for gap in below if gap > 1.0), default=float("nan"))]
    known = [gap for gap in gaps if gap == gap]
    return float(np.median(known)) if known else 1.0


def constants(modules: Sequence[str]) -> Iterator[tuple[ModuleType, str]]:
    """Yield the module and name of each number that the segmentation was tuned by."""
    for module in (MODULES[name] for name in modules):
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, int | float):
                yield module, name


@contextmanager
def changed(module: ModuleType, name: str, factor: float) -> Iterator[None]:
    """Multiply a constant for a while; whole numbers stay whole."""
    value = getattr(module, name)
    setattr(module, name, max(1, round(value * factor)) if isinstance(value, int) else value * factor)
    try:
        yield
    finally:
        setattr(module, name, value)


if __name__ == "__main__":
    run_and_exit("segmentation_table", main)
