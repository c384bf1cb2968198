"""From a file to its draft, and what models read into the draft."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio

from recognizer.corpus.manifest import TRUTH, read_text
from recognizer.decoding.hypothesis import Hypothesis, Span
from recognizer.errors import RecognizerError
from recognizer.formats.layout import layout_of_page
from recognizer.formats.result import make_result
from recognizer.formats.sound_documents import Rest, subtitles
from recognizer.inputs.lines.image import HandwritingSettings, read_grey
from recognizer.inputs.lines.page_line import line_or_lines
from recognizer.inputs.signal import Signal
from recognizer.inputs.speech.audio import seconds
from recognizer.pages.page import stem_of
from recognizer.pages.parse import read_page
from recognizer.reading.found_lines import is_writing
from recognizer.reading.reader import Reader
from recognizer.web.drafts import Draft, DraftLine, Drafts, ModelReading, Word, digest_of, seen
from recognizer.web.line_images import page_of, signal_of
from recognizer.web.models import Models
from recognizer.web.project import ProjectFile
from recognizer.web.sounds import read_recording, words_of

READER = {"page": "handwriting", "line": "handwriting", "sound": "speech", "strokes": "strokes"}
ONLY = "line_1"  # what the line of a file that is no page is called


def open_draft(file: ProjectFile, drafts: Drafts) -> Draft:
    """Return the draft of a file, made from the file where there is none or where nobody has worked on it.

    Raises:
        RecognizerError: the file is at fault.
    """
    kept = drafts.get(file.id)
    if kept and _holds(file, kept):
        return kept
    fresh = fresh_draft(file, digest_of(file.path))  # aside: other drafts change while lines are found on a large image
    return drafts.update(file.id, lambda now: now if now and _holds(file, now) else fresh)


def changed_on_disk(file: ProjectFile, draft: Draft) -> bool:
    """Return whether a file, or what is said of it beside it, is not as it was when the draft last saw it."""
    beside = [file.path.with_name(name) for name in draft.beside]
    return digest_of(file.path) != draft.digest or seen(*beside) != draft.beside


def _holds(file: ProjectFile, draft: Draft) -> bool:
    """Return whether a draft is of the file as it is now, or holds somebody's work."""
    return draft.worked_on or not changed_on_disk(file, draft)


def fresh_draft(file: ProjectFile, digest: str) -> Draft:
    """Return a draft as the file itself is.

    Raises:
        RecognizerError: the file is at fault.
    """
    if file.kind == "page":
        page = read_page(file.path)
        size = page.size if all(page.size) else read_grey(page.image_path()).shape[1::-1]
        lines = tuple(_given(line.id, line.text) for line in page.lines)
        places = [line.area for line in page.lines]
        placed = (
            replace(line, outline=area.outline, baseline=area.baseline) if area else line
            for line, area in zip(lines, places, strict=True)
        )
        return Draft(file.name, "page", digest, tuple(placed), size)
    if file.kind == "image":
        return _draft_of_image(file, digest)
    lines = (_given(ONLY, _truth(file.path)),)
    if file.kind == "sound":
        return Draft(file.name, "sound", digest, lines, beside=seen(truth_path(file.path), subtitles_path(file.path)))
    return Draft(file.name, "strokes", digest, lines, beside=seen(truth_path(file.path)))


async def read_draft(file: ProjectFile, draft: Draft, models: Models, only: Sequence[str] = ()) -> Draft:
    """Return the draft with what the model reads of its lines, or of those in `only`; what a person wrote stays.

    The first reading of lines that were found takes those away that are no writing, unless it would take all.

    Raises:
        RecognizerError: no model reads the kind, or the file is at fault; a line at fault stays unread.
    """
    kind = READER[draft.kind]
    models.refuse_missing(kind, file.name)
    if draft.kind == "sound":
        words = words_of(await read_recording(file.path, file.name, models))
        extent = seconds(file.path, file.name)
        made = replace(draft, model=models.state(kind).name, revision=draft.revision + 1)
        return replace(made, lines=_stretches(draft, words, extent))
    wanted = [line for line in draft.lines if not only or line.id in only]
    if draft.kind == "page":
        wanted = [line for line in wanted if len(line.outline) > 2]
    settings = await models.with_reader(kind, lambda reader: reader)
    signals = await anyio.to_thread.run_sync(partial(_signals, file, draft, wanted, settings))
    hypotheses = await models.read(kind, [signal for _, signal in signals])
    made = replace(draft, model=models.state(kind).name, revision=draft.revision + 1)
    read = (
        _page_readings(file, draft, signals, hypotheses)
        if draft.kind == "page"
        else {
            line.id: _plain(hypothesis, signal.extent)
            for (line, signal), hypothesis in zip(signals, hypotheses, strict=True)
        }
    )
    lines = tuple(with_reading(line, read.get(line.id)) for line in draft.lines)
    if not draft.found or draft.model or only:
        return replace(made, lines=lines, left_out=0)
    no_writing = {line.id for (line, _), one in zip(signals, hypotheses, strict=True) if not is_writing(one)}
    kept = tuple(line for line in lines if line.id not in no_writing or line.checked or line.moved) or lines
    return replace(made, lines=kept, left_out=len(lines) - len(kept))


