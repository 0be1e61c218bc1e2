"""How every figure looks: sizes, colours that survive grey print, captions, axis windows."""

import itertools
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.intervals import CONFIDENCE, Interval
from rc_vs_snn.analysis.layout import SettledLayout

COLUMN_INCHES = 3.5  # one column of a two-column paper
PAGE_INCHES = 7.0
GREY = "0.35"

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
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1)), (0, (8, 1.5)))

_lock = threading.RLock()


class Look(NamedTuple):
    """How one label is drawn: colour, marker and line style, each enough to tell labels apart."""

    colour: str
    marker: str
    line: Any


@contextmanager
def applied() -> Iterator[None]:
    """Apply the style. Usable as a decorator; holds a lock, since matplotlib's settings are global."""
    with _lock, mpl.rc_context(STYLE):
        yield


def looks(labels: Sequence[str]) -> dict[str, Look]:
    """Return the look of every label, stable by their order."""
    cycle = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS), itertools.cycle(LINES), strict=False)
    return {label: Look(*look) for label, look in zip(labels, cycle, strict=False)}


def new_figure(width: float, height: float, caption: str) -> Figure:
    """Return an empty figure with its caption line on top; no pyplot, no global state.

    Args:
        width: in inches.
        height: in inches, without a legend.
        caption: what the numbers rest on (data, samples, seeds, intervals).
    """
    figure = Figure(figsize=(width, height), layout=SettledLayout())
    FigureCanvasAgg(figure)
    lines = "\n".join(textwrap.wrap(caption, width=int(width * 20)))
    figure.suptitle(plain(lines), x=0.01, ha="left", fontsize=6.5, color=GREY)
    return figure


def add_legend(figure: Figure, handles: Sequence[Artist], n_columns: int = 1) -> None:
    """Put the legend below the axes, where it covers no data; long labels are wrapped.

    The figure grows by the legend's height, so that many models leave the axes their size. There are fewer
    columns where as many do not fit.
    """
    width = int(figure.get_figwidth() / n_columns * 17)
    labels = [plain(textwrap.fill(str(handle.get_label()), width=width)) for handle in handles]
    legend = figure.legend(handles, labels, loc="outside lower left", ncols=n_columns, handlelength=3)
    room = (figure.get_figwidth() - 0.15) * figure.dpi  # what matplotlib keeps free at both sides
    if n_columns > 1 and legend.get_window_extent().width > room:
        legend.remove()
        add_legend(figure, handles, n_columns - 1)
        return
    figure.set_figheight(figure.get_figheight() + legend.get_window_extent().height / figure.dpi)


def plain(text: str) -> str:
    """Return text a user chose so that matplotlib does not read a formula into its dollar signs."""
    return text.replace("$", r"\$")


def key(label: str, **properties: Any) -> Line2D:
    """Return a legend entry."""
    return Line2D([], [], label=label, **properties)


def caption(table: Table, extra: str = "", *, intervals: bool = True) -> str:
    """Return the caption line: data, number of samples, steps and seeds, and what an interval is.

    Args:
        table: with the columns of `runs.Group.facts`.
        extra: what else a reader needs to know.
        intervals: whether the figure draws intervals where there are several seeds.
    """
    datasets = ", ".join(table.distinct("dataset"))
    samples = " / ".join(f"{n:,}" for n in table.distinct("n_samples"))
    steps = " / ".join(map(str, table.distinct("n_steps")))
    counts = {label: table.where(label=label).distinct("n_seeds")[0] for label in table.distinct("label")}
    if len(set(counts.values())) > 1:
        seeds = "mean over seeds, n = " + ", ".join(f"{n} ({label})" for label, n in counts.items())
        basis = f"{CONFIDENCE:.0%} t-interval over seeds, none for n = 1".replace("%", " %")
    else:
        n = next(iter(counts.values()))
        seeds = f"mean over n = {n} seeds" if n > 1 else "n = 1 seed, no interval"
        basis = Interval(0.0, 0.0, n).basis if n > 1 else ""
    drawn = f"bands and bars: {basis}" if intervals and basis else ""
    parts = [f"{datasets}: {samples} test samples, T = {steps}", seeds, drawn, extra]
    return "; ".join(part for part in parts if part)


def percent_axis(axes: Axes, axis: str = "y") -> None:
    """Label an axis of shares in per cent."""
    getattr(axes, f"{axis}axis").set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.5g} %"))


def accuracy_window(
    drawn: np.ndarray, operating: Sequence[Interval], reach: float = 6.0
) -> tuple[float, float]:
    """Return the accuracy range worth drawing, (bottom, top).

    Near the top, models differ by fractions of a per cent that an axis from 0 would hide. The
    window reaches down to the lowest value drawn, but no further than to ``reach`` times the errors of
    the worst operating point; the CSV beside the figure holds what lies below. It reaches up to the
    highest value or bar drawn, but not beyond 100 %.

    Args:
        drawn: every accuracy of the figure; NaN is ignored.
        operating: the accuracies of the operating points.
        reach: how many times the errors of the worst of them.
    """
    finite = drawn[np.isfinite(drawn)]
    ends = [
        (point.mean - (point.half_width or 0), point.mean + (point.half_width or 0)) for point in operating
    ]
    worst_error = max(1 - min(point.mean for point in operating), 0.005)
    bottom = max(float(finite.min()), 1 - reach * worst_error)
    top = min(max(float(finite.max()), *(high for _, high in ends)), 1.0)
    bottom = min(bottom, top - 0.01, *(low for low, _ in ends))
    margin = 0.07 * (top - bottom)  # half a marker
    return bottom - margin, top + margin


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
