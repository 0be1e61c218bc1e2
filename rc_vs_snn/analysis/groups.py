"""Finished runs grouped for comparison: one group per configuration, one run per seed in it."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.curves import threshold_sweep
from rc_vs_snn.analysis.intervals import Interval, mean_interval, mean_over_seeds
from rc_vs_snn.contracts import Trace
from rc_vs_snn.errors import InputError
from rc_vs_snn.records import TRACE, Record

CORPUS = "dataset.name"
NOT_CONFIGURATION = ("label", "seed")  # what may differ between repetitions, and what names them


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A finished run; what several figures need is read and computed once.

    Attributes:
        record: its run folder.
    """

    record: Record

    @cached_property
    def trace(self) -> Trace:
        """Return the test trace, see ``Record.trace``."""
        return self.record.trace()

    @cached_property
    def sweep(self) -> Table:
        """Return the threshold sweep of the test trace."""
        return threshold_sweep(self.trace, self.record.metrics["evidence"])

    def metric(self, name: str) -> float:
        """Return a number of the operating point, see ``Record.metric``."""
        return self.record.metric(name)


@dataclass(frozen=True, eq=False)
class Group:
    """The runs of one configuration.

    Attributes:
        label: the configuration's name in tables and figures, unique in a comparison.
        runs: at least one, each with another seed.
    """

    label: str
    runs: tuple[FinishedRun, ...]

    @property
    def step_ms(self) -> float | None:
        """Return how many milliseconds of input a step stands for; None where the data have no such time."""
        ms, step = (self.runs[0].metric(name) for name in ("mean_ms", "mean_step"))
        return None if math.isnan(ms) else round(ms / (step + 1), 9)

    @property
    def has_traces(self) -> bool:
        """Return whether every run holds its test trace, as one made of decisions alone does not."""
        return all((run.record.folder / TRACE).is_file() for run in self.runs)

    @property
    def facts(self) -> dict[str, Any]:
        """Return what a figure's caption states about the group; ``step_ms`` where a step has a duration."""
        first = self.runs[0].record
        timed = {} if self.step_ms is None else {"step_ms": self.step_ms}
        return {
            "label": self.label,
            "dataset": str(first.config["dataset"]["name"]),
            "n_samples": int(first.metrics["n_samples"]),
            "n_steps": int(first.metrics["n_steps"]),
            "n_seeds": len(self.runs),
            **timed,
        }

    def sweep(self) -> Table:
        """Return the threshold sweep, averaged over seeds at each threshold index."""
        return mean_over_seeds([run.sweep for run in self.runs])

    def interval(self, name: str) -> Interval:
        """Return the mean of a metric over the runs, with its interval."""
        return mean_interval([run.metric(name) for run in self.runs])

    def operating_point(self, names: Sequence[str]) -> Table:
        """Return one row with the mean of some metrics of the rule that was run.

        Args:
            names: keys of ``metrics.json``.
        """
        return mean_over_seeds(
            [Table({name: np.array([run.metric(name)]) for name in names}) for run in self.runs]
        )


def fact_names(groups: Sequence[Group]) -> list[str]:
    """Return the names of the facts that any of some groups has."""
    return list(dict.fromkeys(name for group in groups for name in group.facts))


def group_runs(records: Sequence[Record]) -> list[Group]:
    """Group finished runs by configuration, in order of first appearance.

    Only runs that differ in nothing but the seed are repetitions of each other. Where one label
    names several configurations, what they differ in is added to it.

    Args:
        records: runs of any status; failed and skipped ones are left out.

    Raises:
        InputError: no finished run, or one configuration and seed twice (which would count as two
            repetitions).
    """
    members: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.status == "done":
            same = json.dumps(flat(record.config), sort_keys=True)
            members.setdefault((record.label, same), []).append(record)
    if not members:
        states = ", ".join(f"{record.label}: {record.status}" for record in records) or "none given"
        raise InputError(f"no finished run to analyse ({states}); run the failed ones again")
    for repeated in members.values():
        _refuse_repeated_seeds(repeated)
    groups = list(members.values())
    return [Group(_unique_label(group, groups), tuple(map(FinishedRun, group))) for group in groups]


def _refuse_repeated_seeds(records: Sequence[Record]) -> None:
    seen: dict[int, Record] = {}
    for record in records:
        if record.seed in seen:
            raise InputError(
                f"{seen[record.seed].folder} and {record.folder} hold the same configuration and seed "
                f"({record.seed}); delete one, or it would count as a repetition"
            )
        seen[record.seed] = record


def _unique_label(group: Sequence[Record], groups: Sequence[Sequence[Record]]) -> str:
    label = group[0].label
    own = flat(group[0].config)
    others = [flat(other[0].config) for other in groups if other[0].label == label]
    # Of another corpus all is different: then the corpus is named, and what else differs on the same.
    corpora = [other for other in others if other[CORPUS] == own[CORPUS]]
    keys = dict.fromkeys(key for other in corpora for key in other)
    differing = [key for key in keys if len({repr(other.get(key)) for other in corpora}) > 1]
    values = [f"{key.removesuffix('.name')}={own.get(key, 'default')}" for key in differing]
    if len(corpora) < len(others):
        values.insert(0, own[CORPUS])
    return f"{label} ({', '.join(values)})" if values else label


def flat(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration's settings by ``section.key``, without label and seed."""
    found: dict[str, Any] = {}
    for section, content in config.items():
        if section not in NOT_CONFIGURATION:
            options = content.items() if isinstance(content, dict) else [("name", content)]
            found |= {f"{section}.{key}": value for key, value in options}
    if found.get("dataset.fold") == config.get("seed"):  # parts of a cross-validation are repetitions
        found.pop("dataset.fold", None)
    return found
