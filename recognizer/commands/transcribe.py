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
    add_precision,
    decoder_options,
    division,
    number,
    whole,
)
from recognizer.commands.output_places import OutputPlaces
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.common.processors import Division
    from recognizer.formats.result import Result
    from recognizer.reading.long_recordings import LongRecording
    from recognizer.reading.transcription import TranscribeOptions

PARQUET = "parquet"  # the form that several machines write: a file of rows for each batch
RAY_BATCH = 32  # files that a worker of Ray is given at once


def add_transcribe(verbs: Any, console: Console) -> None:
    """Add transcribe to the command line `verbs`, what argparse's add_subparsers returned."""
    transcribe = verbs.add_parser("transcribe", help="read images of lines, pages, pen strokes, recordings")
    transcribe.add_argument("files", nargs="+", help="files (of pages PAGE XML or ALTO), folders, - for standard input")
    transcribe.add_argument("--model", help="model file or name; without it the kind of the file picks a shipped model")
    form = transcribe.add_mutually_exclusive_group()
    form.add_argument(
        "--format",
        choices=["txt", "json", *DOCUMENTS, PARQUET],
        default="txt",
        help="txt (default), json, of a recording srt, vtt, ctm, textgrid, of an image hocr, page, alto, "
        "parquet (with --engine ray: rows, also of what is wrong with a file)",
    )
    form.add_argument("--json", action="store_true", help="the same as --format json: text, confidence, spans")
    transcribe.add_argument("--out", type=Path, help="folder for one file each, named and placed like what was read")
    transcribe.add_argument("--overwrite", action="store_true", help="replace files in --out that hold another text")
    transcribe.add_argument(
        "--find-lines",
        action="store_true",
        help="take every image for a page and find its lines; else only what looks like a page",
    )
    transcribe.add_argument(
        "--all-lines",
        action="store_true",
        help="keep what was found as a line on an image though nothing that is read of it is believed",
    )
    transcribe.add_argument("--device", default="auto", help="auto, cpu or cuda")
    add_precision(transcribe)
    transcribe.add_argument(
        "--min-confidence", type=number("min-confidence"), metavar="P", help="words below it are written [word?]"
    )
    transcribe.add_argument(
        "--channel", type=whole("channel"), metavar="N", help="of recordings, from 1 on (default: the mean of all)"
    )
    transcribe.add_argument(
        "--resume", action="store_true", help="leave out the files whose text is in --out already, as after a stop"
    )
    add_decoder_options(transcribe)
    add_division(transcribe)
    many = transcribe.add_argument_group("several machines")
    many.add_argument(
        "--engine", dest="place", choices=["here", "ray"], default="here", help="ray: --workers on a Ray cluster"
    )
    many.add_argument("--address", default="", help="of the cluster (default: Ray on this machine alone)")
    transcribe.set_defaults(act=partial(_transcribe, console))


