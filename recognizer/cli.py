"""The command line: the only place that prints and exits."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from recognizer import __version__
from recognizer.commands.compare import add_compare
from recognizer.commands.decoder_options import add_decoder_options, decoder_options
from recognizer.commands.exit_codes import DONE, FOUND, run_and_exit
from recognizer.commands.listen import add_listen
from recognizer.commands.lm import add_lm
from recognizer.commands.model_commands import Console, add_model_verbs
from recognizer.commands.transcribe import add_transcribe
from recognizer.errors import RecognizerError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and exit: 0 done, 1 done but something was found or left out, 2 the input or the call is at fault."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    run_and_exit("recognizer", lambda: _run(words))


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Refuse the call."""
        raise RecognizerError(f"{message}; {self.prog} --help lists what there is")


def _run(words: Sequence[str]) -> int:
    if words[:1] == ["train"]:
        from recognizer.commands.train import run_train

        return run_train(words[1:], print)
    parser = _parser()
    chosen, rest = parser.parse_known_args(words)
    if rest and chosen.act is not _demo:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    chosen.rest = rest
    return int(chosen.act(chosen))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="recognizer", description="Reads handwriting, on paper or as pen strokes, and speech.")
    parser.add_argument("--version", action="version", version=f"recognizer {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    demo = verbs.add_parser(
        "demo",
        help="learn to read a small shipped corpus in some minutes, then show it",
        epilog="Further settings go to train, such as --network.cell gru.",
    )
    demo.add_argument("--out", type=Path, default=Path("demo"), help="folder for all of it (default demo)")
    demo.set_defaults(act=_demo)
    prepare = verbs.add_parser("prepare", help="pack a corpus for training and evaluation")
    prepare.add_argument(
        "corpus", help="name of a known corpus, or path of a manifest, a folder, a collection of pages or its archive"
    )
    prepare.add_argument("--source", type=Path, help="folder of a known corpus as it is published, or its archive")
    prepare.add_argument(
        "--pages", action="append", default=[], metavar="PATTERN", help="of the XML files of pages, these (repeatable)"
    )
    prepare.add_argument("--rules", default="", help="transcription rules: a name such as archives, or a YAML file")
    prepare.add_argument("--fetch", type=Path, metavar="DIR", help="fetch a known corpus from its home into DIR first")
    prepare.add_argument("--only", action="append", help="of what --fetch would fetch, this archive alone (repeatable)")
    prepare.add_argument("--out", type=Path, required=True, help="folder of the packed corpus")
    prepare.add_argument("--height", type=int, help="of lines, in pixels (default 64)")
    prepare.add_argument("--direction", choices=["ltr", "rtl", "ttb"], help="reading direction of lines")
    prepare.add_argument("--spacing", type=float, help="of points along pen strokes, in heights of the writing (0.05)")
    prepare.add_argument("--valid-share", type=float, default=0.1, help="where the source names no split")
    prepare.add_argument("--test-share", type=float, default=0.1, help="where the source names no split")
    prepare.set_defaults(act=_prepare)
    verbs.add_parser("train", help="train a model on packed corpora (train --help lists every setting)")
    check = verbs.add_parser("check", help="say what is wrong with a prepared corpus, before any training")
    check.add_argument("corpus", type=Path, help="prepared corpus")
    against = check.add_mutually_exclusive_group()
    against.add_argument("--model", help="model whose alphabet and frame rate count")
    against.add_argument("--config", type=Path, help="configuration of train whose network and text count")
    check.add_argument("--json", type=Path, help="write everything found there, every name in it")
    check.add_argument("--show", type=Path, help="folder for what the network sees or hears of some samples")
    check.set_defaults(act=_check)
    evaluate = verbs.add_parser("evaluate", help="measure a model's error rates on a split of a corpus")
    evaluate.add_argument("model", help="model file, folder of a run, or name of a shipped model")
    evaluate.add_argument("corpus", type=Path, help="prepared corpus, manifest or folder")
    evaluate.add_argument("--split", default="test", help="which samples (default test), all for every one")
    evaluate.add_argument("--without", type=Path, metavar="FILE", help="samples to leave out, a file's name a line")
    evaluate.add_argument("--json", type=Path, help="write the report there too")
    evaluate.add_argument("--device", default="auto", help="auto, cpu or cuda")
    add_decoder_options(evaluate)
    evaluate.set_defaults(act=_evaluate)
    voice = Console(_say, _complain, _show, _show_beside)
    add_compare(verbs, voice)
    add_transcribe(verbs, voice)
    add_listen(verbs, voice)
    add_model_verbs(verbs, voice)
    add_lm(verbs, voice)
    info = verbs.add_parser("info", help="say what a model reads, how it was trained, how well it reads")
    info.add_argument("model", help="model file, folder of a run, or name of a shipped model")
    info.add_argument("--json", action="store_true", help="the model file's whole header")
    info.set_defaults(act=_info)
    return parser


