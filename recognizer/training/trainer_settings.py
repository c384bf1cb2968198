"""Arguments of Lightning's Trainer that do not go with this training, refused before anything begins."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from recognizer.errors import RecognizerError

if TYPE_CHECKING:
    import lightning

OWN_TRAINER = ("logger", "callbacks", "plugins")  # objects that no command line can spell
PRECISIONS = ("32-true", "32", "bf16-mixed", "bf16", "16-mixed", "16")
STRATEGIES = ("auto", "ddp", "ddp_find_unused_parameters_false", "ddp_find_unused_parameters_true", "single_device")
ENDLESS = (
    "expected a number of epochs, which the learning rate's schedule goes by where trainer.max_time ends no earlier"
)

Fault = Callable[[Any], str]


def _other_than(names: tuple[str, ...]) -> Fault:
    """Return what is wrong with a name that is none of `names`, or with a class's; callers in Python make objects."""
    said = f"expected {', '.join(names[:-1])} or {names[-1]}"
    return lambda v: said * (isinstance(v, str) and v not in names or hasattr(v, "class_path"))


FAULTS: dict[str, Fault] = {  # what is wrong with a value that was given, "" for nothing
    "max_epochs": lambda v: ENDLESS if v is not None and v < 0 else "expected at least 1" if v == 0 else "",
    "overfit_batches": lambda v: (
        "expected 0: batches are put together anew in every epoch; learn a smaller corpus" * bool(v)
    ),
    "gradient_clip_val": lambda v: "expected nothing: --learning.gradient_clip is the setting" * (v is not None),
    "gradient_clip_algorithm": lambda v: "expected nothing: --learning.gradient_clip is the setting" * (v is not None),
    "use_distributed_sampler": lambda v: "expected false: samples are dealt out to processes already" * bool(v),
    "reload_dataloaders_every_n_epochs": lambda v: "expected 0 or 1: every epoch has batches of its own" * (v > 1),
    "limit_val_batches": lambda v: "expected more: a model is written after a validation" * (v is not None and v == 0),
    "limit_train_batches": lambda v: "expected more: nothing would be learned" * (v is not None and v == 0),
    "precision": lambda v: f"expected one of {', '.join(PRECISIONS)}" * (v is not None and str(v) not in PRECISIONS),
    "limit_test_batches": lambda v: "expected nothing: a run tests nothing, recognizer evaluate does" * (v is not None),
    "limit_predict_batches": lambda v: "expected nothing: a run predicts nothing" * (v is not None),
    "model_registry": lambda v: "expected nothing: the run's folder is where its model is" * (v is not None),
    "fast_dev_run": lambda v: "expected false: --trainer.max_epochs 1 is a short run that leaves a model" * bool(v),
    "barebones": lambda v: "expected false: a run without validation leaves no model" * bool(v),
    "num_nodes": lambda v: "expected at least 1" * (v < 1),
    "accumulate_grad_batches": lambda v: "expected at least 1" * (v < 1),
    "check_val_every_n_epoch": lambda v: "expected at least 1" * (v is not None and v < 1),
    "val_check_interval": lambda v: "expected more: a model is written after a validation" * (v is not None and v == 0),
    "max_steps": lambda v: "expected at least 1, or -1 for no end" * (v == 0 or v < -1),
    # The processes of ddp_spawn, ddp_fork and ddp_notebook cannot take this one's objects along.
    "strategy": _other_than(STRATEGIES),
    "profiler": lambda v: (
        "expected nothing: the run says at its end where the time of its steps went"
        * (isinstance(v, str) or hasattr(v, "class_path"))
    ),
    "default_root_dir": lambda v: "expected nothing: --run is the run's folder" * (v is not None),
    "enable_model_summary": lambda v: "expected false: recognizer info says what a model is made of" * bool(v),
}


def refuse_trainer_settings(settings: dict[str, Any]) -> None:
    """Refuse what would end in the middle, or have no effect.

    Args:
        settings: arguments of Lightning's Trainer by name.

    Raises:
        RecognizerError: a value that does not go with this training.
    """
    for name, fault in FAULTS.items():
        if name in settings and (said := fault(settings[name])):
            value = getattr(settings[name], "class_path", settings[name])
            raise RecognizerError(f"trainer.{name} is {value!r}, {said}")


def leave_signals(trainer: "lightning.Trainer") -> None:
    """Let a trainer set no handlers: its own would end with exit code 0, and wait for other processes within one."""
    trainer._signal_connector.register_signal_handlers = lambda: None  # type: ignore[method-assign]


def count_epochs_once(trainer: "lightning.Trainer") -> None:
    """Let a trainer that goes on from the end of an epoch begin the next one, whatever number of steps ends it all.

    Where `max_steps` is set Lightning takes every checkpoint for one within an epoch, and counts a finished one again.
    """
    trainer.fit_loop._iteration_based_training = lambda: False  # type: ignore[method-assign]
