"""Says how well lines are found on pages whose lines are known, how well what is found is read and a transcript placed.

    python scripts/bench_lines.py handwriting PAGES

PAGES is a folder of PAGE XML or ALTO with their images, of which `find_lines` sees the images alone. A line is found
where the baseline of one that was found stays within three tenths of a line's distance of its own for seven tenths of
its length. The lines that were found are read as they were found and as their page names them. Then the page's texts
are placed on what was found, as `recognizer align --lines` does it; right is a text on its own line.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.errors import RecognizerError  # noqa: E402
from recognizer.evaluation.metrics import Edits, total  # noqa: E402
from recognizer.evaluation.report import score  # noqa: E402
from recognizer.pages.page import LineRegion, Page  # noqa: E402
from recognizer.pages.parse import form_of, read_page  # noqa: E402
from recognizer.reading.page_alignment import matched_lines  # noqa: E402
from recognizer.reading.reader import Reader  # noqa: E402

NEAR, LONG = 0.3, 0.7
PROBES = 50  # places along a baseline


@dataclass(frozen=True)
class Match:
    """A line of a page with the number of the line that was found in its place."""

    line: int
    found: int


def main() -> None:
    """Print a row a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="file or shipped name")
    parser.add_argument("pages", type=Path, help="folder")
    given = parser.parse_args()
    reader = Reader.load(given.model)
    paths = [path for path in sorted(given.pages.rglob("*.xml")) if form_of(path)]
    if not paths:
        raise RecognizerError(f"{given.pages}: no PAGE XML, no ALTO, expected pages whose lines are known")
    print("| page | lines | found | found besides | CER as found | CER as named | texts placed | right |")
    print("| --- " * 8 + "|")
    sums: list[list[Edits]] = [[], []]
    counts = np.zeros(5, int)
    for path in paths:
        page = read_page(path)
        found, signals = reader.find_page(page.image_path())
        matches = match(page, [line.area for line in found.lines if line.area])
        texts = [reader.alphabet.text.normalize(line.text or "") for line in page.lines]
        as_found = [hypothesis.text for hypothesis in reader.read(signals)]
        as_named = [
            hypothesis.text for hypothesis in reader.transcribe([page.name_of(page.lines[m.line]) for m in matches])
        ]
        rates = []
        for scored, read in zip(sums, ([as_found[m.found] for m in matches], as_named), strict=True):
            pairs = zip(matches, read, strict=True)
            own = [score("", "", texts[m.line], text, 0.0, reader.alphabet).characters for m, text in pairs]
            scored += own
            rates.append(f"{total(own).rate:.2%}")
        placed = matched_lines(as_found, texts)
        right = {(m.found, m.line) for m in matches}
        row = (len(page.lines), len(matches), len(signals) - len(matches), len(placed), len(right & set(placed)))
        counts += row
        say(path.stem, row, rates)
    say("all", tuple(counts.tolist()), [f"{total(scored).rate:.2%}" for scored in sums])


def say(name: str, counts: tuple[int, ...], rates: list[str]) -> None:
    """Print a row of the table."""
    print("|", " | ".join([name, *map(str, counts[:3]), *rates, *map(str, counts[3:])]), "|", flush=True)


def match(page: Page, found: list[LineRegion]) -> list[Match]:
    """Return which lines of a page were found; no line that was found stands for two."""
    baselines = [np.array(sorted(line.area.baseline)) if line.area else np.zeros((0, 2)) for line in page.lines]
    heights = sorted(float(b[:, 1].mean()) for b in baselines if len(b))
    distance = float(np.median(np.diff(heights))) if len(heights) > 1 else 50.0
    pairs = []
    for number, baseline in enumerate(baselines):
        if len(baseline) < 2:
            continue
        x = np.linspace(baseline[0, 0], baseline[-1, 0], PROBES)
        y = np.interp(x, *baseline.T)
        for other, area in enumerate(found):
            line = np.array(area.baseline)
            there = (x >= line[0, 0]) & (x <= line[-1, 0])
            near = there & (np.abs(np.interp(x, *line.T) - y) < NEAR * distance)
            pairs.append((float(near.mean()), number, other))
    matches: list[Match] = []
    for share, number, other in sorted(pairs, reverse=True):
        if share >= LONG and all(number != m.line and other != m.found for m in matches):
            matches.append(Match(number, other))
    return sorted(matches, key=lambda m: m.line)


if __name__ == "__main__":
    run_and_exit("bench_lines", main)
