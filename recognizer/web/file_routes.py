"""Requests of the page: the project's files, their drafts, pictures and sounds, reading and saving."""

from dataclasses import asdict, dataclass, replace
from io import BytesIO
from typing import Annotated, Any
from urllib.parse import quote

import anyio
from fastapi import APIRouter, File, Response, UploadFile
from fastapi.responses import FileResponse, PlainTextResponse

from recognizer.errors import RecognizerError
from recognizer.inputs.strokes.strokes import read_strokes, write_inkml
from recognizer.web.documents import open_draft, read_draft, with_reading
from recognizer.web.drafts import Draft, DraftLine, Drafts, digest_of
from recognizer.web.exports import EXPORTS, export_draft, export_table
from recognizer.web.limits import Limits, Refused
from recognizer.web.line_images import picture_of, shown_image
from recognizer.web.models import KINDS, Models
from recognizer.web.project import Project, ProjectFile
from recognizer.web.saving import save, save_subtitles
from recognizer.web.sounds import playable, waveform
from recognizer.web.suggestions import Suggestion, expected_errors, suggest
from recognizer.web.uploads import Upload, plain_name, refuse_beyond


@dataclass(frozen=True)
class Entry:
    """A file in the list: its id, name and kind; lines in all and checked; words likely wrong; whether all is saved."""

    id: str
    name: str
    kind: str
    lines: int = 0
    checked: int = 0
    expected: float = 0.0
    opened: bool = False
    saved: bool = True


@dataclass(frozen=True)
class Overview:
    """The project: its folder, files, models by kind, and what requests may be."""

    folder: str
    files: list[Entry]
    models: dict[str, Any]
    limits: Limits


@dataclass(frozen=True)
class Change:
    """What a browser has changed in a draft of `revision`."""

    revision: int
    lines: tuple[DraftLine, ...]


@dataclass(frozen=True)
class SaveWish:
    """Whether lines that nobody has checked are written too, and whether subtitles are."""

    unchecked: bool = False
    subtitles: bool = False


@dataclass(frozen=True)
class Drawing:
    """Pen strokes x0, y0, x1, y1, ... in pixels; `keep` makes a file of the project of them, of that name."""

    strokes: list[list[float]]
    keep: str = ""


