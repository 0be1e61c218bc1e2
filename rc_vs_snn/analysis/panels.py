"""Figures of several panels, laid side by side or below one another as the options leave room for."""

import math
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style


class Panels(NamedTuple):
    """A figure and its panels, row by row.

    Attributes:
        figure: the whole.
        axes: the panels, as many as were asked for.
        left: those at the left edge, which name a shared vertical axis.
        lowest: the last of every column, which name a shared horizontal axis.
    """

    figure: Figure
    axes: list[Axes]
    left: list[Axes]
    lowest: list[Axes]


def panels(
    count: int,
    caption: str,
    *,
    inches: float,
    above: float = 0.7,
    most: int = 2,
    least_inches: float = style.PANEL_INCHES,
    share: str = "",
) -> Panels:
    """Return a figure of panels of one size.

    Args:
        count: how many panels.
        caption: see `style.new_figure`.
        inches: height of a row of panels.
        above: what the caption and the names of the lowest axes take.
        most: how many panels may lie side by side.
        least_inches: how narrow a panel may become.
        share: the axes that all panels share: "", "x", "y" or "xy".
    """
    columns = style.side_by_side(count, most, least_inches)
    rows = math.ceil(count / columns)
    width = style.PAGE_INCHES if columns > 1 else style.COLUMN_INCHES
    figure = style.new_figure(width, above + inches * rows, caption)
    grid = figure.subplots(rows, columns, sharex="x" in share, sharey="y" in share, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.set_axis_off()
    lowest = grid[max(0, count - columns) : count]
    for axes in lowest:
        axes.tick_params(labelbottom=True)  # also where the place below it is empty
    return Panels(figure, list(grid[:count]), list(grid[:count:columns]), list(lowest))