def _demo(chosen: argparse.Namespace) -> int:
    from recognizer.commands.demo import demo, in_terminal
    from recognizer.corpus.store import Store

    done = demo(chosen.out, chosen.rest, print)
    c, w = done.report.characters, done.report.words
    store = Store(chosen.out / "corpus")
    print(f"\n{len(done.report.scored)} lines that it has not seen: CER {c.rate:.2%}, WER {w.rate:.2%}\n")
    print(in_terminal(store.signal(store.indices("test")[0])))
    print(f"says {done.said}\nread {done.hypothesis.text}   (confidence {done.hypothesis.confidence:.2f})\n")
    print(f"Pictures with what was read: {done.page}\nNext:")
    print(f"  recognizer transcribe {done.sample} --model {done.model}")
    print(f"  recognizer evaluate {done.model} {chosen.out / 'corpus'} --split test")
    print("  recognizer prepare PATH_OF_YOUR_LINES --out data/mine")
    print("  recognizer check data/mine")
    print("  recognizer train --data.corpus data/mine --run runs/mine")
    return DONE


def _prepare(chosen: argparse.Namespace) -> int:
    from recognizer.commands.progress import Progress
    from recognizer.corpus.collections import table
    from recognizer.corpus.prepare import PrepareSettings, prepare

    given = {name: getattr(chosen, name) for name in ("height", "direction", "spacing")}
    signal = {name: value for name, value in given.items() if value is not None}
    settings = PrepareSettings(signal, chosen.valid_share, chosen.test_share, tuple(chosen.pages), chosen.rules)
    source = _fetched(chosen) if chosen.fetch else chosen.source
    done = prepare(chosen.corpus, source, chosen.out, settings, print, Progress("samples"))
    for line in (*(f"{name}: {value}" for name, value in done.card.items()), *table(done.documents)):
        print(line)
    for split, samples in done.splits.items():
        print(f"{split or '(no split)'}: {samples} samples, {done.characters[split]} characters")
    for line in done.bad:
        print(f"left out: {line}", file=sys.stderr)
    for counts, word in ((done.left_out, "left out"), (done.noted, "noted")):
        for reason, count in counts.items():
            print(f"{word}: {count} ({reason})")
    print(done.path)
    return FOUND if done.left_out else DONE


def _fetched(chosen: argparse.Namespace) -> Path:
    """Fetch a known corpus from its home; return the folder that its recipe reads."""
    from recognizer.corpus.download import obtain
    from recognizer.corpus.recipes import load_recipe

    recipe = load_recipe(chosen.corpus)
    wanted = tuple(d for d in recipe.downloads if not chosen.only or d.name in chosen.only)
    if chosen.only and len(wanted) < len(set(chosen.only)):
        raise RecognizerError(f"--only {chosen.only}: there are {', '.join(d.name for d in recipe.downloads)}")
    for download in wanted:
        print(f"{download.url} ({download.size or 'size not stated'}), {recipe.licence}", file=sys.stderr)
    obtain(wanted, chosen.fetch, lambda done, total: print(f"\r{done >> 20} MiB", end="", file=sys.stderr))
    inside = [path for path in chosen.fetch.iterdir() if path.is_dir()]
    return inside[0] if len(inside) == 1 else Path(chosen.fetch)


def _check(chosen: argparse.Namespace) -> int:
    import json

    from recognizer.atomic_write import write_atomically
    from recognizer.corpus.check_report import CheckSettings, check
    from recognizer.pretrained import find_model

    settings = CheckSettings(model=find_model(chosen.model) if chosen.model else None)
    if chosen.config:
        from recognizer.commands.train import read_config

        config = read_config(["--config", str(chosen.config)])
        settings = CheckSettings(None, config.network, config.features, config.text, config.data.train)
    report = check(chosen.corpus, settings, chosen.show)
    print(report.as_table())
    if chosen.json:
        write_atomically(chosen.json, (json.dumps(report.as_data(), indent=1, ensure_ascii=False) + "\n").encode())
    return FOUND if report.lost else DONE


def _evaluate(chosen: argparse.Namespace) -> int:
    import json

    from recognizer.atomic_write import write_atomically
    from recognizer.evaluation.evaluate import evaluate
    from recognizer.evaluation.report import table
    from recognizer.reader import Reader

    reader = Reader.load(chosen.model, chosen.device, decoder_options(chosen))
    for note in reader.decoder.notes:
        _complain(note)
    report = evaluate(reader, chosen.model, chosen.corpus, chosen.split, _complain, chosen.without)
    print(table(report))
    if chosen.json:
        write_atomically(chosen.json, (json.dumps(report.as_data(), indent=1, ensure_ascii=False) + "\n").encode())
    return FOUND if report.skipped else DONE


def _info(chosen: argparse.Namespace) -> int:
    import json

    from recognizer.commands.info import describe_model
    from recognizer.model_file import read_header
    from recognizer.pretrained import find_model

    path = find_model(chosen.model)
    header = read_header(path)
    print(json.dumps(header, indent=1, ensure_ascii=False) if chosen.json else describe_model(path, header))
    return DONE


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(line, file=sys.stderr)


def _show(line: str) -> None:
    """Write a line over the one before on a terminal, nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)


def _show_beside(line: str) -> None:
    if not sys.stdout.isatty():
        _show(line)