def file_routes(project: Project, drafts: Drafts, models: Models, limits: Limits) -> APIRouter:
    """Return the routes below /api that concern files."""
    routes = APIRouter(prefix="/api", tags=["of the page in the browser"])

    def opened(name: str) -> tuple[ProjectFile, Draft]:
        file = project.file(name)
        return file, open_draft(file, drafts)

    @routes.get("/project", summary="The files of the project")
    def overview() -> Overview:
        states = {name: asdict(models.state(kind)) for kind, name in KINDS.items()}
        return Overview(project.folder.name, [_entry(file, drafts) for file in project.files()], states, limits)

    @routes.post("/files", summary="Add files to the project's folder")
    async def add(files: Annotated[list[UploadFile], File()]) -> list[Entry]:
        paths = []
        for file in files:
            upload = Upload(plain_name(file.filename or "file"), await file.read())
            for kind in ("handwriting", "speech"):
                refuse_beyond(upload, kind, limits)
            paths.append(project.add(upload.name, upload.data))
        return [_entry(file, drafts) for file in project.files() if file.path in paths]

    @routes.get("/files/{name}", summary="The draft of a file")
    def get(name: str) -> Draft:
        return opened(name)[1]

    @routes.put("/files/{name}", summary="Change a draft")
    def change(name: str, change: Change) -> Draft:
        project.file(name)
        return drafts.change(name, change.revision, change.lines)

    @routes.delete("/files/{name}/draft", summary="Load a file again as it is on disk; the draft goes to the backups")
    def reload(name: str) -> Draft:
        file = project.file(name)
        drafts.drop(name)
        return open_draft(file, drafts)

    @routes.get("/files/{name}/state", summary="Whether a file was changed on disk since its draft was made")
    def state(name: str) -> dict[str, bool]:
        file, draft = opened(name)
        return {"changed_on_disk": digest_of(file.path) != draft.digest}

    @routes.post("/files/{name}/read", summary="Read a file, or some of its lines")
    async def read(name: str, only: list[str] | None = None) -> Draft:
        file, draft = await anyio.to_thread.run_sync(opened, name)
        made = await read_draft(file, draft, models, only or ())
        # Somebody may have typed meanwhile: what was read goes into the draft as it is now.
        now = drafts.get(name) or draft
        if now.revision != draft.revision:
            made = _merged(now, made)
        drafts.put(name, made)
        return made

    @routes.post("/files/{name}/save", summary="Write the draft into the file, or beside it")
    async def save_file(name: str, wish: SaveWish) -> dict[str, Any]:
        file, draft = opened(name)
        done = await save(file, draft, drafts, models, wish.unchecked)
        also = save_subtitles(file, done.draft, drafts) if wish.subtitles else None
        target = next((one for one in project.files() if one.path == done.path), file)
        drafts.put(target.id, done.draft)
        written = [path.name for path in (done.path if done.written else None, also) if path]
        backup = str(done.backup) if done.backup else ""
        return {"file": target.id, "written": written, "backup": backup, "draft": done.draft}

    @routes.get("/files/{name}/image", summary="The image of a page or line, upright", response_class=Response)
    def image(name: str) -> Response:
        data, media_type = shown_image(project.file(name))
        return Response(data, media_type=media_type)

    @routes.get("/files/{name}/lines/{line}/picture", summary="A line, level, as PNG", response_class=Response)
    def picture(name: str, line: str) -> Response:
        file, draft = opened(name)
        return Response(picture_of(file, draft, _line(draft, line)), media_type="image/png")

    @routes.get("/files/{name}/sound", summary="A recording as WAV", response_class=FileResponse)
    def sound(name: str) -> FileResponse:
        return FileResponse(playable(project.file(name), project.drafts / "sounds"), media_type="audio/wav")

    @routes.get("/files/{name}/waveform", summary="Lowest and highest values of a recording's parts, in -1 to 1")
    def wave(name: str, parts: int = 1200) -> dict[str, Any]:
        return asdict(waveform(project.file(name), min(max(parts, 10), 20_000)))

    @routes.get("/files/{name}/strokes", summary="Pen strokes x0, y0, x1, y1, ... of a file")
    def strokes(name: str) -> list[list[float]]:
        file = project.file(name)
        return [stroke.ravel().tolist() for stroke in read_strokes(file.path.read_bytes(), file.name)]

    @routes.get("/files/{name}/export/{form}", summary=f"A draft as {', '.join(EXPORTS)}", response_class=Response)
    def export(name: str, form: str) -> Response:
        file, draft = opened(name)
        text, suffix = export_draft(file, draft, form)
        return _download(text, f"{file.path.stem}{suffix}")

    @routes.get("/export.tsv", summary="All that is corrected or accepted, as a manifest", response_class=Response)
    def table(unchecked: bool = False) -> Response:
        pairs = [(file, draft) for file in project.files() if (draft := drafts.get(file.id))]
        return _download(export_table(pairs, unchecked), "transcripts.tsv")

    @routes.get("/suggestions", summary="What to correct next, the likeliest errors first")
    def suggestions() -> list[Suggestion]:
        return suggest([(file, draft) for file in project.files() if (draft := drafts.get(file.id))])

    @routes.post("/strokes", summary="Read a drawing")
    async def drawing(drawing: Drawing) -> dict[str, Any]:
        data = write_inkml(drawing.strokes)
        if drawing.keep:
            path = project.add(f"{drawing.keep}.inkml", data)
            file = next(one for one in project.files() if one.path == path)
            return {"file": file.id}
        models.refuse_missing("strokes", "a drawing")
        reader = await models.with_reader("strokes", lambda reader: reader)
        (found,) = await models.read("strokes", [reader.signal(BytesIO(data), name="the drawing")])
        return asdict(found)

    return routes


def _merged(now: Draft, read: Draft) -> Draft:
    """Return the draft as it is now with what was read of lines that are still where they were."""
    found = {line.id: line for line in read.lines}
    lines = tuple(
        with_reading(line, found[line.id].reading)
        if line.id in found and found[line.id].outline == line.outline and found[line.id].baseline == line.baseline
        else line
        for line in now.lines
    )
    return replace(now, lines=lines, model=read.model, revision=now.revision + 1)


def _entry(file: ProjectFile, drafts: Drafts) -> Entry:
    try:
        draft = drafts.get(file.id)
    except RecognizerError:
        draft = None
    if draft is None:
        return Entry(file.id, file.name, file.kind)
    expected = sum(expected_errors(line) for line in draft.lines if line.state == "read")
    checked = sum(line.checked for line in draft.lines)
    unsaved = any(line.checked and line.text != line.given or line.moved for line in draft.lines)
    return Entry(file.id, file.name, draft.kind, len(draft.lines), checked, round(expected, 2), True, not unsaved)


def _line(draft: Draft, name: str) -> DraftLine:
    for line in draft.lines:
        if line.id == name:
            return line
    raise Refused(404, f"{draft.name}: no line {name!r}")


def _download(text: str, name: str) -> Response:
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return PlainTextResponse(text, headers=headers)
