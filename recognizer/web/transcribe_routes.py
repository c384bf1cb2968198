"""Requests of other programs: files in, readings out."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import JSONResponse

from recognizer.web.limits import Limits
from recognizer.web.models import Models
from recognizer.web.uploads import Upload, plain_name, read_uploads


@dataclass(frozen=True)
class Readings:
    """An answer.

    Args:
        records: as `recognizer transcribe --format json` gives them: file, unit, text, confidence, characters, words;
            of a page one for each line.
        errors: a line for each file, or line of a page, that could not be read.
        notes: a line for each page of which lines that were found on its image are left out as no writing.
    """

    records: list[dict[str, Any]]
    errors: list[str]
    notes: list[str]


def transcribe_routes(models: Models, limits: Limits) -> APIRouter:
    """Return the routes of /transcribe."""
    routes = APIRouter(tags=["for other programs"])

    @routes.post("/transcribe", summary="Read files", response_model=Readings)
    async def transcribe(
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
        uploads = [Upload(plain_name(file.filename or "file"), await file.read()) for file in files]
        answer = await read_uploads(uploads, models, limits, all_lines)
        content: dict[str, Any] = {"records": answer.records, "errors": answer.errors, "notes": answer.notes}
        if answer.status != 200:
            content["error"] = answer.errors[0]
        return JSONResponse(content, answer.status)

    return routes
