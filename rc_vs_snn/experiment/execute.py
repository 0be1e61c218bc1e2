"""From a comparison to records: check everything first, skip what is finished, run the rest."""

import contextlib
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rc_vs_snn import records
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.comparison import Comparison
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.locks import locked_folder, locked_run
from rc_vs_snn.experiment.notebook import fitting_progress
from rc_vs_snn.experiment.planning import (
    PlannedRun,
    check_runs,
    finished,
    is_finished,
    planned_runs,
    write_plans,
)
from rc_vs_snn.experiment.progress import Progress, Watch
from rc_vs_snn.experiment.running import keep_failure, train_and_judge
from rc_vs_snn.experiment.workers import ENDED, STARTED, side_by_side
from rc_vs_snn.training.loop import Report


def compare(
    comparison: Comparison,
    out: Path | str,
    execution: Execution | None = None,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> records.Records:
    """Train and judge every model of a comparison, each in a run folder below ``out``.

    Finished runs of the same configuration and package version are read, not repeated; so an
    interrupted comparison goes on where it was.

    Args:
        comparison: what to run.
        out: folder of the run folders.
        execution: device, threads per run, data root.
        jobs: runs trained side by side, each in a process of its own.
        overwrite: whether folders that hold another configuration are replaced.
        progress: shows what is going on (default: in a notebook ``NotebookProgress``, elsewhere nothing).

    Returns:
        One record per model and seed, in the comparison's order, failed ones included.

    Raises:
        InputError: anything faulty, found before the first run starts; or another command runs in ``out``.
    """
    execution = execution or Execution()
    with locked_folder(Path(out)):
        planned = planned_runs(comparison, out, execution)
        return execute(planned, execution, jobs=jobs, overwrite=overwrite, progress=progress)


def execute(
    planned: Sequence[PlannedRun],
    execution: Execution,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
    plan: Sequence[PlannedRun] = (),
) -> records.Records:
    """Run what is not finished, several runs side by side if wanted; see ``compare``.

    Where only a share of a ``plan`` is to be run here, the whole of it is kept as what is meant.

    With several jobs, a run whose process is killed (for want of memory) is kept as failed; the others go on.

    Returns:
        One record per planned run, in their order, failed ones included.

    Raises:
        InputError: anything faulty, found before the first run starts.
    """
    if jobs < 1:
        raise InputError(f"jobs must be at least 1, got {jobs}")
    execution = replace(execution, data_root=data_root(execution.data_root))
    found = finished(planned, overwrite)
    todo = [run for run in planned if run.folder not in found]
    check_runs(todo, execution)
    write_plans(plan or planned)
    shown = progress or fitting_progress()
    with shown.session([run.config for run in planned], [run.config for run in todo]):
        if jobs == 1 or len(todo) < 2:
            for run in todo:
                with shown.watching(run.config, run.folder) as watch:
                    _run(run, execution, overwrite, watch.batch, watch.epoch)
                shown.finished(records.read_record(run.folder, quick=True))
        else:
            _run_side_by_side(todo, execution, jobs, overwrite, shown)
    made = (found.get(run.folder) or records.read_record(run.folder, quick=True) for run in planned)
    return records.Records(
        records.write_order(record, run.order) for record, run in zip(made, planned, strict=True)
    )


def _run(run: PlannedRun, execution: Execution, overwrite: bool, batch: Report, epoch: Report) -> None:
    with locked_run(run.folder):
        with warnings.catch_warnings(action="ignore"):  # said already
            if is_finished(run.config, run.folder, overwrite):
                return  # by another command, since we looked
        train_and_judge(
            run.config, run.folder, execution, replace=True, report=batch, on_epoch=epoch, order=run.order
        )


def _run_in_worker(
    run: PlannedRun, execution: Execution, overwrite: bool, say: Callable[[str, Any], None]
) -> None:
    _run(run, execution, overwrite, partial(say, "batch"), partial(say, "epoch"))


@dataclass
class _Underway:
    """A run in another process, as it is seen from here."""

    watch: Watch
    ended: contextlib.ExitStack
    started: float = field(default_factory=time.time)
    epochs: list[dict[str, Any]] = field(default_factory=list)


def _run_side_by_side(
    todo: Sequence[PlannedRun], execution: Execution, jobs: int, overwrite: bool, shown: Progress
) -> None:
    calls = [(run, execution, overwrite) for run in todo]
    underway: dict[int, _Underway] = {}
    with contextlib.ExitStack() as all_ended:
        events = all_ended.enter_context(contextlib.closing(side_by_side(_run_in_worker, calls, jobs)))
        for number, kind, value in events:
            run = todo[number]
            if kind == STARTED:
                ended = all_ended.enter_context(contextlib.ExitStack())
                underway[number] = _Underway(
                    ended.enter_context(shown.watching(run.config, run.folder)), ended
                )
            elif kind == "batch":
                underway[number].watch.batch(value)
            elif kind == "epoch":
                underway[number].epochs.append(value)
                underway[number].watch.epoch(value)
            else:
                seen = underway.pop(number)
                if kind == ENDED:
                    keep_failure(run.config, run.folder, execution, seen.epochs, seen.started, value)
                seen.ended.close()
                shown.finished(records.read_record(run.folder, quick=True))
