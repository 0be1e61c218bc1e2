"""Planned runs made by an engine, and what is told of them brought to one place."""

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rc_vs_snn import records
from rc_vs_snn.experiment.corpora import keep_corpora
from rc_vs_snn.experiment.engines import ENDED, LOG, RETRIED, STARTED, Engine, events_of
from rc_vs_snn.experiment.engines.cores import cores
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.locks import locked_run
from rc_vs_snn.experiment.planning import PlannedRun, finished_record
from rc_vs_snn.experiment.progress import Progress, Watch
from rc_vs_snn.experiment.running import keep_failure, train_and_judge
from rc_vs_snn.training.loop import Report


@dataclass(frozen=True)
class Order:
    """What one command wants of each of its runs.

    Attributes:
        command: tells it from other commands, for the corpora that a process keeps.
        execution: how runs are executed.
        overwrite: whether folders of another configuration are replaced.
        waits: whether a run that another process is making is waited for.
    """

    command: str
    execution: Execution
    overwrite: bool
    waits: bool = False


def make_run(run: PlannedRun, order: Order, batch: Report, epoch: Report) -> records.Record:
    """Make one run in this process, unless somebody else has by now, and return it."""
    keep_corpora(order.command)
    with locked_run(run.folder, math.inf if order.waits else None):
        with warnings.catch_warnings(action="ignore"):  # said already
            found = finished_record(run.config, run.folder, order.overwrite)
        return found or train_and_judge(
            run.config,
            run.folder,
            order.execution,
            replace=True,
            report=batch,
            on_epoch=epoch,
            order=run.order,
        )


def make_runs(
    todo: Sequence[PlannedRun], order: Order, engine: Engine, jobs: int, shown: Progress
) -> dict[Path, records.Record]:
    """Make runs with an engine, and return them by their folders.

    One whose process dies too often is kept as failed, and the rest goes on.
    """
    n_wanted, threads = min(jobs, len(todo)), order.execution.threads
    if n_wanted * threads > cores() and not engine.waits:
        shown.told(f"{n_wanted} jobs of {threads} threads are more than the {cores()} cores there are")
    underway: dict[int, _Underway] = {}
    made: dict[Path, records.Record] = {}
    with contextlib.ExitStack() as all_ended:
        calls = [(run, order) for run in todo]
        events = all_ended.enter_context(contextlib.closing(events_of(engine, _make_run, calls, jobs)))
        for number, kind, value in events:
            run = todo[number]
            name = f"{run.config.label} seed {run.config.seed}"
            if kind == STARTED:
                ended = all_ended.enter_context(contextlib.ExitStack())
                watch = ended.enter_context(shown.watching(run.config, run.folder))
                underway[number] = _Underway(watch, ended)
            elif kind == "batch":
                underway[number].watch.batch(value)
            elif kind == "epoch":
                underway[number].epochs.append(value)
                underway[number].watch.epoch(value)
            elif kind == LOG:
                shown.told(f"{name}: {value}")
            else:
                seen = underway.pop(number, None)
                if seen is not None:
                    seen.ended.close()
                if kind == RETRIED:
                    shown.told(f"{name}: {value}; tried again")
                    continue
                if kind == ENDED:
                    epochs, started = (seen.epochs, seen.started) if seen else ([], time.time())
                    with locked_run(run.folder):
                        keep_failure(run.config, run.folder, order.execution, epochs, started, value)
                made[run.folder] = records.read_record(run.folder, quick=True)
                shown.finished(made[run.folder])
    return made


def _make_run(run: PlannedRun, order: Order, say: Callable[[str, Any], None]) -> None:
    make_run(run, order, partial(say, "batch"), partial(say, "epoch"))


@dataclass
class _Underway:
    """A run in another process, as it is seen from here."""

    watch: Watch
    ended: contextlib.ExitStack
    started: float = field(default_factory=time.time)
    epochs: list[dict[str, Any]] = field(default_factory=list)
