"""Where the time of a training run goes."""

import time
from typing import Any


class Timer:
    """Where the time of training goes: waiting for data, then the parts of a step."""

    def __init__(self) -> None:
        """Start now."""
        self.seconds: dict[str, float] = {}
        self.processor = 0.0  # seconds of this process on all of its processors, those of other programs not among them
        self._busy = time.process_time()
        self._last = time.perf_counter()
        self._start = self._last
        self._waited = 0.0

    def restart(self) -> None:
        """Forget the time since the last mark: it went by outside training."""
        self._busy = time.process_time()
        self._last = time.perf_counter()

    def begin(self) -> None:
        """Note that a batch has come."""
        self._start = self._last
        self.mark("waiting")
        self._waited = self._last - self._start

    def mark(self, part: str) -> None:
        """Book the time since the last mark on `part`."""
        now, busy = time.perf_counter(), time.process_time()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._last
        self.processor += busy - self._busy
        self._last, self._busy = now, busy

    def end(self, samples: int) -> float:
        """Return the samples per second of this step, waiting included."""
        return samples / max(time.perf_counter() - self._start, 1e-9)

    def waiting_share(self) -> float:
        """Return the share of this step that went by waiting for its batch."""
        return self._waited / max(self._last - self._start, 1e-9)

    def state(self) -> dict[str, Any]:
        """Return the times so far."""
        return {"seconds": dict(self.seconds), "processor": self.processor}

    def load(self, state: dict[str, Any]) -> None:
        """Count on from the times of another clock."""
        self.seconds, self.processor = dict(state["seconds"]), state["processor"]
