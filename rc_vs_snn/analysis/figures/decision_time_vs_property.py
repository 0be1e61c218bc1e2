"""What makes a sample take long: decision time against what is known of each sample."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.intervals import mean_over_seeds
from rc_vs_snn.analysis.toy_runs import NOISY_SIGN, SPOTTING, ideal_step, noise_std
from rc_vs_snn.registry import figures

N_BINS = 8
PROPERTIES = {
    "events": "Input events of the sample",
    "length": "Length of the sample (steps)",
    "noise": "Standard deviation of the noise",
    "ideal step": "Step at which the answer is certain",
}
MOST_COLUMNS = 4


@figures.register("decision-time-vs-property")
@dataclass(frozen=True)
class DecisionTimeVsProperty:
    """Decision step and accuracy against input events, length, and a toy problem's noise or ideal step."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return one row per label, property and bin; none of a property that all samples share.

        A property of at most eight values has a bin for each, others have bins of about as many samples.
        """
        blocks = []
        for group in groups:
            per_run = [properties_of(run) for run in group.runs]
            for name in per_run[0]:
                values = [each[name] for each in per_run]
                edges = bin_edges(np.concatenate(values))
                if len(edges):
                    binned = [_binned(run, each, edges) for run, each in zip(group.runs, values, strict=True)]
                    blocks.append(mean_over_seeds(binned).tagged(**group.facts, property=name))
        return stack(blocks)

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: a column per property, decision step above, accuracy below."""
        looks = style.looks(table.distinct("label"))
        names = [name for name in PROPERTIES if name in table.distinct("property")]
        columns = style.side_by_side(len(names), MOST_COLUMNS, 1.7)
        bands = math.ceil(len(names) / columns)
        width = style.COLUMN_INCHES if columns == 1 else style.PAGE_INCHES
        caption = style.caption(table, f"each point one value, or about 1/{N_BINS} of the test samples")
        figure = style.new_figure(width, 0.5 + 2.7 * bands, caption)
        panels = figure.subplots(2 * bands, columns, sharey="row", squeeze=False)
        for place, name in enumerate(names):
            band, column = divmod(place, columns)
            upper, lower = panels[2 * band : 2 * band + 2, column]
            upper.sharex(lower)
            upper.tick_params(labelbottom=False)
            for label, look in looks.items():
                _draw_label(upper, lower, table.where(label=label, property=name), label, look)
            lower.set_xlabel(PROPERTIES[name])
        for axes in panels[2 * bands - 2 :, len(names) - columns * (bands - 1) :].ravel():
            axes.set_axis_off()
        for upper, lower in zip(panels[::2, 0], panels[1::2, 0], strict=True):
            upper.set_ylabel(style.upright(time_axis.name(), 1.15))
            lower.set_ylabel("Test accuracy")
            low, high = lower.get_ylim()
            lower.set_ylim(max(low, -0.03), min(high, 1.03))  # of few seeds a band reaches anywhere
            style.percent_axis(lower)
        figure.align_ylabels(panels[:, 0])
        handles = [
            style.key(label, color=look.colour, linestyle=look.line, marker=look.marker, markersize=4)
            for label, look in looks.items()
        ]
        style.add_legend(figure, handles, min(columns, 2))
        return figure


def _draw_label(upper: Axes, lower: Axes, rows: Table, label: str, look: style.Look) -> None:
    if not len(rows):  # nothing that varies is known of this label's samples
        return
    steps = time_axis.when(rows, rows["mean_step"])
    spread = time_axis.spread(rows, rows["mean_step_half_width"])
    for axes, values, width in (
        (upper, steps, spread), (lower, rows["accuracy"], rows["accuracy_half_width"])
    ):  # fmt: skip
        axes.plot(
            rows["value"], values,
            color=look.colour, linestyle=look.line, marker=look.marker, markersize=3, label=label,
        )  # fmt: skip
        style.band(axes, rows["value"], values, width, look)


def properties_of(run: FinishedRun) -> dict[str, np.ndarray]:
    """Return what is known of each test sample, in the order of the trace: by name, ``(N,)`` each.

    ``events``, the input events of the whole sample (of a code that holds its inputs, at every step again;
    left out where every step has as many), ``length``, its own number of steps, and of the toy problems
    ``noise`` or ``ideal step``.
    """
    trace = run.trace
    found = {"length": trace.lengths.astype(np.float64)}
    events = trace.input_events[:, -1].astype(np.float64)
    if len(np.unique(events / found["length"])) > 1:
        found = {"events": events, **found}
    corpus = run.record.config["dataset"]["name"]
    if corpus == NOISY_SIGN:
        found["noise"] = noise_std(run, trace.ids)
    if corpus == SPOTTING:
        found["ideal step"] = ideal_step(run, trace.ids).astype(np.float64)
    return found


def bin_edges(values: np.ndarray) -> np.ndarray:
    """Return the upper edge of each bin, rising; none where there are fewer than two values, or NaN.

    Args:
        values: of all samples, ``(N,)``.
    """
    if np.isnan(values).any():
        return np.empty(0)
    distinct = np.unique(values)
    if len(distinct) > N_BINS:
        distinct = np.unique(np.quantile(values, np.arange(1, N_BINS + 1) / N_BINS, method="inverted_cdf"))
    return distinct if len(distinct) > 1 else np.empty(0)


def _binned(run: FinishedRun, values: np.ndarray, edges: np.ndarray) -> Table:
    judged = _in_order_of_trace(run)
    place = np.searchsorted(edges, values)
    members = [place == each for each in range(len(edges))]
    right = judged["label"] == judged["true_label"]
    numbers = {
        "value": values, "mean_step": judged["step"], "accuracy": right, "forced": ~judged["decided"]
    }  # fmt: skip
    means = {
        name: np.array([column[rows].mean() if rows.any() else np.nan for rows in members])
        for name, column in numbers.items()
    }
    return Table({**means, "n_binned": np.array([rows.sum() for rows in members])})


def _in_order_of_trace(run: FinishedRun) -> dict[str, np.ndarray]:
    judged = run.record.decisions()
    place = {sample: row for row, sample in enumerate(judged["id"].tolist())}
    rows = [place[sample] for sample in run.trace.ids.tolist()]
    return {name: values[rows] for name, values in judged.items()}
