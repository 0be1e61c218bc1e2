"""From a comparison to records: check everything first, skip what is finished, run the rest."""

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rc_vs_snn import records
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.experiment.comparison import Comparison
from rc_vs_snn.experiment.corpora import corpora_kept
from rc_vs_snn.experiment.engines import Engine
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.locks import locked_folder
from rc_vs_snn.experiment.notebook import fitting_progress
from rc_vs_snn.experiment.planning import (
    PlannedRun,
    check_runs,
    finished,
    planned_runs,
    write_plans,
)
from rc_vs_snn.experiment.progress import Progress
from rc_vs_snn.experiment.spreading import Order, make_run, make_runs


def compare(
    comparison: Comparison,
    out: Path | str,
    execution: Execution | None = None,
    *,
    jobs: int = 1,
    engine: Engine | None = None,
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
        engine: what makes the runs, and which share of them (default: this command, all).
        overwrite: whether folders that hold another configuration are replaced.
        progress: shows what is going on (default: in a notebook ``NotebookProgress``, elsewhere nothing).

    Returns:
        One record per model and seed of this command's share, in the comparison's order, failed ones
        included.

    Raises:
        InputError: anything faulty, found before the first run starts; or another command runs in ``out``.
    """
    execution, engine = execution or Execution(), engine or Engine()
    # Shards write into one folder at once; each of their runs is locked.
    with contextlib.nullcontext() if engine.shard else locked_folder(Path(out)):
        plan = planned_runs(comparison, out, execution)
        return execute(
            engine.share(plan), execution,
            jobs=jobs, engine=engine, overwrite=overwrite, progress=progress, plan=plan,
        )  # fmt: skip


def execute(
    planned: Sequence[PlannedRun],
    execution: Execution,
    *,
    jobs: int = 1,
    engine: Engine | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    plan: Sequence[PlannedRun] = (),
) -> records.Records:
    """Run what is not finished, several runs side by side if wanted; see ``compare``.

    Where only a share of a ``plan`` is to be run here, the whole of it is kept as what is meant.

    With an engine, a run whose process is killed again and again (for want of memory) is kept as failed; the
    others go on.

    Returns:
        One record per planned run, in their order, failed ones included.

    Raises:
        InputError: anything faulty, found before the first run starts.
    """
    engine = engine or Engine()
    execution = replace(execution, data_root=data_root(execution.data_root))
    order = Order(uuid.uuid4().hex, execution, overwrite, waits=engine.waits)
    found = finished(planned, overwrite)
    todo = [run for run in planned if run.folder not in found]
    is_serial = engine.is_serial(jobs, len(todo))
    shown = progress or fitting_progress()
    with contextlib.ExitStack() as kept:
        kept.enter_context(corpora_kept(order.command))
        check_runs(todo, execution)
        if not is_serial:
            kept.close()  # the workers keep theirs
        write_plans(plan or planned)
        with shown.session([run.config for run in planned], [run.config for run in todo]):
            if not is_serial:
                found |= make_runs(todo, order, engine, jobs, shown)
                todo = []
            for run in todo:
                with shown.watching(run.config, run.folder) as watch:
                    found[run.folder] = make_run(run, order, watch.batch, watch.epoch)
                shown.finished(found[run.folder])
    return records.Records(records.write_order(found[run.folder], run.order) for run in planned)
