"""The verb calibrate: confidences that mean shares of right answers."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE
from recognizer.commands.options import (
    add_decoder_options,
    add_device,
    add_division,
    add_model,
    decoder_options,
    division,
)
from recognizer.commands.output_file import MODEL, refuse_foreign


def add_calibrate(verbs: Any, console: Console) -> None:
    """Add calibrate to `verbs`, what argparse's add_subparsers returned."""
    calibrate = verbs.add_parser("calibrate", help="make confidences mean shares of right answers")
    add_model(calibrate)
    calibrate.add_argument("corpus", type=Path, help="prepared corpus, manifest or folder")
    calibrate.add_argument("--split", default="valid", help="validation samples (default valid); never a test split")
    calibrate.add_argument(
        "--method", default="best", help="temperature, isotonic, or best (default): of both, for each kind"
    )
    calibrate.add_argument(
        "--out",
        type=Path,
        help="write the model there; without it into the model's own file, unless that is a shipped one",
    )
    add_device(calibrate)
    add_decoder_options(calibrate)
    add_division(calibrate)
    calibrate.set_defaults(act=partial(_run, console))


def _run(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.evaluation.calibrate import calibrate
    from recognizer.evaluation.calibration_report import error_words
    from recognizer.evaluation.open_corpus import refuse_test
    from recognizer.model.model_file import read_header
    from recognizer.pretrained import find_model, output_path
    from recognizer.reading.reader import Reader

    refuse_test(chosen.split, "calibrate")
    path = find_model(chosen.model)
    out = output_path(path, chosen.out, "calibrate")
    refuse_foreign("--out", chosen.out, MODEL)
    read_header(path)  # what it is written into has to be a model file: said before all is read
    reader = Reader.load(path, chosen.device, decoder_options(chosen), division(chosen))
    for note in reader.decoder.notes:
        console.complain(note)
    progress = console.progress("samples")
    done = calibrate(reader, path, out, chosen.corpus, chosen.split, chosen.method, console.complain, progress)
    console.say(f"{done.samples} samples of {chosen.split}, read by {reader.decoder.settings.describe()}")
    console.say(f"expected calibration error before: {error_words(done.before)}")
    console.say(f"expected calibration error after:  {error_words(done.after)} ({done.method}, on samples held out)")
    console.say(f"written into {done.path}")
    return DONE
