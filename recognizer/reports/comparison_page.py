"""Two readings of the same samples as a page: what got better, what worse, the paired intervals."""

from pathlib import Path
from typing import Any

from recognizer.evaluation.compare import Comparison, ScoredSample
from recognizer.evaluation.html_report import mark_edits
from recognizer.evaluation.intervals import RESAMPLES, Difference
from recognizer.evaluation.report import RATES
from recognizer.reports.charts import Chart
from recognizer.reports.html_page import html, write_page

SHOWN = 200  # samples of each side


def write_comparison(path: Path, found: Comparison) -> None:
    """Write the page of a comparison.

    Raises:
        RecognizerError: the file cannot be written.
    """
    pairs = list(zip(found.first.samples, found.second.samples, strict=True))
    by_change = sorted(pairs, key=lambda pair: pair[1].edits - pair[0].edits)
    better = [pair for pair in by_change if pair[1].edits < pair[0].edits][:SHOWN]
    worse = [pair for pair in reversed(by_change) if pair[1].edits > pair[0].edits][:SHOWN]
    name = RATES[found.first.unit]
    first, second = found.first, found.second
    values = {
        "title": f"{' and '.join(found.names())} on {first.corpus}",
        "names": found.names(),
        "found": found,
        "intervals": f"{RESAMPLES} draws of {found.units.describe()}",
        "figures": [
            _figure(name, first.rate("edits", "characters"), second.rate("edits", "characters"), found.characters),
            _figure("WER", first.rate("word_edits", "words"), second.rate("word_edits", "words"), found.words),
        ][: 2 if first.unit == "character" else 1],
        "chart": html(_changes(found).svg()),
        "sides": [("Better with the second", [_row(*p) for p in better]), ("Worse", [_row(*p) for p in worse])],
    }
    write_page(path, "comparison.html", values)


def _figure(name: str, first: float, second: float, change: Difference) -> dict[str, Any]:
    return {"name": name, "first": first, "second": second, "change": change}


def _changes(found: Comparison) -> Chart:
    """Return each sample's edits with the second over those with the first."""
    pairs = [(a, b) for a, b in zip(found.first.samples, found.second.samples, strict=True)]
    most = float(max([1, *(max(a.edits, b.edits) for a, b in pairs)]))
    one, other = found.names()
    chart = Chart(f"edits of {one}", f"edits of {other}", most, most, shares=False)
    points = [(float(a.edits), float(b.edits)) for a, b in pairs]
    return chart.line([(0, 0), (most, most)], "guide").dots(points, [a.name for a, _ in pairs])


def _row(first: ScoredSample, second: ScoredSample) -> dict[str, Any]:
    said, before = mark_edits(first.reference, first.read)
    _, after = mark_edits(second.reference, second.read)
    return {
        "name": first.name,
        "group": first.group,
        "said": html(said),
        "before": html(before),
        "after": html(after),
        "edits": (first.edits, second.edits),
        "change": second.edits - first.edits,
    }
