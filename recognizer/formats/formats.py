"""The forms that a reading can be written in, by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recognizer.errors import RecognizerError
from recognizer.formats.layout import PageLayout, layout_of_image, layout_of_page
from recognizer.formats.page_documents import alto, hocr, page_xml
from recognizer.formats.page_update import Document, update_page
from recognizer.formats.result import Result
from recognizer.formats.sound_documents import ctm, subrip, textgrid, webvtt
from recognizer.pages.page import Page
from recognizer.pages.parse import form_of


@dataclass(frozen=True)
class TimedFormat:
    """A form for recordings.

    Args:
        suffix: of its files.
        write: makes the text of a file.
        alone: whether a file holds one reading; else the texts of several may follow one another.
    """

    suffix: str
    write: Callable[[Result], str]
    alone: bool = True


@dataclass(frozen=True)
class PageFormat:
    """A form for images of lines, and for pages.

    Args:
        suffix: of its files.
        write: makes the text of a file.
        page: what the form of a page is called that it can be put into (see `recognizer.pages`), "" for none.
    """

    suffix: str
    write: Callable[[PageLayout], str]
    page: str = ""
    alone: bool = True


FORMATS: dict[str, TimedFormat | PageFormat] = {
    "srt": TimedFormat(".srt", subrip),
    "vtt": TimedFormat(".vtt", webvtt),
    "ctm": TimedFormat(".ctm", ctm, alone=False),
    "textgrid": TimedFormat(".TextGrid", textgrid),
    "hocr": PageFormat(".hocr", hocr),
    "page": PageFormat(".page.xml", page_xml, "PcGts"),
    "alto": PageFormat(".alto.xml", alto, "alto"),
}


def format_reading(record: Result, name: str) -> str:
    """Return the reading of a file in the form `name`.

    Raises:
        RecognizerError: the form is for another kind of file.
    """
    form = FORMATS[name]
    if isinstance(form, TimedFormat):
        _refuse_other_unit(record, "s", f"a recording for {name}")
        return form.write(record)
    _refuse_other_unit(record, "px", f"an image for {name}")
    return form.write(layout_of_image(record))


def format_page(page: Page, records: Sequence[Result], name: str) -> Document:
    """Return the readings of a page's lines in the form `name`; the page's own form keeps all else.

    Raises:
        RecognizerError: the form is for recordings.
    """
    form = FORMATS[name]
    if isinstance(form, TimedFormat):
        raise RecognizerError(f"{page.path}: its places are in px, expected a recording for {name}")
    sheet = layout_of_page(page, records)
    own = form.page and form.page == form_of(page.path)
    return update_page(page.path, sheet) if own else Document(form.write(sheet))


def _refuse_other_unit(record: Result, unit: str, wanted: str) -> None:
    if record.unit != unit:
        raise RecognizerError(f"{record.name}: its places are in {record.unit}, expected {wanted}")