def _transcribe(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.formats.formats import FORMATS

    below = 0.0 if chosen.min_confidence is None else chosen.min_confidence
    if not 0 <= below <= 1:
        raise RecognizerError(f"--min-confidence is {below:g}, expected 0 to 1")
    if chosen.channel is not None and chosen.channel < 1:
        raise RecognizerError(f"--channel is {chosen.channel}, expected 1 or more; without it the mean of all is read")
    form = "json" if chosen.json else chosen.format
    if below and (form in FORMATS or form == PARQUET):
        raise RecognizerError(f"--min-confidence marks words in txt and json, not in {form}; expected one of these")
    alone = len(chosen.files) == 1 and not Path(chosen.files[0]).is_dir()
    if form in FORMATS and FORMATS[form].alone and not alone and chosen.out is None:
        raise RecognizerError(f"--format {form} is a document for each file, expected --out with a folder for them")

    if (chosen.resume or chosen.place == "ray") and not chosen.out:
        raise RecognizerError("expected --out with a folder: --resume and --engine ray go by the files in it")
    if chosen.overwrite and not chosen.out:
        raise RecognizerError("--overwrite has no effect without --out, expected a folder whose files it replaces")
    if chosen.address and chosen.place != "ray":
        raise RecognizerError("--address has no effect without --engine ray")
    if form == PARQUET and chosen.place != "ray":
        raise RecognizerError("--format parquet goes with --engine ray, expected json, or --engine ray")
    by_files = chosen.resume or chosen.place == "ray"
    names, errors = _left_to_do(chosen, form) if by_files else (chosen.files, [])
    for line in errors:
        console.complain(f"recognizer: {line}")
    work = _on_ray if chosen.place == "ray" else _here
    done, failed = work(console, chosen, names) if names else (0, 0)
    failed += len(errors)
    return DONE if not failed else FAULT if alone and not done else FOUND


def _here(console: Console, chosen: argparse.Namespace, names: list[str]) -> tuple[int, int]:
    """Read files in this process; return how many, and how many errors there were."""
    return _read(console, chosen, names, _options(console, chosen, division(chosen)))


def _options(console: Console, chosen: argparse.Namespace, divided: "Division") -> "TranscribeOptions":
    """Return how files are read."""
    from recognizer.reading.transcription import TranscribeOptions

    return TranscribeOptions(
        chosen.model,
        chosen.device,
        decoder_options(chosen),
        console.complain,
        chosen.find_lines,
        chosen.all_lines,
        channel=chosen.channel or 0,
        heard=(console.progress if chosen.out else console.progress_beside)("seconds"),
        progress=console.progress("files") if chosen.out else lambda done, total: None,
        division=divided,
        precision=chosen.precision,
    )


def _left_to_do(chosen: argparse.Namespace, form: str) -> tuple[list[str], list[str]]:
    """Return what to read, folders opened up, without what has its text there already; and what is wrong with others.

    Of a file of several pages, some of which have theirs, the others are named one by one.
    """
    from recognizer.inputs.lines.image_file import pages_of
    from recognizer.reading.transcription import sources_of

    if "-" in chosen.files:
        raise RecognizerError("standard input cannot be read with --resume or --engine ray, expected files")
    sources = list(sources_of(chosen.files))
    errors = [source for _, source in sources if isinstance(source, str)]
    files = [name for name, source in sources if not isinstance(source, str)]
    if form == PARQUET:
        names, more = _without_rows(chosen, files)
        return names, [*errors, *more]
    places, names = OutputPlaces(chosen.out, _suffix(form), chosen.files, False), []
    for name in files:
        try:
            pages = [str(page) for page in pages_of(Path(name))]
            pages = [name] if len(pages) == 1 else pages
            left = [page for page in pages if not (places.of(page).exists() and chosen.resume)]
            names += [name] if len(left) == len(pages) else left
        except RecognizerError as error:
            errors.append(str(error))
    return names, errors


def _without_rows(chosen: argparse.Namespace, names: list[str]) -> tuple[list[str], list[str]]:
    """Return the files of which there is no row in --out; and what is wrong with those of which there is one."""
    from recognizer.reading.parquet_rows import FILES, rows_there

    there = rows_there(chosen.out)
    if chosen.resume:
        return [name for name in names if str(Path(name).absolute()) not in there.files], [*there.errors]
    if there.files and not chosen.overwrite:
        raise RecognizerError(f"{chosen.out}: holds rows already, expected --resume, --overwrite, or another folder")
    for path in chosen.out.glob(FILES):
        path.unlink()
    return names, []


def _on_ray(console: Console, chosen: argparse.Namespace, names: list[str]) -> tuple[int, int]:
    """Read files on a Ray cluster; return how many, and how many errors there were."""
    from recognizer.reading.ray_engine import Cluster, on_ray

    told = {name: _absolute(name, value) for name, value in vars(chosen).items() if name != "act"}
    if chosen.model and Path(chosen.model).exists():
        told["model"] = str(Path(chosen.model).absolute())
    told["files"] = [str(Path(name).absolute()) for name in chosen.files]
    cluster = Cluster(chosen.address, chosen.workers or 0, chosen.device == "cuda")
    done = failed = 0
    notes: set[str] = set()
    paths = [str(Path(name).absolute()) for name in names]
    for made, _ in on_ray(partial(_worker, told), paths, RAY_BATCH, cluster, console.complain):
        done, failed = done + made["done"], failed + made["failed"]
        for line in made["lines"]:
            if line not in notes:
                console.complain(line)
            notes.add(line)
    return done, failed


def _absolute(name: str, value: Any) -> Any:
    """Return an option's value, a path as it is called from any folder; names of shipped files (--lm en) stay."""
    if not isinstance(value, Path) or (name in ("lm", "lexicon", "rescore") and not value.exists()):
        return value
    return value.absolute()


def _worker(told: dict[str, Any]) -> Callable[[list[str]], list[dict[str, Any]]]:
    """Return what reads a batch of files in a process of its own, with one thread, its models loaded once."""
    from recognizer.common.processors import Division

    chosen, lines = argparse.Namespace(**told), []  # type: argparse.Namespace, list[str]
    console = Console(lines.append, lines.append)
    options = _options(console, chosen, Division(1, chosen.threads or 1))

    read = _read_rows if chosen.format == PARQUET else _read

    def work(names: list[str]) -> list[dict[str, Any]]:
        lines.clear()
        done, failed = read(console, chosen, names, options)
        return [{"done": done, "failed": failed, "lines": list(lines)}]

    return work


def _read_rows(
    console: Console, chosen: argparse.Namespace, names: list[str], options: "TranscribeOptions"
) -> tuple[int, int]:
    """Read files; write their rows as one file; return how many files, and how many errors there were."""
    from recognizer.reading.parquet_rows import rows_of, write_rows
    from recognizer.reading.transcription import transcribe

    rows = [row for transcript in transcribe(names, options) for row in rows_of(transcript)]
    chosen.out.mkdir(parents=True, exist_ok=True)
    write_rows(chosen.out, names, rows)
    errors = [row.error for row in rows if row.error]
    for line in errors:
        console.complain(f"recognizer: {line}")
    return len({row.file for row in rows if not row.error}), len(errors)


def _read(
    console: Console, chosen: argparse.Namespace, names: list[str], options: "TranscribeOptions"
) -> tuple[int, int]:
    """Read files; print or write their texts; return how many files, and how many errors there were."""
    from recognizer.common.atomic_write import replacing
    from recognizer.formats.ctm_names import CtmNames
    from recognizer.formats.formats import FORMATS, TimedFormat, format_page, format_reading
    from recognizer.formats.streamed import streamed
    from recognizer.pages.page import page_and_line
    from recognizer.reading.transcription import Transcript, doubtful, marked, transcribe

    below = chosen.min_confidence or 0.0
    form = "json" if chosen.json else chosen.format
    alone = len(chosen.files) == 1 and not Path(chosen.files[0]).is_dir()

    def text_of(transcript: Transcript) -> str:
        if form in FORMATS:
            if transcript.page:
                made = format_page(transcript.page, transcript.records, form)
                for note in made.notes:
                    console.complain(note)
                return _unicode(made.text)
            (first, *_) = transcript.records
            if form == "ctm":
                return format_reading(ctm_names.named(first), form)
            if not isinstance(FORMATS[form], TimedFormat) and (on_page := page_and_line(Path(first.name))):
                raise RecognizerError(f"{first.name}: a line of a page, expected the page for {form}: {on_page[0]}")
            return _unicode(format_reading(first, form))
        return "".join(line_of(record) for record in transcript.records)

    def line_of(record: "Result") -> str:
        found = record.hypothesis
        if record.part and not found.text and form == "txt":
            return ""
        if form == "json":
            data = record.as_data()
            if below:
                data["doubtful"] = doubtful(found, below)
            return _unicode(json.dumps(data, ensure_ascii=False)) + "\n"
        text = marked(found, below)
        return f"{text}\n" if alone or chosen.out else f"{_one_line(record.name)}\t{text}\n"

    def write_long(long: "LongRecording") -> None:
        if form in FORMATS and not isinstance(FORMATS[form], TimedFormat):
            raise RecognizerError(f"{long.name}: a recording, expected an image for {form}")
        records = map(ctm_names.named, long.records()) if form == "ctm" else long.records()
        chunks = streamed(records, form, line_of, lambda: long.seconds)
        if places:
            path = places.of(long.name)
            places.refuse_unread(path, long.name)
            with replacing(path) as file:
                file.writelines(chunk.encode(errors="surrogateescape") for chunk in chunks)
        else:
            for chunk in chunks:
                console.say(chunk.removesuffix("\n"))

    ctm_names = CtmNames(console.complain)
    places = OutputPlaces(chosen.out, _suffix(form), chosen.files, chosen.overwrite) if chosen.out else None
    done = failed = 0
    for transcript in transcribe(names, options):
        errors = [*transcript.errors]
        if transcript.records or transcript.long:
            try:
                if transcript.long:
                    write_long(transcript.long)
                elif places:
                    places.write(transcript.name, text_of(transcript))
                elif done and form in FORMATS and FORMATS[form].alone:
                    raise RecognizerError(
                        f"{transcript.name}: --format {form} is a document for each page, expected --out with a folder "
                        f"for them"
                    )
                else:
                    text = text_of(transcript)
                    console.say(text.removesuffix("\n"))
                done += 1
            except RecognizerError as error:
                errors.append(str(error))
        failed += len(errors)
        for line in errors:
            console.complain(f"recognizer: {line}")
    return done, failed


def _suffix(form: str) -> str:
    """Return the suffix of the files of a format."""
    from recognizer.formats.formats import FORMATS

    return FORMATS[form].suffix if form in FORMATS else f".{form}"


def _unicode(text: str) -> str:
    """Return JSON or XML with escapes for bytes of a file's name that are not UTF-8; in JSON they still mean them."""
    return text.encode(errors="backslashreplace").decode()


def _one_line(name: str) -> str:
    """Return the name of a file with escapes for control characters; bytes that are not UTF-8 stay."""
    return "".join(repr(c)[1:-1] if ord(c) < 32 or ord(c) == 127 else c for c in name)
