"""The parser of a run's settings: our configuration at the top, Lightning's Trainer under `trainer`."""

import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any

from recognizer.training.trainer_settings import OWN_TRAINER

DEFAULTS = {  # where Lightning's own would not do; "auto" devices and precision are chosen by what the machine can do
    "trainer.max_epochs": 50,
    "trainer.log_every_n_steps": 10,
    "trainer.enable_model_summary": False,
    "trainer.num_sanity_val_steps": 0,
    "trainer.enable_checkpointing": False,
    "trainer.use_distributed_sampler": False,
}
LIMITS = {  # whose types are made here: typing may give Lightning's as float or int, which makes 1 batch all of them
    "trainer.limit_train_batches": "batches of an epoch: 1, 2, ... so many, 1.0 all (default), 0.5 half of them",
    "trainer.limit_val_batches": "batches of a validation: 1, 2, ... so many, 1.0 all (default), 0.5 half of them",
}
FIRST = {  # what people change first, under headings
    "what is learned": ("data.corpus", "data.weights", "init", "text", "data.allow_infeasible"),
    "how long, how fast": ("trainer.max_epochs", "learning.rate", "learning.warm_up", "learning.patience"),
    "how much at a time": ("data.batch_columns", "data.batch_seconds", "data.batch_points"),
    "the network": ("network.cell", "network.layers", "network.hidden", "network.dropout", "network.front.pool_time"),
    "the machine": ("trainer.accelerator", "trainer.devices", "trainer.precision", "seed"),
}
SAID = {  # where the long help is too long, or is Lightning's for every machine that there is
    "init": "model to start from: a file, a run's folder, the name of a shipped one",
    "network.cell": "kind of the recurrent cells: lstm, gru, coupled, peephole, convolutional, ... (docs/lab/cells.md)",
    "network.front.pool_time": "frames that each stage of the convolutions makes one of",
    "trainer.max_epochs": "epochs",
    "trainer.accelerator": "auto (default), cpu, gpu",
    "trainer.devices": "processes on a CPU, or GPUs; auto (default) measures what is fastest",
    "trainer.precision": "32-true, bf16-mixed or, on a GPU, 16-mixed; by default what is fastest here, measured",
}
WIDTH = 100  # columns of the help


@cache
def settings_parser() -> Any:
    """Return the parser, made once, that knows every setting of a run with its type, its default and its help."""
    from jsonargparse import ActionConfigFile, ArgumentParser  # type: ignore[attr-defined]
    from lightning import Trainer

    from recognizer.training.config import Config

    parser = ArgumentParser(
        prog="recognizer train", exit_on_error=False, allow_abbrev=False, description="Train on packed corpora."
    )
    parser.add_argument("--config", action=ActionConfigFile, help="YAML file; flags after it win")
    parser.add_class_arguments(Config, None)
    ours = {name.removeprefix("trainer.") for name in LIMITS}
    parser.add_class_arguments(Trainer, "trainer", skip={*OWN_TRAINER, *ours}, instantiate=False)
    for name, meaning in LIMITS.items():
        parser.add_argument(f"--{name}", type=int | float | None, default=None, help=meaning)
    parser.set_defaults(DEFAULTS)
    return parser


def short_help() -> str:
    """Return the help that fits on a screen: how a run is begun and gone on with, and the settings changed first."""
    return "\n".join(_short_help())


def _short_help() -> Iterator[str]:
    yield from (
        "usage: recognizer train --data.corpus FOLDER [--run FOLDER] [--init MODEL] [--config FILE] [--SETTING VALUE]",
        "       recognizer train --resume RUN [--SETTING VALUE]",
        "",
        "Train a model on packed corpora, as `recognizer prepare` makes them.",
        "",
        "  --run FOLDER    the run's folder: config.yaml, history.tsv, model.safetensors (the best so far), last.ckpt;",
        "                  without it one under runs/, named by the corpus and the time",
        "  --resume RUN    go on with a run that was stopped or killed; --resume=RUN does the same",
        "  --init MODEL    start from a model: a file, a run's folder, or the name of a shipped one (fine-tuning)",
        "  --config FILE   settings from a YAML file; flags win; without it the kind of the corpus chooses one",
        "  --print_config  all settings of the run as YAML, and no training",
        "  --help-all      every setting",
        "",
        "Settings that are changed first. Without --config and --init the configuration of the corpus's kind is",
        "taken: where its value is another than the default, it stands behind the kind; with --init that of",
        "finetuning. --print_config shows what holds for a run.",
    )
    actions = {action.dest: action for action in settings_parser()._actions}
    for heading, names in FIRST.items():
        yield f"\n{heading}:"
        for name in names:
            action = actions[name]
            values = [] if action.default in (None, "", [], "auto") else [f"default {action.default}"]
            values += [f"{kind} {value}" for kind, value in _values_of_kinds(name) if value != action.default]
            default = f" ({', '.join(values)})" if values else ""
            meaning = SAID.get(name) or " ".join(str(action.help).split()).split(". ")[0].rstrip(".")
            lines = textwrap.wrap(f"{meaning}{default}", WIDTH - 28)
            yield f"  --{name:24s}{lines[0]}" if len(name) < 24 else f"  --{name}\n{'':28s}{lines[0]}"
            yield from (f"{'':28s}{line}" for line in lines[1:])


def _values_of_kinds(name: str) -> Iterator[tuple[str, Any]]:
    """Yield each kind whose configuration, the one taken where none is given, has a value for a setting, and that."""
    for kind, tree in _trees_of_kinds().items():
        value: Any = tree
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            yield kind, value


@cache
def _trees_of_kinds() -> dict[str, dict[str, Any]]:
    """Return the configuration of each kind of input, by its name in the order of the alphabet."""
    from recognizer.corpus.recipes import folder
    from recognizer.corpus.yaml_file import read_mapping
    from recognizer.inputs.registry import kinds

    configs = folder("configs")
    return {name: read_mapping(configs / kind.config) for name, kind in sorted(kinds().items())}
