"""What the accuracy of the confident decisions hides: how many samples they leave out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import cell
from rc_vs_snn.analysis.panels import panels
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP, sweeps_and_points
from rc_vs_snn.registry import figures

PANELS = {"accuracy_decided": "Samples decided by a spike", "accuracy": "All samples (rest read at the end)"}


@figures.register("coverage-vs-accuracy")
@dataclass(frozen=True)
class CoverageVsAccuracy:
    """Accuracy against coverage as the threshold varies: over decided samples, and over all."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the threshold sweep and the operating point of every label."""
        return sweeps_and_points(groups, ["coverage", *PANELS])

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: one panel per definition of accuracy, on one scale."""
        looks = style.looks(table.distinct("label"))
        laid = panels(len(PANELS), style.caption(table), inches=1.8, above=0.6, share="xy")
        for axes, (column, title) in zip(laid.axes, PANELS.items(), strict=True):
            for label, look in looks.items():
                _draw_label(axes, table.where(label=label), column, label, look)
            axes.set_title(title, loc="left")
            style.percent_axis(axes, "x")
            style.percent_axis(axes)
        sweep, points = (
            table.where(series=SWEEP),
            [table.where(series=OPERATING, label=label) for label in looks],
        )
        drawn = np.concatenate([sweep[column] for column in PANELS])
        laid.axes[0].set_ylim(style.accuracy_window(drawn, [cell(point, "accuracy") for point in points]))
        # Far below the operating points' coverage all curves are flat.
        left = max(0.0, 1 - 3 * max(1 - min(point["coverage"].item() for point in points), 0.02))
        laid.axes[0].set_xlim(left - 0.04 * (1 - left), 1 + 0.04 * (1 - left))
        for axes in laid.left:
            axes.set_ylabel("Test accuracy")
        for axes in laid.lowest:
            axes.set_xlabel("Coverage: share of samples decided")
        handles = [
            style.key(
                label,
                color=look.colour, linestyle=look.line, marker=look.marker, markersize=6,
                markeredgecolor="black",
            )
            for label, look in looks.items()
        ]  # fmt: skip
        style.add_legend(laid.figure, handles)
        return laid.figure


def _draw_label(axes: Axes, table: Table, column: str, label: str, look: style.Look) -> None:
    sweep, point = table.where(series=SWEEP), table.where(series=OPERATING)
    axes.plot(sweep["coverage"], sweep[column], color=look.colour, linestyle=look.line, label=label)
    style.band(axes, sweep["coverage"], sweep[column], sweep[f"{column}_half_width"], look)
    style.operating_mark(axes, cell(point, "coverage"), cell(point, column), look)
