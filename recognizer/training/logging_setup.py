"""Silence for libraries that speak to developers while a user trains."""

import logging
import warnings

WHY_A_PROCESS_DIED = "lightning.fabric.strategies.launchers.subprocess_script"


def silence_libraries() -> None:
    """Let Lightning say nothing but why a process died: banners, hints and tips are no help to who trains."""
    for module in ("lightning", "torch"):
        warnings.filterwarnings("ignore", module=module)
    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger(WHY_A_PROCESS_DIED).setLevel(logging.INFO)
