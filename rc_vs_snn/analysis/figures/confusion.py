"""What is taken for what, at the decision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import percent_decimals
from rc_vs_snn.analysis.panels import panels
from rc_vs_snn.registry import figures

MOST_NUMBERED = 12
"""Up to so many classes the counts are written into the cells."""
SHADES = "Greys"
# A good model's errors are fractions of a per cent: in proportion they would all be white.
NORM = PowerNorm(0.4, 0, 1)


@figures.register("confusion")
@dataclass(frozen=True)
class Confusion:
    """How often each class was decided for each: a panel per label, all seeds counted together."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return one row per label, true and decided class: samples, and their share of the true class."""
        judged = [[run.record.decisions() for run in group.runs] for group in groups]
        n_classes = 1 + max(
            int(each[name].max()) for runs in judged for each in runs for name in ("true_label", "label")
        )
        return stack(
            [
                _counts(runs, n_classes).tagged(**group.facts)
                for group, runs in zip(groups, judged, strict=True)
            ]
        )

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: darker is more often, not in proportion, so that rare confusions are seen."""
        labels = table.distinct("label")
        n_classes = len(table.distinct("true_label"))
        what = "number: samples" if n_classes <= MOST_NUMBERED else "numbers in the CSV"
        caption = style.caption(
            table, f"all seeds counted together; shade: share of the true class, {what}", intervals=False
        )
        laid = panels(len(labels), caption, inches=min(3.3, 1.1 + 0.25 * n_classes))
        for axes, label in zip(laid.axes, labels, strict=True):
            right = _draw_label(axes, table.where(label=label), n_classes)
            axes.set_title(f"{style.title(label, laid.figure, len(laid.lowest))}\n{right}", loc="left")
        for axes in laid.left:
            axes.set_ylabel("True class")
        return laid.figure


def _counts(runs: Sequence[dict[str, np.ndarray]], n_classes: int) -> Table:
    counts = np.zeros((n_classes, n_classes), np.int64)  # (true, decided)
    for each in runs:
        np.add.at(counts, (each["true_label"], each["label"]), 1)
    of_true = counts.sum(axis=1, keepdims=True)
    true, decided = np.indices(counts.shape)
    with np.errstate(invalid="ignore"):  # no sample of a class: no share
        share = counts / of_true
    return Table(
        {
            "true_label": true.ravel(),
            "decided_label": decided.ravel(),
            "count": counts.ravel(),
            "share": share.ravel(),
        }
    )


def _draw_label(axes: Axes, rows: Table, n_classes: int) -> str:
    """Draw the matrix and return how much of it is right."""
    counts, shares = (rows[name].reshape(n_classes, n_classes) for name in ("count", "share"))
    edges = np.arange(n_classes + 1) - 0.5
    axes.pcolormesh(
        edges, edges, np.nan_to_num(shares), cmap=SHADES, norm=NORM, edgecolors="face", linewidth=0.1
    )
    if n_classes <= MOST_NUMBERED:
        for (true, decided), count in np.ndenumerate(counts):
            if count:
                dark = NORM(shares[true, decided]) > 0.55
                axes.text(
                    decided, true, f"{count}", ha="center", va="center", fontsize=5.5,
                    color="white" if dark else "black",
                )  # fmt: skip
    size = 7 if n_classes <= MOST_NUMBERED else 4.5 if n_classes <= 40 else 3
    axes.set_xticks(range(n_classes))
    axes.set_yticks(range(n_classes))
    axes.tick_params(labelsize=size, length=1.5, pad=1.5)
    if n_classes > MOST_NUMBERED:
        axes.tick_params(axis="x", rotation=90)
    axes.set_xlabel("Decided class")
    axes.set_ylim(n_classes - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.grid(visible=False)
    if n_classes > MOST_NUMBERED:
        axes.grid(linewidth=0.2)
    axes.spines[["top", "right"]].set_visible(True)
    right = 100 * counts.trace() / counts.sum()
    return f"{right:.{percent_decimals(int(rows['n_samples'][0]))}f} % right"
