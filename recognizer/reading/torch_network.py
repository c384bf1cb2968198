"""A network at work in torch: signals' values in, log-probabilities out."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from recognizer.errors import RecognizerError
from recognizer.model.model import Model, pad_signals
from recognizer.model.precision import BF16, FLOAT32, choose_precision


class TorchNetwork:
    """Computes on a CPU or a GPU what a model says of signals."""

    def __init__(self, model: Model, device: "torch.device | str", precision: str = FLOAT32) -> None:
        """Take a model to a device.

        Args:
            model: of a model file.
            device: "auto" takes a GPU where there is one.
            precision: "float32", "bf16", or "auto": what is faster here.

        Raises:
            RecognizerError: no such device or precision.
        """
        self.device = usable_device(device)
        self.model = model.to(self.device).eval()
        self.on_cpu = self.device.type == "cpu"
        chosen, self.note = choose_precision(precision, self.on_cpu)
        self.bf16 = chosen == BF16

    @torch.inference_mode()
    def log_probs(self, values: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Return log-probabilities (N, T', classes) float32 and counts (N,) of one batch of signals' values."""
        x, counts = pad_signals([torch.from_numpy(np.array(v)) for v in values], self.model.settings.kind)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            output = self.model(x.to(self.device), counts.to(self.device))
        return output.log_probs, output.counts

    @contextmanager
    def threads(self, number: int) -> Iterator[None]:
        """Let torch compute with so many threads within the block."""
        with _THREADS.lent(number):
            yield

    def begin(self, number: int) -> None:
        """Prepare a thread that is to compute: oneDNN's number of threads is not inherited."""
        torch.set_num_threads(number)


class _Threads:
    """Torch's number of threads, which threads made later begin with: while any thread reads, then what it was."""

    def __init__(self) -> None:
        # One that a thread may take twice: a reading that nobody ends is ended by Python, wherever it clears away.
        self.lock, self.readers, self.before = threading.RLock(), 0, 0

    @contextmanager
    def lent(self, number: int) -> Iterator[None]:
        with self.lock:
            if not self.readers:
                self.before = torch.get_num_threads()
            self.readers += 1
            torch.set_num_threads(number)
        try:
            yield
        finally:
            with self.lock:
                self.readers -= 1
                torch.set_num_threads(self.before)  # of this thread too, so by each


_THREADS = _Threads()


def usable_device(device: "torch.device | str") -> torch.device:
    """Return the device that is called so; "auto" takes a GPU where there is one.

    Raises:
        RecognizerError: there is none, or it holds no values.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        made = torch.device(device)
        if torch.empty(1, device=made).is_meta:
            raise RuntimeError("it holds no values")
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise RecognizerError(f"device {str(device)!r} cannot be used ({reason}), expected auto, cpu or cuda") from None
    return made
