"""Which operating points are worth their cost: those that no other beats in accuracy and cost at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.derived import column, derived_sweeps
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import cell
from rc_vs_snn.analysis.panels import panels
from rc_vs_snn.analysis.statistics.trade_off import pareto_front
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP
from rc_vs_snn.registry import figures

COSTS = {
    "operations": "Synaptic operations up to the decision",
    "input_events": "Input events up to the decision",
}
LOG_FROM = 20
"""A cost that varies by more than this factor is drawn on a logarithmic axis."""
NOTE = "operations: ACs + MACs, counted alike (energy-vs-accuracy weighs them)"


@figures.register("pareto")
@dataclass(frozen=True)
class Pareto:
    """Accuracy against the mean cost of a decision, with the Pareto front of all models marked.

    Cost is synaptic operations (ACs and MACs), and apart the input events read.
    """

    def table(self, groups: Sequence[Group]) -> Table:
        """Return every label's sweep and operating point, and whether each is on the front of either cost."""
        rows = derived_sweeps(
            groups,
            {
                "accuracy": column("accuracy"),
                "operations": lambda table: table["acs"] + table["macs"],
                "input_events": column("input_events"),
            },
        )
        fronts = {f"front_{cost}": on_front(rows[cost], rows["accuracy"]) for cost in COSTS}
        return Table({**rows.columns, **fronts})

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: a panel per cost that was counted."""
        looks = style.looks(table.distinct("label"))
        costs = [cost for cost in COSTS if np.isfinite(table[cost]).any()] or list(COSTS)[:1]
        caption = style.caption(table, NOTE, intervals=False)
        laid = panels(len(costs), caption, inches=2.2, share="y")
        for axes, cost in zip(laid.axes, costs, strict=True):
            _draw_panel(axes, table, cost, looks)
        points = [cell(table.where(series=OPERATING, label=label), "accuracy") for label in looks]
        laid.axes[0].set_ylim(style.accuracy_window(table.where(series=SWEEP)["accuracy"], points))
        for axes in laid.left:
            axes.set_ylabel("Test accuracy")
            style.percent_axis(axes)
        style.add_legend(laid.figure, _legend(table, looks), len(laid.lowest))
        return laid.figure


def on_front(cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Return which points are on the front of `statistics.trade_off.pareto_front`, a mask ``(n,)``."""
    mask = np.zeros(len(cost), dtype=bool)
    mask[pareto_front(cost, accuracy)] = True
    return mask


def _draw_panel(axes: Axes, table: Table, cost: str, looks: dict[str, style.Look]) -> None:
    drawn = table.rows(np.isfinite(table[cost]))
    wide = len(drawn) and drawn[cost].max() > LOG_FROM * drawn[cost].min() > 0
    axes.set_xscale(style.options().xscale or ("log" if wide else "linear"))
    front = table.rows(table[f"front_{cost}"])
    front = front.rows(np.lexsort((front["accuracy"], front[cost])))
    axes.plot(
        front[cost], front["accuracy"],
        drawstyle="steps-post", color="black", linewidth=0.7, zorder=4, label="Pareto front",
    )  # fmt: skip
    for label, look in looks.items():
        rows = table.where(label=label)
        sweep = rows.where(series=SWEEP)
        axes.plot(sweep[cost], sweep["accuracy"], color=look.colour, linestyle=look.line, linewidth=1,
                  label=f"{label}: threshold sweep")  # fmt: skip
        own = sweep.rows(sweep[f"front_{cost}"])
        axes.plot(own[cost], own["accuracy"], linestyle="", color=look.colour, marker=look.marker,
                  markersize=4, zorder=4, label=f"{label}: on the front")  # fmt: skip
        point = rows.where(series=OPERATING)
        if np.isfinite(point[cost]).all():
            style.operating_mark(axes, cell(point, cost), cell(point, "accuracy"), look)
    # What costs more than the front and the operating points gains nothing; the CSV has it.
    ends = np.append(front[cost], drawn.where(series=OPERATING)[cost])
    if len(ends):
        beyond = 1.6 if axes.get_xscale() == "log" else 1.1
        axes.set_xlim(right=beyond * ends.max())
    if axes.get_xscale() == "log":
        narrow = axes.get_xlim()[1] < 40 * axes.get_xlim()[0]
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    if len(drawn) and drawn[cost].max() >= 1000:
        axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
    axes.set_xlabel(COSTS[cost])


def _legend(table: Table, looks: dict[str, style.Look]) -> list[Line2D]:
    handles = []
    for label, look in looks.items():
        counted = bool(np.isfinite(table.where(label=label)["operations"]).any())
        handles.append(
            style.key(
                label if counted else f"{label} (operations not counted)",
                color=look.colour, linestyle=look.line, marker=look.marker, markersize=6,
                markeredgecolor="black",
            )
        )  # fmt: skip
    front = style.key("Pareto front: no other point is as accurate for less", color="black", linewidth=0.7)
    return [*handles, front]
