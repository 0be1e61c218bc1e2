"""The table and the figure of one trained model under every exit."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.exits import AT_END, ORACLE, TracedRun, exits_table, over_seeds
from rc_vs_snn.analysis.files import write_all
from rc_vs_snn.analysis.tables import markdown_table
from rc_vs_snn.analysis.writing import figure_files

NAME = "exits"


def write_exits(runs: Sequence[TracedRun], out: Path | str, loss: float) -> list[Path]:
    """Write table (Markdown, CSV) and figure (PNG, SVG, PDF) of runs under every exit.

    Args:
        runs: see ``exits_table``.
        out: the folder, made if missing; files of the same name are replaced.
        loss: the accuracy budget on valid, a share in [0, 1).

    Returns:
        The files written.

    Raises:
        InputError: a trace without readouts, or ``out`` cannot be written.
    """
    table = exits_table(runs, loss)
    files = figure_files(NAME, table, draw(table))
    files[f"{NAME}.md"] = markdown(table).encode()
    return write_all(Path(out), files)


def markdown(table: Table) -> str:
    """Return one row per exit and, for each corpus and model, accuracy, its change and the mean step."""
    spread = over_seeds(table)
    sets = list(dict.fromkeys((dataset, label) for dataset, label, _ in spread))
    parts = []
    for dataset, label in sets:
        rows = []
        for name in table.distinct("exit"):
            point = spread.get((dataset, label, name))
            if point is None:
                continue
            rows.append(
                [
                    name,
                    point["accuracy"].spell(2, 100),
                    point["change"].spell(2, 100),
                    point["mean_step"].spell(2),
                    point["coverage"].spell(1, 100),
                ]
            )
        header = ["exit", "accuracy %", "change (points)", "mean step", "decided %"]
        seeds = len(table.where(dataset=dataset, label=label).distinct("seed"))
        parts += [f"{label}, {dataset}, {seeds} seed{'s' * (seeds > 1)}:", markdown_table(header, rows, 1)]
    budget = 100 * table["budget"][0]
    notes = (
        f"Each exit was set on valid to decide as soon as a loss of {budget:g} points against the end of the "
        "sequence allows, and read once on test; change is against that end on test. Steps are 0-based. "
        "±: 95 % t-interval over seeds. -: no setting keeps the budget on valid."
    )
    return "\n\n".join([*parts, notes]) + "\n"


@style.applied()
def draw(table: Table) -> Figure:
    """Return a row of dots per exit: how soon on the left, what it costs in accuracy on the right."""
    datasets, labels = table.distinct("dataset"), table.distinct("label")
    exits = [name for name in table.distinct("exit") if name != AT_END]
    budget = 100 * table["budget"][0]
    counts = " / ".join(
        f"{dataset}: {len(table.where(dataset=dataset).distinct('seed'))} seed(s)" for dataset in datasets
    )
    caption = (
        f"{counts}; each exit set on valid for a loss of at most {budget:g} points against the end of the "
        "sequence, read on test; bars: 95 % t-interval over seeds where there are several"
    )
    figure = style.new_figure(style.PAGE_INCHES, 0.9 + 0.17 * len(exits) * len(datasets), caption)
    grid = figure.subplots(len(datasets), 2, sharey="row", squeeze=False)
    looks, spread = style.looks(labels), over_seeds(table)
    for row, dataset in enumerate(datasets):
        here = [label for label in labels if len(table.where(dataset=dataset, label=label))]
        for axes, measure, scale in ((grid[row, 0], "mean_step", 1), (grid[row, 1], "change", 100)):
            for at, label in enumerate(here):
                shift = (at - (len(here) - 1) / 2) * 0.6 / max(len(here), 1)
                points = [spread.get((dataset, label, name)) for name in exits]
                _dots(axes, points, measure, scale, shift, looks[label])
        _finish(grid[row, 0], grid[row, 1], dataset, exits, budget)
    handles = [
        style.key(label, color=look.colour, marker=look.marker, markersize=5, linestyle="")
        for label, look in looks.items()
    ]
    style.add_legend(figure, handles, n_columns=2)
    return figure


def _dots(axes: Axes, points: Sequence, measure: str, scale: float, shift: float, look: style.Look) -> None:
    for place, point in enumerate(points):
        value = None if point is None else point[measure]
        if value is None or value.mean != value.mean:
            continue
        axes.errorbar(
            [value.mean * scale], [place + shift],
            xerr=None if value.half_width is None else value.half_width * scale,
            fmt=look.marker, color=look.colour, markersize=4, elinewidth=0.8, capsize=1.5,
        )  # fmt: skip


def _finish(steps: Axes, change: Axes, dataset: str, exits: Sequence[str], budget: float) -> None:
    steps.set_yticks(range(len(exits)), [name if name != ORACLE else f"{name} (bound)" for name in exits])
    steps.set_ylim(len(exits) - 0.4, -0.6)
    steps.set_title(style.plain(dataset), loc="left")
    steps.set_xlim(left=0)
    steps.set_xlabel("Mean decision step on test\n(0-based)")
    change.axvline(0, color=style.GREY, linewidth=0.8)
    change.axvline(-budget, color=style.GREY, linewidth=0.8, linestyle=":")
    change.set_xlabel("Change of test accuracy against the\nend (points; dotted: the budget)")
