"""The main figure: what a model gains in accuracy by waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.curves import forced_at_step, oracle_exit
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.intervals import cell, mean_over_seeds, percent_decimals
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP
from rc_vs_snn.registry import figures

FORCED, ORACLE = "read at one step", "oracle exit"


@figures.register("accuracy-vs-decision-step")
@dataclass(frozen=True)
class AccuracyVsDecisionStep:
    """Accuracy against mean decision step: threshold sweep, operating point, forced read-out, oracle."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the points of four series per label."""
        blocks = []
        for group in groups:
            series = {
                SWEEP: group.sweep(),
                OPERATING: group.operating_point(["mean_step", "accuracy"]),
                FORCED: mean_over_seeds([_forced(run) for run in group.runs]),
                ORACLE: mean_over_seeds([_oracle(run) for run in group.runs]),
            }
            blocks += [points.tagged(**group.facts, series=name) for name, points in series.items()]
        names = ["mean_step", "mean_step_half_width", "accuracy", "accuracy_half_width", "threshold"]
        whole = stack(blocks)
        chosen = Table({name: whole[name] for name in [*groups[0].facts, "series", *names]})
        durations = {run.trace.step_ms for group in groups for run in group.runs}
        step_ms = durations.pop() if len(durations) == 1 else None
        return chosen if step_ms is None else chosen.tagged(step_ms=step_ms)

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure."""
        labels = table.distinct("label")
        figure = style.new_figure(style.COLUMN_INCHES, 2.5, style.caption(table))
        axes = figure.add_subplot()
        handles = [
            _draw_label(axes, table.where(label=label), label, look)
            for label, look in style.looks(labels).items()
        ]
        _set_window(axes, table)
        axes.set_ylabel("Test accuracy")
        style.percent_axis(axes)
        handles += [
            style.key("all samples read at this step", color=style.GREY, linestyle=":", linewidth=1),
            style.key(
                "oracle exit (needs the end of the trace)",
                marker="*", markersize=8, linestyle="", markerfacecolor="white", markeredgecolor=style.GREY,
            ),
        ]  # fmt: skip
        style.add_legend(figure, handles)
        return figure


def _forced(run: FinishedRun) -> Table:
    read = forced_at_step(run.trace)
    return Table({"mean_step": read["step"], "accuracy": read["accuracy"]})


def _oracle(run: FinishedRun) -> Table:
    exits = oracle_exit(run.trace)
    return Table(
        {"mean_step": np.mean([exits["step"]], axis=1), "accuracy": np.mean([exits["right"]], axis=1)}
    )


def _set_window(axes: Axes, table: Table) -> None:
    """Show what happens around the operating points; the flat rest is in the CSV."""
    points = [table.where(series=OPERATING, label=label) for label in table.distinct("label")]
    accuracies = [cell(point, "accuracy") for point in points]
    axes.set_ylim(style.accuracy_window(table["accuracy"], accuracies))
    last = max(table["n_steps"]) - 1
    latest = max(point["mean_step"].item() for point in points)
    right = min(last, max(2.0, 3 * latest))
    axes.set_xlim(-0.04 * right - 0.01, right * 1.04 + 0.01)
    axes.set_xlabel(f"Mean decision step (0-based, last step: {last})")
    if "step_ms" in table.columns:
        _add_milliseconds(axes, float(table["step_ms"][0]))


def _add_milliseconds(axes: Axes, step_ms: float) -> None:
    def seen(step: Any) -> Any:
        return (step + 1) * step_ms

    def step_of(ms: Any) -> Any:
        return ms / step_ms - 1

    axes.secondary_xaxis("top", functions=(seen, step_of)).set_xlabel("Input seen by then (ms)")


def _draw_label(axes: Axes, table: Table, label: str, look: style.Look) -> Line2D:
    sweep, forced = table.where(series=SWEEP), table.where(series=FORCED)
    point, oracle = table.where(series=OPERATING), table.where(series=ORACLE)
    step, accuracy = sweep["mean_step"], sweep["accuracy"]
    axes.plot(step, accuracy, color=look.colour, linestyle=look.line, label=f"{label}: {SWEEP}")
    style.band(axes, step, accuracy, sweep["accuracy_half_width"], look)
    axes.plot(
        forced["mean_step"], forced["accuracy"],
        color=look.colour, linestyle=":", linewidth=0.9, marker=look.marker, markersize=2.5,
        label=f"{label}: {FORCED}",
    )  # fmt: skip
    axes.plot(
        oracle["mean_step"], oracle["accuracy"],
        marker="*", markersize=8, linestyle="", markerfacecolor="white", markeredgecolor=look.colour,
        zorder=4, label=f"{label}: {ORACLE}",
    )  # fmt: skip
    at_step, accurate = cell(point, "mean_step"), cell(point, "accuracy")
    style.operating_mark(axes, at_step, accurate, look).set_label(f"{label}: {OPERATING}")
    decimals = percent_decimals(point["n_samples"].item())
    return style.key(
        f"{label}: {accurate.spell(decimals, 100)} % at step {at_step.spell(2)}",
        color=look.colour, linestyle=look.line, marker=look.marker, markersize=6, markeredgecolor="black",
    )  # fmt: skip
