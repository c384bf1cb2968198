"""The verbs align and calibrate on the command line."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.decoder_options import add_decoder_options, decoder_options
from recognizer.commands.exit_codes import DONE, FOUND
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.decoding.hypothesis import Hypothesis
    from recognizer.reader import Reader

Say = Callable[[str], None]
# Names of recognizer.formats.formats, spelled here because help is not to wait for what writes them.
DOCUMENTS = ("srt", "vtt", "ctm", "textgrid", "hocr", "page", "alto")


@dataclass(frozen=True)
class Console:
    """Where a verb's words go.

    Args:
        say: takes lines of the result.
        complain: takes lines beside it.
        show: takes how far a work is, "" at its end; each line takes the place of the one before.
        show_beside: the same where the result goes to a terminal too, and would be torn apart by it.
    """

    say: Say
    complain: Say
    show: Say = lambda _: None
    show_beside: Say = lambda _: None


def add_model_verbs(verbs: Any, voice: Console) -> None:
    """Add align and calibrate to the command line `verbs`, what argparse's add_subparsers returned."""
    align = verbs.add_parser("align", help="say where the characters and words of a given text stand in a file")
    align.add_argument("file", type=Path, help="image of a line, recording, or page")
    said = align.add_mutually_exclusive_group(required=True)
    said.add_argument("--text", help="what the file says")
    said.add_argument(
        "--lines", type=Path, metavar="FILE", help="what the page says, a line of text for each of its own"
    )
    align.add_argument("--model", required=True, help="model file, folder of a run, or name of a shipped model")
    form = align.add_mutually_exclusive_group()
    form.add_argument(
        "--format", choices=["table", "json", *DOCUMENTS], default="table", help="as transcribe's; default a table"
    )
    form.add_argument("--json", action="store_true", help="one JSON object: unit, words, characters")
    align.add_argument("--device", default="auto", help="auto, cpu or cuda")
    align.set_defaults(act=partial(_align, voice))
    calibrate = verbs.add_parser("calibrate", help="make confidences mean shares of right answers")
    calibrate.add_argument("model", help="model file, folder of a run, or name of a shipped model")
    calibrate.add_argument("corpus", type=Path, help="prepared corpus, manifest or folder")
    calibrate.add_argument("--split", default="valid", help="validation samples (default valid); never a test split")
    calibrate.add_argument("--method", default="best", help="temperature, isotonic or best of both (default)")
    calibrate.add_argument(
        "--out",
        type=Path,
        help="write the model there; without it into the model's own file, unless that is a shipped one",
    )
    calibrate.add_argument("--device", default="auto", help="auto, cpu or cuda")
    add_decoder_options(calibrate)
    calibrate.set_defaults(act=partial(_calibrate, voice))


def _align(voice: Console, chosen: argparse.Namespace) -> int:
    import json

    from recognizer.decoding.decoder_factory import DecoderOptions
    from recognizer.formats.formats import format_reading
    from recognizer.formats.result import make_result
    from recognizer.reader import Reader

    reader = Reader.load(chosen.model, chosen.device, DecoderOptions(engine="greedy"))
    if chosen.lines:
        return _align_page(voice, chosen, reader)
    signal = reader.signal(chosen.file)
    try:
        found = reader.align(signal, chosen.text)
    except RecognizerError as error:
        raise RecognizerError(f"{chosen.file}: {error}") from None
    form = "json" if chosen.json else chosen.format
    placed = make_result(str(chosen.file), found, signal)
    if form in DOCUMENTS:
        voice.say(format_reading(placed, form).removesuffix("\n"))
    elif form == "json":
        voice.say(json.dumps(placed.as_data(), ensure_ascii=False))
    else:
        for line in aligned_lines(found, signal.unit):
            voice.say(line)
    return 0


def _align_page(voice: Console, chosen: argparse.Namespace, reader: "Reader") -> int:
    import json

    from recognizer.formats.formats import format_page
    from recognizer.page_alignment import align_page

    done = align_page(reader, chosen.file, chosen.lines)
    form = "json" if chosen.json else chosen.format
    if form in DOCUMENTS:
        voice.say(format_page(done.page, done.records, form).removesuffix("\n"))
    for one in done.records if form not in DOCUMENTS else ():
        found = one.hypothesis
        if form == "json":
            voice.say(json.dumps(one.as_data(), ensure_ascii=False))
        else:
            voice.say(f"{one.name}\t{found.confidence:.3f}\t{found.text}")
    for line in done.left:
        voice.complain(f"recognizer: {line}")
    return FOUND if done.left else DONE


def aligned_lines(found: "Hypothesis", unit: str) -> list[str]:
    """Return start, end, confidence and text of every word, tab-separated under a heading."""
    digits = 3 if unit == "s" else 0
    rows = [f"start ({unit})\tend ({unit})\tconfidence\tword"]
    return rows + [f"{w.start:.{digits}f}\t{w.end:.{digits}f}\t{w.confidence:.3f}\t{w.text}" for w in found.words]


def _calibrate(voice: Console, chosen: argparse.Namespace) -> int:
    from recognizer.evaluation.calibrate import calibrate
    from recognizer.evaluation.calibration_report import error_words
    from recognizer.evaluation.open_corpus import refuse_test
    from recognizer.pretrained import find_model, output_path
    from recognizer.reader import Reader

    refuse_test(chosen.split, "calibrate")
    path = find_model(chosen.model)
    out = output_path(path, chosen.out, "calibrate")
    reader = Reader.load(path, chosen.device, decoder_options(chosen))
    for note in reader.decoder.notes:
        voice.complain(note)
    done = calibrate(reader, path, out, chosen.corpus, chosen.split, chosen.method, voice.complain)
    voice.say(f"{done.samples} samples of {chosen.split}, read by {reader.decoder.settings.describe()}")
    voice.say(f"expected calibration error before: {error_words(done.before)}")
    voice.say(f"expected calibration error after:  {error_words(done.after)} ({done.method}, on samples held out)")
    voice.say(f"written into {done.path}")
    return 0
