"""The plots of the page, as Bokeh's JSON. Colours are set in the page, which knows light from dark."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.curves import forced_at_step, oracle_exit
from rc_vs_snn.analysis.html.canvas import embedded, new_figure, source
from rc_vs_snn.analysis.html.cells import Cell
from rc_vs_snn.analysis.html.points import LabelPoints
from rc_vs_snn.analysis.intervals import Interval
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP

MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex", "plus")
DASHES: tuple[Any, ...] = ("solid", [7, 3], [7, 3, 2, 3], [4, 3], [11, 3])
N_COLOURS = len(MARKERS)
MOST_BANDS = 6  # the bands of more labels hide one another
POINT = {"size": 8, "line_width": 0.4, "fill_alpha": 0.6}
RULE = {"size": 15, "line_width": 1.2, "fill_alpha": 1.0}


def looks(n_labels: int) -> list[tuple[int, str, Any]]:
    """Return the number of the colour, the marker and the dashes of every label, stable by their order."""
    cycle = zip(range(n_labels), itertools.cycle(MARKERS), itertools.cycle(DASHES), strict=False)
    return [(number % N_COLOURS, marker, dashes) for number, marker, dashes in cycle]


def accuracy_time(
    points: Sequence[LabelPoints], header: Sequence[str], rows: Sequence[Sequence[Sequence[Cell]]]
) -> dict[str, Any]:
    """Return the plot of accuracy against mean decision step, in per cent against steps.

    Renderers are named ``<series>-<number of the label>``.

    Args:
        points: of every label.
        header: of an operating point's cells.
        rows: the cells of every point, label by label; a tooltip shows what the table does.
    """
    from bokeh.models import HoverTool, Range1d

    window = near_window(points)
    figure = new_figure(430, "Mean decision step (0-based)", "Test accuracy, %")
    figure.x_range = Range1d(start=window[0], end=window[1])
    figure.y_range = Range1d(start=window[2], end=window[3])
    hovered = []
    for number, (each, cells) in enumerate(zip(points, rows, strict=True)):
        _, marker, dashes = looks(len(points))[number]
        _draw_curves(figure, each, number, dashes, len(points) <= MOST_BANDS)
        own = each.table["series"] == OPERATING
        _whiskers(figure, each.table.rows(own), number)
        for series, chosen, look in (("points", ~own, POINT), ("rule", own, RULE)):
            if chosen.any():
                shown = source(_hovered(each.table.rows(chosen), list(itertools.compress(cells, chosen))))
                drawn = figure.scatter(
                    "x", "y", source=shown, marker=marker, name=f"{series}-{number}", **look
                )
                hovered.append(drawn)
    figure.scatter(
        "x", "y", source=source({"x": [], "y": []}), marker="circle", size=24, fill_alpha=0, line_width=3,
        name="chosen-0",
    )  # fmt: skip
    tooltips = [(name, f"@c{at}") for at, name in enumerate(header)]
    figure.add_tools(
        HoverTool(renderers=hovered, tooltips=tooltips, limit=1, sort_by="distance", visible=False)
    )
    return embedded(figure, "plot")


def _hovered(table: Table, cells: Sequence[Sequence[Cell]]) -> dict[str, Any]:
    """Return the points of a table, each with the texts of its tooltip."""
    texts = {f"c{at}": [cell.text for cell in column] for at, column in enumerate(zip(*cells, strict=True))}
    return {"x": table["mean_step"], "y": 100 * table["accuracy"], **texts}


def near_window(points: Sequence[LabelPoints]) -> tuple[float, float, float, float]:
    """Return the region around the operating points: left, right, bottom, top (steps and per cent)."""
    rules = [each.table.where(series=OPERATING) for each in points]
    accuracies = [
        Interval(float(rule["accuracy"][0]), _finite(rule["accuracy_half_width"][0]), len(each.group.runs))
        for rule, each in zip(rules, points, strict=True)
    ]
    drawn = np.concatenate([each.table["accuracy"] for each in points])
    bottom, top = style.accuracy_window(drawn, accuracies)
    last = max(int(each.group.facts["n_steps"]) for each in points) - 1
    right = max(1.0, min(last, max(2.0, 3 * max(float(rule["mean_step"][0]) for rule in rules))))
    return -0.04 * right, 1.04 * right, 100 * bottom, 100 * top


def whole_window(points: Sequence[LabelPoints]) -> tuple[float, float, float, float]:
    """Return the region that holds every point."""
    last = max(1, max(int(each.group.facts["n_steps"]) for each in points) - 1)
    lowest = 100 * min(float(np.nanmin(each.table["accuracy"])) for each in points)
    highest = 100 * max(float(np.nanmax(each.table["accuracy"])) for each in points)
    margin = max(0.04 * (highest - lowest), 0.5)
    return -0.04 * last, 1.04 * last, lowest - margin, highest + margin


def histogram(number: int, table: Table, highest: float) -> dict[str, Any]:
    """Return the histogram of one label's decision steps, forced decisions apart.

    Args:
        number: of the label.
        table: its rows of the figure ``decision-step-histograms``.
        highest: the tallest bar of all labels, a share.
    """
    from bokeh.models import FixedTicker, HoverTool, Range1d

    n_steps = int(table["n_steps"][0])
    forced = table["forced"].astype(bool)
    position = np.where(forced, n_steps + 0.5, table["step"])
    total = table["right"] + table["wrong"]
    figure = new_figure(230, "Decision step", "Test samples, %", tools="save")
    figure.x_range = Range1d(start=-0.8, end=n_steps + 1.3)
    figure.y_range = Range1d(start=0, end=108 * highest)
    every = max(1, int(np.ceil(n_steps / 6)))
    shown = [step for step in range(0, n_steps, every) if step <= n_steps - max(1, every // 2)]
    figure.xaxis.ticker = FixedTicker(ticks=[*shown, n_steps + 0.5])
    figure.xaxis.major_label_overrides = {n_steps + 0.5: "forced"}
    figure.xgrid.visible = False
    columns = {
        "x": position,
        "right": 100 * table["right"],
        "total": 100 * total,
        "step": [
            "forced" if apart else f"{step:g}" for apart, step in zip(forced, table["step"], strict=True)
        ],
        "share": [f"{100 * value:.2f}" for value in total],
        "accuracy": [
            f"{100 * right / value:.2f}" if value else "-"
            for right, value in zip(table["right"], total, strict=True)
        ],
    }
    bars = source(columns)
    renderers = [
        figure.vbar("x", 0.86, "right", 0, source=bars, line_width=0, name=f"right-{number}"),
        figure.vbar("x", 0.86, "total", "right", source=bars, line_width=0, name=f"wrong-{number}"),
    ]
    tooltips = [("decision step", "@step"), ("samples %", "@share"), ("right of these %", "@accuracy")]
    figure.add_tools(HoverTool(renderers=renderers, tooltips=tooltips, limit=1, visible=False))
    return embedded(figure, f"steps-{number}")


def _draw_curves(figure: Any, points: LabelPoints, number: int, dashes: Any, band: bool) -> None:
    """Draw the sweep, with its band if wanted, the read-out at fixed steps, and the oracle exit."""
    if not points.traced:
        return
    sweep = points.table.where(series=SWEEP)
    x, y, width = sweep["mean_step"], 100 * sweep["accuracy"], 100 * sweep["accuracy_half_width"]
    if band and np.isfinite(width).any():
        shaded = source({"x": x, "low": y - width, "high": y + width})
        figure.varea("x", "low", "high", source=shaded, fill_alpha=0.16, name=f"band-{number}")
    line = source({"x": x, "y": y})
    figure.line("x", "y", source=line, line_width=2, line_dash=dashes, name=f"line-{number}")
    fixed = [forced_at_step(run.trace) for run in points.traced]
    at_step = {"x": fixed[0]["step"], "y": 100 * np.mean([table["accuracy"] for table in fixed], axis=0)}
    figure.line("x", "y", source=source(at_step), line_width=1.2, line_dash="dotted", name=f"fixed-{number}")
    exits = [oracle_exit(run.trace) for run in points.traced]
    oracle = {
        "x": [np.mean([table["step"].mean() for table in exits])],
        "y": [100 * np.mean([table["right"].mean() for table in exits])],
    }
    figure.scatter(
        "x", "y", source=source(oracle), marker="star", size=15, fill_alpha=0, line_width=1.5,
        name=f"oracle-{number}",
    )  # fmt: skip


def _whiskers(figure: Any, rule: Table, number: int) -> None:
    """Draw the intervals of an operating point, if there are any."""
    x, y = float(rule["mean_step"][0]), 100 * float(rule["accuracy"][0])
    across, up = float(rule["mean_step_half_width"][0]), 100 * float(rule["accuracy_half_width"][0])
    if np.isfinite(across) and np.isfinite(up):
        ends = {"x0": [x - across, x], "x1": [x + across, x], "y0": [y, y - up], "y1": [y, y + up]}
        figure.segment("x0", "y0", "x1", "y1", source=source(ends), line_width=1.5, name=f"whiskers-{number}")


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
