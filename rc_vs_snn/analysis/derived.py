"""Sweeps and operating points of numbers that are computed from the recorded ones, run by run."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.curves import SWEEP_COLUMNS
from rc_vs_snn.analysis.groups import FinishedRun, Group, fact_names
from rc_vs_snn.analysis.intervals import mean_over_seeds
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP, traced

Derived = Callable[[Table], np.ndarray]


def derived_sweeps(groups: Sequence[Group], columns: Mapping[str, Derived]) -> Table:
    """Return threshold sweep and operating point of every label, of numbers made from what was recorded.

    They are computed for each run before the mean over seeds is taken, so that a half width is that of the
    derived number. A group without traces beside others that have them has its operating point alone.

    Args:
        groups: the runs compared.
        columns: by name, what makes a column from the columns of ``curves.SWEEP_COLUMNS``.

    Returns:
        The columns of ``Group.facts``, ``series``, and each column with its half width; the thresholds last.
    """
    blocks = []
    swept = traced(groups)
    for group in groups:
        if group in swept:
            sweeps = [
                Table({**_made(run.sweep, columns), "threshold": run.sweep["threshold"]})
                for run in group.runs
            ]
            blocks.append(mean_over_seeds(sweeps).tagged(**group.facts, series=SWEEP))
        points = [Table(_made(_point(run), columns)) for run in group.runs]
        blocks.append(mean_over_seeds(points).tagged(**group.facts, series=OPERATING))
    whole = stack(blocks)
    widths = [f"{name}_half_width" for name in columns]
    names = [*fact_names(groups), "series", *columns, *widths, "threshold"]
    return Table({name: whole[name] for name in names})


def column(name: str) -> Derived:
    """Return what takes a recorded column as it is."""
    return lambda table: table[name]


def _made(table: Table, columns: Mapping[str, Derived]) -> dict[str, np.ndarray]:
    return {name: make(table) for name, make in columns.items()}


def _point(run: FinishedRun) -> Table:
    return Table({name: np.array([run.metric(name)]) for name in SWEEP_COLUMNS})
