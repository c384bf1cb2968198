"""What this machine can do, measured, and what follows for training."""

import os
import time
from dataclasses import dataclass

import torch
from torch import nn

GAIN = 1.15  # bf16 is taken where it is at least so many times faster than float32


@dataclass(frozen=True)
class Choice:
    """How a run uses the machine.

    Args:
        accelerator: "cpu" or "gpu".
        devices: processes, or GPUs.
        precision: Lightning's name, "32-true" or "bf16-mixed".
        threads: of each process on the CPU.
        reason: one line for the person who started the run.
    """

    accelerator: str
    devices: int
    precision: str
    threads: int
    reason: str


def cores() -> int:
    """Return the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose(accelerator: str, devices: int | str | list[int], precision: str | int | None) -> Choice:
    """Return how to train here; what the user has set stays as it is set, "auto" and None are filled in.

    Without a GPU two processes share each batch where there are two cores: the recurrent steps are too small for
    two threads.
    """
    gpu = torch.cuda.is_available() if accelerator == "auto" else accelerator in ("gpu", "cuda")
    precision = None if precision is None else str(precision)
    wanted = len(devices) if isinstance(devices, list) else None if devices == "auto" else int(devices)
    if gpu:
        best = "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
        number = wanted or 1
        reason = f"{number} x {torch.cuda.get_device_name()}, {precision or best}"
        return Choice("gpu", number, precision or best, max(1, cores() // number), reason)
    number = wanted or min(2, cores())
    threads = max(1, cores() // number)
    if precision:
        return Choice("cpu", number, precision, threads, f"CPU, {number} processes of {threads} threads, {precision}")
    plain, half = _seconds(torch.float32), _seconds(torch.bfloat16)
    best = "bf16-mixed" if plain > GAIN * half else "32-true"
    reason = (
        f"CPU, {number} process{'es' if number > 1 else ''} of {threads} thread{'s' if threads > 1 else ''}, {best} "
        f"(a recurrent layer takes {plain * 1e3:.1f} ms in float32, {half * 1e3:.1f} ms in bf16)"
    )
    return Choice("cpu", number, best, threads, reason)


def _seconds(dtype: torch.dtype) -> float:
    """Return the time of a small LSTM, forward and backward, in `dtype` on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        layer, x = nn.LSTM(256, 256, batch_first=True).to(dtype), torch.ones(16, 40, 256, dtype=dtype)
        times = []
        for _ in range(4):
            start = time.perf_counter()
            layer(x)[0].sum().backward()
            times.append(time.perf_counter() - start)
        return min(times)
    finally:
        torch.set_num_threads(threads)
