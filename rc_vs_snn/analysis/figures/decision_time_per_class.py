"""Which classes wait: when the samples of each class are decided, and how often rightly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.intervals import mean_over_seeds
from rc_vs_snn.analysis.panels import panels
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
        caption = style.caption(
            table,
            "line: 10 to 90 % of a class's samples, thick: 25 to 75 %, mark: mean; right: accuracy in %",
            intervals=False,
        )
        inches = 0.6 + max(INCHES_PER_CLASS * len(classes), 0.8)
        laid = panels(
            len(looks), caption, inches=inches, above=0.8, most=MOST_COLUMNS, least_inches=1.7, share="xy"
        )
        for axes, (label, look) in zip(laid.axes, looks.items(), strict=True):
            _draw_label(axes, table.where(label=label), look, classes)
            axes.set_title(style.title(label, laid.figure, len(laid.lowest)), loc="left")
        for axes in laid.left:
            axes.set_ylabel("True class")
        ends = [
            (time_axis.when(rows, rows["q10"]).min(), time_axis.when(rows, rows["q90"]).max())
            for rows in (table.where(label=label) for label in looks)
        ]
        time_axis.set_range(laid.axes[0], float(min(ends)[0]), float(max(high for _, high in ends)))
        if not time_axis.is_log():
            laid.axes[0].locator_params(axis="x", integer=True)
        for axes in laid.lowest:
            axes.set_xlabel(time_axis.name(mean=False))
        return laid.figure


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
    at = {name: time_axis.when(rows, rows[name]) for name in (*QUANTILES, "mean_step")}
    axes.hlines(place, at["q10"], at["q90"], color=look.colour, linewidth=0.8)
    axes.hlines(place, at["q25"], at["q75"], color=look.colour, linewidth=3.2, alpha=0.6)
    axes.plot(
        at["mean_step"], place,
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
