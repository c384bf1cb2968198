"""How far a long verb is: a bar with rate and remaining time on a terminal, nothing in a file or a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

STEPS = "{desc}step {n_fmt} of {total_fmt} {bar} {elapsed}"
LEAST = 2  # of whatever is counted: of one there is nothing to tell


class Progress:
    """Called with what is done and how much there is."""

    def __init__(self, what: str, quiet: bool = False) -> None:
        """Count `what`, such as "samples"; `quiet` shows nothing."""
        self.what, self.shown = what, not quiet and sys.stderr.isatty()
        self.bar: tqdm[Any] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done, 0 where nobody knows the total; at the end the bar goes."""
        if not self.shown or 0 < total < LEAST:
            return
        if self.bar is None:
            from tqdm import tqdm

            self.bar = tqdm(total=total or None, unit=f" {self.what}", leave=False, dynamic_ncols=True, file=sys.stderr)
        self.bar.total = total or None
        self.bar.update(done - self.bar.n)
        if 0 < total <= done:
            self.bar.close()
            self.bar = None


@contextmanager
def steps(total: int, otherwise: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """Yield what takes the name of each of `total` steps as it begins: a bar on a terminal, lines elsewhere.

    Args:
        total: steps of the work.
        otherwise: takes the names where there is no terminal.
    """
    if not sys.stderr.isatty():
        yield otherwise
        return
    from tqdm import tqdm

    with tqdm(total=total, leave=False, dynamic_ncols=True, file=sys.stderr, bar_format=STEPS) as bar:

        def begin(step: str) -> None:
            bar.set_description(step, refresh=False)
            bar.update()
            bar.refresh()

        yield begin
