"""Work on many files divided among the machines of a Ray cluster, or the processors of this one."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from recognizer.errors import RecognizerError

Work = Callable[[list[str]], list[dict[str, Any]]]
Say = Callable[[str], None]
STARTS = 3  # tries to start Ray: on a busy machine its processes wait only half a minute for each other
SHARES = 4  # batches of each worker at least, so that all end at about the same time
STORE = 200_000_000  # bytes of Ray's object store on this machine: only names and messages travel


@dataclass(frozen=True)
class Cluster:
    """Where to work.

    Args:
        address: of a cluster ("auto" for the one that this machine belongs to); "" starts Ray on this machine alone,
            for as long as the work takes.
        workers: processes that work at once, as far as the cluster has places for them; 0 for one each processor, or
            each GPU where `gpu` is set.
        gpu: whether each worker takes a GPU.
    """

    address: str = ""
    workers: int = 0
    gpu: bool = False


def on_ray(
    make: Callable[[], Work], names: Sequence[str], batch: int, cluster: Cluster, say: Say
) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield what work makes of all names, in the order in which it is done, with the process that did it.

    A worker that dies, or whose machine does, is replaced, and what it was at is done again by another: the work must
    be such that doing it twice does no harm.

    Args:
        make: called once in each worker, for instance to load a model; returns what is called with a batch of names.
        names: what to work on, such as paths that every machine sees.
        batch: names that a worker is given at once; fewer where each worker would get less than SHARES batches.
        cluster: where to.
        say: takes what a user should know of the cluster, a line each.

    Raises:
        RecognizerError: Ray is not installed, there is no cluster at the address, or it has no place for a worker;
            what a worker raised.
    """
    ray = _started(cluster)
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        logging.getLogger("ray").setLevel(logging.ERROR)
        workers = min(_workers(ray, cluster, say), len(names))
        batch = max(1, min(batch, len(names) // (SHARES * workers)))
        rows = [{"names": list(names[i : i + batch])} for i in range(0, len(names), batch)]
        made = ray.data.from_items(rows, override_num_blocks=len(rows)).flat_map(
            _worker_class(make),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=0 if cluster.gpu else 1,
            num_gpus=1 if cluster.gpu else 0,
        )
        logging.getLogger("ray.data").setLevel(logging.ERROR)  # which Ray sets anew when a data set is made
        for row in made.iter_rows():
            if row["fault"]:
                raise RecognizerError(row["fault"])
            yield row["made"], row["process"]
    finally:
        ray.shutdown()


def _workers(ray: Any, cluster: Cluster, say: Say) -> int:
    """Return how many workers the cluster has places for, at most as many as were asked for.

    Ray would wait without end for a place that does not exist.

    Raises:
        RecognizerError: the cluster has none.
    """
    unit = "GPU" if cluster.gpu else "CPU"
    most = int(ray.cluster_resources().get(unit, 0))
    if most < 1:
        cure = "--device cpu, or a machine with one" if cluster.gpu else "a machine with one"
        raise RecognizerError(f"the Ray cluster has no {unit}, which each worker takes one of: expected {cure}")
    if cluster.workers > most:
        say(f"the Ray cluster has {most} {unit}{'s' if most > 1 else ''}: {most} in place of {cluster.workers} workers")
    if ray.available_resources().get(unit, 0) < 1:
        say(f"no {unit} of the Ray cluster's {most} is free: work begins when one is")
    return min(cluster.workers or most, most)


def _worker_class(make: Callable[[], Work]) -> type:
    """Return what runs in a process of Ray; the class carries `make`, since arguments may be lost with a node."""

    class Worker:
        work: Work | None = None

        def __call__(self, row: dict[str, Any]) -> list[dict[str, Any]]:
            """Return a row for each result of a batch, or one that says what is at fault with the work as a whole."""
            try:
                self.work = self.work or make()
                return [{"made": made, "process": os.getpid(), "fault": ""} for made in self.work(list(row["names"]))]
            except RecognizerError as error:  # which Ray would wrap up in a traceback
                return [{"made": None, "process": os.getpid(), "fault": str(error)}]

    return Worker


def _started(cluster: Cluster) -> Any:
    """Return Ray, connected; what it would send home about its use is switched off."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise RecognizerError("--engine ray takes the package ray: pip install 'recognizer[ray]'") from None
    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": STORE}
    if not cluster.address and cluster.workers:
        own["num_cpus"] = cluster.workers + 1  # the workers' own, and one for what feeds them
    for tries in range(STARTS, 0, -1):
        try:
            ray.init(
                address=cluster.address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if cluster.address else own),
            )
            return ray
        except Exception as error:  # Ray's start raises this very class where the machine is too busy
            ray.shutdown()
            if tries == 1 or cluster.address:
                where = (
                    f"--address {cluster.address}: no Ray cluster there" if cluster.address else "Ray does not start"
                )
                reason = str(error).strip().partition("\n")[0]
                raise RecognizerError(f"{where} ({reason})") from None
    raise AssertionError("the last try returns or raises")
