"""The forms that a reading can be written in, by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recognizer.errors import RecognizerError
from recognizer.pages.page import Page
from recognizer.pages.reading import form_of
from recognizer.writers.boxes import alto, hocr, page_xml
from recognizer.writers.filled import filled
from recognizer.writers.record import Record
from recognizer.writers.sheet import Sheet, sheet_of, sheet_of_page
from recognizer.writers.times import ctm, subrip, textgrid, webvtt


@dataclass(frozen=True)
class TimedForm:
    """A form for recordings.

    Args:
        suffix: of its files.
        write: makes the text of a file.
        alone: whether a file holds one reading; else the texts of several may follow one another.
    """

    suffix: str
    write: Callable[[Record], str]
    alone: bool = True


@dataclass(frozen=True)
class PlacedForm:
    """A form for images of lines, and for pages.

    Args:
        suffix: of its files.
        write: makes the text of a file.
        page: what the form of a page is called that it can be put into (see `recognizer.pages`), "" for none.
    """

    suffix: str
    write: Callable[[Sheet], str]
    page: str = ""
    alone: bool = True


FORMS: dict[str, TimedForm | PlacedForm] = {
    "srt": TimedForm(".srt", subrip),
    "vtt": TimedForm(".vtt", webvtt),
    "ctm": TimedForm(".ctm", ctm, alone=False),
    "textgrid": TimedForm(".TextGrid", textgrid),
    "hocr": PlacedForm(".hocr", hocr),
    "page": PlacedForm(".page.xml", page_xml, "PcGts"),
    "alto": PlacedForm(".alto.xml", alto, "alto"),
}


def written(record: Record, name: str) -> str:
    """Return the reading of a file in the form `name`.

    Raises:
        RecognizerError: the form is for another kind of file.
    """
    form = FORMS[name]
    if isinstance(form, TimedForm):
        _refuse_other_unit(record, "s", f"a recording for {name}")
        return form.write(record)
    _refuse_other_unit(record, "px", f"an image for {name}")
    return form.write(sheet_of(record))


def written_page(page: Page, records: Sequence[Record], name: str) -> str:
    """Return the readings of a page's lines in the form `name`; the page's own form keeps all else.

    Raises:
        RecognizerError: the form is for recordings.
    """
    form = FORMS[name]
    if isinstance(form, TimedForm):
        raise RecognizerError(f"{page.path}: its places are in px, wanted a recording for {name}")
    sheet = sheet_of_page(page, records)
    own = form.page and form.page == form_of(page.path)
    return filled(page.path, sheet) if own else form.write(sheet)


def _refuse_other_unit(record: Record, unit: str, wanted: str) -> None:
    if record.unit != unit:
        raise RecognizerError(f"{record.name}: its places are in {record.unit}, wanted {wanted}")
