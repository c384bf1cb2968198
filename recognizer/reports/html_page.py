"""A page of HTML that holds all that it shows."""

import math
from functools import cache
from pathlib import Path
from typing import Any

from recognizer.common.atomic_write import write_atomically

TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, template: str, values: dict[str, Any]) -> None:
    """Fill a template of `templates/` with values by name and write it; text is escaped unless it is marked as HTML.

    Raises:
        RecognizerError: the file cannot be written.
    """
    text = _environment().get_template(template).render(values)
    write_atomically(path, text.encode(errors="backslashreplace"))


def html(text: str) -> Any:
    """Mark text as HTML of our own making, which a template takes as it is."""
    from markupsafe import Markup

    return Markup(text)


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["share"] = lambda value: "–" if value is None or not math.isfinite(value) else f"{value:.2%}"
    made.filters["sign"] = lambda symbol: {"": "nothing", " ": "space"}.get(symbol, symbol)
    return made
