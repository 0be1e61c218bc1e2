"""How training went: validation accuracy and decision step, epoch by epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style, time_axis
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import mean_interval
from rc_vs_snn.registry import figures

PANELS = ("valid_accuracy", "valid_mean_step")


@figures.register("training-history")
@dataclass(frozen=True)
class TrainingHistory:
    """Validation accuracy and mean decision step per epoch, one line per seed."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return one row per label, seed and epoch; no rows for runs that were not trained."""
        blocks = []
        for group in groups:
            for run in group.runs:
                history = run.record.history
                if history:
                    columns = {
                        name: np.array([entry[name] for entry in history], dtype=np.float64)
                        for name in PANELS
                    }
                    epochs = np.array([int(entry["epoch"]) for entry in history])
                    rows = Table({"epoch": epochs, **columns})
                    blocks.append(rows.tagged(**group.facts, seed=run.record.seed))
        return stack(blocks)

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: two panels over one epoch axis."""
        # One line per seed, no mean: early stopping ends seeds at different epochs, and a mean over
        # those still running would shift with who is left.
        looks = style.looks(table.distinct("label"))
        datasets = ", ".join(table.distinct("dataset"))
        text = f"{datasets}, validation split; one line per seed, no interval"
        figure = style.new_figure(style.COLUMN_INCHES, 3.2, text)
        panels = figure.subplots(2, 1, sharex=True)
        titles = ("Validation accuracy", time_axis.name())
        for axes, column, title in zip(panels, PANELS, titles, strict=True):
            for label, look in looks.items():
                _draw_label(axes, table.where(label=label), column, label, look)
            axes.set_ylabel(style.upright(title, 1.15))
        last = [mean_interval(table.where(label=label)["valid_accuracy"][-1:]) for label in looks]
        panels[0].set_ylim(style.accuracy_window(table["valid_accuracy"], last))
        figure.align_ylabels(panels)
        style.percent_axis(panels[0])
        panels[1].set_xlabel("Epoch")
        panels[1].xaxis.get_major_locator().set_params(integer=True)
        handles = [
            style.key(
                f"{label} ({_seeds(len(table.where(label=label).distinct('seed')))})",
                color=look.colour, linestyle=look.line, marker=look.marker, markersize=4,
            )
            for label, look in looks.items()
        ]  # fmt: skip
        style.add_legend(figure, handles)
        return figure


def _draw_label(axes: Axes, table: Table, column: str, label: str, look: style.Look) -> None:
    for seed in table.distinct("seed"):
        rows = table.where(seed=seed)
        values = time_axis.when(rows, rows[column]) if column == "valid_mean_step" else rows[column]
        axes.plot(
            rows["epoch"], values,
            color=look.colour, linestyle=look.line, marker=look.marker, markersize=2.5, linewidth=1,
            label=f"{label}, seed {seed}",
        )  # fmt: skip


def _seeds(count: int) -> str:
    return f"{count} seed" if count == 1 else f"{count} seeds"
