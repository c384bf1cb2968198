"""The verb transcribe on the command line: files in; text, JSON, or what other programs take, out."""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE, FAULT, FOUND
from recognizer.commands.options import (
    DOCUMENTS,
    add_decoder_options,
    add_division,
    decoder_options,
    division,
    number,
    whole,
)
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.formats.result import Result
    from recognizer.long_recordings import LongRecording


def add_transcribe(verbs: Any, console: Console) -> None:
    """Add transcribe to the command line `verbs`, what argparse's add_subparsers returned."""
    transcribe = verbs.add_parser("transcribe", help="read images of lines, pages, pen strokes, recordings")
    transcribe.add_argument("files", nargs="+", help="files (of pages PAGE XML or ALTO), folders, - for standard input")
    transcribe.add_argument("--model", help="model file or name; without it the kind of the file picks a shipped model")
    form = transcribe.add_mutually_exclusive_group()
    form.add_argument(
        "--format",
        choices=["txt", "json", *DOCUMENTS],
        default="txt",
        help="txt (default), json, of a recording srt, vtt, ctm, textgrid, of an image hocr, page, alto",
    )
    form.add_argument("--json", action="store_true", help="the same as --format json: text, confidence, spans")
    transcribe.add_argument("--out", type=Path, help="folder for one file each, called like what was read")
    transcribe.add_argument(
        "--find-lines",
        action="store_true",
        help="take every image for a page and find its lines; else only what looks like a page",
    )
    transcribe.add_argument("--device", default="auto", help="auto, cpu or cuda")
    transcribe.add_argument(
        "--min-confidence", type=number("min-confidence"), metavar="P", help="words below it are written [word?]"
    )
    transcribe.add_argument(
        "--channel", type=whole("channel"), default=0, metavar="N", help="of recordings, from 1 on; else their mean"
    )
    add_decoder_options(transcribe)
    add_division(transcribe)
    transcribe.set_defaults(act=partial(_transcribe, console))


def _transcribe(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.atomic_write import replacing, write_atomically
    from recognizer.formats.formats import FORMATS, TimedFormat, format_page, format_reading
    from recognizer.formats.streamed import streamed
    from recognizer.transcription import TranscribeOptions, Transcript, doubtful, marked, transcribe

    below = 0.0 if chosen.min_confidence is None else chosen.min_confidence
    if not 0 <= below <= 1:
        raise RecognizerError(f"--min-confidence is {below:g}, wanted 0 to 1")
    form = "json" if chosen.json else chosen.format
    if below and form in FORMATS:
        raise RecognizerError(f"--min-confidence marks words in txt and json, {form} has a place for confidences")
    alone = len(chosen.files) == 1 and not Path(chosen.files[0]).is_dir()
    if form in FORMATS and FORMATS[form].alone and not alone and chosen.out is None:
        raise RecognizerError(f"--format {form} is a document for each file, wanted --out with a folder for them")

    def text_of(transcript: Transcript) -> str:
        if form in FORMATS:
            if transcript.page:
                return format_page(transcript.page, transcript.records, form)
            return format_reading(transcript.records[0], form)
        return "".join(line_of(record) for record in transcript.records)

    def line_of(record: "Result") -> str:
        found = record.hypothesis
        if record.part and not found.text and form == "txt":
            return ""
        if form == "json":
            data = record.as_data()
            if below:
                data["doubtful"] = doubtful(found, below)
            return json.dumps(data, ensure_ascii=False) + "\n"
        text = marked(found, below)
        return f"{text}\n" if alone or chosen.out else f"{_one_line(record.name)}\t{text}\n"

    def write_long(long: "LongRecording") -> None:
        if form in FORMATS and not isinstance(FORMATS[form], TimedFormat):
            raise RecognizerError(f"{long.name}: a recording, expected an image for {form}")
        chunks = streamed(long.records(), form, line_of, lambda: long.seconds)
        if place:
            with replacing(place(long.name)) as file:
                file.writelines(chunk.encode() for chunk in chunks)
        else:
            for chunk in chunks:
                console.say(chunk.removesuffix("\n"))

    place = _into(chosen.out, FORMATS[form].suffix if form in FORMATS else f".{form}") if chosen.out else None
    manner = TranscribeOptions(
        chosen.model,
        chosen.device,
        decoder_options(chosen),
        console.complain,
        chosen.find_lines,
        channel=chosen.channel,
        show=console.show if chosen.out else console.show_beside,
        progress=console.progress("files") if chosen.out else lambda done, total: None,
        division=division(chosen),
    )
    done = failed = 0
    for transcript in transcribe(chosen.files, manner):
        errors = [*transcript.errors]
        if transcript.records or transcript.long:
            try:
                if transcript.long:
                    write_long(transcript.long)
                elif place:
                    write_atomically(place(transcript.name), text_of(transcript).encode())
                else:
                    text = text_of(transcript)
                    console.say(text.removesuffix("\n"))
                done += 1
            except RecognizerError as error:
                errors.append(str(error))
        failed += len(errors)
        for line in errors:
            console.complain(f"recognizer: {line}")
    return DONE if not failed else FAULT if alone and not done else FOUND


def _one_line(name: str) -> str:
    """Return the name of a file with escapes for control characters; bytes that are not UTF-8 stay."""
    return "".join(repr(c)[1:-1] if ord(c) < 32 or ord(c) == 127 else c for c in name)


def _into(folder: Path, suffix: str) -> Callable[[str], Path]:
    """Return what tells where the text of a file goes: `folder`/its name with `suffix`, never twice to one place."""
    taken: dict[Path, str] = {}

    def place(name: str) -> Path:
        path = folder / f"{Path(name).stem if name != '-' else 'stdin'}{suffix}"
        if path in taken:
            raise RecognizerError(f"{name}: {path} is that of {taken[path]}, wanted files of different names")
        taken[path] = name
        folder.mkdir(parents=True, exist_ok=True)
        return path

    return place
