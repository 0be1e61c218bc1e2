"""Which classes wait: when the samples of each class are decided, and how often rightly."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.intervals import mean_over_seeds
from rc_vs_snn.registry import figures

QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
MOST_COLUMNS = 3
INCHES_PER_CLASS = 0.12


@figures.register("decision-time-per-class")
@dataclass(frozen=True)
class DecisionTimePerClass:
    """Decision step of the samples of each class, its spread and its mean, with the class's accuracy."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return one row per label and class that has samples.

        Quantiles are of the samples of all seeds together; step, accuracy and forced share are means over
        seeds.
        """
        return stack([_classes(group).tagged(**group.facts) for group in groups])

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: a panel per label, a row per class."""
        looks = style.looks(table.distinct("label"))
        classes = sorted(table.distinct("class"))
        columns = min(len(looks), MOST_COLUMNS)
        rows = math.ceil(len(looks) / columns)
        width = style.PAGE_INCHES if columns > 1 else style.COLUMN_INCHES
        caption = style.caption(
            table,
            "line: 10 to 90 % of a class's samples, thick: 25 to 75 %, mark: mean; right: accuracy in %",
            intervals=False,
        )
        height = 0.8 + rows * (0.6 + max(INCHES_PER_CLASS * len(classes), 0.8))
        figure = style.new_figure(width, height, caption)
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, (label, look) in zip(panels.ravel(), looks.items(), strict=False):
            _draw_label(axes, table.where(label=label), look, classes)
            axes.set_title(style.plain(textwrap.fill(label, width=40)), loc="left")
        for axes in panels.ravel()[len(looks) :]:
            axes.set_axis_off()
        for axes in panels[:, 0]:
            axes.set_ylabel("True class")
        # The lowest panel of each column that is drawn at all
        for place, axes in enumerate(panels.ravel()[: len(looks)]):
            if place + columns >= len(looks):
                axes.set_xlabel("Decision step (0-based)")
                axes.tick_params(labelbottom=True)
        return figure


def _classes(group: Group) -> Table:
    per_seed = [run.record.decisions() for run in group.runs]
    true = np.concatenate([each["true_label"] for each in per_seed])
    steps = np.concatenate([each["step"] for each in per_seed])
    present, counts = np.unique(true, return_counts=True)
    spread = np.array([np.quantile(steps[true == each], list(QUANTILES.values())) for each in present])
    means = mean_over_seeds([_means(run, present) for run in group.runs])
    quantiles = dict(zip(QUANTILES, spread.T, strict=True))
    return Table({"class": present, "n_judged": counts, **quantiles, **means.columns})


def _means(run: FinishedRun, present: np.ndarray) -> Table:
    judged = run.record.decisions()
    right = judged["label"] == judged["true_label"]
    numbers = {"mean_step": judged["step"], "accuracy": right, "forced": ~judged["decided"]}
    of_class = [judged["true_label"] == each for each in present]
    return Table(
        {
            name: np.array([values[rows].mean() if rows.any() else np.nan for rows in of_class])
            for name, values in numbers.items()
        }
    )


def _draw_label(axes: Axes, rows: Table, look: style.Look, classes: Sequence[int]) -> None:
    place = np.searchsorted(np.asarray(classes), rows["class"])
    axes.hlines(place, rows["q10"], rows["q90"], color=look.colour, linewidth=0.8)
    axes.hlines(place, rows["q25"], rows["q75"], color=look.colour, linewidth=3.2, alpha=0.6)
    axes.plot(
        rows["mean_step"], place,
        linestyle="", marker=look.marker, markersize=4, color=look.colour, markeredgecolor="black",
        markeredgewidth=0.5, label="mean",
    )  # fmt: skip
    for each, accuracy in zip(place, rows["accuracy"], strict=True):
        axes.annotate(
            f"{100 * accuracy:.1f}", (1, each),
            xycoords=("axes fraction", "data"), xytext=(2, 0), textcoords="offset points",
            va="center", fontsize=5.5, color=style.GREY,
        )  # fmt: skip
    axes.set_yticks(np.arange(len(classes)), [str(each) for each in classes])
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.tick_params(axis="y", labelsize=7 if len(classes) <= 12 else 5.5)
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", integer=True)
