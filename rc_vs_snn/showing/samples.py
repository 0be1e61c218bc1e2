"""The hardest and the earliest test samples of a run, with what had come in when each was decided."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.records import Record
from rc_vs_snn.showing.codes import OneCode
from rc_vs_snn.showing.drawing import draw_sample, draw_seen
from rc_vs_snn.showing.files import beside, write_shown
from rc_vs_snn.showing.subjects import OpenRun, Subject, open_run

HARDEST, EARLIEST = "hardest", "earliest"
MOST = 12
COLUMNS = {True: 6, False: 3}
"""In a page's width, of pictures and of what is drawn over time."""


def show_samples(
    run: Record, out: Path | None = None, execution: Execution | None = None, *, count: int = 6
) -> list[Path]:
    """Draw the hardest and the earliest test samples of a run.

    Args:
        run: a finished run with its decisions.
        out: folder of the files; None: ``figures`` beside the run folder.
        execution: device, threads, data root, trust.
        count: how many of either, 1 to 12.

    Returns:
        The files: the figure as PNG, SVG and PDF, and what was decided about these samples as CSV.

    Raises:
        InputError: no corpus or decisions, code that is not trusted, or a count out of range.
    """
    if not 1 <= count <= MOST:
        raise InputError(f"count must lie in 1..{MOST}, got {count}")
    with open_run(run, execution or Execution()) as opened:
        chosen = chosen_samples(opened.decisions(), count)
        subjects = {each.id: each for each in opened.subjects(sorted(set(chosen["id"].tolist())))}
        codes = [subjects[each].code for each in chosen["id"].tolist()]
        table = Table({**chosen.columns, **_events(codes, chosen["step"])})
        figure = draw_samples(opened, table, subjects)
        return write_shown(figure, table, out or beside(run), f"samples-{run.folder.name}")


def chosen_samples(decisions: Mapping[str, np.ndarray], count: int) -> Table:
    """Return the hardest and the earliest samples, ``count`` of each or all there are.

    The hardest are those that no spike decided, then the latest, and among equals those of the least
    evidence at the decision. The earliest are those decided first, and among equals those of the most
    evidence. What is still equal is in the order of ids.

    Returns:
        The columns ``series``, ``id``, ``true_label``, ``label``, ``step``, ``decided``, ``evidence``.
    """
    step, evidence = decisions["step"].astype(np.int64), decisions["evidence"].astype(np.float64)
    ids, decided = decisions["id"], decisions["decided"]
    orders = {
        HARDEST: np.lexsort((ids, evidence, -step, decided)),
        EARLIEST: np.lexsort((ids, -evidence, step, ~decided)),
    }
    names = ("id", "true_label", "label", "step", "decided", "evidence")
    whole = Table({name: decisions[name] for name in names})
    return stack([whole.rows(order[:count]).tagged(series=name) for name, order in orders.items()])


@style.applied()
def draw_samples(opened: OpenRun, table: Table, subjects: Mapping[int, Subject]) -> Figure:
    """Return the figure: for the hardest and the earliest, the sample above and what was seen of it below."""
    count = max(len(table.where(series=name)) for name in (HARDEST, EARLIEST))
    pictures = next(iter(subjects.values())).code.pixels
    columns = min(count, COLUMNS[pictures])
    bands = -(-count // columns)
    caption = (
        f"{opened.title}: test samples, above as they are, below what had come in when they were decided"
        f"{'' if pictures else ' (pale: what came later)'}; hardest: undecided, then latest, then of least "
        "evidence; earliest: of most evidence among the first; bold: wrong"
    )
    width = style.PAGE_INCHES * columns / COLUMNS[pictures]
    figure = style.new_figure(max(width, style.COLUMN_INCHES), 0.6 + 2 * bands * 2.45, caption)
    panels = figure.subplots(4 * bands, columns, squeeze=False)
    for series, name in enumerate((HARDEST, EARLIEST)):
        rows = table.where(series=name)
        for place in range(columns * bands):
            first = 2 * (series * bands + place // columns)
            above, below = panels[first : first + 2, place % columns]
            if place >= len(rows):
                above.set_axis_off()
                below.set_axis_off()
                continue
            one = rows.rows(np.array([place]))
            subject = subjects[int(one["id"][0])]
            draw_sample(above, subject)
            draw_seen(below, subject.code, int(one["step"][0]))
            below.tick_params(labelsize=5.5, length=1.5, pad=1)
            _title(above, opened, one)
            if place % columns == 0:
                above.set_ylabel(name)
                below.set_ylabel("seen by then")
    return figure


def _events(codes: list[OneCode], steps: np.ndarray) -> dict[str, np.ndarray]:
    counts = [code.n_events() for code in codes]
    pairs = zip(counts, steps.tolist(), strict=True)
    return {
        "events_by_then": np.array([each[: step + 1].sum() for each, step in pairs]),
        "events_in_all": np.array([each.sum() for each in counts]),
        "n_steps": np.array([code.n_steps for code in codes]),
    }


def _title(axes: Axes, opened: OpenRun, row: Table) -> None:
    names = opened.splits.class_names
    true, said = names[int(row["true_label"][0])], names[int(row["label"][0])]
    right = row["true_label"][0] == row["label"][0]
    how = f"step {row['step'][0]}" + ("" if row["decided"][0] else ", forced")
    what = true if right else f"{said}, is {true}"
    text = "\n".join([textwrap.fill(what, width=22), how, f"id {row['id'][0]}"])
    axes.set_title(style.plain(text), loc="left", fontsize=6.5, fontweight="normal" if right else "bold")
