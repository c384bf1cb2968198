"""How far a long verb is, on standard error: a line that is written over in a terminal, else one a minute."""

import sys
import time

BY_EYE, BY_LOG = 0.5, 60.0  # seconds between two words, in a terminal and in a file


class Progress:
    """Called with what is done and how much there is; silent where all is done at once."""

    def __init__(self, what: str) -> None:
        """Count `what`, such as "samples"."""
        self.what, self.terminal = what, sys.stderr.isatty()
        self.begin = self.last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Say that `done` of `total` are done, not more often than can be read."""
        now = time.monotonic()
        if now - self.last < (BY_EYE if self.terminal else BY_LOG) and not (self.terminal and done == total):
            return
        self.last = now
        left = (total - done) * (now - self.begin) / max(done, 1)
        line = f"{done:,} of {total:,} {self.what}, {left / 60:.1f} minutes left"
        if self.terminal:
            sys.stderr.write(f"\r{line:<60}" + ("\n" if done == total else ""))
        else:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
