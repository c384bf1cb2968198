"""The verb check: what is wrong with a prepared corpus, before any training."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from recognizer.commands.console import Console
from recognizer.commands.exit_codes import DONE, FOUND
from recognizer.commands.output_file import PAGE, REPORT, refuse_foreign


def add_check(verbs: Any, console: Console) -> None:
    """Add check to `verbs`, what argparse's add_subparsers returned."""
    check = verbs.add_parser("check", help="say what is wrong with a prepared corpus, before any training")
    check.add_argument("corpus", type=Path, help="prepared corpus")
    against = check.add_mutually_exclusive_group()
    against.add_argument("--model", help="model whose alphabet and frame rate count")
    against.add_argument("--config", type=Path, help="configuration of train whose network and text count")
    check.add_argument("--json", type=Path, help="write everything found there, every name in it")
    check.add_argument("--html", type=Path, help="write it as a page with what is suspect to look at, in one file")
    check.add_argument("--show", type=Path, help="folder for what the network sees or hears of some samples")
    check.set_defaults(act=partial(_run, console))


def _run(console: Console, chosen: argparse.Namespace) -> int:
    from recognizer.corpus.check_report import CheckSettings, check
    from recognizer.pretrained import find_model

    refuse_foreign("--json", chosen.json, REPORT)
    refuse_foreign("--html", chosen.html, PAGE)
    settings = CheckSettings(model=find_model(chosen.model) if chosen.model else None)
    configuration = chosen.config if chosen.config or chosen.model else _configuration(chosen.corpus)
    if configuration:
        from recognizer.commands.train import read_config

        config = read_config(["--config", str(configuration)])
        settings = CheckSettings(None, config.network, config.features, config.text, config.data.train)
    report = check(chosen.corpus, settings, chosen.show, console.progress("signals"))
    console.say(report.as_table())
    if chosen.html:
        from recognizer.corpus.shards import open_store
        from recognizer.reports.check_page import write_check

        write_check(chosen.html, report, open_store(chosen.corpus))
    if chosen.json:
        from recognizer.reports.json_file import write_json

        write_json(chosen.json, report.as_data())
    return FOUND if report.lost else DONE


def _configuration(corpus: Path) -> Path | None:
    """Return what `train` would start from with a corpus, None where that is no packed one: `check` says so itself."""
    from recognizer.corpus.recipes import folder
    from recognizer.corpus.shards import is_packed, open_store
    from recognizer.inputs.registry import kind_named

    if not is_packed(corpus):
        return None
    return folder("configs") / kind_named(open_store(corpus).header.kind).config
