"""The progress bar of a training run."""

from typing import Any

from lightning.pytorch.callbacks import TQDMProgressBar


class Progress(TQDMProgressBar):
    """Lightning's own bar without its version number: loss, validation CER, samples per second."""

    def __init__(self) -> None:
        """Refresh every second or so, lest a log file fills."""
        super().__init__(refresh_rate=10)

    def get_metrics(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return what the bar shows, in short figures."""
        metrics = super().get_metrics(*args, **kwargs)
        metrics.pop("v_num", None)
        return {name: f"{value:.1%}" if name == "cer" else value for name, value in metrics.items()}
