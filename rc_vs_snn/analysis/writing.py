"""Write the figures and the summary of a comparison: all of them whole, or none."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.figure_options import FigureOptions, arranged
from rc_vs_snn.analysis.figures.protocol import ComparisonFigure
from rc_vs_snn.analysis.files import write_all, write_whole
from rc_vs_snn.analysis.fitting import fit_names
from rc_vs_snn.analysis.grid_table import grid_markdown, grid_table
from rc_vs_snn.analysis.groups import Group, group_runs
from rc_vs_snn.analysis.latex import summary_latex
from rc_vs_snn.analysis.layout import settle
from rc_vs_snn.analysis.pgf import pgf_files
from rc_vs_snn.analysis.statistics.overview import statistics_markdown, statistics_table
from rc_vs_snn.analysis.sweeps import SWEEP
from rc_vs_snn.analysis.tables import summary_markdown, summary_table
from rc_vs_snn.analysis.time_axis import require_durations
from rc_vs_snn.errors import InputError, MissingError
from rc_vs_snn.records import Record
from rc_vs_snn.registry import figures

__all__ = ["FORMATS", "csv_bytes", "figure_files", "write_figures", "write_whole"]

# No dates: the same records give the same bytes.
FORMATS: dict[str, dict[str, Any]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "ModDate": None},
}


def write_figures(
    records: Sequence[Record],
    out: Path | str,
    *,
    only: Sequence[str] = (),
    options: FigureOptions | None = None,
    tell: Callable[[str], object] | None = None,
) -> list[Path]:
    """Write every figure (PNG, SVG, PDF, with its numbers as CSV) and the summary of some runs.

    Failed and skipped runs are in no figure; the summary names them with their reason.

    Args:
        records: runs of any status, in the order the labels shall have.
        out: the folder, made if missing; files of the same name are replaced.
        only: names of the figures wanted, or ``module:attribute`` paths of your own, whose files are called
            by the attribute; all registered ones by default. A figure the runs hold no numbers for (a
            training history of models that were not trained here) is left out, unless named.
        options: how figures and tables look.
        tell: is called with one line for each figure that is left out, or shows less, because a run lacks a
            file: a copy without its trace, decisions made elsewhere.

    Returns:
        The files written.

    Raises:
        InputError: no finished run, a damaged one, an unknown figure, one asked for by name that a run lacks
            a file for, options that do not fit the runs, or ``out`` cannot be written; nothing in ``out``
            has changed then.
    """
    options, tell = options or FigureOptions(), tell or _say_nothing
    wanted: dict[str, ComparisonFigure] = {
        name.rpartition(":")[2]: figures.build(name, {}) for name in only or figures.names()
    }
    groups = arranged(group_runs(records), options)
    if options.time == "ms":
        require_durations(groups)
    unfinished = [record for record in records if record.status != "done"]
    files: dict[str, bytes] = {}
    for name, figure in wanted.items():
        table = _table(name, figure, groups, None if only else tell)
        if len(table):
            _tell_of_marks(name, table, groups, tell)
            with style.applied(options):
                files |= figure_files(name, table, figure.draw(table))
        elif only:
            raise InputError(f"the runs hold no numbers for the figure '{name}'; choose another")
    files["summary.md"] = summary_markdown(groups, unfinished).encode()
    files["summary.tex"] = summary_latex(groups, unfinished).encode()
    files["summary.csv"] = csv_bytes(summary_table(groups))
    points = grid_table(groups)
    if len(points):
        files["grid.md"] = grid_markdown(groups, points).encode()
        files["grid.csv"] = csv_bytes(points)
    statistics = statistics_table(groups)
    files["statistics.md"] = statistics_markdown(groups, statistics).encode()
    files["statistics.csv"] = csv_bytes(statistics)
    return write_all(Path(out), files)


def _say_nothing(line: str) -> None:
    """Take a line that nobody wants to read."""


def _table(
    name: str, figure: ComparisonFigure, groups: Sequence[Group], tell: Callable[[str], object] | None
) -> Table:
    """Return a figure's numbers, of those groups that hold what it reads; without ``tell`` all must."""
    try:
        return figure.table(groups)
    except MissingError as error:
        lacking = [group for group in groups if not _holds(group, error.file)]
        what = error.file.partition(".")[0]
        why = f"{', '.join(group.label for group in lacking)} hold{'s' * (len(lacking) == 1)} no {what}"
        if tell is None or not lacking:
            raise InputError(f"{name}: {why}: {error}") from error
        rest = [group for group in groups if group not in lacking]
        tell(f"{name}: left out: {why}" if not rest else f"{name}: drawn without some: {why}")
        return _table(name, figure, rest, tell) if rest else Table({})


def _holds(group: Group, file: str) -> bool:
    return all((run.record.folder / file).is_file() for run in group.runs)


def _tell_of_marks(name: str, table: Table, groups: Sequence[Group], tell: Callable[[str], object]) -> None:
    """Say which models have no curve in a figure of curves, since they hold no trace."""
    swept = table.where(series=SWEEP).distinct("label") if "series" in table.columns else []
    bare = [group.label for group in groups if not group.has_traces and group.label not in swept]
    if swept and bare:
        tell(f"{name}: {', '.join(bare)} without a curve: no trace, the operating point alone")


def figure_files(name: str, table: Table, figure: Figure) -> dict[str, bytes]:
    """Return the files of one figure by name: the formats of the options that hold here, and its numbers.

    Args:
        name: of the figure.
        table: what it shows.
        figure: drawn under the options that hold here.
    """
    options, files = style.options(), dict[str, bytes]()
    with style.applied():
        if options.width or options.columns or options.style:
            fit_names(figure)
        settle(figure)
        for suffix in options.formats:
            if suffix == "pgf":
                files |= pgf_files(figure, name)
            else:
                drawn = io.BytesIO()
                figure.savefig(drawn, format=suffix, metadata=FORMATS[suffix])
                files[f"{name}.{suffix}"] = drawn.getvalue()
    return {**files, f"{name}.csv": csv_bytes(table)}


def csv_bytes(table: Table) -> bytes:
    """Return a table as the content of a CSV file."""
    text = io.StringIO()
    table.write_csv(text)
    return text.getvalue().encode()
