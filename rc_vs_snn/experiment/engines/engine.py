"""Which engine makes the runs, and with what share of them."""

import contextlib
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.engines.processes import side_by_side
from rc_vs_snn.experiment.engines.worker import DONE, ENDED
from rc_vs_snn.registry.values import is_whole

T = TypeVar("T")
SHARD = re.compile(r"(\d{1,9})/(\d{1,9})")


@dataclass(frozen=True)
class Engine:
    """What runs are spread with; nothing here changes which result is meant.

    By default several jobs are processes of this command's own.

    Attributes:
        joblib: let joblib spread the jobs, in Python under its ``parallel_config``.
        dask: "local": a Dask cluster on this machine, with one worker process per job (extra "cluster").
        scheduler: address of the scheduler of a Dask cluster, such as tcp://node1:8786.
        cluster: a TOML file that describes a Dask cluster to start, such as jobs of Slurm.
        retries: how often a run whose process died is tried again.
        shard: i/n: make only the runs i, i + n, i + 2n, ... of the plan, counted from 0, and draw nothing.
    """

    joblib: bool = False
    dask: Literal["local"] | None = None
    scheduler: str | None = None
    cluster: Path | None = None
    retries: int = 2
    shard: str | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("joblib", "dask", "scheduler", "cluster") if getattr(self, name)]
        if len(given) > 1:
            raise InputError(f"give one of --{' and --'.join(given)}")
        if self.dask not in (None, "local"):
            raise InputError(f"dask is 'local', got {self.dask!r}; give an address as scheduler")
        if not is_whole(self.retries, 0, 100):
            raise InputError(f"retries must be a whole number from 0 to 100, got {self.retries!r}")
        self._share()

    def share(self, planned: Sequence[T]) -> list[T]:
        """Return what of a plan is this command's to do."""
        number, count = self._share()
        return list(planned[number::count])

    def is_serial(self, jobs: int, n_calls: int) -> bool:
        """Return whether one call after another is made in this process.

        Raises:
            InputError: ``jobs`` is below 1, or is the cluster's own affair; or its file describes none.
        """
        self._require_usable(jobs)
        return not (self.joblib or self.dask or self.scheduler or self.cluster) and min(jobs, n_calls) < 2

    def _require_usable(self, jobs: int) -> None:
        if jobs < 1:
            raise InputError(f"jobs must be at least 1, got {jobs}")
        if jobs > 1 and (self.scheduler or self.cluster):
            raise InputError("leave out jobs: a cluster makes as many runs at once as it has workers")
        if self.cluster is not None:
            from rc_vs_snn.experiment.engines.clusters import read_description

            read_description(self.cluster)

    @property
    def waits(self) -> bool:
        """Whether a run that another process is making is waited for.

        Workers of a Dask cluster outlive the command that gave them their runs.
        """
        return bool(self.scheduler or self.cluster)

    def _share(self) -> tuple[int, int]:
        if self.shard is None:
            return 0, 1
        found = SHARD.fullmatch(self.shard) if isinstance(self.shard, str) else None
        if found is None:
            raise InputError(f"a shard is i/n, such as 0/4, got {self.shard!r}")
        number, count = int(found[1]), int(found[2])
        if number >= count:
            last = f"give 0/{count} to {count - 1}/{count}" if count else "n is at least 1"
            raise InputError(f"shards are counted from 0: {last}, got {self.shard}")
        return number, count


def events_of(
    engine: Engine, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], jobs: int
) -> Generator[tuple[int, str, Any]]:
    """Call a function with each tuple of arguments, and one more, ``say(kind, value)``; yield events.

    Close the iterator to end what is still going on.

    Raises:
        InputError: an engine that is not there, or a call that cannot be sent to another process.
        Exception: the first that a call raises.
    """
    if engine.joblib:
        from rc_vs_snn.experiment.engines.by_joblib import by_joblib

        return by_joblib(function, calls, jobs, engine.retries)
    if engine.dask or engine.scheduler or engine.cluster:
        from rc_vs_snn.experiment.engines.by_dask import by_dask
        from rc_vs_snn.experiment.engines.clusters import client_of

        return by_dask(
            function, calls, client_of(engine.scheduler, engine.cluster, jobs, engine.retries), engine.retries
        )
    return side_by_side(function, calls, jobs, engine.retries)


def results(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], jobs: int, engine: Engine | None = None
) -> list[Any]:
    """Return what a function returns for each tuple of arguments, see ``events_of``.

    Raises:
        InputError: a process was ended from outside.
        Exception: the first that a call raises.
    """
    found: dict[int, Any] = {}
    told = [(function, *call) for call in calls]
    with contextlib.closing(events_of(engine or Engine(retries=0), _unheard, told, jobs)) as events:
        for number, kind, value in events:
            if kind == ENDED:
                raise InputError(f"{value}; run the same command again")
            if kind == DONE:
                found[number] = value
    return [found[number] for number in range(len(calls))]


def _unheard(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments[:-1])
