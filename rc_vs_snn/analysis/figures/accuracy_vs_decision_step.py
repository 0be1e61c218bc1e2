"""The main figure: what a model gains in accuracy by waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.curves import forced_at_step, oracle_exit
from rc_vs_snn.analysis.groups import FinishedRun, Group, fact_names
from rc_vs_snn.analysis.intervals import cell, mean_over_seeds, percent_decimals
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP, traced
from rc_vs_snn.registry import figures

FORCED, ORACLE = "read at one step", "oracle exit"


@figures.register("accuracy-vs-decision-step")
@dataclass(frozen=True)
class AccuracyVsDecisionStep:
    """Accuracy against mean decision step: threshold sweep, operating point, forced read-out, oracle."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the points of four series per label; of a label without traces its operating point alone."""
        blocks, swept = [], traced(groups)
        for group in groups:
            series = {OPERATING: group.operating_point(["mean_step", "accuracy"])}
            if group in swept:
                series |= {
                    SWEEP: group.sweep(),
                    FORCED: mean_over_seeds([_forced(run) for run in group.runs]),
                    ORACLE: mean_over_seeds([_oracle(run) for run in group.runs]),
                }
            blocks += [points.tagged(**group.facts, series=name) for name, points in series.items()]
        names = ["mean_step", "mean_step_half_width", "accuracy", "accuracy_half_width", "threshold"]
        whole = stack(blocks)
        return Table({name: whole[name] for name in [*fact_names(groups), "series", *names]})

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
    by_label = [table.where(label=label) for label in table.distinct("label")]
    points = [rows.where(series=OPERATING) for rows in by_label]
    accuracies = [cell(point, "accuracy") for point in points]
    axes.set_ylim(style.accuracy_window(table["accuracy"], accuracies))
    ends = [rows["n_steps"][0] - 1 for rows in by_label]
    # Steps that are logarithmically spaced have room for all.
    shown = [
        end if time_axis.is_log() else min(end, max(2.0, 3 * point["mean_step"].item()))
        for end, point in zip(ends, points, strict=True)
    ]
    earliest = min(time_axis.when(rows, np.zeros(1)).item() for rows in by_label)
    latest = max(
        time_axis.when(rows, np.array([step])).item() for rows, step in zip(by_label, shown, strict=True)
    )
    time_axis.set_range(axes, earliest, latest)
    last = f", last step: {ends[0]}" if len(set(ends)) == 1 else ""
    axes.set_xlabel(time_axis.name(note=f"0-based{last}"))
    durations = table.distinct("step_ms") if "step_ms" in table.columns else []
    if len(durations) == 1 and not time_axis.in_ms() and not time_axis.is_log():
        _add_milliseconds(axes, float(durations[0]))


def _add_milliseconds(axes: Axes, step_ms: float) -> None:
    def seen(step: Any) -> Any:
        return (step + 1) * step_ms

    def step_of(ms: Any) -> Any:
        return ms / step_ms - 1

    axes.secondary_xaxis("top", functions=(seen, step_of)).set_xlabel("Input seen by then (ms)")


def _draw_label(axes: Axes, table: Table, label: str, look: style.Look) -> Line2D:
    sweep, forced = table.where(series=SWEEP), table.where(series=FORCED)
    point, oracle = table.where(series=OPERATING), table.where(series=ORACLE)
    moments, accuracy = time_axis.when(table, sweep["mean_step"]), sweep["accuracy"]
    axes.plot(moments, accuracy, color=look.colour, linestyle=look.line, label=f"{label}: {SWEEP}")
    style.band(axes, moments, accuracy, sweep["accuracy_half_width"], look)
    axes.plot(
        time_axis.when(table, forced["mean_step"]), forced["accuracy"],
        color=look.colour, linestyle=":", linewidth=0.9, marker=look.marker, markersize=2.5,
        label=f"{label}: {FORCED}",
    )  # fmt: skip
    axes.plot(
        time_axis.when(table, oracle["mean_step"]), oracle["accuracy"],
        marker="*", markersize=8, linestyle="", markerfacecolor="white", markeredgecolor=look.colour,
        zorder=4, label=f"{label}: {ORACLE}",
    )  # fmt: skip
    at_step, accurate = cell(point, "mean_step"), cell(point, "accuracy")
    mark = style.operating_mark(axes, time_axis.moment(table, at_step), accurate, look)
    mark.set_label(f"{label}: {OPERATING}")
    decimals = percent_decimals(point["n_samples"].item())
    value = f"{accurate.spell(decimals, 100)} % at {time_axis.spelt(table, at_step)}"
    named = f"{label}: {value}" if style.options().values == "legend" else label
    return style.key(
        named if len(sweep) else f"{named} (no trace: a mark alone)",
        color=look.colour, linestyle=look.line if len(sweep) else "", marker=look.marker, markersize=6,
        markeredgecolor="black",
    )  # fmt: skip
