"""Requests of other programs: files in, readings out."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import JSONResponse

from recognizer.web.limits import Limits, Refused
from recognizer.web.models import Models
from recognizer.web.uploads import Upload, plain_name, read_uploads


@dataclass(frozen=True)
class Readings:
    """An answer.

    Args:
        records: as `recognizer transcribe --format json` gives them: file, unit, text, confidence, characters, words;
            of a page one for each line.
        errors: a line for each file, or line of a page, that could not be read.
        notes: a line for each guess that was made: lines found on an image, or left out as no writing, a size that the
            XML states otherwise, channels that cancel, a recording in which nobody is heard.
    """

    records: list[dict[str, Any]]
    errors: list[str]
    notes: list[str]


def transcribe_routes(models: Models, limits: Limits) -> APIRouter:
    """Return the routes of /transcribe."""
    routes = APIRouter(tags=["for other programs"])

    @routes.post("/transcribe", summary="Read files", response_model=Readings)
    async def transcribe(
        request: Request,
        files: Annotated[list[UploadFile], File(description="images, recordings, ...")],
        all_lines: Annotated[
            bool, Query(description="keep lines found of which nothing that is read is believed")
        ] = False,
    ) -> Any:
        """Read images of lines or pages, recordings, InkML, and PAGE XML or ALTO sent together with its image.

        Requests that come at once are read together; what comes out is the same as of each alone. Status 200 where
        anything was read; else 413 for what is too large, 415 for what no model here reads, 422 for what is damaged,
        429 where too many wait.
        """
        await _refuse_unknown(request)
        uploads = [Upload(plain_name(file.filename or "file"), await file.read()) for file in files]
        answer = await read_uploads(uploads, models, limits, all_lines)
        content: dict[str, Any] = {"records": answer.records, "errors": answer.errors, "notes": answer.notes}
        if answer.status != 200:
            content["error"] = answer.errors[0]
        return JSONResponse(content, answer.status)

    return routes


async def _refuse_unknown(request: Request) -> None:
    """Refuse what would else be passed over: fields and parameters of other names, a parameter that stands twice.

    Raises:
        Refused: 422.
    """
    known = {"field": ("files", (await request.form()).keys()), "parameter": ("all_lines", request.query_params)}
    for what, (name, given) in known.items():
        if others := [other for other in given if other != name]:
            raise Refused(422, f"{others[0]}: no {what} is called so, expected {name}")
    if len(request.query_params.getlist("all_lines")) > 1:
        raise Refused(422, "all_lines stands twice, expected it once")
