"""How every figure looks: sizes, colours that survive grey print, captions, axis windows."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from rc_vs_snn.analysis.captions import caption
from rc_vs_snn.analysis.figure_options import FigureOptions
from rc_vs_snn.analysis.intervals import Interval
from rc_vs_snn.analysis.texts import plain, wrapped
from rc_vs_snn.analysis.windows import accuracy_window, percent_axis

__all__ = [
    "COLUMN_INCHES", "GREY", "PAGE_INCHES", "STYLE", "Look", "accuracy_window", "add_legend", "applied",
    "band", "caption", "key", "looks", "new_figure", "operating_mark", "options", "percent_axis", "plain",
    "side_by_side", "title", "upright", "width_of", "wrapped",
]  # fmt: skip

COLUMN_INCHES = 3.5  # one column of a two-column paper
PAGE_INCHES = 7.0
GREY = "0.35"
PANEL_INCHES = 2.2  # narrower, and panels are better put below one another
NARROWEST_ENTRY = 0.8  # inches of a legend's column
CAPTION_SIZE = 6.5 / 8  # of the style's font size

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same layout everywhere
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "rc_vs_snn",  # element ids do not change from write to write
    "pdf.fonttype": 42,  # embedded TrueType
}

# Okabe and Ito's palette without its yellow, which is lost on white paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")  # one more than colours: a pair comes again after 56
# What no style sheet may change: the same bytes from write to write, and a width that is kept to.
FIXED: dict[Any, Any] = {"svg.hashsalt": STYLE["svg.hashsalt"], "savefig.bbox": None, "pgf.rcfonts": False}
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1)), (0, (8, 1.5)))

_lock = threading.RLock()
_DEFAULT = FigureOptions()
_options: ContextVar[FigureOptions | None] = ContextVar("figure options", default=None)


class Look(NamedTuple):
    """How one label is drawn: colour, marker and line style, each enough to tell labels apart."""

    colour: str
    marker: str
    line: Any


@contextmanager
def applied(chosen: FigureOptions | None = None) -> Iterator[None]:
    """Apply the style. Usable as a decorator; holds a lock, since matplotlib's settings are global.

    Args:
        chosen: options that hold inside; by default those that hold outside, so that a figure's ``draw``
            takes what its caller has chosen.
    """
    token = None if chosen is None else _options.set(chosen)
    try:
        settings: dict[Any, Any] = {**STYLE, **dict[Any, Any](options().settings), **FIXED}
        with _lock, mpl.rc_context(settings):
            yield
    finally:
        if token is not None:
            _options.reset(token)


def options() -> FigureOptions:
    """Return the options that hold here."""
    return _options.get() or _DEFAULT


def looks(labels: Sequence[str]) -> dict[str, Look]:
    """Return the look of every label, stable by their order; from the style sheet's cycle if it has one."""
    given = options().settings.get("axes.prop_cycle")
    cycle = {} if given is None else given.by_key()
    of = [
        itertools.cycle(cycle.get(name) or ours)
        for name, ours in (("color", COLOURS), ("marker", MARKERS), ("linestyle", LINES))
    ]
    return {label: Look(*look) for label, look in zip(labels, zip(*of, strict=False), strict=False)}


def side_by_side(panels: int, most: int = 2, least_inches: float = PANEL_INCHES) -> int:
    """Return how many panels of a figure are to lie side by side.

    Args:
        panels: how many there are.
        most: how many may.
        least_inches: how narrow one may become.
    """
    chosen = options()
    wanted = min(panels, most)
    if chosen.columns is not None:
        return wanted if chosen.columns > 1 else 1
    return wanted if chosen.inches is None else max(1, min(wanted, int(chosen.inches / least_inches)))


def width_of(own: float) -> float:
    """Return the width of a figure in inches: the one asked for, or that of its columns, or its own."""
    chosen = options()
    by_columns = {None: own, 1: COLUMN_INCHES, 2: PAGE_INCHES}[chosen.columns]
    return by_columns if chosen.inches is None else chosen.inches


