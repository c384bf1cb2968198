"""What a check found as a page: the faults with pictures or sounds of what is suspect, the characters."""

from pathlib import Path
from typing import Any

from recognizer.corpus.alphabet_report import named
from recognizer.corpus.check_report import HEADINGS, CheckReport
from recognizer.corpus.checks import Finding
from recognizer.corpus.store import Store
from recognizer.reports.charts import Chart
from recognizer.reports.html_page import html, write_page
from recognizer.reports.media import media_of

SHOWN = 12  # samples of a finding
BARS = 60  # characters in the chart


def write_check(path: Path, report: CheckReport, store: Store) -> None:
    """Write the page of a check.

    Args:
        path: of the file.
        report: what was found.
        store: the corpus, of which pictures and sounds are taken.

    Raises:
        RecognizerError: the file cannot be written.
    """
    alphabet = report.alphabet
    notes = [
        ("Seen fewer than ten times", [(named(symbol), count, "") for symbol, count in alphabet.rare.items()]),
        ("Of another script, or alike but for the code", [(named(s), n, why) for s, n, why in alphabet.look_alikes]),
        *((f"Several {kind}", [(named(s), n, "") for s, n in counts.items()])
          for kind, counts in alphabet.families.items()),
        *((f"Only in {split or '(no split)'}, no reading can get it right", [(named(s), n, "") for s, n in c.items()])
          for split, c in alphabet.elsewhere.items()),
        ("Control or format characters in the raw texts", [(named(s), n, "") for s, n in alphabet.invisible.items()]),
        ("Changed by the normalisation of texts",
         [(named(s), n, f"becomes {new!r}") for s, n, new in alphabet.changed]),
    ]  # fmt: skip
    values = {
        "title": f"check of {report.corpus}",
        "report": report,
        "findings": [
            (heading, [_finding(one, store) for one in report.findings if one.weight == weight])
            for weight, heading in HEADINGS.items()
        ],
        "chart": html(_frequencies(alphabet.learned).svg()),
        "notes": [(title, rows) for title, rows in notes if rows],
    }
    write_page(path, "check.html", values)


def _finding(one: Finding, store: Store) -> dict[str, Any]:
    shown = []
    for index in one.samples[:SHOWN]:
        sample = store.sample(index)
        shown.append({"media": media_of(store, index), "text": sample.text, "name": str(sample.path)})
    return {"what": one.what, "count": one.count, "cases": one.cases, "samples": shown}


def _frequencies(counts: dict[str, int]) -> Chart:
    """Return how often each character is learned, the commonest first, on a scale of logarithms to the base of 10."""
    from math import log10

    rows = list(counts.items())[:BARS]
    top = max([log10(count) for _, count in rows if count] + [1.0])
    chart = Chart("characters by frequency", "times (logarithm)", float(len(rows)), top, shares=False, size=(1000, 240))
    bars = [(float(i), i + 1.0, log10(max(count, 1))) for i, (_, count) in enumerate(rows)]
    return chart.bars(bars, [f"{named(symbol)}: {count}" for symbol, count in rows])