def with_reading(line: DraftLine, reading: ModelReading | None) -> DraftLine:
    """Return a line with what a model read of it, which becomes its text where there is no other."""
    if reading is None:
        return line
    if line.state in ("empty", "read"):
        return replace(line, reading=reading, text=reading.text, state="read")
    return replace(line, reading=reading)


def _draft_of_image(file: ProjectFile, digest: str) -> Draft:
    """Return the draft of an image of a line, or of a page whose lines are found."""
    grey = read_grey(file.path)
    found = line_or_lines(grey, file.path, HandwritingSettings(), file.name)
    if isinstance(found, tuple):
        page, _ = found
        lines = tuple(
            DraftLine(line.id, outline=line.area.outline, baseline=line.area.baseline)
            for line in page.lines
            if line.area
        )
        return Draft(file.name, "page", digest, lines, page.size, found=True)
    rows, columns = grey.shape
    lines = (_given(ONLY, _truth(file.path)),)
    return Draft(file.name, "line", digest, lines, (columns, rows), beside=seen(truth_path(file.path)))


def _signals(
    file: ProjectFile, draft: Draft, lines: Sequence[DraftLine], reader: Reader
) -> list[tuple[DraftLine, Signal]]:
    """Return the lines that can be read, each with its signal."""
    if draft.kind != "page":
        return [(line, reader.signal(file.path)) for line in lines]
    settings = HandwritingSettings(**reader.model_file.settings.signal)
    made: list[tuple[DraftLine, Signal]] = []
    faults: list[RecognizerError] = []
    for line in lines:
        try:
            made.append((line, signal_of(file, draft, line, settings)))
        except RecognizerError as error:
            faults.append(error)
    if faults and not made:
        raise faults[0]
    return made


def _page_readings(
    file: ProjectFile, draft: Draft, signals: Sequence[tuple[DraftLine, Signal]], hypotheses: Sequence[Hypothesis]
) -> dict[str, ModelReading]:
    """Return readings by line with the words' outlines on the page."""
    page = page_of(file, draft)
    names = {line.id: str(page.name_of(line)) for line in page.lines}
    records = [
        make_result(names[line.id], one, signal) for (line, signal), one in zip(signals, hypotheses, strict=True)
    ]
    placed = {line.id: line.words for line in layout_of_page(page, records).lines}
    made = {}
    for (line, signal), one in zip(signals, hypotheses, strict=True):
        plain = _plain(one, signal.extent)
        words = (replace(word, outline=shape) for word, shape in zip(plain.words, placed[line.id], strict=True))
        made[line.id] = replace(plain, words=tuple(words))
    return made


def _plain(hypothesis: Hypothesis, extent: float) -> ModelReading:
    words = tuple(Word(word.text, word.confidence, word.start, word.end) for word in hypothesis.words)
    return ModelReading(hypothesis.text, hypothesis.confidence, words, extent)


def _stretches(draft: Draft, read: Sequence[Span], extent: float) -> tuple[DraftLine, ...]:
    """Return the stretches of a recording with their readings: those that are there, else parted by its pauses."""
    if len(draft.lines) > 1 or draft.lines[0].checked or draft.lines[0].given:
        lines = draft.lines
        edges = [(one.end + following.start) / 2 for one, following in zip(lines, lines[1:], strict=False)]
        if len(lines) == 1:
            lines = (replace(lines[0], start=0.0, end=extent),)
        words: list[list[Span]] = [[] for _ in lines]
        for word in read:
            words[bisect(edges, (word.start + word.end) / 2)].append(word)
        return tuple(with_reading(line, _of_words(own, extent)) for line, own in zip(lines, words, strict=True))
    runs: list[list[Span]] = list(subtitles(read)) or [[]]
    ends = [run[-1].end for run in runs[:-1] if run] + [extent]
    starts = [0.0, *(run[0].start for run in runs[1:])]
    made = (
        DraftLine(f"line_{number}", start=start, end=end)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    )
    return tuple(with_reading(line, _of_words(run, extent)) for line, run in zip(made, runs, strict=True))


def _of_words(words: Sequence[Span], extent: float) -> ModelReading:
    made: list[Word] = []
    for word in words:
        if made and isinstance(word, Rest):  # of a word whose parts came into one stretch
            made[-1] = replace(made[-1], text=made[-1].text + word.text, end=word.end)
        else:
            made.append(Word(word.text, word.confidence, word.start, word.end))
    sure = min((word.confidence for word in words), default=1.0)
    return ModelReading(" ".join(word.text for word in made), sure, tuple(made), extent)


def _given(name: str, text: str | None) -> DraftLine:
    return DraftLine(name, text or "", "given" if text else "empty", given=text)


def truth_path(path: Path) -> Path:
    """Return where the text of a line, a recording or a drawing stands: x.gt.txt beside x.png."""
    return path.with_name(stem_of(path.name) + TRUTH)


def subtitles_path(path: Path) -> Path:
    """Return where the subtitles of a recording stand."""
    return path.with_suffix(".srt")


def _truth(path: Path) -> str | None:
    truth = truth_path(path)
    return read_text(truth).removesuffix("\n") if truth.is_file() else None
