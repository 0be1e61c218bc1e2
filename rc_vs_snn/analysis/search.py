"""The figure and the tables of a search: its trials on valid, and what those on the front come to on test."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.figure_options import FigureOptions
from rc_vs_snn.analysis.files import write_all
from rc_vs_snn.analysis.groups import flat
from rc_vs_snn.analysis.statistics.trade_off import pareto_front
from rc_vs_snn.analysis.tables import markdown_table
from rc_vs_snn.analysis.writing import csv_bytes, figure_files
from rc_vs_snn.records import Record
from rc_vs_snn.records.on_valid import ACCURACY, MEAN_STEP, valid_number

NAME = "search"
ON_FRONT = "on_front"
NOTE = (
    "The trials that no other beats on valid in accuracy without deciding later. Test was read for these, "
    "after the search; which of them to take is to be chosen by valid, too. Steps are 0-based."
)


def write_search(
    trials: Sequence[Record],
    front: Sequence[Record],
    keys: Sequence[str],
    out: Path | str,
    options: FigureOptions | None = None,
) -> list[Path]:
    """Write the figure of a search, its trials as CSV, and those of the front as Markdown.

    Args:
        trials: the runs of all trials.
        front: those on the front, judged on test; empty as long as the search goes on.
        keys: the settings that were searched, such as "model.hidden".
        out: the folder, made if missing; files of the same name are replaced.
        options: how figures look.

    Returns:
        The files written; none if no trial was trained.

    Raises:
        InputError: ``out`` cannot be written.
    """
    table = search_table(trials, keys)
    if not np.isfinite(table[ACCURACY]).any():
        return []
    with style.applied(options or FigureOptions()):
        files = figure_files(NAME, table, draw(table))
    files[f"{NAME}.csv"] = csv_bytes(table)
    files[f"{NAME}.md"] = search_markdown(trials, front, keys).encode()
    return write_all(Path(out), files)


def search_table(trials: Sequence[Record], keys: Sequence[str]) -> Table:
    """Return a row per trial: its settings, its numbers on valid (NaN: failed), whether it is on the front.

    Args:
        trials: their runs.
        keys: the settings that were searched.
    """
    settings = [flat(record.config) for record in trials]
    numbers = {name: valid_numbers(trials, name) for name in (ACCURACY, MEAN_STEP)}
    on_front = np.zeros(len(trials), dtype=bool)
    on_front[front_of(trials)] = True
    return Table(
        {
            "label": np.array([record.label for record in trials]),
            "status": np.array([_told(record) for record in trials]),
            **{key: np.array([_value(found, key) for found in settings]) for key in keys},
            **numbers,
            ON_FRONT: on_front,
        }
    )


def front_of(trials: Sequence[Record]) -> list[int]:
    """Return the places of the trials that no other beats on valid, soonest first; of equals the first."""
    return pareto_front(valid_numbers(trials, MEAN_STEP), valid_numbers(trials, ACCURACY)).tolist()


def valid_numbers(trials: Sequence[Record], name: str) -> np.ndarray:
    """Return a number on valid of every trial, ``(n,)``; NaN of those that failed."""
    return np.array([np.nan if each.status == "failed" else valid_number(each, name) for each in trials])


def search_markdown(trials: Sequence[Record], front: Sequence[Record], keys: Sequence[str]) -> str:
    """Return the front as a table to read, and the trials that failed."""
    failed = [f"- {record.label}: {record.reason}" for record in trials if record.status == "failed"]
    header = ["trial", *keys, "valid accuracy %", "valid mean step", "test accuracy %", "test mean step"]
    rows = [
        [
            record.label, *(_value(flat(record.config), key) for key in keys),
            f"{100 * valid_number(record, ACCURACY):.2f}", f"{valid_number(record, MEAN_STEP):.2f}",
            f"{100 * record.metric('accuracy'):.2f}", f"{record.metric('mean_step'):.2f}",
        ]
        for record in front
    ]  # fmt: skip
    parts = [f"# Search: {len(trials)} trials, {len(failed)} failed"]
    parts += [markdown_table(header, rows, 1 + len(keys)), NOTE] if rows else ["The search goes on."]
    return "\n\n".join([*parts, *(["Failed:", "\n".join(failed)] if failed else [])]) + "\n"


@style.applied()
def draw(table: Table) -> Figure:
    """Return accuracy against mean decision step on valid, a point per trial, with the front."""
    look = style.looks(["trials", "front"])
    tried = table.rows(np.isfinite(table[ACCURACY]))
    front = tried.rows(tried[ON_FRONT])
    front = front.rows(np.argsort(front[MEAN_STEP], kind="stable"))
    caption = (
        f"{len(table)} trials, {len(table) - len(tried)} failed; on valid, one training each: what is best "
        "of many there is more than what to expect"
    )
    figure = style.new_figure(style.COLUMN_INCHES, 2.9, caption)
    axes = figure.subplots()
    axes.plot(
        tried[MEAN_STEP], tried[ACCURACY], linestyle="", marker="o", markersize=4, color=style.GREY, alpha=0.6
    )
    axes.plot(
        front[MEAN_STEP], front[ACCURACY], drawstyle="steps-post", color=look["front"].colour, linewidth=1
    )
    axes.plot(
        front[MEAN_STEP], front[ACCURACY], linestyle="", marker="s", markersize=5, color=look["front"].colour,
        markeredgecolor="black", markeredgewidth=0.5,
    )  # fmt: skip
    for label, step, accuracy in zip(front["label"], front[MEAN_STEP], front[ACCURACY], strict=True):
        number = str(label).rpartition(" ")[2]
        axes.annotate(number, (step, accuracy), xytext=(3, -8), textcoords="offset points", fontsize=6)
    axes.set_xlabel("Mean decision step on valid (0-based)")
    axes.set_ylabel("Accuracy on valid")
    style.percent_axis(axes)
    keys = [
        style.key("trial", marker="o", markersize=4, color=style.GREY, linestyle=""),
        style.key("on the front, with its number", marker="s", markersize=5, color=look["front"].colour),
    ]
    style.add_legend(figure, keys)
    return figure


def _told(record: Record) -> str:
    return {"done": "judged on test", "skipped": "judged on valid"}.get(record.status, record.status)


def _value(settings: dict, key: str) -> str:
    """Return a setting as text; of a part that was searched as a whole, its name with its options."""
    if key in settings:
        value = settings[key]
        return f"{value:.6g}" if isinstance(value, float) else str(value)
    parts = [
        (name.removeprefix(f"{key}."), value)
        for name, value in settings.items()
        if name.startswith(f"{key}.")
    ]
    return ", ".join(str(value) if name == "name" else f"{name}={value}" for name, value in parts)
