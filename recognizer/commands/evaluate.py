"""The verb evaluate: the error rates of a model on a split of a corpus."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE, FOUND
from recognizer.commands.options import (
    add_decoder_options,
    add_device,
    add_division,
    add_model,
    add_precision,
    decoder_options,
    division,
)
from recognizer.commands.output_file import PAGE, REPORT, TABLE, refuse_foreign

if TYPE_CHECKING:
    from recognizer.evaluation.evaluate import Look


def add_evaluate(verbs: Any, console: Console) -> None:
    """Add evaluate to `verbs`, what argparse's add_subparsers returned."""
    evaluate = verbs.add_parser("evaluate", help="measure a model's error rates on a split of a corpus")
    add_model(evaluate)
    evaluate.add_argument("corpus", type=Path, help="prepared corpus, manifest or folder")
    evaluate.add_argument("--split", default="test", help="which samples (default test), all for every one")
    evaluate.add_argument("--without", type=Path, metavar="FILE", help="samples to leave out, a file's name a line")
    evaluate.add_argument("--tag", action="append", default=[], help="only lines that their page gives this tag")
    evaluate.add_argument("--without-tag", action="append", default=[], metavar="TAG", help="lines to leave out")
    evaluate.add_argument("--json", type=Path, help="write the report there too")
    evaluate.add_argument("--html", type=Path, help="write it as a page with charts, pictures, sounds, in one file")
    evaluate.add_argument("--out", type=Path, metavar="TSV", help="write every sample's reading there, a row each")
    add_device(evaluate)
    add_precision(evaluate)
    add_decoder_options(evaluate)
    add_division(evaluate)
    evaluate.set_defaults(act=partial(_run, console))


def _run(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.corpus.sample import NO_TEXT
    from recognizer.evaluation.evaluate import evaluate
    from recognizer.evaluation.report import table
    from recognizer.evaluation.tags import TagChoice
    from recognizer.reading.reader import Reader

    for option, path, form in (
        ("--json", chosen.json, REPORT),
        ("--html", chosen.html, PAGE),
        ("--out", chosen.out, TABLE),
    ):
        refuse_foreign(option, path, form)
    reader = Reader.load(chosen.model, chosen.device, decoder_options(chosen), division(chosen), chosen.precision)
    for note in reader.decoder.notes:
        console.complain(note)
    tags = TagChoice(tuple(chosen.tag), tuple(chosen.without_tag))
    progress = console.progress("samples")
    look = _page_writer(chosen.html) if chosen.html else None
    report = evaluate(
        reader, chosen.model, chosen.corpus, chosen.split, console.complain, chosen.without, progress, look, tags
    )
    if chosen.out:
        from recognizer.reports.readings_table import write_readings

        write_readings(chosen.out, report)
    if chosen.json:
        from recognizer.reports.json_file import write_json

        write_json(chosen.json, report.as_data())
    console.say(table(report))  # behind the files: whoever reads it may stop early
    return FOUND if report.skipped.keys() - {NO_TEXT} else DONE


def _page_writer(path: Path) -> "Look":
    """Return what writes the report's page while the corpus is open."""
    from recognizer.reports.evaluation_page import write_evaluation

    return lambda report, store, indices: write_evaluation(path, report, store, indices)
