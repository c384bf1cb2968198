"""The verb align: a given text placed on its image, page or recording."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE, FOUND
from recognizer.commands.options import DOCUMENTS, add_device
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.decoding.hypothesis import Hypothesis
    from recognizer.formats.result import Result
    from recognizer.reading.reader import Reader

NAMED = 10  # characters that the model lacks, in a message
Lines: TypeAlias = Sequence[tuple[int, str]]  # of a file, with their numbers


def add_align(verbs: Any, console: Console) -> None:
    """Add align to `verbs`, what argparse's add_subparsers returned."""
    align = verbs.add_parser("align", help="say where the characters and words of a given text stand in a file")
    align.add_argument("file", type=Path, help="image of a line, recording, or page")
    said = align.add_mutually_exclusive_group(required=True)
    said.add_argument("--text", help="what the file says")
    said.add_argument(
        "--lines",
        type=Path,
        metavar="FILE",
        help="what the page says, a line of text for each of its own; of a recording all that is said in it",
    )
    align.add_argument("--model", required=True, help="model file, folder of a run, or name of a shipped model")
    form = align.add_mutually_exclusive_group()
    form.add_argument(
        "--format", choices=["table", "json", *DOCUMENTS], default="table", help="as transcribe's; default a table"
    )
    form.add_argument("--json", action="store_true", help="one JSON object: unit, words, characters")
    add_device(align)
    align.set_defaults(act=partial(_run, console))


def _run(console: Console, chosen: argparse.Namespace) -> int:
    import json

    from recognizer.corpus.manifest import read_lines
    from recognizer.decoding.options import DecoderOptions
    from recognizer.formats.formats import format_reading
    from recognizer.formats.result import make_result
    from recognizer.reading.reader import Reader
    from recognizer.reading.recordings import is_long

    reader = Reader.load(chosen.model, chosen.device, DecoderOptions(engine="greedy"))
    lines = list(read_lines(chosen.lines)) if chosen.lines else []  # once: it may be a pipe
    if reader.kind != "speech" and chosen.lines and not _is_one_line(chosen, lines, reader):
        return _run_page(console, chosen, lines, reader)
    text = _joined(chosen, lines, reader) if chosen.lines else str(chosen.text)
    if reader.kind == "speech" and is_long(chosen.file, str(chosen.file), reader):
        return _run_long(console, chosen, reader, text)
    signal = reader.signal(chosen.file)
    try:
        found = reader.align(signal, text)
    except RecognizerError as error:
        raise RecognizerError(f"{chosen.file}: {error}") from None
    form = "json" if chosen.json else chosen.format
    placed = make_result(str(chosen.file), found, signal)
    if form in DOCUMENTS:
        console.say(format_reading(placed, form).removesuffix("\n"))
    elif form == "json":
        console.say(json.dumps(placed.as_data(), ensure_ascii=False))
    else:
        for line in aligned_lines(found, signal.unit):
            console.say(line)
    return 0


def _joined(chosen: argparse.Namespace, lines: Lines, reader: "Reader") -> str:
    """Return what all lines of a file say that is of one recording or one line.

    Raises:
        RecognizerError: a line has characters that the model lacks.
    """
    from recognizer.reading.long_alignment import gap_of

    strange = [(number, unknown) for number, line in lines if (unknown := reader.alphabet.unknown(line))]
    if strange:
        number, unknown = strange[0]
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        others = f", and some in {len(strange) - 1} more of its lines" if len(strange) > 1 else ""
        raise RecognizerError(
            f"{chosen.lines}:{number}: the model lacks {', '.join(map(repr, unknown[:NAMED]))}{more}{others}, expected "
            "characters that it has (`recognizer info MODEL` lists them), or another --model"
        )
    return gap_of(reader.alphabet).join(line for _, line in lines)


def _is_one_line(chosen: argparse.Namespace, lines: Lines, reader: "Reader") -> bool:
    """Return whether a file of a single line of text is that of an image of a line, not of a page with one line."""
    from recognizer.inputs.signal import Signal
    from recognizer.pages.parse import form_of

    if reader.kind != "handwriting" or sum(bool(line.strip()) for _, line in lines) != 1:
        return False
    return not form_of(chosen.file) and isinstance(reader.line_or_page(chosen.file), Signal)


def _run_long(console: Console, chosen: argparse.Namespace, reader: "Reader", text: str) -> int:
    """Align a recording that is too long for one alignment; what is placed is printed piece by piece."""
    import json

    from recognizer.formats.streamed import streamed
    from recognizer.inputs.speech.audio import SpeechSettings
    from recognizer.inputs.speech.streaming import open_recording
    from recognizer.reading.long_alignment import align_long, pieces_without_overlap

    left: list[str] = []
    name, settings = str(chosen.file), SpeechSettings(**reader.model_file.settings.signal)
    form = "json" if chosen.json else chosen.format

    def line(result: "Result") -> str:
        if form == "json":
            return json.dumps(result.as_data(), ensure_ascii=False) + "\n"
        return "".join(f"{row}\n" for row in aligned_lines(result.hypothesis, "s")[1:])

    with open_recording(chosen.file, settings, name, console.complain) as recording:
        pieces = pieces_without_overlap(recording.blocks(), settings.sample_rate)
        results = align_long(reader, pieces, text, name, left.append)
        if form == "table":
            console.say("start (s)\tend (s)\tconfidence\tword")
        for chunk in streamed(results, form, line, lambda: recording.seconds):
            console.say(chunk.removesuffix("\n"))
    for complaint in left:
        console.complain(f"recognizer: {complaint}")
    return FOUND if left else DONE


def _run_page(console: Console, chosen: argparse.Namespace, lines: Lines, reader: "Reader") -> int:
    import json

    from recognizer.formats.formats import format_page
    from recognizer.reading.page_alignment import align_page

    done = align_page(reader, chosen.file, chosen.lines, lines)
    form = "json" if chosen.json else chosen.format
    if form in DOCUMENTS:
        made = format_page(done.page, done.records, form)
        for note in made.notes:
            console.complain(note)
        console.say(made.text.removesuffix("\n"))
    for one in done.records if form not in DOCUMENTS else ():
        found = one.hypothesis
        if form == "json":
            console.say(json.dumps(one.as_data(), ensure_ascii=False))
        else:
            console.say(f"{one.name}\t{found.confidence:.3f}\t{found.text}")
    for line in done.left:
        console.complain(f"recognizer: {line}")
    return FOUND if done.left else DONE


def aligned_lines(found: "Hypothesis", unit: str) -> list[str]:
    """Return start, end, confidence and text of every word, tab-separated under a heading."""
    digits = 3 if unit == "s" else 0
    rows = [f"start ({unit})\tend ({unit})\tconfidence\tword"]
    return rows + [f"{w.start:.{digits}f}\t{w.end:.{digits}f}\t{w.confidence:.3f}\t{w.text}" for w in found.words]
