"""What rank-coded training is for: the same models under different objectives, at every threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.captions import data
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import cell
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP, sweeps_and_points, traced
from rc_vs_snn.analysis.tables import objective_text
from rc_vs_snn.registry import figures


@figures.register("objective-trade-off")
@dataclass(frozen=True)
class ObjectiveTradeOff:
    """Accuracy against mean decision step: a column per T, a row per kind of model, a line per objective.

    Only for runs with at least two objectives.
    """

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the threshold sweep and the operating point of every label; empty for one objective.

        What was trained elsewhere has no objective that is known.
        """
        groups = [group for group in groups if group.runs[0].record.made == "trained"]
        if len({objective_text(group) for group in groups}) < 2:
            return stack([])
        return stack(
            [
                sweeps_and_points([group], ["mean_step", "accuracy"]).tagged(
                    model=group.runs[0].record.config["model"]["name"], objective=objective_text(group)
                )
                for group in traced(groups)
            ]
        )

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: the panels of a kind of model show one range of accuracy."""
        kinds = list(dict.fromkeys(zip(table["dataset"].tolist(), table["model"].tolist(), strict=True)))
        durations = sorted(table.distinct("n_steps"))
        looks = style.looks(table.distinct("objective"))
        beside = style.side_by_side(len(durations), len(durations), least_inches=1.6)
        whole_rows = beside == len(durations)  # where they do not fit into a row, all lie below one another
        shape = (len(kinds), len(durations)) if whole_rows else (len(kinds) * len(durations), 1)
        share: dict[str, Any] = {"sharey": "row", "sharex": "col"} if whole_rows else {}
        width = style.PAGE_INCHES if whole_rows else style.COLUMN_INCHES
        figure = style.new_figure(width, 0.7 + 2.0 * shape[0], _caption(table))
        grid = figure.subplots(*shape, squeeze=False, **share)
        for row, (dataset, model) in zip(grid.reshape(len(kinds), -1), kinds, strict=True):
            of_kind = table.where(dataset=dataset, model=model)
            points = [cell(point, "accuracy") for point in _points(of_kind)]
            # The curves lie close together at the top, and a low start would press them into a line.
            window = style.accuracy_window(of_kind["accuracy"], points, reach=3)
            name = f"{dataset}, {model}" if len(table.distinct("dataset")) > 1 else model
            for axes, n_steps in zip(row, durations, strict=True):
                here = of_kind.where(n_steps=n_steps)
                for objective, look in looks.items():
                    _draw(axes, here.where(objective=objective), look)
                axes.set_ylim(window)
                if time_axis.is_log() and len(here):
                    time_axis.set_range(axes, *time_axis.when(here, np.array([0, n_steps - 1])).tolist())
                axes.set_title(style.title(f"{name}, T = {n_steps}", figure, shape[1]), loc="left")
                style.percent_axis(axes)
        for axes in grid[:, 0]:
            axes.set_ylabel("Test accuracy")
        for axes in grid[-1]:
            axes.set_xlabel(time_axis.name())
        handles = [
            style.key(
                objective, color=look.colour, linestyle=look.line, marker=look.marker, markersize=6,
                markeredgecolor="black",
            )
            for objective, look in looks.items()
        ]  # fmt: skip
        style.add_legend(figure, handles, 2)
        return figure


def _points(table: Table) -> list[Table]:
    return [table.where(series=OPERATING, label=label) for label in table.distinct("label")]


def _draw(axes: Axes, table: Table, look: style.Look) -> None:
    for label in table.distinct("label"):
        sweep = table.where(label=label, series=SWEEP)
        moments = time_axis.when(table.where(label=label), sweep["mean_step"])
        axes.plot(moments, sweep["accuracy"], color=look.colour, linestyle=look.line)
        style.band(axes, moments, sweep["accuracy"], sweep["accuracy_half_width"], look)
        point = table.where(label=label, series=OPERATING)
        at = time_axis.moment(point, cell(point, "mean_step"))
        style.operating_mark(axes, at, cell(point, "accuracy"), look)


def _caption(table: Table) -> str:
    counts = table.distinct("n_seeds")
    seeds = "n = 1 seed, no interval" if counts == [1] else f"n = {'/'.join(map(str, counts))} seeds"
    return (
        f"{data(table)}; {seeds}; a line is one training judged at every threshold, its marker the threshold "
        "it was run with"
    )
