"""What this machine can do, measured, and what follows for training."""

import os
import time
from dataclasses import dataclass

import torch
from torch import nn

from recognizer.common.processors import usable_processors
from recognizer.errors import RecognizerError
from recognizer.model.precision import GAIN, ROUNDS, recurrent_seconds

HALF = ("16-mixed", "16")  # precisions of a GPU alone
CROWD = 8  # processes for each processor: more only wait for each other, and fill the memory


@dataclass(frozen=True)
class HardwareChoice:
    """How a run uses the machine.

    Args:
        accelerator: Lightning's name, "cpu" or "gpu" where the user left the choice.
        devices: how many processes, or GPUs.
        precision: Lightning's name, "32-true" or "bf16-mixed".
        threads: of each process on the CPU.
        reason: one line for the person who started the run.
        measured: what the precision was chosen by, "" where nothing was measured.
    """

    accelerator: str
    devices: int
    precision: str
    threads: int
    reason: str
    measured: str = ""

    def describe(self) -> str:
        """Return the reason with what was measured, in one line."""
        return f"{self.reason} ({self.measured})" if self.measured else self.reason


def choose_hardware(
    accelerator: str, devices: int | str | list[int], precision: str | int | None, most: int | None = None
) -> HardwareChoice:
    """Return how to train here; what the user has set stays as it is set, "auto" and None are filled in.

    Without a GPU two processes share each batch where two processors may be used: the recurrent steps are too small
    for two threads. A process is given more than one only where they are measurably faster at this moment: two on
    processors that something else uses too were up to 24 times slower.

    Args:
        accelerator: as Lightning calls it, or "auto".
        devices: likewise.
        precision: likewise, None to choose.
        most: processes that have something to do, where their number is chosen here.

    Raises:
        RecognizerError: there is no such hardware, it lacks the precision, or the number of devices is none.
    """
    gpu = torch.cuda.is_available() if accelerator == "auto" else accelerator in ("gpu", "cuda")
    if gpu and not torch.cuda.is_available():
        raise RecognizerError(
            f"trainer.accelerator is {accelerator!r}, and no GPU can be used here: expected cpu or auto"
        )
    precision = None if precision is None else str(precision)
    if not gpu and precision in HALF:  # Lightning would compute in bf16, and the record say something else
        raise RecognizerError(f"trainer.precision is {precision!r} on a CPU, expected bf16-mixed or 32-true")
    number = _number(devices, gpu, most)
    threads = _threads(max(1, usable_processors() // number))
    if gpu:
        best = precision or ("bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true")
        return HardwareChoice("gpu", number, best, threads, f"{number} x {torch.cuda.get_device_name()}, {best}")
    accelerator = "cpu" if accelerator == "auto" else accelerator
    form = f"{accelerator.upper()}, {_many(number, 'process', 'es')} of {_many(threads, 'thread', 's')}"
    if precision:
        return HardwareChoice(accelerator, number, precision, threads, f"{form}, {precision}")
    plain, half = recurrent_seconds((torch.float32, torch.bfloat16), learning=True)
    best = "bf16-mixed" if plain > GAIN * half else "32-true"
    times = f"a recurrent layer takes {plain * 1e3:.1f} ms in float32, {half * 1e3:.1f} ms in bf16"
    return HardwareChoice(accelerator, number, best, threads, f"{form}, {best}", times)


def refuse_crowd(processes: int, workers: int) -> None:
    """Refuse more processes, each with `workers` that read ahead for it, than this machine could ever use.

    Raises:
        RecognizerError: there are more than `CROWD` for each processor that may be used.
    """
    usable = usable_processors()
    if processes * (1 + workers) > CROWD * usable:
        raise RecognizerError(
            f"trainer.devices {processes} with data.workers {workers}: {processes * (1 + workers)} processes, expected "
            f"at most {CROWD * usable} on {_many(usable, 'processor', 's')}"
        )


def _threads(most: int) -> int:
    """Return the threads of a process: what OMP_NUM_THREADS says, else `most` where they beat one thread, else one."""
    if stated := os.environ.get("OMP_NUM_THREADS", ""):
        return max(1, int(stated)) if stated.isdecimal() else 1
    if most == 1:
        return 1
    one, many = (_elapsed(threads) for threads in (1, most))
    return most if one > GAIN * many else 1


def _elapsed(threads: int) -> float:
    """Return how long a small recurrent layer takes with so many threads, by the clock: waiting counts."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        layer, x = nn.LSTM(256, 256, batch_first=True), torch.ones(16, 40, 256)
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            layer(x)[0].sum().backward()
            times.append(time.perf_counter() - start)
        return sorted(times)[ROUNDS // 2]
    finally:
        torch.set_num_threads(before)


def _number(devices: int | str | list[int], gpu: bool, most: int | None) -> int:
    """Return how many processes or GPUs Lightning's `devices` mean."""
    if devices == "auto":
        return 1 if gpu else max(1, min(2, usable_processors(), 2 if most is None else most))
    if isinstance(devices, list):
        return len(devices)
    try:
        number = int(devices)
    except ValueError:
        parts = [part.strip() for part in str(devices).split(",") if part.strip()]
        if not parts or not all(part.isdecimal() for part in parts):
            raise RecognizerError(f"trainer.devices is {devices!r}, expected a number, auto, or GPU numbers") from None
        return len(parts)
    if number == -1 and gpu:
        return torch.cuda.device_count()
    if number < 1:
        raise RecognizerError(f"trainer.devices is {devices}, expected at least 1")
    return number


def _many(number: int, noun: str, ending: str) -> str:
    return f"{number} {noun}{ending if number > 1 else ''}"
