"""What rank-coded training is for: the same models under different objectives, at every threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import cell
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP, sweeps_and_points
from rc_vs_snn.analysis.tables import objective_text
from rc_vs_snn.registry import figures


@figures.register("objective-trade-off")
@dataclass(frozen=True)
class ObjectiveTradeOff:
    """Accuracy against mean decision step: a column per T, a row per kind of model, a line per objective.

    Only for runs with at least two objectives.
    """

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the threshold sweep and the operating point of every label; empty for one objective."""
        if len({objective_text(group) for group in groups}) < 2:
            return stack([])
        return stack(
            [
                sweeps_and_points([group], ["mean_step", "accuracy"]).tagged(
                    model=group.runs[0].record.config["model"]["name"], objective=objective_text(group)
                )
                for group in groups
            ]
        )

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: the panels of a row share their accuracy axis."""
        rows, columns = table.distinct("model"), sorted(table.distinct("n_steps"))
        looks = style.looks(table.distinct("objective"))
        figure = style.new_figure(style.PAGE_INCHES, 0.7 + 2.0 * len(rows), _caption(table))
        panels = figure.subplots(len(rows), len(columns), sharey="row", sharex="col", squeeze=False)
        for row, model in zip(panels, rows, strict=True):
            of_model = table.where(model=model)
            points = [cell(point, "accuracy") for point in _points(of_model)]
            # The curves lie close together at the top, and a low start would press them into a line.
            row[0].set_ylim(style.accuracy_window(of_model["accuracy"], points, reach=3))
            for axes, n_steps in zip(row, columns, strict=True):
                here = table.where(model=model, n_steps=n_steps)
                for objective, look in looks.items():
                    _draw(axes, here.where(objective=objective), look)
                axes.set_title(f"{model}, T = {n_steps}", loc="left")
                style.percent_axis(axes)
            row[0].set_ylabel("Test accuracy")
        for axes in panels[-1]:
            axes.set_xlabel("Mean decision step (0-based)")
        handles = [
            style.key(
                objective, color=look.colour, linestyle=look.line, marker=look.marker, markersize=6,
                markeredgecolor="black",
            )
            for objective, look in looks.items()
        ]  # fmt: skip
        style.add_legend(figure, handles, 2)
        return figure


def _points(table: Table) -> list[Table]:
    return [table.where(series=OPERATING, label=label) for label in table.distinct("label")]


def _draw(axes: Axes, table: Table, look: style.Look) -> None:
    for label in table.distinct("label"):
        sweep = table.where(label=label, series=SWEEP)
        axes.plot(sweep["mean_step"], sweep["accuracy"], color=look.colour, linestyle=look.line)
        style.band(axes, sweep["mean_step"], sweep["accuracy"], sweep["accuracy_half_width"], look)
        point = table.where(label=label, series=OPERATING)
        style.operating_mark(axes, cell(point, "mean_step"), cell(point, "accuracy"), look)


def _caption(table: Table) -> str:
    counts = table.distinct("n_seeds")
    seeds = "n = 1 seed, no interval" if counts == [1] else f"n = {'/'.join(map(str, counts))} seeds"
    samples = " / ".join(f"{n:,}" for n in table.distinct("n_samples"))
    return (
        f"{', '.join(table.distinct('dataset'))}: {samples} test samples; {seeds}; a line is one training "
        "judged at every threshold, its marker the threshold it was run with"
    )
