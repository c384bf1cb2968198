"""A run as a page: its curves and a few validation samples, renewed with each validation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recognizer.corpus.store import Store
from recognizer.evaluation.html_report import mark_edits
from recognizer.reports.charts import Chart
from recognizer.reports.html_page import html, write_page
from recognizer.reports.media import media_of
from recognizer.training.history import Validation

PAGE = "report.html"  # in the folder of a run


@dataclass(frozen=True)
class SampleRead:
    """A validation sample: where it is, what it says, what was read."""

    store: Store
    index: int
    reference: str
    text: str


def write_training(run: Path, history: Sequence[Validation], samples: Sequence[SampleRead]) -> None:
    """Write the page of a run from its history, of at least one validation.

    Raises:
        RecognizerError: the file cannot be written.
    """
    epochs = _places(history)
    best, last = min(history, key=lambda one: one.cer), history[-1]
    values = {
        "title": f"run {run.name}",
        "run": str(run),
        "epochs": last.epoch + 1,
        "best": {"epoch": best.epoch + 1, "cer": best.cer, "wer": best.wer},
        "last": {"loss": last.loss, "cer": last.cer, "steps": last.steps},
        "minutes": last.seconds / 60.0,
        "charts": [
            _rates(epochs, [one.cer for one in history], [one.wer for one in history]),
            _losses(epochs, [one.loss for one in history]),
        ],
        "samples": [_sample(one) for one in samples],
    }
    write_page(run / PAGE, "training.html", values)


def _places(history: Sequence[Validation]) -> list[float]:
    """Return how many epochs had gone by at each validation; those within an epoch part it by their steps."""
    ends = {one.epoch: one.steps for one in history}  # of an epoch its last validation
    places, begun, epoch = [], 0, history[0].epoch
    for one in history:
        if one.epoch != epoch:
            begun, epoch = ends[epoch], one.epoch
        places.append(epoch + (one.steps - begun) / max(1, ends[epoch] - begun))
    return places


def _rates(epochs: Sequence[float], cer: Sequence[float], wer: Sequence[float]) -> dict[str, Any]:
    top = min(1.0, 1.1 * max([0.01, *(rate for rate in (*cer, *wer) if math.isfinite(rate))]))
    chart = Chart("epoch", "error rate on the validation samples", epochs[-1], top)
    points = list(zip(epochs, cer, strict=True))
    chart.line(list(zip(epochs, wer, strict=True)), "second").line(points)
    chart.dots(points, [f"epoch {x:.3g}: CER {y:.2%}" for x, y in points])
    return {"svg": html(chart.svg()), "says": "CER (dots) and WER on the validation samples, by epoch."}


def _losses(epochs: Sequence[float], losses: Sequence[float]) -> dict[str, Any]:
    top = 1.1 * max([0.001, *(loss for loss in losses if math.isfinite(loss))])
    chart = Chart("epoch", "training loss", epochs[-1], top, shares=False)
    chart.line(list(zip(epochs, losses, strict=True)))
    return {"svg": html(chart.svg()), "says": "Loss of the last training step before each validation."}


def _sample(one: SampleRead) -> dict[str, Any]:
    said, read = mark_edits(one.reference, one.text)
    name = str(one.store.sample(one.index).path)
    return {"media": media_of(one.store, one.index), "said": html(said), "read": html(read), "name": name}
