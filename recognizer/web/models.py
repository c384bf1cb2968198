"""Which model reads which kind of input, and one thread that reads what many requests ask, together."""

import asyncio
import queue
import threading
from collections.abc import Callable, Container, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from recognizer.decoding.hypothesis import Hypothesis
from recognizer.errors import RecognizerError
from recognizer.export.onnx_model import header_of
from recognizer.inputs.registry import kind_named
from recognizer.inputs.signal import Signal
from recognizer.pretrained import find_model, pretrained_models
from recognizer.reading.reader import Reader
from recognizer.web.limits import Limits, Refused
from recognizer.web.used_models import UsedModels

KINDS = {"handwriting": "lines", "speech": "speech", "strokes": "strokes"}  # a reader's kind to what the page calls it
T = TypeVar("T")


@dataclass(frozen=True)
class ModelState:
    """A model as the page shows it.

    Args:
        name: of its file, "" where no model reads the kind.
        calibrated: whether its confidences are shares of right answers.
    """

    name: str
    calibrated: bool


@dataclass(frozen=True)
class _Job:
    """Signals of one request to be read by one reader, with the place for what comes out."""

    kind: str
    signals: tuple[Signal, ...]
    done: "Future[list[Hypothesis]]"


@dataclass(frozen=True)
class _Call:
    """Other work for the thread of the models."""

    work: Callable[[], Any]
    done: "Future[Any]"


class Models:
    """Readers by kind, loaded when they are needed, all used by one thread alone."""

    def __init__(
        self,
        chosen: dict[str, Path | str],
        device: str,
        limits: Limits,
        used: UsedModels | None = None,
        complain: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Read with the `chosen` models, by kind ("handwriting", "speech", "strokes"), else with those that were `used`
        last, else with shipped ones; `complain` takes a line for each that was used, or cannot be any more.

        Raises:
            RecognizerError: a device or a model that is not there, or a model that reads another kind.
        """
        if device not in ("auto", "cpu"):
            from recognizer.reading.torch_network import usable_device

            usable_device(device)  # now, and not when the first request comes
        self.device, self.limits = device, limits
        shipped = {kind: kind for kind in KINDS if kind in pretrained_models()}
        self.paths: dict[str, Path] = {kind: find_model(name) for kind, name in {**shipped, **chosen}.items()}
        self._readers: dict[str, Reader] = {}
        for kind in chosen:
            self._refuse_other_kind(kind, self._reader(kind), self.paths[kind])
        self._used = used
        self._take_up(chosen, complain)
        self._jobs: queue.Queue[_Job | _Call | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="models", daemon=True)
        self._thread.start()

    def state(self, kind: str) -> ModelState:
        """Return what the page says of the model of a kind."""
        if kind not in self.paths:
            return ModelState("", False)
        header = header_of(self.paths[kind])
        return ModelState(self.paths[kind].stem, bool(header.get("calibration")))

    def refuse_missing(self, kind: str, name: str) -> None:
        """Refuse a kind that no model reads.

        Raises:
            Refused: 415.
        """
        if kind not in self.paths:
            option = f"--model-{KINDS[kind]} FILE"
            raise Refused(
                415, f"{name}: {kind_named(kind).noun}, no model here reads it; start the server with {option}"
            )

    async def read(self, kind: str, signals: Sequence[Signal]) -> list[Hypothesis]:
        """Read signals together with those of other requests; what comes out does not depend on the batch."""
        if not signals:
            return []
        done: Future[list[Hypothesis]] = Future()
        self._jobs.put(_Job(kind, tuple(signals), done))
        return await asyncio.wrap_future(done)

    async def with_reader(self, kind: str, work: Callable[[Reader], T]) -> T:
        """Do other work with the reader of a kind in the thread of the models."""
        done: Future[T] = Future()
        self._jobs.put(_Call(lambda: work(self._reader(kind)), done))
        return await asyncio.wrap_future(done)

    async def use(self, kind: str, path: Path) -> None:
        """Read a kind with another model from now on.

        Raises:
            RecognizerError: it cannot be loaded, or reads another kind; the one that was stays.
        """

        def change(_old: Reader) -> None:
            fresh = self._loaded(kind, path)
            if self._used:
                self._used.remember(kind, path)
            self.paths[kind], self._readers[kind] = path, fresh

        await self.with_reader(kind, change)

    def close(self) -> None:
        """End the thread when it has done what waits."""
        self._jobs.put(None)
        self._thread.join()

    def _take_up(self, chosen: Container[str], complain: Callable[[str], None]) -> None:
        """Read again with the models that were used last, where no others are chosen."""
        try:
            found = self._used.all() if self._used else {}
        except RecognizerError as error:
            complain(str(error))
            return
        for kind, path in found.items():
            if kind not in KINDS or kind in chosen:
                continue
            try:
                self._readers[kind] = self._loaded(kind, path)
            except RecognizerError as error:
                complain(f"{error}; {KINDS[kind]} are read with the shipped model as long as no other is chosen")
                continue
            self.paths[kind] = path
            complain(
                f"{KINDS[kind]} are read with {path}, as before; --model-{KINDS[kind]} {kind} takes the shipped one"
            )

    def _loaded(self, kind: str, path: Path) -> Reader:
        reader = Reader.load(path, self.device)
        self._refuse_other_kind(kind, reader, path)
        return reader

    def _refuse_other_kind(self, kind: str, reader: Reader, path: Path) -> None:
        if reader.kind != kind:
            raise RecognizerError(f"{path}: the model reads {reader.kind}, expected one that reads {kind}")

    def _reader(self, kind: str) -> Reader:
        if kind not in self._readers:
            self._readers[kind] = Reader.load(self.paths[kind], self.device)
        return self._readers[kind]

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, _Call):
                _settle(job.done, job.work)
                continue
            batch, others = self._waiting(job)
            for kind in dict.fromkeys(job.kind for job in batch):
                self._read_together(kind, [job for job in batch if job.kind == kind])
            for other in others:
                if other is None:
                    return
                _settle(other.done, other.work)

    def _waiting(self, first: _Job) -> tuple[list[_Job], list[_Call | None]]:
        """Return what waits to be read, up to a batch, and what else stood behind it in the queue."""
        batch = [first]
        while sum(len(job.signals) for job in batch) < self.limits.batch:
            try:
                following = self._jobs.get_nowait()
            except queue.Empty:
                break
            if not isinstance(following, _Job):
                return batch, [following]
            batch.append(following)
        return batch, []

    def _read_together(self, kind: str, jobs: list[_Job]) -> None:
        """Read the signals of several requests in one go; where that fails, each alone."""
        jobs = [job for job in jobs if not job.done.cancelled()]
        try:
            found = self._reader(kind).read([signal for job in jobs for signal in job.signals])
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to the requests and not to the thread
            if len(jobs) == 1:
                _settle(jobs[0].done, partial(_raise, error))
                return
            for job in jobs:
                self._read_together(kind, [job])
            return
        for job in jobs:
            _settle(job.done, partial(list, [found.pop(0) for _ in job.signals]))


def _settle(done: "Future[Any]", work: Callable[[], Any]) -> None:
    """Do some work and hand out what comes of it, unless nobody waits for it any more."""
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except Exception as error:  # noqa: BLE001  as above
        done.set_exception(error)


def _raise(error: Exception) -> None:
    raise error
