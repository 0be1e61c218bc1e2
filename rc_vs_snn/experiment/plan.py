"""Reproductions: several comparisons with their seeds as one plan that resumes where it was stopped.

A plan is a TOML file in ``reproductions/`` with one ``[[parts]]`` entry per comparison: a preset, a
title and its seeds. It may name, as ``published``, what others published for its corpus. All runs of all
parts share one pool of workers, so no core waits at the end of a part.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rc_vs_snn.analysis.published import Published, load_published
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.comparison import Comparison, load_preset
from rc_vs_snn.experiment.engines import Engine
from rc_vs_snn.experiment.execute import execute
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.locks import locked_folder
from rc_vs_snn.experiment.planning import PlannedRun, planned_runs
from rc_vs_snn.experiment.progress import Progress
from rc_vs_snn.records import Records
from rc_vs_snn.registry import packaged, packaged_table


@dataclass(frozen=True)
class PlannedComparison:
    """One comparison of a plan.

    Attributes:
        title: its heading in the report.
        comparison: the models, with the seeds of this plan; its name is the part's folder.
    """

    title: str
    comparison: Comparison


@dataclass(frozen=True)
class Plan:
    """Several comparisons that belong together.

    Attributes:
        parts: the comparisons.
        published: what others published for the same corpus, for the report.
    """

    parts: tuple[PlannedComparison, ...]
    published: Published | None = None


def reproduction_names() -> list[str]:
    """Return the names of the built-in plans."""
    return sorted(packaged("reproductions"))


def load_reproduction(name: str, only: Sequence[str] = (), settings: Sequence[str] = ()) -> Plan:
    """Return a built-in plan.

    Args:
        name: the plan's name, such as "mnist".
        only: names of the parts wanted (all by default).
        settings: ``key=value`` texts as after ``--set``, applied to every part.

    Raises:
        InputError: an unknown plan or part, or a faulty setting.
    """
    table = packaged_table("reproductions", name, "reproduction")
    entries = table["parts"]
    known = [entry["preset"] for entry in entries]
    for wanted in only:
        if wanted not in known:
            raise InputError(f"reproduction '{name}' has no part '{wanted}'; {did_you_mean(wanted, known)}")
    parts = [
        PlannedComparison(entry["title"], load_preset(entry["preset"], settings).with_seeds(*entry["seeds"]))
        for entry in entries
        if not only or entry["preset"] in only
    ]
    return Plan(tuple(parts), load_published(table["published"]) if "published" in table else None)


def reproduce(
    parts: Sequence[PlannedComparison],
    out: Path | str,
    execution: Execution | None = None,
    *,
    jobs: int = 1,
    engine: Engine | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Mapping[str, Records]:
    """Run every model and seed of a plan that is not finished yet.

    Args:
        parts: what to run, such as ``load_reproduction("mnist").parts``.
        out: every part's run folders lie in ``out/<name of its comparison>``.
        execution: device, threads per run, data root.
        jobs: runs trained side by side.
        engine: what makes the runs, and which share of the whole plan's (default: this command, all).
        overwrite: whether folders that hold another configuration are replaced.
        progress: shows what is going on (default: in a notebook ``NotebookProgress``, elsewhere nothing).

    Returns:
        The records of every part, failed ones included, by the comparison's name.

    Raises:
        InputError: anything faulty, found before the first run starts; or another command runs in the folder
            of one of the parts.
    """
    execution, engine = execution or Execution(), engine or Engine()
    with contextlib.ExitStack() as locks:
        for part in parts if engine.shard is None else ():
            locks.enter_context(locked_folder(Path(out) / part.comparison.name))
        return _reproduce(parts, Path(out), execution, jobs, engine, overwrite, progress)


def _reproduce(
    parts: Sequence[PlannedComparison],
    out: Path,
    execution: Execution,
    jobs: int,
    engine: Engine,
    overwrite: bool,
    progress: Progress | None,
) -> Mapping[str, Records]:
    plans: dict[str, list[PlannedRun]] = {
        part.comparison.name: planned_runs(part.comparison, out / part.comparison.name, execution)
        for part in parts
    }
    plan = [run for part in plans.values() for run in part]
    mine = engine.share(plan)
    done = execute(
        mine, execution, jobs=jobs, engine=engine, overwrite=overwrite, progress=progress, plan=plan
    )
    found = {run.folder: record for run, record in zip(mine, done, strict=True)}
    return {
        name: Records(found[run.folder] for run in part if run.folder in found)
        for name, part in plans.items()
    }
