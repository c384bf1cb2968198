"""The verb prepare: a corpus packed for training and evaluation."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE, FOUND
from recognizer.commands.options import whole
from recognizer.errors import RecognizerError


def add_prepare(verbs: Any, console: Console) -> None:
    """Add prepare to `verbs`, what argparse's add_subparsers returned."""
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
    prepare.add_argument(
        "--phones", action="store_true", help='English words as phones, the token "|" between them (extra [phones])'
    )
    prepare.add_argument("--valid-share", type=float, default=0.1, help="where the source names no split")
    prepare.add_argument("--test-share", type=float, default=0.1, help="where the source names no split")
    prepare.add_argument(
        "--workers", type=whole("workers"), metavar="N", help="processes that read files (default: the processors)"
    )
    prepare.add_argument("--shards", type=whole("shards"), metavar="N", help="files that the corpus is divided into")
    prepare.add_argument(
        "--shard", type=whole("shard"), metavar="K", help="make one of --shards alone, 1 to N, as on several machines"
    )
    prepare.set_defaults(act=partial(_run, console))


def _run(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.common.processors import divide
    from recognizer.corpus.collections import table
    from recognizer.corpus.prepare import PrepareSettings, prepare
    from recognizer.corpus.sample import NO_TEXT

    given = {name: getattr(chosen, name) for name in ("height", "direction", "spacing")}
    signal = {name: value for name, value in given.items() if value is not None}
    if chosen.shard is not None and chosen.shards is None:
        raise RecognizerError("--shard takes --shards, the number of files that the corpus is divided into")
    for name in ("shards", "shard"):
        if (given_number := getattr(chosen, name)) is not None and given_number < 1:
            raise RecognizerError(f"--{name} is {given_number}, expected at least 1")
    settings = PrepareSettings(
        signal,
        chosen.valid_share,
        chosen.test_share,
        tuple(chosen.pages),
        chosen.rules,
        phones=chosen.phones,
        shards=chosen.shards or 0,
        shard=chosen.shard or 0,
    )
    source = _fetched(console, chosen) if chosen.fetch else chosen.source
    workers, progress = divide(chosen.workers).workers, console.progress("samples")
    done = prepare(chosen.corpus, source, chosen.out, settings, console.say, progress, workers)
    for line in (*(f"{name}: {value}" for name, value in done.card.items()), *table(done.documents)):
        console.say(line)
    for split, samples in done.splits.items():
        console.say(f"{split or '(no split)'}: {samples} samples, {done.characters[split]} characters")
    for line in done.bad:
        console.complain(f"left out: {line}")
    for counts, word in ((done.left_out, "left out"), (done.noted, "noted")):
        for reason, count in counts.items():
            console.say(f"{word}: {count} ({reason})")
    console.say(str(done.path))
    return FOUND if done.left_out.keys() - {NO_TEXT} else DONE


def _fetched(console: Console, chosen: argparse.Namespace) -> Path:
    """Fetch a known corpus from its home; return the folder that its recipe reads."""
    from recognizer.corpus.download import obtain
    from recognizer.corpus.recipes import load_recipe

    recipe = load_recipe(chosen.corpus)
    wanted = tuple(d for d in recipe.downloads if not chosen.only or d.name in chosen.only)
    if chosen.only and len(wanted) < len(set(chosen.only)):
        raise RecognizerError(f"--only {chosen.only}: there are {', '.join(d.name for d in recipe.downloads)}")
    for download in wanted:
        console.complain(f"{download.url} ({download.size or 'size not stated'}), {recipe.licence}")
    fetched = console.progress("MiB")
    obtain(wanted, chosen.fetch, lambda done, total: fetched(done >> 20, (total or 0) >> 20))
    inside = [path for path in chosen.fetch.iterdir() if path.is_dir()]
    return inside[0] if len(inside) == 1 else Path(chosen.fetch)
