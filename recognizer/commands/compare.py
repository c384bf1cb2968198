"""The verb compare: two models, or two reports, on the same samples."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE
from recognizer.commands.options import add_decoder_options, add_division, decoder_options, division
from recognizer.commands.output_file import PAGE, REPORT, refuse_foreign
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.evaluation.compare import Readings

EPILOG = "To compare decoders, write a report with each (evaluate --json) and compare the two files."


def add_compare(verbs: Any, console: Console) -> None:
    """Add compare to the command line `verbs`, what argparse's add_subparsers returned."""
    compare = verbs.add_parser(
        "compare", help="say whether two models' error rates differ by more than chance", epilog=EPILOG
    )
    for name in ("first", "second"):
        compare.add_argument(name, help="model (file, folder of a run, name), or what evaluate --json wrote")
    compare.add_argument("corpus", type=Path, nargs="?", help="prepared corpus, manifest or folder, for models")
    compare.add_argument("--split", help="which samples the models read (default test), all for all")
    compare.add_argument("--without", type=Path, metavar="FILE", help="samples to leave out, a file's name a line")
    compare.add_argument("--json", type=Path, help="write the comparison there too")
    compare.add_argument("--html", type=Path, help="write it as a page: what got better, what worse, in one file")
    compare.add_argument("--device", help="auto (default), cpu or cuda")
    add_decoder_options(compare)
    add_division(compare)
    compare.set_defaults(act=partial(_compare, console))


def _compare(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.evaluation.compare import compare, comparison_lines, is_report

    refuse_foreign("--json", chosen.json, REPORT)
    refuse_foreign("--html", chosen.html, PAGE)
    if is_report(Path(chosen.first)) and is_report(Path(chosen.second)):
        _refuse_no_effect(chosen)
    found = compare(_readings(chosen.first, chosen, console), _readings(chosen.second, chosen, console))
    if chosen.json:
        from recognizer.reports.json_file import write_json

        write_json(chosen.json, found.as_data())
    if chosen.html:
        from recognizer.reports.comparison_page import write_comparison

        write_comparison(chosen.html, found)
    for line in comparison_lines(found):  # behind the files: whoever reads them may stop early
        console.say(line)
    return DONE


def _refuse_no_effect(chosen: argparse.Namespace) -> None:
    """Refuse what only models that read have a use for, where both are reports of what was read."""
    from recognizer.decoding.options import flag_of

    given = [flag_of(name) for name in decoder_options(chosen).given()]
    given += ["CORPUS"] if chosen.corpus else []
    of_models = ("split", "without", "device", "workers", "threads")
    given += [f"--{name}" for name in of_models if getattr(chosen, name) is not None]
    if given:
        raise RecognizerError(f"{given[0]} has no effect: {chosen.first} and {chosen.second} are readings, no models")


def _readings(name: str, chosen: argparse.Namespace, console: Console) -> "Readings":
    """Return the readings of a report, or let a model read."""
    from recognizer.evaluation.compare import is_report, read_report, readings_of

    if is_report(Path(name)):
        return read_report(Path(name))
    from recognizer.evaluation.evaluate import evaluate
    from recognizer.pretrained import find_model
    from recognizer.reading.reader import Reader

    find_model(name)
    if chosen.corpus is None:
        raise RecognizerError(f"{name}: a model, which needs a corpus to read: compare FIRST SECOND CORPUS")
    split = "test" if chosen.split is None else chosen.split
    reader = Reader.load(name, chosen.device or "auto", decoder_options(chosen), division(chosen))
    for note in reader.decoder.notes:
        console.complain(note)
    progress = console.progress(f"samples by {Path(name).name}")
    return readings_of(evaluate(reader, name, chosen.corpus, split, console.complain, chosen.without, progress))
