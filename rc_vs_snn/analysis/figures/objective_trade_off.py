"""What rank-coded training is for: the same models under different objectives, at every threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.captions import data
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import cell
from rc_vs_snn.analysis.panels import Panels, panels
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP, sweeps_and_points, traced
from rc_vs_snn.analysis.tables import objective_text
from rc_vs_snn.registry import figures


@figures.register("objective-trade-off")
@dataclass(frozen=True)
class ObjectiveTradeOff:
    """Accuracy against mean decision step: a column per T, a row per kind of model, a line per objective.

    Only for runs with at least two objectives.
    """

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the threshold sweep and the operating point of every label; empty for one objective.

        What was trained elsewhere has no objective that is known.
        """
        trained = [group for group in groups if group.runs[0].record.made == "trained"]
        kinds: dict[tuple[str, str], set[str]] = {}
        for group in trained:
            kinds.setdefault(_kind(group), set()).add(objective_text(group))
        compared = [group for group in trained if len(kinds[_kind(group)]) > 1]
        return stack(
            [
                sweeps_and_points([group], ["mean_step", "accuracy"]).tagged(
                    model=_kind(group)[1], objective=objective_text(group)
                )
                for group in (traced(compared) if compared else [])
            ]
        )

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: the panels of a kind of model show one range of accuracy."""
        kinds = _distinct(table, "dataset", "model")
        looks = style.looks(table.distinct("objective"))
        laid, places = _laid(table, kinds)
        for dataset, model in kinds:
            of_kind = table.where(dataset=dataset, model=model)
            points = [cell(point, "accuracy") for point in _points(of_kind)]
            # The curves lie close together at the top, and a low start would press them into a line.
            window = style.accuracy_window(of_kind["accuracy"], points, reach=3)
            name = f"{dataset}, {model}" if len(table.distinct("dataset")) > 1 else model
            for n_steps in sorted(of_kind.distinct("n_steps")):
                axes, here = places[dataset, model, n_steps], of_kind.where(n_steps=n_steps)
                for objective, look in looks.items():
                    _draw(axes, here.where(objective=objective), look)
                axes.set_ylim(window)
                if time_axis.is_log():
                    time_axis.set_range(axes, *time_axis.when(here, np.array([0, n_steps - 1])).tolist())
                title = f"{name}, T = {n_steps}"
                axes.set_title(style.title(title, laid.figure, len(laid.lowest)), loc="left")
                style.percent_axis(axes)
        if len(laid.lowest) == len(laid.axes) // len(kinds):  # a row is a kind: one accuracy axis for all
            for axes in laid.axes:
                axes.tick_params(labelleft=axes in laid.left)
        for axes in laid.left:
            axes.set_ylabel("Test accuracy")
        for axes in laid.lowest:
            axes.set_xlabel(time_axis.name())
        handles = [
            style.key(
                objective, color=look.colour, linestyle=look.line, marker=look.marker, markersize=6,
                markeredgecolor="black",
            )
            for objective, look in looks.items()
        ]  # fmt: skip
        style.add_legend(laid.figure, handles, 2)
        return laid.figure


def _kind(group: Group) -> tuple[str, str]:
    config = group.runs[0].record.config
    return str(config["dataset"]["name"]), str(config["model"]["name"])


def _distinct(table: Table, *names: str) -> list[tuple[Any, ...]]:
    return list(dict.fromkeys(zip(*(table[name].tolist() for name in names), strict=True)))


def _laid(table: Table, kinds: Sequence[tuple[Any, ...]]) -> tuple[Panels, dict[tuple[Any, ...], Axes]]:
    """Return a panel for each kind of model and T: a row per kind where every kind has every T."""
    durations = sorted(table.distinct("n_steps"))
    places = [
        (*kind, n_steps)
        for kind in kinds
        for n_steps in durations
        if len(table.where(dataset=kind[0], model=kind[1], n_steps=n_steps))
    ]
    whole = len(places) == len(kinds) * len(durations)
    laid = panels(
        len(places), _caption(table), inches=2.0, most=len(durations) if whole else 2, least_inches=1.6
    )
    return laid, dict(zip(places, laid.axes, strict=True))


def _points(table: Table) -> list[Table]:
    return [table.where(series=OPERATING, label=label) for label in table.distinct("label")]


def _draw(axes: Axes, table: Table, look: style.Look) -> None:
    for label in table.distinct("label"):
        sweep = table.where(label=label, series=SWEEP)
        moments = time_axis.when(table.where(label=label), sweep["mean_step"])
        axes.plot(moments, sweep["accuracy"], color=look.colour, linestyle=look.line)
        style.band(axes, moments, sweep["accuracy"], sweep["accuracy_half_width"], look)
        point = table.where(label=label, series=OPERATING)
        at = time_axis.moment(point, cell(point, "mean_step"))
        style.operating_mark(axes, at, cell(point, "accuracy"), look)


def _caption(table: Table) -> str:
    counts = sorted(table.distinct("n_seeds"))
    seeds = "n = 1 seed, no interval" if counts == [1] else f"n = {' or '.join(map(str, counts))} seeds"
    return (
        f"{data(table)}; {seeds}; a line is one training judged at every threshold, its marker the threshold "
        "it was run with"
    )
