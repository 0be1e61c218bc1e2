"""Many models side by side: what each one's own rule gives, a line per model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
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
        figure = style.new_figure(style.PAGE_INCHES, 0.8 + 0.17 * len(labels), style.caption(table))
        panels = figure.subplots(1, len(PANELS), sharey=True)
        families = [label.partition(",")[0] for label in labels]
        looks = style.looks(list(dict.fromkeys(families)))
        for axes, (column, title) in zip(panels, PANELS.items(), strict=True):
            for place, (label, family) in enumerate(zip(labels, families, strict=True)):
                value, look = cell(table.where(label=label), column), looks[family]
                row = Interval(place, None, value.n)
                style.operating_mark(axes, value, row, look, size=4.5, label=label)
            axes.set_xlabel(title)
            axes.locator_params(axis="x", nbins=4)
            if column in SHARES:
                style.percent_axis(axes, "x")
        panels[0].set_yticks(np.arange(len(labels)), [style.plain(label) for label in labels])
        panels[0].set_ylim(len(labels) - 0.4, -0.6)
        return figure
