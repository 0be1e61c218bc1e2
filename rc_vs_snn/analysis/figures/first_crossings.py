"""Raster of decisions beside the step at which the answer is certain (spotting)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.intervals import mean_interval
from rc_vs_snn.analysis.panels import panels
from rc_vs_snn.analysis.toy_runs import SPOTTING, groups_on, ideal_step
from rc_vs_snn.registry import figures

N_DRAWN = 150  # sequences, the first by id


@figures.register("first-crossings")
@dataclass(frozen=True)
class FirstCrossings:
    """First crossings against the ideal step, sequence by sequence, drawn of the toy problem spotting."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return one row per label and drawn sequence, by ideal step; none of other corpora.

        ``lag`` is the mean over all test sequences and seeds of decision less ideal step, ``lag_present``
        over those with a run; the drawn sequences are those of the first seed.
        """
        blocks = []
        for group in groups_on(SPOTTING, groups):
            lags = [_lags(run) for run in group.runs]
            over_all = mean_interval([float(lag.mean()) for lag, _ in lags])
            present = mean_interval([float(lag[has_run].mean()) for lag, has_run in lags])
            rows = _crossings(group.runs[0])
            blocks.append(
                rows.tagged(
                    **group.facts,
                    seed=group.runs[0].record.seed,
                    lag=over_all.mean, lag_half_width=_width(over_all.half_width),
                    lag_present=present.mean, lag_present_half_width=_width(present.half_width),
                    accuracy=group.interval("accuracy").mean,
                )
            )  # fmt: skip
        return stack(blocks)

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: one panel per label, a dot per sequence."""
        looks = style.looks(table.distinct("label"))
        extra = f"dots: {N_DRAWN} test sequences of seed {table['seed'][0]}, sorted by their ideal step"
        caption = style.caption(table, extra, intervals=False)
        laid = panels(len(looks), caption, inches=2.0, share="xy")
        for axes, (label, look) in zip(laid.axes, looks.items(), strict=True):
            rows = table.where(label=label)
            _draw_label(axes, rows, look)
            axes.set_title(style.title(_text(rows, label), laid.figure, len(laid.lowest)), loc="left")
        laid.axes[0].set_xlim(-0.5, max(table["n_steps"]) - 0.5)
        for axes in laid.left:
            axes.set_ylabel("Sequence")
        for axes in laid.lowest:
            axes.set_xlabel("Step (0-based)")
        style.add_legend(
            laid.figure,
            [
                style.key("ideal step: the answer is certain", color=style.GREY, linewidth=1),
                style.key("first crossing, right", color="0.5", linestyle="", marker="o", markersize=3),
                style.key("first crossing, wrong", color="black", linestyle="", marker="x", markersize=4),
            ],
            3,
        )
        return laid.figure


def _crossings(run: FinishedRun) -> Table:
    decisions = run.record.decisions()
    first = np.argsort(decisions["id"], kind="stable")[:N_DRAWN]
    ids = decisions["id"][first]
    ideal = ideal_step(run, ids)
    order = np.argsort(ideal, kind="stable")
    right = decisions["label"] == decisions["true_label"]
    return Table(
        {
            "id": ids[order],
            "ideal_step": ideal[order],
            "step": decisions["step"][first][order],
            "decided": decisions["decided"][first][order],
            "right": right[first][order],
        }
    )


def _lags(run: FinishedRun) -> tuple[np.ndarray, np.ndarray]:
    decisions = run.record.decisions()
    return decisions["step"] - ideal_step(run, decisions["id"]), decisions["true_label"] == 1


def _width(half_width: float | None) -> float:
    return math.nan if half_width is None else half_width


def _text(rows: Table, label: str) -> str:
    if style.options().values == "table":
        return label
    return f"{label}: {100 * rows['accuracy'][0]:.2f} %, mean lag {rows['lag'][0]:.2f} steps"


def _draw_label(axes: Axes, rows: Table, look: style.Look) -> None:
    place = np.arange(len(rows))
    axes.step(rows["ideal_step"], place, where="post", color=style.GREY, linewidth=1, label="ideal")
    for right, marker, colour in ((True, "o", look.colour), (False, "x", "black")):
        drawn = rows["right"] == right
        axes.plot(
            rows["step"][drawn], place[drawn],
            linestyle="", marker=marker, color=colour, markersize=2.5, label="right" if right else "wrong",
        )  # fmt: skip
