"""From a comparison to records: check everything first, skip what is finished, run the rest."""

import bisect
import contextlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import joblib

from rc_vs_snn import records
from rc_vs_snn.config import PART_NAMES, Part, RunConfig, canonical, differences
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.errors import DamagedError, InputError
from rc_vs_snn.experiment.comparison import Comparison
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.parts import assemble, check_run, count_parameters, load_splits
from rc_vs_snn.experiment.progress import Progress
from rc_vs_snn.experiment.running import run
from rc_vs_snn.records.provenance import changed_code, code_identities
from rc_vs_snn.registry.identity import UNKNOWN


def compare(
    comparison: Comparison,
    out: Path | str,
    execution: Execution | None = None,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> list[records.Record]:
    """Train and judge every model of a comparison, each in a run folder below ``out``.

    Finished runs of the same configuration and package version are read, not repeated; so an
    interrupted comparison goes on where it was.

    Args:
        comparison: what to run.
        out: folder of the run folders.
        execution: device, threads per run, data root.
        jobs: runs trained side by side, each in a process of its own.
        overwrite: whether folders that hold another configuration are replaced.
        progress: shows what is going on (default: nothing).

    Returns:
        One record per model and seed, in the comparison's order, failed ones included.

    Raises:
        InputError: anything faulty, found before the first run starts.
    """
    execution = execution or Execution()
    return execute(
        planned_runs(comparison, out, execution), execution, jobs=jobs, overwrite=overwrite, progress=progress
    )


@dataclass(frozen=True)
class PlannedRun:
    """One configuration, the folder its run is to be in, and its place in its comparison, if it is of one."""

    config: RunConfig
    folder: Path
    order: int | None = None


def planned_runs(comparison: Comparison, out: Path | str, execution: Execution) -> list[PlannedRun]:
    """Return one run per model and seed of a comparison, in folders below ``out``."""
    if comparison.match_parameters:
        comparison = match_parameters(comparison, execution)
    # Worker processes may live in another folder than the caller: give them absolute paths.
    folder = Path(out).absolute()
    return [
        PlannedRun(config, folder / config.folder_name, order)
        for order, config in enumerate(comparison.planned())
    ]


def execute(
    planned: Sequence[PlannedRun],
    execution: Execution,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> list[records.Record]:
    """Run what is not finished, several runs side by side if wanted; see ``compare``.

    Returns:
        One record per planned run, in their order, failed ones included.

    Raises:
        InputError: anything faulty, found before the first run starts.
    """
    if jobs < 1:
        raise InputError(f"jobs must be at least 1, got {jobs}")
    execution = replace(execution, data_root=data_root(execution.data_root))
    todo = [run for run in planned if not is_finished(run.config, run.folder, overwrite)]
    different = {canonical(run.config.to_table() | {"seed": 0}): run.config for run in todo}
    for config in different.values():
        check_run(config, execution)
    shown = progress or Progress()
    with shown.session([run.config for run in planned], [run.config for run in todo]):
        _execute(todo, execution, jobs, shown)
    return [records.write_order(records.read_record(run.folder), run.order) for run in planned]


def is_finished(config: RunConfig, folder: Path, overwrite: bool = False) -> bool:
    """Return whether ``folder`` holds this very run, finished.

    Raises:
        InputError: the folder holds another configuration (and ``overwrite`` is not set), or nothing of ours.
    """
    if not folder.exists():
        return False
    try:
        record = records.read_record(folder)
        if record.status != "done":
            return False
        record.require_whole()
    except DamagedError as error:
        warnings.warn(f"{config.label} is run again: {error}", stacklevel=2)
        return False
    except InputError:
        if overwrite:
            return False
        raise
    identities = code_identities(config)
    unknown = [
        name for name in PART_NAMES
        if not getattr(config, name).is_identified or identities.get(name) == UNKNOWN
    ]  # fmt: skip
    if unknown:
        warnings.warn(
            f"{config.label}: nobody can tell whether its {', '.join(unknown)} is that of the finished run "
            f"in {folder}; it is run again",
            stacklevel=2,
        )
        return False
    changed = [
        *differences(record.config, config.to_table()),
        *changed_code(config, identities, record.provenance),
    ]
    if not changed:
        return True
    if overwrite:
        return False
    raise InputError(
        f"{folder} holds another run ({'; '.join(changed[:3])}); choose another --out, or --overwrite it"
    )


def _execute(todo: Sequence[PlannedRun], execution: Execution, jobs: int, shown: Progress) -> None:
    if jobs == 1 or len(todo) < 2:
        for planned in todo:
            with shown.watching(planned.config) as watch:
                record = run(
                    planned.config, planned.folder, execution, replace=True,
                    report=watch.batch, on_epoch=watch.epoch,
                )  # fmt: skip
            shown.finished(record)
        return
    pool = joblib.Parallel(n_jobs=min(jobs, len(todo)), return_as="generator_unordered")
    tasks = (joblib.delayed(run)(planned.config, planned.folder, execution, replace=True) for planned in todo)
    with contextlib.closing(pool(tasks)) as finished:
        for record in finished:
            shown.finished(record)


def match_parameters(comparison: Comparison, execution: Execution) -> Comparison:
    """Return the comparison with ``hidden`` of the later models set to match the first one's size.

    Raises:
        InputError: a model has no ``hidden`` option to set.
    """
    first, *others = comparison.runs
    with torch_settings(execution):
        target = _parameters(first, execution)
        matched = [first, *(_match(config, target, execution) for config in others)]
    return replace(comparison, runs=tuple(matched), match_parameters=False)


def _parameters(config: RunConfig, execution: Execution) -> int:
    return count_parameters(assemble(config, load_splits(config, execution), execution).model)


def _with_hidden(config: RunConfig, hidden: int) -> RunConfig:
    return replace(config, model=Part(config.model.name, {**config.model.options, "hidden": hidden}))


def _match(config: RunConfig, target: int, execution: Execution) -> RunConfig:
    if config.model.target is not None:
        raise InputError(f"{config.label}: only a model given by name can be matched in size")

    def size(hidden: int) -> int:
        return _parameters(_with_hidden(config, hidden), execution)

    high = 2
    while size(high) < target:
        high *= 2
    enough = bisect.bisect_left(range(high), target, lo=high // 2, key=size)
    near = (max(enough - 1, 1), enough)
    return _with_hidden(config, min(near, key=lambda hidden: abs(size(hidden) - target)))
