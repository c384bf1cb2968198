"""The verb prepare: a corpus packed for training and evaluation."""

import argparse
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE, FOUND
from recognizer.commands.options import whole
from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    from recognizer.corpus.collections import Document
    from recognizer.corpus.prepare import Prepared, PrepareSettings


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
    prepare.add_argument("--valid-share", type=float, help="of groups, where the source names no split (0.1)")
    prepare.add_argument("--test-share", type=float, help="of groups, where the source names no split (0.1)")
    prepare.add_argument(
        "--workers", type=whole("workers"), metavar="N", help="processes that read files (default: the processors)"
    )
    prepare.add_argument("--shards", type=whole("shards"), metavar="N", help="files that the corpus is divided into")
    prepare.add_argument(
        "--shard", type=whole("shard"), metavar="K", help="make one of --shards alone, 1 to N, as on several machines"
    )
    prepare.add_argument(
        "--engine", choices=["here", "ray"], default="here", help="ray: the --shards by --workers on a Ray cluster"
    )
    prepare.add_argument("--address", default="", help="of the cluster (default: Ray on this machine alone)")
    prepare.set_defaults(act=partial(_run, console))


def _run(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.corpus.collections import table
    from recognizer.corpus.prepare import PrepareSettings
    from recognizer.corpus.sample import NO_TEXT

    given = {name: getattr(chosen, name) for name in ("height", "direction", "spacing")}
    signal = {name: value for name, value in given.items() if value is not None}
    if chosen.shard is not None and chosen.shards is None:
        raise RecognizerError("--shard takes --shards, the number of files that the corpus is divided into")
    if chosen.engine == "ray" and (chosen.shards is None or chosen.shard is not None):
        raise RecognizerError("--engine ray makes all shards of a corpus, expected --shards and no --shard")
    if chosen.address and chosen.engine != "ray":
        raise RecognizerError("--address has no effect without --engine ray")
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
    done = (_on_ray if chosen.engine == "ray" else _here)(console, chosen, source, settings)
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


def _here(console: Console, chosen: argparse.Namespace, source: Path | None, settings: "PrepareSettings") -> "Prepared":
    """Prepare in this process and in those that it starts."""
    from recognizer.common.processors import divide
    from recognizer.corpus.prepare import prepare

    workers, progress = divide(chosen.workers).workers, console.progress("samples")
    return prepare(chosen.corpus, source, chosen.out, settings, console.say, progress, workers)


def _on_ray(
    console: Console, chosen: argparse.Namespace, source: Path | None, settings: "PrepareSettings"
) -> "Prepared":
    """Prepare the shards on a Ray cluster, each by one worker, which looks through the whole source first."""
    from recognizer.corpus.collections import summed
    from recognizer.corpus.prepare import prepared_of, refuse_empty_shards
    from recognizer.corpus.recipes import recipe_names
    from recognizer.corpus.shards import open_store, shards_in
    from recognizer.reading.ray_engine import Cluster, on_ray

    corpus = chosen.corpus if chosen.corpus in recipe_names() else str(Path(chosen.corpus).absolute())
    out, progress = chosen.out.absolute(), console.progress("shards")
    if Path(settings.rules).is_file():
        settings = replace(settings, rules=str(Path(settings.rules).absolute()))
    make = partial(_shard_maker, corpus, source and source.absolute(), out, settings)
    numbers = [str(number) for number in range(1, settings.shards + 1)]
    noted: Counter[str] = Counter()
    documents: list[Document] = []
    said: set[str] = set()
    cluster = Cluster(chosen.address, chosen.workers or 0)
    for done, (made, _) in enumerate(on_ray(make, numbers, 1, cluster, console.complain), 1):
        noted.update(json.loads(made["noted"]))
        documents += map(_document, json.loads(made["documents"]))
        for line in made["lines"]:
            if line not in said:
                console.say(line)
            said.add(line)
        progress(done, settings.shards)
    packed = replace(prepared_of(open_store(out), noted), documents=summed(documents))
    refuse_empty_shards(corpus, packed, shards_in(out))
    return packed


def _document(data: dict[str, Any]) -> "Document":
    """Return a document that travelled as JSON."""
    from recognizer.corpus.collections import Document

    counts = Counter(data["lines"]), Counter(data["left_out"])
    return Document(data["name"], data["split"], data["pages"], *counts)


def _shard_maker(
    corpus: str, source: Path | None, out: Path, settings: "PrepareSettings"
) -> Callable[[list[str]], list[dict[str, Any]]]:
    """Return what makes shards of a corpus, given their numbers, in a process of its own.

    What it tells of each: lines for people, its part of the documents, and what was noted of the source as a whole (by
    the first shard alone).
    """
    from recognizer.corpus.prepare import prepare

    def one(number: int) -> dict[str, Any]:
        lines: list[str] = []
        done = prepare(corpus, source, out, replace(settings, shard=number), lines.append)
        noted = json.dumps(done.noted if number == 1 else {})
        return {"lines": lines, "noted": noted, "documents": json.dumps([vars(one) for one in done.documents])}

    return lambda numbers: [one(int(number)) for number in numbers]


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
