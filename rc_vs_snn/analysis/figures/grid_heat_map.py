"""Two axes of a grid at once: accuracy on valid and on test, and the decision step, in cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.axes import run_grid
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.grid_table import BEST, point_rows
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.panels import panels
from rc_vs_snn.records.on_valid import ACCURACY
from rc_vs_snn.registry import figures

COLOURS = "cividis"  # read alike by the colour-blind, and grey in order
DARK_BELOW = 0.5
MOST_LETTERS = 14  # of a value beside its row
NOTE = "steps are 0-based; framed: best accuracy on valid of each model, where it is among these"


@figures.register("grid-heat-map")
@dataclass(frozen=True)
class GridHeatMap:
    """Valid and test accuracy and the mean decision step of every point of two axes, panels by the others.

    Only for grids of at least two axes, not counting models and corpora.
    """

    def table(self, groups: Sequence[Group]) -> Table:
        """Return a row per point that lies in a plane of two axes; empty where there are no two."""
        grid = run_grid(groups)
        if len(grid.varied) < 2:
            return Table({})
        ordered = sorted(grid.varied, key=lambda axis: (axis.numbers is None, -len(axis.values)))
        across, up = ordered[:2]
        rest = grid.others(across, up)
        rows = []
        for place, row in enumerate(point_rows(groups, grid)):
            told = {
                "panel": ", ".join(axis.told(place) for axis in rest if axis.text(place) != "default"),
                "x_axis": across.name, "x": across.places[place], "x_value": across.text(place),
                "y_axis": up.name, "y": up.places[place], "y_value": up.text(place),
            }  # fmt: skip
            rows.append(row.tagged(**told))
        whole = stack(rows)
        planes = [whole.where(panel=panel) for panel in whole.distinct("panel")]
        return stack([plane for plane in planes if min(len(plane.distinct(name)) for name in "xy") > 1])

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: a row per panel, a column per number."""
        numbers = {ACCURACY: "Valid accuracy", "accuracy": "Test accuracy", "mean_step": "Test mean step"}
        if time_axis.in_ms():
            numbers["mean_step"] = "Test mean time (ms)"
        if not np.isfinite(table[ACCURACY]).any():
            del numbers[ACCURACY]
        planes = table.distinct("panel")
        inches = 0.7 + 0.28 * len(table.distinct("y"))
        laid = panels(
            len(planes) * len(numbers), style.caption(table, NOTE, intervals=False), inches=inches,
            most=len(numbers), least_inches=1.9,
        )  # fmt: skip
        places = iter(laid.axes)
        for plane in planes:
            for name, title in numbers.items():
                axes = next(places)
                _draw_cells(axes, table, table.where(panel=plane), name)
                said = f"{plane}: {title}" if plane else title
                axes.set_title(style.title(said, laid.figure, len(laid.lowest)), loc="left")
                axes.tick_params(labelleft=axes in laid.left)
                if axes in laid.left:
                    axes.set_ylabel(table["y_axis"][0])
                if axes in laid.lowest:
                    axes.set_xlabel(table["x_axis"][0])
        return laid.figure


def _draw_cells(axes: Axes, table: Table, plane: Table, name: str) -> None:
    """Draw one number of a plane; its colours span what the figure has of it."""
    columns, rows = (
        dict(sorted(zip(table[at].tolist(), table[f"{at}_value"].tolist(), strict=True))) for at in ("x", "y")
    )
    values, here = (
        time_axis.each(each, name)[0] if name == "mean_step" else each[name] for each in (table, plane)
    )
    low, high = np.nanmin(values), np.nanmax(values)
    cells = np.full((len(rows), len(columns)), np.nan)
    place = {"x": list(columns), "y": list(rows)}
    for x, y, value, best in zip(plane["x"], plane["y"], here, plane[BEST], strict=True):
        column, row = place["x"].index(x), place["y"].index(y)
        cells[row, column] = value
        if np.isnan(value):
            continue
        shade = (value - low) / (high - low) if high > low else 1.0
        said = f"{value:.2f}" if name == "mean_step" else f"{100 * value:.1f} %"
        axes.text(
            column,
            row,
            said,
            ha="center",
            va="center",
            fontsize=6,
            color="white" if shade < DARK_BELOW else "black",
        )
        if best:
            axes.add_patch(
                Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor="red", linewidth=1.5)
            )
    axes.imshow(
        cells, cmap=COLOURS, vmin=low, vmax=high, aspect="auto", origin="lower", interpolation="nearest"
    )
    axes.grid(visible=False)
    axes.set_xticks(range(len(columns)), [_short(text) for text in columns.values()])
    axes.set_yticks(range(len(rows)), [_short(text) for text in rows.values()])


def _short(text: str) -> str:
    return style.plain(text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…")
