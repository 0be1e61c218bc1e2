"""Whether a model waits longer where there is more noise (noisy-sign)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.intervals import mean_over_seeds
from rc_vs_snn.analysis.toy_runs import NOISY_SIGN, groups_on, noise_std
from rc_vs_snn.registry import figures

N_BINS = 8
PANELS = {"mean_step": "Mean decision step\n(0-based)", "accuracy": "Test accuracy"}


@figures.register("decision-step-vs-noise")
@dataclass(frozen=True)
class DecisionStepVsNoise:
    """Decision step and accuracy against the strength of the noise, drawn of the toy problem noisy-sign."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return one row per label and eighth of the test sequences by their noise; none of other corpora."""
        blocks = []
        for group in groups_on(NOISY_SIGN, groups):
            rows = mean_over_seeds([_binned(run) for run in group.runs])
            blocks.append(rows.tagged(**group.facts))
        return stack(blocks)

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: two panels over one axis of noise."""
        looks = style.looks(table.distinct("label"))
        caption = style.caption(table, "each point an eighth of the test sequences")
        figure = style.new_figure(style.COLUMN_INCHES, 3.2, caption)
        panels = figure.subplots(2, 1, sharex=True)
        for axes, (column, title) in zip(panels, PANELS.items(), strict=True):
            for label, look in looks.items():
                rows = table.where(label=label)
                noise, values = rows["noise_std"], rows[column]
                axes.plot(noise, values, color=look.colour, linestyle=look.line, marker=look.marker,
                          markersize=3, label=label)  # fmt: skip
                style.band(axes, noise, values, rows[f"{column}_half_width"], look)
            axes.set_ylabel(title)
        style.percent_axis(panels[1])
        figure.align_ylabels(panels)
        panels[1].set_xlabel("Standard deviation of the noise")
        handles = [
            style.key(label, color=look.colour, linestyle=look.line, marker=look.marker, markersize=4)
            for label, look in looks.items()
        ]
        style.add_legend(figure, handles)
        return figure


def _binned(run: FinishedRun) -> Table:
    decisions = run.record.decisions()
    noise = noise_std(run, decisions["id"])
    bins = np.array_split(np.argsort(noise, kind="stable"), N_BINS)
    right = decisions["label"] == decisions["true_label"]
    return Table(
        {
            "noise_std": np.array([noise[rows].mean() for rows in bins]),
            "mean_step": np.array([decisions["step"][rows].mean() for rows in bins]),
            "accuracy": np.array([right[rows].mean() for rows in bins]),
            "forced": np.array([(~decisions["decided"][rows]).mean() for rows in bins]),
        }
    )
