"""An HTML page of line images with what they say and what was read."""

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from recognizer.common.atomic_write import write_atomically
from recognizer.evaluation.metrics import percent, runs
from recognizer.evaluation.report import Report, Scored

STYLE = """
body { font: 16px/1.4 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
figure { margin: 1.2rem 0; padding: .6rem .8rem; border-left: 4px solid #7a9; background: #f7f7f4; }
figure.wrong { border-color: #c64; }
img { max-width: 100%; height: 48px; mix-blend-mode: multiply; }
p { margin: .2rem 0; font-family: ui-monospace, monospace; white-space: pre-wrap; }
del { background: #fbb; text-decoration: none; } ins { background: #bdf; text-decoration: none; }
table { border-collapse: collapse; } td, th { padding: .15rem .7rem; text-align: left; }
"""


def write_html(path: Path, title: str, report: Report, lines: Sequence[tuple[np.ndarray, Scored]]) -> None:
    """Write a page with the rates, the commonest confusions and some lines.

    Args:
        path: of the HTML file; pictures are inside it.
        title: of the page.
        report: the rates.
        lines: grey signals (columns, height) with their readings.
    """
    c, w = report.characters, report.words
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{STYLE}</style>",
        f"<h1>{html.escape(title)}</h1>",
        f"<p>CER {percent(c.rate)} ({c.total} edits of {c.units} characters), "
        f"WER {percent(w.rate)} ({w.total} of {w.units} words), {len(report.scored)} lines</p>",
        "<h2>What it takes for what</h2><table><tr><th>says<th>read<th>times",
    ]
    for (said, read), count in report.confusions():
        parts.append(f"<tr><td>{_visible(said)}<td>{_visible(read)}<td>{count}")
    parts.append("</table><h2>Lines</h2>")
    parts += [_figure(values, scored) for values, scored in lines]
    write_atomically(path, "\n".join(parts).encode(errors="backslashreplace"))


def _figure(values: np.ndarray, scored: Scored) -> str:
    kind = "wrong" if scored.characters.total else "right"
    said, read = mark_edits(scored.reference, scored.text)
    return (
        f'<figure class="{kind}"><img alt="" src="{_data_url(values)}"><p>says {said}</p><p>read {read}</p>'
        f"<p>confidence {scored.confidence:.3f}, edits {scored.characters.total}</p></figure>"
    )


def mark_edits(reference: str, text: str) -> tuple[str, str]:
    """Return both texts as HTML, what differs marked with <del> in the first, <ins> in the second."""
    said, read = [], []
    for a, b in runs(reference, text):
        same, a_html, b_html = a == b, html.escape(a), html.escape(b)
        said.append(a_html if same or not a else f"<del>{a_html}</del>")
        read.append(b_html if same or not b else f"<ins>{b_html}</ins>")
    return "".join(said), "".join(read)


def _visible(symbol: str) -> str:
    return "nothing" if not symbol else "space" if symbol == " " else html.escape(symbol)


def _data_url(values: np.ndarray) -> str:
    memory = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values.T)).save(memory, "PNG")
    return "data:image/png;base64," + base64.b64encode(memory.getvalue()).decode()
