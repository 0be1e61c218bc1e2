"""When the decisions fall, and where the errors are: mostly in what never reached the threshold."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.intervals import mean_over_seeds
from rc_vs_snn.analysis.panels import panels
from rc_vs_snn.analysis.texts import text_inches
from rc_vs_snn.registry import figures

MOST_NUMBERED_BARS = 12
WRONG = "black"


@figures.register("decision-step-histograms")
@dataclass(frozen=True)
class DecisionStepHistograms:
    """Share of test samples decided at each step, right and wrong, with the forced ones apart."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return one row per label and step, and one for the forced samples at their mean last step."""
        blocks = []
        for group in groups:
            shares = mean_over_seeds([_shares(run) for run in group.runs])
            steps = np.arange(group.facts["n_steps"])
            forced = np.array([False] * len(steps) + [True])
            rows = Table({"step": np.append(steps, _forced_at(group)), "forced": forced, **shares.columns})
            blocks.append(rows.tagged(**group.facts))
        return stack(blocks)

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: one panel per label, a number over each bar for its accuracy."""
        looks = style.looks(table.distinct("label"))
        numbered = min(table["n_steps"]) <= MOST_NUMBERED_BARS
        extra = "number over a bar: accuracy of its samples in %" if numbered else ""
        caption = style.caption(table, extra, intervals=False)
        height = 1.75 if style.side_by_side(2) > 1 else 1.45  # those in a column need no name of their own
        laid = panels(len(looks), caption, inches=height, share="y")
        width = laid.figure.get_figwidth() / len(laid.lowest) - 0.8
        titles = [style.title(label, laid.figure, len(laid.lowest)) for label in looks]
        for axes, (label, look), title in zip(laid.axes, looks.items(), titles, strict=True):
            _draw_label(axes, table.where(label=label), look, width)
            axes.set_title(title, loc="left")
        for axes in laid.lowest:
            axes.set_xlabel(time_axis.name(mean=False))
        for axes in laid.left:
            axes.set_ylabel(style.upright("Share of test samples", height - 0.4))
            style.percent_axis(axes)
        style.add_legend(laid.figure, _legend(), 3)
        return laid.figure


def _forced_at(group: Group) -> float:
    """Return the mean last step of the forced samples: of samples of one length that is the last of all."""
    judged = [run.record.decisions() for run in group.runs]
    steps = np.concatenate([each["step"][~each["decided"]] for each in judged])
    last = int(group.facts["n_steps"]) - 1
    return last if not len(steps) or (steps == last).all() else float(steps.mean())


def _shares(run: FinishedRun) -> Table:
    """Return the share of samples right and wrong per step, with the forced ones as a last row."""
    decisions = run.record.decisions()
    n_steps = int(run.metric("n_steps"))
    slot = np.where(decisions["decided"], decisions["step"], n_steps)
    right = decisions["label"] == decisions["true_label"]
    count = len(right)
    return Table(
        {
            "right": np.bincount(slot[right], minlength=n_steps + 1) / count,
            "wrong": np.bincount(slot[~right], minlength=n_steps + 1) / count,
        }
    )


def _draw_label(axes: Axes, table: Table, look: style.Look, inches: float) -> None:
    n_steps = int(table["n_steps"][0])
    for forced, hatch in ((False, ""), (True, "////")):
        part = table.where(forced=forced)
        position = np.array([n_steps + 0.5]) if forced else part["step"]
        face = "white" if forced else look.colour
        edge = look.colour if forced else "white"
        axes.bar(
            position, part["right"], width=0.9, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0.5
        )
        axes.bar(
            position, part["wrong"], bottom=part["right"],
            width=0.9, facecolor=WRONG, edgecolor="white", hatch=hatch, linewidth=0.5,
        )  # fmt: skip
        if n_steps <= MOST_NUMBERED_BARS:
            _number(axes, position, part, inches / (n_steps + 2))
    ticks = _ticks(table, inches)
    names = [f"{moment:.10g}" for moment in time_axis.when(table, ticks)]
    axes.set_xticks([*ticks, n_steps + 0.5], [*names, "forced"])
    axes.grid(visible=False, axis="x")
    axes.margins(y=0.12)


def _ticks(table: Table, inches: float) -> np.ndarray:
    """Return the steps to be named: as many as an axis of some width has room for, at round numbers."""
    n_steps = int(table["n_steps"][0])
    size = FontProperties(size=mpl.rcParams["xtick.labelsize"]).get_size_in_points()
    widest = text_inches(f"{time_axis.when(table, np.array([n_steps - 1])).item():.10g}", size) + size / 72
    room = max(2, min(MOST_NUMBERED_BARS, int(inches / widest)))
    round_numbers = (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))
    every = next(each for each in round_numbers if n_steps <= each * room)
    ticks = np.arange(every - 1 if time_axis.in_ms() else 0, n_steps, every)
    return ticks[ticks < n_steps - every] if every > 1 else ticks  # room for the word beside them


def _number(axes: Axes, positions: np.ndarray, part: Table, inches: float) -> None:
    """Write over each bar the accuracy of its samples, small enough for the width of a bar in inches."""
    size = 6.0 if text_inches("99.9", 6.0) < 0.8 * inches else 5.0
    for position, right, wrong in zip(positions, part["right"], part["wrong"], strict=True):
        if right + wrong > 0:
            axes.annotate(
                # cut, not rounded: 100 is written only where nothing is wrong
                f"{np.floor(1000 * right / (right + wrong)) / 10:g}", (position, right + wrong),
                xytext=(0, 1.5), textcoords="offset points", ha="center", fontsize=size, color=style.GREY,
            )  # fmt: skip


def _legend() -> list[Patch]:
    return [
        Patch(facecolor="0.6", label="decided by a spike, right"),
        Patch(facecolor="white", edgecolor="0.5", hatch="////", label="forced at the last step, right"),
        Patch(facecolor=WRONG, label="wrong (decided or forced)"),
    ]
