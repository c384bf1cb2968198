"""An evaluation as a page: rates, charts, confusions, the alphabet, the worst samples to look at or listen to."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recognizer.corpus.store import Store
from recognizer.evaluation.calibration import pooled
from recognizer.evaluation.html_report import mark_edits
from recognizer.evaluation.intervals import RESAMPLES, interval, units_of
from recognizer.evaluation.metrics import Edits
from recognizer.evaluation.report import RATES, Report, Scored
from recognizer.reports.charts import Chart
from recognizer.reports.html_page import html, write_page
from recognizer.reports.media import media_of

SHOWN = 200  # samples with their pictures or sounds
PAIRS = 40  # confusions of a kind
OTHERS = 3  # that a symbol is most often read as
BINS = 10  # of confidences, and of lengths


@dataclass(frozen=True)
class Figure:
    """A rate with its 95 % interval, and the counts that it is made of."""

    name: str
    rate: float
    low: float
    high: float
    edits: int
    units: int
    samples: int = 0


@dataclass(frozen=True)
class SymbolRow:
    """A symbol of the references: how often it stands there, is missed, for what it is taken, is read elsewhere."""

    symbol: str
    count: int
    missed: int
    others: list[tuple[str, int]]
    invented: int


def write_evaluation(path: Path, report: Report, store: Store, indices: Sequence[int]) -> None:
    """Write the page of an evaluation.

    Args:
        path: of the file.
        report: what was found.
        store: the corpus, of which pictures and sounds are taken.
        indices: of the report's samples in the store, in the report's order.

    Raises:
        RecognizerError: the file cannot be written.
    """
    values = {
        "title": f"{report.model} on {report.corpus}, {report.split}",
        "report": report,
        "decoder": report.trust.decoder,
        "figures": figures_of(report),
        "right": sum(one.characters.total == 0 for one in report.scored),
        "intervals": f"{RESAMPLES} draws of {report.units.describe()}",
        "charts": charts_of(report),
        "groups": groups_of(report),
        "symbol_pairs": symbol_pairs(report).most_common(PAIRS),
        "word_pairs": word_pairs(report).most_common(PAIRS),
        "space_pairs": _spaces(symbol_pairs(report)).most_common(PAIRS),
        "alphabet": alphabet_of(report),
        "strange": report.strange.most_common(),
        "samples": [_sample(report.scored[i], store, indices[i]) for i in _worst(report)],
    }
    write_page(path, "evaluation.html", values)


def figures_of(report: Report) -> list[Figure]:
    """Return the rates over symbols and, where they differ, over words."""
    parts = [(RATES[report.unit], report.characters, "characters"), ("WER", report.words, "words")]
    return [
        Figure(name, edits.rate, *report.interval(unit), edits.total, edits.units)
        for name, edits, unit in (parts if report.unit == "character" else parts[:1])
    ]


def groups_of(report: Report) -> list[Figure]:
    """Return the rate of each group, the worst first; intervals draw its samples."""
    members: dict[str, list[Scored]] = defaultdict(list)
    for one in report.scored:
        members[one.group].append(one)
    return [
        Figure(name, edits.rate, *_interval(members[name]), edits.total, edits.units, len(members[name]))
        for name, edits in report.groups().items()
    ]


def symbol_pairs(report: Report) -> "Counter[tuple[str, str]]":
    """Return how often each symbol was read as which other, "" for nothing."""
    pairs: Counter[tuple[str, str]] = Counter()
    for one in report.scored:
        pairs.update(one.symbol_pairs)
    return pairs


def word_pairs(report: Report) -> "Counter[tuple[str, str]]":
    """Return the same of words."""
    pairs: Counter[tuple[str, str]] = Counter()
    for one in report.scored:
        pairs.update(one.word_pairs)
    return pairs


def alphabet_of(report: Report) -> list[SymbolRow]:
    """Return the symbols of the references, the commonest first."""
    counts: Counter[str] = Counter()
    for one in report.scored:
        counts.update(_symbols(report, one.reference))
    missed: dict[str, Counter[str]] = defaultdict(Counter)
    invented: Counter[str] = Counter()
    for (said, read), count in symbol_pairs(report).items():
        missed[said][read] += count
        invented[read] += count
    return [
        SymbolRow(symbol, count, missed[symbol].total(), missed[symbol].most_common(OTHERS), invented[symbol])
        for symbol, count in counts.most_common()
    ]


def charts_of(report: Report) -> list[dict[str, Any]]:
    """Return the reliability of words, risk by coverage, errors by length, with what each says."""
    charts = [
        (_reliability(report), "Reliability of words: of those read with a confidence, how many are right. On the "
         "dashed line confidences are shares of right answers."),
        (_risk(report), "Risk and coverage: the error rate of the surest samples, by the share that is taken."),
        (_lengths(report), "Errors by the length of the reference; a dot a sample, the line the rate of each tenth."),
    ]  # fmt: skip
    return [{"svg": html(chart.svg()), "says": says} for chart, says in charts if chart.parts]


def _reliability(report: Report) -> Chart:
    chart = Chart("confidence of a word", "right", 1.0, 1.0, share_across=True)
    given, right = pooled(report.trust.judged, "word")
    if not given:
        return chart
    confidences, hits = np.array(given), np.array(right, float)
    places = np.minimum((confidences * BINS).astype(int), BINS - 1)
    points, names = [], []
    for number in np.unique(places):
        inside = places == number
        points.append((float(confidences[inside].mean()), float(hits[inside].mean())))
        names.append(f"{inside.sum()} words, confidence {points[-1][0]:.1%}, right {points[-1][1]:.1%}")
    return chart.line([(0, 0), (1, 1)], "guide").line(points).dots(points, names)


def _risk(report: Report) -> Chart:
    """Return the rate over the surest samples, by their share."""
    name = RATES[report.unit]
    ordered = sorted(report.scored, key=lambda one: -one.confidence)
    edits = np.cumsum([one.characters.total for one in ordered])
    units = np.cumsum([one.characters.units for one in ordered])
    rates = [edits[i] / units[i] if units[i] else 0.0 for i in range(len(ordered))]
    chart = Chart("share of the samples, surest first", name, 1.0, max(0.01, 1.1 * float(max(rates, default=0.0))),
                  share_across=True)  # fmt: skip
    points = [((i + 1) / len(ordered), float(rate)) for i, rate in enumerate(rates) if units[i]]
    return chart.line(points[:: max(1, len(points) // 400)] + points[-1:]) if points else chart


def _lengths(report: Report) -> Chart:
    lengths = np.array([one.characters.units for one in report.scored])
    rates = np.array([min(one.characters.rate, 1.0) for one in report.scored])
    chart = Chart(f"{report.unit}s of the reference", RATES[report.unit], float(lengths.max(initial=1)), 1.0)
    if not len(lengths):
        return chart
    some = np.linspace(0, len(lengths) - 1, min(len(lengths), 600)).astype(int)
    points = [(float(lengths[i]), float(rates[i])) for i in some]
    chart.dots(points, [report.scored[i].name for i in some], "second")
    order = np.argsort(lengths, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    totals = [sum((report.scored[i].characters for i in part), Edits()) for part in parts]
    return chart.line([(float(lengths[p].mean()), t.rate) for p, t in zip(parts, totals, strict=True) if t.units])


def _worst(report: Report) -> list[int]:
    """Return the numbers of the samples that are shown: the most edits first."""
    order = sorted(range(len(report.scored)), key=lambda i: (-report.scored[i].characters.total, i))
    return order[:SHOWN]


def _sample(one: Scored, store: Store, index: int) -> dict[str, Any]:
    said, read = mark_edits(one.reference, one.text)
    return {
        "media": media_of(store, index),
        "said": html(said),
        "read": html(read),
        "name": one.name,
        "group": one.group,
        "edits": one.characters.total,
        "rate": one.characters.rate,
        "confidence": one.confidence,
    }


def _symbols(report: Report, text: str) -> list[str]:
    return list(text) if report.unit == "character" else text.split()


def _spaces(pairs: "Counter[tuple[str, str]]") -> "Counter[tuple[str, str]]":
    """Return the confusions in which white space is on one side: words parted or joined."""
    return Counter({pair: count for pair, count in pairs.items() if any(part.isspace() for part in pair)})


def _interval(members: Sequence[Scored]) -> tuple[float, float]:
    parts = [one.characters for one in members]
    return interval([one.total for one in parts], [one.units for one in parts], units_of([""] * len(parts)))
