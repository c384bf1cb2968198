"""The `train` verb's own command line: every setting of a run, and Lightning's Trainer, through jsonargparse."""

import difflib
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from recognizer.errors import RecognizerError

OWN_TRAINER = ("logger", "callbacks", "plugins")  # objects that no command line can spell
DEFAULTS = {  # where Lightning's own would not do; "auto" devices and precision are chosen by what the machine can do
    "trainer.max_epochs": 50,
    "trainer.log_every_n_steps": 10,
    "trainer.enable_model_summary": False,
    "trainer.num_sanity_val_steps": 0,
    "trainer.enable_checkpointing": False,
    "trainer.use_distributed_sampler": False,
}


def run_train(words: Sequence[str], say: Callable[[str], None]) -> int:
    """Parse `words`, train, return the exit code."""
    import warnings

    warnings.filterwarnings("ignore", module="lightning")
    from jsonargparse import ArgumentError

    parser = _parser()
    words, resume = _without_resume(list(words))
    if resume is not None:
        words = ["--config", str(resume / "config.yaml"), *words]
    try:
        chosen = parser.parse_args(words)
    except ArgumentError as error:
        raise RecognizerError(_plain(str(error), parser)) from None
    made = parser.instantiate_classes(chosen)
    from recognizer.config import Config
    from recognizer.train import train

    config = Config(**{name: getattr(made, name) for name in Config.__dataclass_fields__})
    run = resume or Path(config.run or _fresh_run(config.data.folders))
    _refuse_old_run(run, resume)
    text = parser.dump(chosen.clone(), skip_none=False)
    _write_config(run, text)
    command = "recognizer train " + " ".join(sys.argv[2:])
    trainer = vars(chosen.trainer)
    kept = train(config, trainer, run, resume is not None, command, say)
    say(f"best validation CER {kept.cer:.2%}, WER {kept.wer:.2%} after epoch {kept.epoch + 1}: {run}/model.safetensors")
    return 0


def _parser() -> Any:
    """Return the parser: our configuration at the top, Lightning's Trainer under `trainer`."""
    from jsonargparse import ActionConfigFile, ArgumentParser
    from lightning import Trainer

    from recognizer.config import Config

    parser = ArgumentParser(prog="recognizer train", exit_on_error=False, description="Train on packed corpora.")
    parser.add_argument("--config", action=ActionConfigFile, help="YAML file; flags after it win")
    parser.add_class_arguments(Config, None)
    parser.add_class_arguments(Trainer, "trainer", skip=set(OWN_TRAINER), instantiate=False)
    parser.set_defaults(DEFAULTS)
    return parser


def _without_resume(words: list[str]) -> tuple[list[str], Path | None]:
    """Take `--resume DIR` out of the words."""
    for i, word in enumerate(words):
        if word == "--resume":
            if i + 1 == len(words):
                raise RecognizerError("--resume: wanted the folder of a run")
            folder = Path(words[i + 1])
            if not (folder / "config.yaml").is_file():
                raise RecognizerError(f"{folder}: no config.yaml there, wanted the folder of a run")
            return words[:i] + words[i + 2 :], folder
    return words, None


def _fresh_run(folders: Sequence[str]) -> str:
    names = "+".join(Path(folder).name for folder in folders) or "run"
    return f"runs/{names}-{time.strftime('%Y%m%d-%H%M%S')}"


def _refuse_old_run(run: Path, resume: Path | None) -> None:
    import os

    if resume is None and (run / "last.ckpt").exists() and "LOCAL_RANK" not in os.environ:
        raise RecognizerError(f"{run}: a run is there already, wanted --resume {run} or another --run")


def _write_config(run: Path, text: str) -> None:
    import os

    from recognizer.files import write_atomically

    if "LOCAL_RANK" not in os.environ:
        write_atomically(run / "config.yaml", text.encode())


def _plain(message: str, parser: Any) -> str:
    """Return jsonargparse's complaint as one line, with the nearest key where a key is unknown."""
    message = re.sub(r"\s+", " ", message)
    unknown = re.search(r"(?:[Uu]nrecognized arguments: --|Key ['\"]?)([\w.]+)", message)
    if unknown:
        keys = [action.dest for action in parser._actions]
        near = difflib.get_close_matches(unknown.group(1), keys, 1, 0.5)
        if near:
            return f"{message} (did you mean {near[0]}?)"
    return message
