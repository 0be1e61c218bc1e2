"""A grid along one of its axes: accuracy and decision step against its values, lines by the other axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.axes import RunAxis, RunGrid, run_grid
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.grid_table import BEST, point_rows
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import cell
from rc_vs_snn.analysis.panels import panels
from rc_vs_snn.registry import figures

LOG_FROM = 20
"""Values that differ by more than this factor lie on a logarithmic axis."""
NOTE = "ringed: best accuracy on valid, of each model"
RING: dict[str, Any] = {
    "marker": "o",
    "markersize": 11,
    "markerfacecolor": "none",
    "markeredgecolor": "black",
    "linestyle": "",
}


@figures.register("grid-lines")
@dataclass(frozen=True)
class GridLines:
    """Test accuracy and mean decision step against the values of one axis of a grid.

    The axis with the most values, numbers before names. Panels by model where more than one other axis is
    left, lines by the rest. Only for runs of which half differ from another in one setting alone.
    """

    def table(self, groups: Sequence[Group]) -> Table:
        """Return a row per point; empty where the runs are no grid."""
        grid = run_grid(groups)
        if not grid.varied:
            return Table({})
        across = max(grid.varied, key=lambda axis: (axis.numbers is not None, len(axis.values)))
        beside = _panel_axis(grid, across)
        lines = grid.others(across, *beside)
        rows = []
        for place, row in enumerate(point_rows(groups, grid)):
            at = across.places[place]
            told = {
                "axis": across.name,
                "value": across.text(place),
                "at": float(at) if across.numbers is None else across.numbers[at],
                "is_number": across.numbers is not None,
                "panel": ", ".join(axis.text(place) for axis in beside),
                "line": ", ".join(axis.told(place) for axis in lines if axis.text(place) != "default"),
            }
            rows.append(row.tagged(**told))
        return stack(rows)

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: a column per panel, accuracy above decision step."""
        looks = style.looks(table.distinct("line"))
        columns = table.distinct("panel")
        laid = panels(
            2 * len(columns),
            style.caption(table, NOTE),
            inches=1.9,
            most=max(2, len(columns)),
            least_inches=1.6,
        )
        points = [cell(table.rows(np.array([row])), "accuracy") for row in range(len(table))]
        window = style.accuracy_window(table["accuracy"], points)
        of_accuracy, of_step = laid.axes[: len(columns)], laid.axes[len(columns) :]
        for panel, above, below in zip(columns, of_accuracy, of_step, strict=True):
            rows = table.where(panel=panel)
            for line, look in looks.items():
                _draw_line(above, rows.where(line=line), "accuracy", look)
                _draw_line(below, rows.where(line=line), "mean_step", look)
            above.set_ylim(window)
            style.percent_axis(above)
            above.set_ylabel("Test accuracy")
            below.set_ylabel(style.upright(time_axis.name(), 1.7))
            for axes in (above, below):
                if panel:
                    axes.set_title(style.title(panel, laid.figure, len(laid.lowest)), loc="left")
                _name_values(axes, table)
                axes.set_xlabel(table["axis"][0] if axes in laid.lowest else "")
        steps = [axes.get_ylim() for axes in of_step]
        for axes in of_step:
            axes.set_ylim(min(low for low, _ in steps), max(high for _, high in steps))
        handles = [
            style.key(line, color=look.colour, linestyle=look.line, marker=look.marker, markersize=4)
            for line, look in looks.items()
            if line
        ]
        if table[BEST].any():
            handles.append(style.key("best by valid", **RING))
        style.add_legend(laid.figure, handles, len(laid.lowest))
        return laid.figure


def _panel_axis(grid: RunGrid, across: RunAxis) -> tuple[RunAxis, ...]:
    """Return the axis that panels are for, if several are left: models, or that of fewest values."""
    rest = grid.others(across)
    if len(rest) < 2:
        return ()
    return (min(rest, key=lambda axis: ("model.name" not in axis.keys, len(axis.values))),)


def _draw_line(axes: Axes, rows: Table, name: str, look: style.Look) -> None:
    if not len(rows):
        return
    rows = rows.rows(np.argsort(rows["at"], kind="stable"))
    values, widths = rows[name], rows[f"{name}_half_width"]
    if name == "mean_step":
        values, widths = time_axis.each(rows, name)
    axes.plot(rows["at"], values, color=look.colour, linestyle=look.line, marker=look.marker, markersize=4)
    axes.errorbar(
        rows["at"],
        values,
        yerr=np.nan_to_num(widths),
        fmt="none",
        ecolor=look.colour,
        capsize=2,
        elinewidth=0.8,
    )
    best = rows[BEST]
    axes.plot(rows["at"][best], values[best], **RING)


def _name_values(axes: Axes, table: Table) -> None:
    """Put a tick at every value that was run."""
    places = dict(zip(table["at"].tolist(), table["value"].tolist(), strict=True))
    ends = min(places), max(places)
    if table["is_number"].all() and ends[0] > 0 and ends[1] > LOG_FROM * ends[0]:
        axes.set_xscale("log")
        axes.minorticks_off()
    else:
        margin = 0.08 * (ends[1] - ends[0])
        axes.set_xlim(ends[0] - margin, ends[1] + margin)
    crowded = sum(len(text) + 1 for text in places.values()) > 30
    axes.set_xticks(
        list(places), [style.plain(text) for text in places.values()], rotation=30 if crowded else 0
    )
