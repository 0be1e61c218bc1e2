"""``grid.csv`` and ``grid.md``: a row per point of a grid, its place on every axis, and the best by valid."""

from collections.abc import Sequence

import numpy as np

from rc_vs_snn.analysis.axes import RunAxis, RunGrid, run_grid
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import cell, percent_decimals
from rc_vs_snn.analysis.on_valid import best_first, valid_interval
from rc_vs_snn.analysis.tables import basis, markdown_table
from rc_vs_snn.records.on_valid import ACCURACY, MEAN_STEP

BEST = "best_by_valid"
NUMBERS = ("accuracy", "mean_step", "forced")
NOTE = (
    "A model's best point is chosen by its mean accuracy on valid (of equals the one that decides soonest); "
    "what it comes to on test is read in its row. Steps are 0-based."
)


def point_rows(groups: Sequence[Group], grid: RunGrid) -> list[Table]:
    """Return a row for every group: facts, numbers on valid and test, and whether it is the best by valid.

    Args:
        groups: the points.
        grid: their axes.
    """
    best = best_by_valid(groups, grid)
    rows = []
    for place, group in enumerate(groups):
        point = group.operating_point(NUMBERS)
        valid = {}
        for name in (ACCURACY, MEAN_STEP):
            interval = valid_interval(group, name)
            valid[name] = interval.mean
            valid[f"{name}_half_width"] = np.nan if interval.half_width is None else interval.half_width
        rows.append(point.tagged(**group.facts, **{BEST: place in best}, **valid))
    return rows


def best_by_valid(groups: Sequence[Group], grid: RunGrid) -> set[int]:
    """Return the places of the groups that are best on valid, one of each family of models and corpora."""
    families: dict[tuple[int, ...], list[int]] = {}
    for place in range(len(groups)):
        families.setdefault(grid.family(place), []).append(place)
    found = set()
    for members in families.values():
        accuracies, steps = (
            [valid_interval(groups[place], name).mean for place in members] for name in (ACCURACY, MEAN_STEP)
        )
        best = best_first(accuracies, steps)
        if best is not None:
            found.add(members[best])
    return found


def grid_table(groups: Sequence[Group]) -> Table:
    """Return one row per point, with a column for each axis; empty where the runs are no grid.

    Args:
        groups: finished runs.
    """
    grid = run_grid(groups)
    if not grid.varied:
        return Table({})
    return stack(
        [
            Table({**row.tagged(**{axis.keys[0]: axis.text(place) for axis in grid.axes}).columns})
            for place, row in enumerate(point_rows(groups, grid))
        ]
    )


def grid_markdown(groups: Sequence[Group], table: Table) -> str:
    """Return the points as a table to read.

    Args:
        groups: finished runs.
        table: their `grid_table`.
    """
    axes = run_grid(groups).axes
    header = [
        *(axis.name for axis in axes), "valid accuracy %", "valid mean step", "best by valid",
        "test accuracy %", "test mean step", "test forced %", "seeds",
    ]  # fmt: skip
    rows = [_row(table.rows(np.array([place])), axes, group) for place, group in enumerate(groups)]
    return f"# Points of the grid\n\n{markdown_table(header, rows, len(axes))}\n\n{basis(groups)} {NOTE}\n"


def _row(row: Table, axes: Sequence[RunAxis], group: Group) -> list[str]:
    decimals = percent_decimals(int(group.facts["n_samples"]))
    return [
        *(str(row[axis.keys[0]].item()) for axis in axes),
        cell(row, ACCURACY).spell(decimals, 100),
        cell(row, MEAN_STEP).spell(2),
        "best" if row[BEST].item() else "",
        cell(row, "accuracy").spell(decimals, 100),
        cell(row, "mean_step").spell(2),
        cell(row, "forced").spell(decimals, 100),
        str(len(group.runs)),
    ]
