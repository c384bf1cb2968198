"""Drafts as files that other programs take."""

import json
from collections.abc import Sequence

from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.formats.formats import FORMATS, TimedFormat
from recognizer.formats.layout import layout_of_image, layout_of_page
from recognizer.formats.result import Result
from recognizer.web.drafts import Draft, DraftLine
from recognizer.web.limits import Refused
from recognizer.web.line_images import page_of
from recognizer.web.project import ProjectFile
from recognizer.web.saving import sound_record

PLAIN = ("txt", "json")
EXPORTS = (*PLAIN, *FORMATS)


def export_draft(file: ProjectFile, draft: Draft, form: str) -> tuple[str, str]:
    """Return what a draft says in a form, with the suffix of its files.

    Raises:
        Refused: no such form, or one for other kinds of files.
    """
    if form not in EXPORTS:
        raise Refused(404, f"no form {form!r}, expected one of {', '.join(EXPORTS)}")
    if form == "txt":
        return "".join(f"{line.text}\n" for line in draft.lines), ".txt"
    if form == "json":
        return json.dumps(draft.as_data(), ensure_ascii=False, indent=1) + "\n", ".json"
    made = FORMATS[form]
    if isinstance(made, TimedFormat) != (draft.kind == "sound") or draft.kind == "strokes":
        raise Refused(422, f"{file.name}: {form} is not for {draft.kind}")
    if isinstance(made, TimedFormat):
        return made.write(sound_record(file.name, draft)), made.suffix
    if draft.kind == "line":
        record = _record(file.name, draft.lines[0], draft.size)
        return made.write(layout_of_image(record)), made.suffix
    page = page_of(file, draft)
    records = [
        _record(str(page.name_of(line)), own, draft.size) for line, own in zip(page.lines, draft.lines, strict=True)
    ]
    placed = [record for record, own in zip(records, draft.lines, strict=True) if own.outline]
    return made.write(layout_of_page(page, placed)), made.suffix


def export_table(pairs: Sequence[tuple[ProjectFile, Draft]], unchecked: bool) -> str:
    """Return a manifest, as `recognizer prepare` reads it, of all that is checked, or of all that has a text.

    Raises:
        Refused: lines that were found on an image have no XML yet that their names could be found in.
    """
    rows = ["file\ttext"]
    for file, draft in pairs:
        lines = [line for line in draft.lines if line.checked or (unchecked and line.text)]
        if lines and draft.found:
            raise Refused(409, f"{file.name}: its lines are in no XML yet, save it so that a table can name them")
        if draft.kind == "page":
            rows += [f"{file.name}#{line.id}\t{_flat(line.text)}" for line in lines]
        elif lines:
            rows.append(f"{file.name}\t{_flat(' '.join(line.text for line in lines))}")
    return "\n".join(rows) + "\n"


def _record(name: str, line: DraftLine, size: tuple[int, int]) -> Result:
    """Return a line as a reading: with its words' places where its text is what was read, else without."""
    reading = line.reading
    if reading is None:
        return Result(name, Hypothesis(line.text, 1.0), "px", float(size[0]), float(size[1]))
    same = reading.text == line.text
    words = tuple(Span(word.text, word.start, word.end, word.confidence) for word in reading.words) if same else ()
    sure = reading.confidence if same and not line.checked else 1.0
    return Result(name, Hypothesis(line.text, sure, (), words), "px", reading.extent, float(size[1]))


def _flat(text: str) -> str:
    return " ".join(text.split())
