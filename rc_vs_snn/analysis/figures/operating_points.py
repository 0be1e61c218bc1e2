"""Many models side by side: what each one's own rule gives, a line per model."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import Interval, cell
from rc_vs_snn.registry import figures

PANELS = {
    "accuracy": "Test accuracy",
    "mean_step": "Mean decision step (0-based)",
    "forced": "Forced at the last step",
}
SHARES = ("accuracy", "forced")
# Fewer models are told apart well enough in the other figures.
LEAST = 7


@figures.register("operating-points")
@dataclass(frozen=True)
class OperatingPoints:
    """Accuracy, mean decision step and forced share of every model: the figure of an ablation.

    Only for at least seven models, whose curves would hide one another.
    """

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the operating point of every label; empty for few."""
        if len(groups) < LEAST:
            return stack([])
        return stack([group.operating_point(list(PANELS)).tagged(**group.facts) for group in groups])

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: a row per label, a panel per number; one colour per kind of model."""
        labels = table.distinct("label")
        beside = style.side_by_side(len(PANELS), len(PANELS), least_inches=1.6) == len(PANELS)
        shape = (1, len(PANELS)) if beside else (len(PANELS), 1)
        width = style.width_of(style.PAGE_INCHES if beside else style.COLUMN_INCHES)
        size = FontProperties(size=mpl.rcParams["ytick.labelsize"]).get_size_in_points()
        names = [style.wrapped(label, 0.4 * width, size) for label in labels]
        lines = 1 + max(name.count("\n") for name in names)
        height = 0.4 + (0.08 + 0.09 * lines) * len(labels)
        figure = style.new_figure(width, 0.4 + height * shape[0], style.caption(table))
        grid = figure.subplots(*shape, sharey=True, squeeze=False)
        families = [label.partition(",")[0] for label in labels]
        looks = style.looks(list(dict.fromkeys(families)))
        for axes, (column, title) in zip(grid.ravel(), PANELS.items(), strict=True):
            for place, (label, family) in enumerate(zip(labels, families, strict=True)):
                rows, look = table.where(label=label), looks[family]
                value = cell(rows, column)
                if column == "mean_step":
                    value, title = time_axis.moment(rows, value), time_axis.name()
                row = Interval(place, None, value.n)
                style.operating_mark(axes, value, row, look, size=4.5, label=label)
            axes.set_xlabel(title)
            axes.locator_params(axis="x", nbins=4)
            if column in SHARES:
                style.percent_axis(axes, "x")
        for axes in grid[:, 0]:
            axes.set_yticks(np.arange(len(labels)), names)
        grid[0, 0].set_ylim(len(labels) - 0.4, -0.6)
        return figure
