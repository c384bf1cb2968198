"""Print how long each recurrent cell takes beside torch's LSTM of the same size.

Times of one thread are processor time, of more threads time on the wall: those need a quiet machine.
Run: python scripts/bench_cells.py [--threads 2] [--dtype bfloat16] [--device cpu]
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from recognizer.commands.exit_codes import run_and_exit  # noqa: E402
from recognizer.network.cells import CELLS, CellSettings, RecurrentLayer  # noqa: E402
from recognizer.network.mdlstm import MultidimensionalFront, MultidimensionalSettings  # noqa: E402


@dataclass(frozen=True)
class Row:
    """Times of one cell in milliseconds."""

    name: str
    parameters: int
    forward: float
    both: float


def main() -> None:
    """Print one line a cell for each number of threads with each type."""
    options = _options()
    head = ("cell", "threads", "dtype", "parameters", "ms forward", "ms forward+backward", "ratio", "ratio f+b")
    print(("{:<28}{:>8}{:>10}{:>12}{:>12}{:>21}{:>8}{:>11}").format(*head))
    for dtype in options.dtype:
        for threads in options.threads:
            torch.set_num_threads(threads)
            base: Row | None = None
            for row in _rows(options, getattr(torch, dtype)):
                base = base or row
                ratios = f"{row.forward / base.forward:>8.2f}{row.both / base.both:>11.2f}"
                times = f"{row.forward:>12.1f}{row.both:>21.1f}"
                print(f"{row.name:<28}{threads:>8}{dtype:>10}{row.parameters:>12}{times}{ratios}", flush=True)


def _rows(options: argparse.Namespace, dtype: torch.dtype) -> Iterator[Row]:
    batch, frames, device = options.batch, options.frames, options.device
    x = torch.randn(batch, frames, options.input, device=device)
    counts = torch.full((batch,), frames, device=device)
    for name, settings in _kinds(options.hidden):
        layer = RecurrentLayer(options.input, settings, options.bidirectional).to(device)
        yield _measure(name, layer, x, counts, dtype, options.repeats)
    if options.multidimensional:
        image = torch.rand(batch, 4 * frames, 48, 1, device=device)
        front = MultidimensionalFront(MultidimensionalSettings(), 48).to(device)
        yield _measure("multidimensional 48 rows", front, image, 4 * counts, dtype, 2)


def _kinds(hidden: int) -> Iterator[tuple[str, CellSettings]]:
    for cell in CELLS:
        yield cell, CellSettings(cell=cell, hidden=hidden)
    wide = CellSettings(cell="convolutional", hidden=hidden)
    yield "convolutional, V too", replace(wide, memory_kernel=3)
    base = CellSettings(hidden=hidden)
    yield "lstm, recurrent dropout", replace(base, recurrent_dropout=0.2)
    yield "lstm, zoneout", replace(base, zoneout=0.1)
    yield "lstm, layer norm", replace(base, layer_norm=True)
    yield "lstm, projection", replace(base, projection=hidden // 2)


def _measure(name: str, layer: torch.nn.Module, x: Tensor, counts: Tensor, dtype: torch.dtype, repeats: int) -> Row:
    def forward() -> Tensor:
        with torch.autocast(x.device.type, dtype=dtype, enabled=dtype != torch.float32):
            y = layer(x, counts)
        return y[0] if isinstance(y, tuple) else y  # type: ignore[no-any-return]

    def inference() -> None:
        with torch.no_grad():
            forward()

    def both() -> None:
        layer.zero_grad()
        torch.autograd.backward(forward().float().square().mean())

    x.requires_grad_(not isinstance(layer, MultidimensionalFront))
    parameters = sum(weight.numel() for weight in layer.parameters())
    return Row(name, parameters, _best(inference, repeats, x.is_cuda), _best(both, repeats, x.is_cuda))


def _best(work: Callable[[], None], repeats: int, cuda: bool) -> float:
    """Return the shortest of `repeats` times in milliseconds, after one run to warm up."""
    # One thread on a busy processor is measured by the time that it was given, not by the time that passed.
    clock = time.process_time if torch.get_num_threads() == 1 and not cuda else time.perf_counter
    times = []
    for _ in range(repeats + 1):
        start = clock()
        work()
        if cuda:
            torch.cuda.synchronize()
        times.append(clock() - start)
    return 1000 * min(times[1:])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--frames", type=int, default=176)
    parser.add_argument("--input", type=int, default=512)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--bidirectional", action="store_true")
    parser.add_argument("--multidimensional", action="store_true", help="the MDLSTM front too (slow)")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    run_and_exit("bench_cells", main)