def new_figure(width: float, height: float, caption: str) -> Figure:
    """Return an empty figure with its caption line on top; no pyplot, no global state.

    Args:
        width: in inches, where the options name none.
        height: in inches, without a legend and for a caption of two lines.
        caption: what the numbers rest on (data, samples, seeds, intervals).
    """
    width = width_of(width)
    size = CAPTION_SIZE * mpl.rcParams["font.size"]
    lines = wrapped(caption, 0.98 * width, size)
    more = max(0, lines.count("\n") - 1) * 1.25 * size / 72
    figure = Figure(figsize=(width, height + more), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(lines, x=0.01, ha="left", fontsize=size, color=GREY)
    return figure


def title(label: str, figure: Figure, columns: int) -> str:
    """Return a label in lines that fit over one of some panels side by side in a figure."""
    size = FontProperties(size=mpl.rcParams["axes.titlesize"]).get_size_in_points()
    return wrapped(label, figure.get_figwidth() / columns - 0.35, size)


def upright(name: str, inches: float) -> str:
    """Return the name of a vertical axis of a height in inches, in lines that fit along it."""
    return wrapped(name, inches, FontProperties(size=mpl.rcParams["axes.labelsize"]).get_size_in_points())


def add_legend(figure: Figure, handles: Sequence[Artist], n_columns: int = 1) -> None:
    """Put the legend below the axes, where it covers no data; long labels are wrapped.

    The figure grows by the legend's height, so that many models leave the axes their size. It has as many
    columns as fit with every label in one line, or else ``n_columns``, or one for a column of a page, if they
    fit with labels in two lines.
    """
    n_columns = min(len(handles), max(n_columns, int(figure.get_figwidth() / COLUMN_INCHES + 0.1)))
    most = min(len(handles), max(n_columns, int(figure.get_figwidth() / NARROWEST_ENTRY)))
    size = FontProperties(size=mpl.rcParams["legend.fontsize"]).get_size_in_points()
    room = figure.get_figwidth() - 0.15  # what matplotlib keeps free at both sides
    labels = [str(handle.get_label()) for handle in handles]
    tries = [(columns, [plain(label) for label in labels]) for columns in range(most, 1, -1)]
    for columns in range(n_columns, 0, -1):
        beside = (3 + 0.8 + 2.0 * (columns > 1)) * size / 72  # the handle, its pad, the gap between columns
        texts = [wrapped(label, room / columns - beside, size) for label in labels]
        if columns == 1 or max(text.count("\n") for text in texts) <= 1:
            tries.append((columns, texts))
    for columns, texts in tries:
        legend = figure.legend(handles, texts, loc="outside lower left", ncols=columns, handlelength=3)
        extent = legend.get_window_extent()
        if extent.width <= room * figure.dpi or (columns, texts) == tries[-1]:
            figure.set_figheight(figure.get_figheight() + extent.height / figure.dpi)
            return
        legend.remove()


def key(label: str, **properties: Any) -> Line2D:
    """Return a legend entry."""
    return Line2D([], [], label=label, **properties)


def band(axes: Axes, x: np.ndarray, mean: np.ndarray, half_width: np.ndarray, look: Look) -> None:
    """Shade an interval around a curve, if there is one (NaN: a single seed)."""
    if np.isfinite(half_width).any():
        axes.fill_between(x, mean - half_width, mean + half_width, color=look.colour, alpha=0.18, linewidth=0)


def operating_mark(
    axes: Axes, x: Interval, y: Interval, look: Look, *, size: float = 8.0, label: str | None = None
) -> Line2D:
    """Draw a marker at an operating point.

    Args:
        axes: where.
        x: its horizontal place, with bars for the interval if there is one.
        y: its vertical place, likewise.
        look: of its label.
        size: of the marker, in points; big by default.
        label: what the mark is called, if anything.

    Returns:
        The marker.
    """
    drawn = axes.errorbar(
        [x.mean], [y.mean], xerr=x.half_width, yerr=y.half_width,
        fmt=look.marker, color=look.colour, markersize=size, markeredgecolor="black",
        markeredgewidth=0.1 * size, ecolor="black", elinewidth=0.8, capsize=2, zorder=5, label=label,
    )  # fmt: skip
    line: Line2D = drawn.lines[0]
    return line
