"""What a decision costs: accumulates and multiply-accumulates drawn apart, leaks in the numbers beside."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import cell
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP, sweeps_and_points
from rc_vs_snn.registry import figures

OPERATIONS = {"acs": ("accumulates (ACs)", "-"), "macs": ("multiply-accumulates (MACs)", (0, (4, 1.5)))}
# Source: Horowitz, ISSCC 2014, 45 nm: a 32-bit float addition 0.9 pJ, a multiplication 3.7 pJ.
NOTE = (
    "a MAC costs more than an AC: as an estimate 4.6 against 0.9 pJ (32-bit float, 45 nm, Horowitz 2014), "
    "memory access not counted"
)


@figures.register("cost-to-decision")
@dataclass(frozen=True)
class CostToDecision:
    """Accuracy against mean synaptic operations up to the decision, ACs and MACs shown apart."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the threshold sweep and the operating point of every label."""
        return sweeps_and_points(groups, ["accuracy", *OPERATIONS, "leaks"])

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure."""
        looks = style.looks(table.distinct("label"))
        figure = style.new_figure(style.COLUMN_INCHES, 2.9, style.caption(table, NOTE))
        axes = figure.add_subplot()
        axes.set_xscale(style.options().xscale or "log")
        for label, look in looks.items():
            for column in OPERATIONS:
                _draw_label(axes, table.where(label=label), column, label, look)
        points = [table.where(series=OPERATING, label=label) for label in looks]
        accuracies = [cell(point, "accuracy") for point in points]
        axes.set_ylim(style.accuracy_window(table.where(series=SWEEP)["accuracy"], accuracies))
        axes.set_xlabel("Mean operations per sample up to the decision")
        axes.set_ylabel("Test accuracy")
        style.percent_axis(axes)
        style.add_legend(figure, _legend(table, looks))
        return figure


def _draw_label(axes: Axes, table: Table, column: str, label: str, look: style.Look) -> None:
    name, line = OPERATIONS[column]
    sweep, point = table.where(series=SWEEP), table.where(series=OPERATING)
    sweep = sweep.rows(sweep[column] > 0)  # a logarithmic axis has no 0; the legend says who has none
    if len(sweep):
        axes.plot(
            sweep[column], sweep["accuracy"],
            color=look.colour, linestyle=line, marker=look.marker, markersize=3, markevery=6,
            label=f"{label}: {name}",
        )  # fmt: skip
        style.band(axes, sweep[column], sweep["accuracy"], sweep["accuracy_half_width"], look)
    if point[column][0] > 0:
        style.operating_mark(axes, cell(point, column), cell(point, "accuracy"), look)


def _legend(table: Table, looks: dict[str, style.Look]) -> list[Line2D]:
    handles = []
    for label, look in looks.items():
        rows = table.where(label=label)
        none = [name for name, column in (("ACs", "acs"), ("MACs", "macs")) if not (rows[column] > 0).any()]
        counted = bool(np.isfinite(rows["acs"]).any())
        without = f"no {' and no '.join(none)}" if counted else "operations not counted"
        text = f"{label} ({without})" if none else label
        handles.append(
            style.key(
                text,
                color=look.colour, linestyle="", marker=look.marker, markersize=6, markeredgecolor="black",
            )
        )  # fmt: skip
    return handles + [style.key(name, color=style.GREY, linestyle=line) for name, line in OPERATIONS.values()]
