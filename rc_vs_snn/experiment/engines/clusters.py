"""Clusters of Dask: one that is there, one on this machine, or one that a TOML file describes."""

import contextlib
import importlib
import inspect
import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.comparison_files import file_table

LOGGERS = ("distributed", "distributed.client")
"""Those of Dask that have a level of their own."""
PATIENCE_S = 10
"""How long a scheduler may take to answer."""


@contextlib.contextmanager
def client_of(scheduler: str | None, cluster: Path | None, jobs: int, retries: int) -> Iterator[Any]:
    """Yield a client of a cluster; one that was started for it is closed in the end.

    Args:
        scheduler: address of a cluster that is there.
        cluster: a TOML file that describes one to start.
        jobs: worker processes of one on this machine, which is started if neither is given.
        retries: how often a call whose worker died is tried again, on a cluster that is started.

    Raises:
        InputError: Dask is not installed, nobody answers, or a faulty description.
    """
    try:
        import dask
        import distributed
    except ImportError as error:
        raise InputError("to spread runs with Dask install it: pip install 'rc_vs_snn[cluster]'") from error
    # One call per worker at a time, so that a worker that dies takes down no other.
    careful = {
        "distributed.scheduler.allowed-failures": retries,
        "distributed.scheduler.worker-saturation": 1.0,
    }
    with contextlib.ExitStack() as opened:
        for name in LOGGERS:
            opened.enter_context(_silent(logging.getLogger(name)))
        if scheduler is not None:
            where: Any = scheduler
        else:
            opened.enter_context(dask.config.set(careful))
            where = opened.enter_context(_local(jobs) if cluster is None else _described(cluster))
        try:
            client = distributed.Client(where, timeout=PATIENCE_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"no Dask scheduler answers at {where}; start one with `dask scheduler`, or give its address"
            ) from error
        yield opened.enter_context(client)


@contextlib.contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Say nothing of deaths and lost connections: they are mended, or come out as an error."""
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _local(jobs: int) -> Any:
    from distributed import LocalCluster

    try:
        return LocalCluster(
            n_workers=jobs, threads_per_worker=1, memory_limit=0, silence_logs=logging.CRITICAL,
            dashboard_address=":0", scheduler_kwargs={"dashboard": False},
        )  # fmt: skip
    except RuntimeError as error:
        raise InputError(
            f"no Dask cluster can be started here ({error}); a script calls what starts one only under "
            'if __name__ == "__main__":'
        ) from error


def _dask_jobqueue() -> ModuleType:
    """Import dask-jobqueue, which takes Ctrl-C for itself when it is imported."""
    ours = signal.getsignal(signal.SIGINT)
    try:
        return importlib.import_module("dask_jobqueue")
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, ours)


def read_description(path: Path) -> tuple[str, Any, dict[str, Any]]:
    """Return the class that a file's table [cluster] names, how many jobs, and the class' own arguments.

    Raises:
        InputError: the file cannot be read, or describes no cluster.
    """
    whole = file_table(path)
    try:
        table = dict(whole["cluster"])
        return table.pop("class"), table.pop("jobs"), table
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{path} describes no cluster ({error}): it needs a table [cluster] with class, such as "
            '"SLURMCluster", and jobs, how many are asked for'
        ) from error


def _described(path: Path) -> Any:
    """Return the cluster that a file describes, with its jobs asked for."""
    name, jobs, table = read_description(path)
    dask_jobqueue = _dask_jobqueue()
    known = [each for each in dir(dask_jobqueue) if each.endswith("Cluster")]
    if name not in known:
        raise InputError(f"{path}: dask-jobqueue has no cluster {name!r}; {did_you_mean(str(name), known)}")
    options = _options(getattr(dask_jobqueue, name))
    for key in table.keys() - options:
        raise InputError(f"{path}: {name} has no option {key!r}; {did_you_mean(key, sorted(options))}")
    # One run at a time in a process, whatever cores it has.
    table["worker_extra_args"] = [*table.get("worker_extra_args", []), "--nthreads", "1"]
    try:
        made = getattr(dask_jobqueue, name)(**table)
        made.scale(jobs=jobs)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {name} cannot be made: {error}") from error
    return made


def _options(made: type[Any]) -> set[str]:
    """Return what a class of clusters of dask-jobqueue and its jobs can be given."""
    classes = [*made.__mro__, *made.job_cls.__mro__]
    found = [inspect.signature(each.__init__).parameters for each in classes if each is not object]
    return {name for each in found for name in each} - {"self", "args", "kwargs"}
