"""Whether a model is as often right as it says, at the step at which it decides."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.intervals import Interval, mean_interval
from rc_vs_snn.analysis.looks import facts_and_place, placed_looks
from rc_vs_snn.analysis.statistics.reliability import BINS, expected_calibration_error
from rc_vs_snn.registry import figures

PROBABILITIES = ("probability", "sigmoid")
N_BINS = BINS
FEW = 20
"""Bins of fewer samples are drawn hollow: their accuracy says little."""
MOST_COLUMNS = 3


@figures.register("reliability")
@dataclass(frozen=True)
class Reliability:
    """Accuracy against the confidence that was decided with, above the histogram of that confidence.

    Drawn of models whose evidence is a probability.
    """

    def table(self, groups: Sequence[Group]) -> Table:
        """Return one row per label and bin of the confidence, all seeds together.

        There are none of models whose evidence is no probability.
        """
        blocks = []
        for group in groups:
            if group.runs[0].record.metrics["evidence"] in PROBABILITIES:
                said = [_judged(run)[:2] for run in group.runs]
                errors = mean_interval([expected_calibration_error(*each, N_BINS) for each in said])
                width = math.nan if errors.half_width is None else errors.half_width
                facts = facts_and_place(groups, group)
                blocks.append(_bins(group).tagged(**facts, ece=errors.mean, ece_half_width=width))
        return stack(blocks)

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: a column per label; above the diagonal a model is better than it says."""
        looks = placed_looks(table)
        columns = style.side_by_side(len(looks), MOST_COLUMNS, 1.7)
        rows = math.ceil(len(looks) / columns)
        width = {1: style.COLUMN_INCHES, 2: 5.2}.get(columns, style.PAGE_INCHES)
        caption = style.caption(
            table,
            f"samples of all seeds in {N_BINS} equal bins; ECE: their mean distance from the diagonal, "
            f"weighted by samples; hollow: fewer than {FEW} samples",
            intervals=False,
        )
        figure = style.new_figure(width, 0.8 + 2.6 * rows, caption)
        panels = figure.subplots(2 * rows, columns, sharex=True, squeeze=False, height_ratios=[2.2, 1] * rows)
        for place, (label, look) in enumerate(looks.items()):
            upper, lower = panels[2 * (place // columns) :, place % columns][:2]
            own = table.where(label=label)
            _draw_curve(upper, own, label, look)
            upper.set_title(f"{style.title(label, figure, columns)}\n{_error(own)}", loc="left")
            _draw_histogram(lower, own, look)
            lower.set_xlabel("Confidence at the decision")
            lower.tick_params(labelbottom=True)
        for axes in panels[2 * (rows - 1) :, len(looks) - columns * (rows - 1) :].ravel():
            axes.set_axis_off()
        for place, axes in enumerate(panels[:, 0]):
            axes.set_ylabel("Share of samples" if place % 2 else "Test accuracy")
        figure.align_ylabels(panels[:, 0])
        style.add_legend(figure, _legend(), 3)
        return figure


def bin_of(confidence: np.ndarray) -> np.ndarray:
    """Return which of ``N_BINS`` equal bins of [0, 1] each confidence is in; an upper edge belongs to it."""
    return np.searchsorted(np.linspace(0, 1, N_BINS + 1)[1:-1], confidence)


def _judged(run: FinishedRun) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return confidence, whether right, and whether decided by a spike, of each sample."""
    judged = run.record.decisions()
    return judged["evidence"].astype(np.float64), judged["label"] == judged["true_label"], judged["decided"]


def _bins(group: Group) -> Table:
    confidence, right, decided = (
        np.concatenate(parts) for parts in zip(*map(_judged, group.runs), strict=True)
    )
    place, count = bin_of(confidence), len(confidence)
    n = np.bincount(place, minlength=N_BINS)
    with np.errstate(invalid="ignore"):  # an empty bin has no mean
        means = {
            name: np.bincount(place, values, minlength=N_BINS) / n
            for name, values in (("confidence", confidence), ("accuracy", right))
        }
    edges = np.linspace(0, 1, N_BINS + 1)
    return Table(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n": n,
            **means,
            "share_decided": np.bincount(place, decided, minlength=N_BINS) / count,
            "share_forced": np.bincount(place, ~decided, minlength=N_BINS) / count,
        }
    )


def _draw_curve(axes: Axes, rows: Table, label: str, look: style.Look) -> None:
    axes.plot([0, 1], [0, 1], color=style.GREY, linestyle=(0, (1, 1.5)), linewidth=0.9)
    drawn = rows.rows(rows["n"] > 0)
    few, many = drawn.rows(drawn["n"] < FEW), drawn.rows(drawn["n"] >= FEW)
    axes.plot(
        few["confidence"], few["accuracy"],
        linestyle="", color=look.colour, marker=look.marker, markersize=4, markerfacecolor="white",
    )  # fmt: skip
    axes.plot(
        many["confidence"], many["accuracy"],
        color=look.colour, linestyle=look.line, marker=look.marker, markersize=4, label=label,
    )  # fmt: skip
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.04, 1.06)
    style.percent_axis(axes)


def _error(rows: Table) -> str:
    width = float(rows["ece_half_width"][0])
    error = Interval(float(rows["ece"][0]), None if np.isnan(width) else width, int(rows["n_seeds"][0]))
    return f"ECE {error.spell(2, 100)} %"


def _draw_histogram(axes: Axes, rows: Table, look: style.Look) -> None:
    width = 0.42 / N_BINS
    for side, name, face, hatch in ((0, "decided", look.colour, ""), (1, "forced", "white", "//////")):
        axes.bar(
            rows["low"] + (0.06 / N_BINS) + side * width * 1.1, rows[f"share_{name}"],
            width=width, align="edge", facecolor=face, edgecolor=look.colour, hatch=hatch, linewidth=0.5,
            label=name,
        )  # fmt: skip
    least = 1 / rows["n"].sum()
    axes.set_yscale("log")
    axes.set_ylim(0.5 * least, 2)
    style.percent_axis(axes)
    style.percent_axis(axes, "x")


def _legend() -> list[Artist]:
    return [
        style.key("as often right as said", color=style.GREY, linestyle=(0, (1, 1.5)), linewidth=0.9),
        Patch(facecolor="0.6", label="decided by a spike"),
        Patch(facecolor="white", edgecolor="0.5", hatch="//////", label="forced at the last step"),
    ]
