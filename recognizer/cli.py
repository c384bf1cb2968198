"""The command line: the verbs put together."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from recognizer import __version__
from recognizer.commands.align import add_align
from recognizer.commands.calibrate import add_calibrate
from recognizer.commands.check import add_check
from recognizer.commands.compare import add_compare
from recognizer.commands.console import terminal
from recognizer.commands.demo import add_demo
from recognizer.commands.evaluate import add_evaluate
from recognizer.commands.exit_codes import run_and_exit
from recognizer.commands.export import add_export
from recognizer.commands.info import add_info
from recognizer.commands.listen import add_listen
from recognizer.commands.lm import add_lm
from recognizer.commands.prepare import add_prepare
from recognizer.commands.serve import add_serve
from recognizer.commands.suggest import add_suggest
from recognizer.commands.train import add_train, run_train
from recognizer.commands.transcribe import add_transcribe
from recognizer.errors import RecognizerError

VERBS = (
    add_demo,
    add_prepare,
    add_check,
    add_train,
    add_evaluate,
    add_compare,
    add_transcribe,
    add_listen,
    add_align,
    add_calibrate,
    add_suggest,
    add_lm,
    add_export,
    add_info,
    add_serve,
)


QUIET = "--quiet"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and exit.

    With 0 done, 1 done but something was found or left out, 2 the input or the call is at fault, 70 the program is.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    run_and_exit("recognizer", lambda: _run(words))


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, and to which an empty word is no path: Path("") is the current folder."""

    def error(self, message: str) -> NoReturn:
        """Refuse the call."""
        raise RecognizerError(f"{message}; {self.prog} --help lists what there is")

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        positional = not action.option_strings and action.nargs != argparse.PARSER
        if not arg_string and (positional or action.type is Path):
            raise argparse.ArgumentError(action, "an empty name, expected one (. is the current folder)")
        return super()._get_value(action, arg_string)


def _run(words: Sequence[str]) -> int:
    console = terminal(QUIET in words)
    if words[:1] == ["train"]:  # its settings are parsed by jsonargparse
        return run_train(words[1:], console.say)
    parser = _Parser(prog="recognizer", description="Reads handwriting, on paper or as pen strokes, and speech.")
    parser.add_argument("--version", action="version", version=f"recognizer {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for add in VERBS:
        add(verbs, console)
    _add_quiet(verbs)
    chosen, rest = parser.parse_known_args(words)
    if rest and not getattr(chosen, "takes_more", False):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    chosen.rest = rest
    return int(chosen.act(chosen))


def _add_quiet(verbs: Any) -> None:
    """Give every verb, and every verb of a verb, the option that is looked for before they are parsed."""
    for parser in verbs.choices.values():
        inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        for action in inner:
            _add_quiet(action)
        if not inner:
            parser.add_argument(QUIET, action="store_true", help="show no progress")
