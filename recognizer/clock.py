"""Where the time of a training run goes."""

import time


class Clock:
    """Where the time of training goes: waiting for data, then the parts of a step."""

    def __init__(self) -> None:
        """Start now."""
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()
        self._start = self._last
        self._waited = 0.0

    def restart(self) -> None:
        """Forget the time since the last mark: it went by outside training."""
        self._last = time.perf_counter()

    def begin(self) -> None:
        """Note that a batch has come."""
        now = time.perf_counter()
        self._waited = now - self._last
        self.seconds["waiting"] = self.seconds.get("waiting", 0.0) + self._waited
        self._start, self._last = self._last, now

    def mark(self, part: str) -> None:
        """Book the time since the last mark on `part`."""
        now = time.perf_counter()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._last
        self._last = now

    def end(self, samples: int) -> float:
        """Return the samples per second of this step, waiting included."""
        return samples / max(time.perf_counter() - self._start, 1e-9)

    def waiting_share(self) -> float:
        """Return the share of this step that went by waiting for its batch."""
        return self._waited / max(self._last - self._start, 1e-9)
