"""What is to be run, what of it is finished, and whether the rest could start; nothing is run here."""

import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rc_vs_snn import records
from rc_vs_snn.config import RunConfig, canonical, differences
from rc_vs_snn.errors import DamagedError, InputError
from rc_vs_snn.experiment.comparison import Comparison
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.matching import match_parameters
from rc_vs_snn.experiment.parts import check_run
from rc_vs_snn.records.plans import Meant, write_plan
from rc_vs_snn.records.provenance import changed_code, code_identities, package_version, path_identity
from rc_vs_snn.registry.identity import UNKNOWN

_Part = tuple[str, str]
"""Kind and content of a part."""
ALL_CHECKED = 100
"""So many runs of different parts are all checked before the first one starts."""


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


def finished(planned: Sequence[PlannedRun], overwrite: bool = False) -> dict[Path, records.Record]:
    """Return the records of the runs that are finished, by their folders; see ``finished_record``."""
    # Of thousands of runs few differ in their code: each part and package is looked up once.
    code = Code(functools.cache(path_identity), functools.cache(package_version))
    found = ((run.folder, finished_record(run.config, run.folder, overwrite, code)) for run in planned)
    return {folder: record for folder, record in found if record is not None}


def check_runs(runs: Sequence[PlannedRun], execution: Execution) -> None:
    """Raise InputError if one could not start.

    Those of the same parts are checked once. Of more than ``ALL_CHECKED`` that differ, so many are that every
    two parts that meet in one meet in one that is checked: what fits in pairs fits, or is told when its turn
    comes.
    """
    different: dict[tuple[_Part, ...], RunConfig] = {}
    for run in runs:
        different.setdefault(_parts_of(run.config), run.config)
    chosen = list(different)
    for parts in chosen if len(chosen) <= ALL_CHECKED else _meeting(chosen):
        check_run(different[parts], execution)


def _meeting(combinations: Sequence[tuple[_Part, ...]]) -> Iterator[tuple[_Part, ...]]:
    """Yield a few in which every two parts meet that meet in any, those with the most new pairs first."""
    pairs = [set(itertools.combinations(each, 2)) for each in combinations]
    met: set[tuple[_Part, ...]] = set()
    for at_least in range(max(map(len, pairs)), 0, -1):
        for each, its_pairs in zip(combinations, pairs, strict=True):
            if len(its_pairs - met) >= at_least:
                met |= its_pairs
                yield each


def _parts_of(config: RunConfig) -> tuple[_Part, ...]:
    """Return what tells whether a run can start: its parts, and not its label, its seed or its training."""
    return tuple(
        (name, canonical(part.to_table()) + ("" if part.is_identified else str(id(part.target))))
        for name, part in config.parts.items()
    )


def write_plans(planned: Sequence[PlannedRun]) -> None:
    """Keep in every folder of runs which are meant to be there, for ``rc-vs-snn status``.

    A run that is of no comparison is meant by its folder alone.
    """
    meant: dict[Path, list[Meant]] = {}
    for run in planned:
        if run.order is not None:
            config = run.config
            entry = Meant(run.folder.name, config.label, config.seed, config.training.epochs)
            meant.setdefault(run.folder.parent, []).append(entry)
    for folder, runs in meant.items():
        write_plan(folder, runs)


@dataclass(frozen=True)
class Code:
    """How identities of code (of a kind of part, and its path) and versions of packages are looked up."""

    identify: Callable[[str, str], str] = path_identity
    version_of: Callable[[str], str] = package_version


def finished_record(
    config: RunConfig, folder: Path, overwrite: bool = False, code: Code | None = None
) -> records.Record | None:
    """Return the record of this very run, if ``folder`` holds it, finished and whole.

    Whole is: every file is there that a finished run leaves, and has the size and the time of change that it
    had when it was written; one that has not is compared with its checksum.

    Raises:
        InputError: the folder holds another configuration (and ``overwrite`` is not set), or nothing of ours.
    """
    code = code or Code()
    if not folder.exists():
        return None
    try:
        record = records.read_record(folder, quick=True)
        if record.status != "done":
            return None
        record.require_whole()
    except DamagedError as error:
        warnings.warn(f"{config.label} is run again: {error}", stacklevel=2)
        return None
    except InputError:
        if overwrite:
            return None
        raise
    identities = code_identities(config, code.identify)
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
        return None
    table = config.to_table()
    is_same = canonical(record.config) == canonical(table)  # asked at once, not leaf by leaf
    changed = [
        *(() if is_same else differences(record.config, table)),
        *changed_code(config, identities, record.provenance, code.version_of),
    ]
    if not changed:
        return record
    if overwrite:
        return None
    raise InputError(
        f"{folder} holds another run ({'; '.join(changed[:3])}); choose another --out, or --overwrite it"
    )
