"""The types of numbers that a network can be computed in, and which is faster here."""

import math
import time
from collections.abc import Sequence

import torch
from torch import nn

from recognizer.errors import RecognizerError

FLOAT32, BF16, AUTO = "float32", "bf16", "auto"
PRECISIONS = (FLOAT32, BF16, AUTO)
GAIN = 1.15  # bf16 is taken where it is at least so many times faster than float32
ROUNDS = 6  # of the measurement


def choose_precision(precision: str, on_cpu: bool) -> tuple[str, str]:
    """Return FLOAT32 or BF16, and a line for people that says why where "auto" was asked for, else "".

    Raises:
        RecognizerError: no such precision.
    """
    if precision not in PRECISIONS:
        raise RecognizerError(f"precision is {precision!r}, expected one of {', '.join(PRECISIONS)}")
    if precision != AUTO:
        return precision, ""
    if not on_cpu:
        return FLOAT32, "precision auto: float32, since only processors are measured; --precision bf16 asks for it"
    plain, half = recurrent_seconds((torch.float32, torch.bfloat16), learning=False)
    best = BF16 if plain > GAIN * half else FLOAT32
    return (
        best,
        f"precision auto: {best} (a recurrent layer takes {plain * 1e3:.1f} ms in float32, {half * 1e3:.1f} in bf16)",
    )


def recurrent_seconds(dtypes: Sequence[torch.dtype], learning: bool) -> list[float]:
    """Return the processor time of a small LSTM in each of `dtypes` on one thread, with `learning` backward too.

    They take turns, and what counts is the processor's time, so that other work on the machine tells little.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            layers = [nn.LSTM(256, 256, batch_first=True).to(dtype) for dtype in dtypes]
        inputs = [torch.ones(16, 40, 256, dtype=dtype) for dtype in dtypes]
        best = [math.inf for _ in dtypes]
        with torch.set_grad_enabled(learning):
            for _ in range(ROUNDS):
                for i, (layer, x) in enumerate(zip(layers, inputs, strict=True)):
                    start = time.process_time()
                    total = layer(x)[0].sum()
                    if learning:
                        total.backward()
                    best[i] = min(best[i], time.process_time() - start)
        return best
    finally:
        torch.set_num_threads(threads)
