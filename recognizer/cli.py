"""The command line: the only place that prints and exits."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recognizer import __version__
from recognizer.errors import RecognizerError

DONE, FOUND, FAULT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and exit: 0 done, 1 done but something was found or left out, 2 the input or the call is at fault."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
    except RecognizerError as error:
        print(f"recognizer: {error}", file=sys.stderr)
        code = FAULT
    except KeyboardInterrupt:
        print("recognizer: stopped", file=sys.stderr)
        code = 130
    except BrokenPipeError:
        code = FAULT
    sys.stdout.flush()
    sys.exit(code)


def _run(words: Sequence[str]) -> int:
    if words[:1] == ["train"]:
        from recognizer.train_command import run_train

        return run_train(words[1:], print)
    parser = _parser()
    chosen = parser.parse_args(words)
    return int(chosen.act(chosen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="recognizer", description="Reads handwriting and speech.")
    parser.add_argument("--version", action="version", version=f"recognizer {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    prepare = verbs.add_parser("prepare", help="pack a corpus for training and evaluation")
    prepare.add_argument("corpus", help="name of a known corpus, or path of a manifest or folder")
    prepare.add_argument("--source", type=Path, help="folder where a known corpus was unpacked")
    prepare.add_argument("--out", type=Path, required=True, help="folder of the packed corpus")
    prepare.add_argument("--height", type=int, help="of lines, in pixels (default 48)")
    prepare.add_argument("--direction", choices=["ltr", "rtl", "ttb"], help="reading direction of lines")
    prepare.add_argument("--valid-share", type=float, default=0.1, help="where the source names no split")
    prepare.add_argument("--test-share", type=float, default=0.1, help="where the source names no split")
    prepare.set_defaults(act=_prepare)
    verbs.add_parser("train", help="train a model on packed corpora (train --help lists every setting)")
    return parser


def _prepare(chosen: argparse.Namespace) -> int:
    from recognizer.prepare import PrepareSettings, prepare

    signal = {name: value for name in ("height", "direction") if (value := getattr(chosen, name)) is not None}
    settings = PrepareSettings(signal, chosen.valid_share, chosen.test_share)
    done = prepare(chosen.corpus, chosen.source, chosen.out, settings, print)
    for split, samples in done.splits.items():
        print(f"{split or '(no split)'}: {samples} samples, {done.characters[split]} characters")
    for line in done.bad:
        print(f"left out: {line}", file=sys.stderr)
    for counts, word in ((done.left_out, "left out"), (done.noted, "noted")):
        for reason, count in counts.items():
            print(f"{word}: {count} ({reason})")
    print(done.path)
    return FOUND if done.left_out else DONE
