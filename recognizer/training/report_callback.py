"""The page of a run, renewed with each validation."""

from pathlib import Path

import lightning

from recognizer.reports.training_page import SampleRead, write_training
from recognizer.training.history import read_history
from recognizer.training.learner import Learner

SHOWN = 8  # validation samples on the page


class ReportCallback(lightning.Callback):
    """Write the run's page after the history has its new line: it stands behind what writes that."""

    def __init__(self, run: Path) -> None:
        """Write into the folder `run`."""
        self.run = run

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Show the curves so far and some samples, the same ones each time."""
        assert isinstance(pl_module, Learner)
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        readings = pl_module.readings
        some = readings[:: max(1, len(readings) // SHOWN)][:SHOWN]
        stores = pl_module.corpora.stores
        samples = [SampleRead(stores[r.item.corpus], r.item.index, r.reference, r.text) for r in some]
        write_training(self.run, read_history(self.run), samples)
