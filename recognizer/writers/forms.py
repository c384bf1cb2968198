"""The forms that a reading can be written in, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from recognizer.errors import RecognizerError
from recognizer.writers.boxes import alto, hocr, page_xml
from recognizer.writers.record import Record
from recognizer.writers.times import ctm, subrip, textgrid, webvtt


@dataclass(frozen=True)
class Form:
    """One form.

    Args:
        suffix: of its files.
        unit: of the spans that it can say: "s" or "px".
        write: makes the text of a file.
        alone: whether a file holds one reading; else the texts of several may follow one another.
    """

    suffix: str
    unit: str
    write: Callable[[Record], str]
    alone: bool = True


FORMS = {
    "srt": Form(".srt", "s", subrip),
    "vtt": Form(".vtt", "s", webvtt),
    "ctm": Form(".ctm", "s", ctm, alone=False),
    "textgrid": Form(".TextGrid", "s", textgrid),
    "hocr": Form(".hocr", "px", hocr),
    "page": Form(".page.xml", "px", page_xml),
    "alto": Form(".alto.xml", "px", alto),
}
NAMES = {"s": "a recording", "px": "an image"}


def written(record: Record, name: str) -> str:
    """Return a record in the form `name`.

    Raises:
        RecognizerError: the form is for another kind of file.
    """
    form = FORMS[name]
    if record.unit != form.unit:
        raise RecognizerError(f"{record.name}: its places are in {record.unit}, wanted {NAMES[form.unit]} for {name}")
    return form.write(record)
