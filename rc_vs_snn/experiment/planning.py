"""What is to be run, what of it is finished, and whether the rest could start; nothing is run here."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rc_vs_snn import records
from rc_vs_snn.config import RunConfig, canonical, differences
from rc_vs_snn.errors import DamagedError, InputError
from rc_vs_snn.experiment.comparison import Comparison
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.matching import match_parameters
from rc_vs_snn.experiment.parts import check_run
from rc_vs_snn.records.provenance import changed_code, code_identities
from rc_vs_snn.registry.identity import UNKNOWN


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


def unfinished(planned: Sequence[PlannedRun], overwrite: bool = False) -> list[PlannedRun]:
    """Return the runs that are still to be made; see ``is_finished``."""
    return [run for run in planned if not is_finished(run.config, run.folder, overwrite)]


def check_runs(runs: Sequence[PlannedRun], execution: Execution) -> None:
    """Raise InputError if one could not start; those that differ in their seed alone are checked once."""
    different = {canonical(run.config.to_table() | {"seed": 0}): run.config for run in runs}
    for config in different.values():
        check_run(config, execution)


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
        name for name, part in config.parts.items()
        if not part.is_identified or identities.get(name) == UNKNOWN
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
