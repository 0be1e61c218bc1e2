"""Write the figures and the summary of a comparison, each file whole or not at all."""

import contextlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.figures.protocol import ComparisonFigure
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.tables import summary_markdown, summary_table
from rc_vs_snn.errors import InputError
from rc_vs_snn.records import Record
from rc_vs_snn.registry import figures

# No dates: the same records give the same bytes.
FORMATS: dict[str, dict[str, Any]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "ModDate": None},
}


def write_figures(records: Sequence[Record], out: Path | str, *, only: Sequence[str] = ()) -> list[Path]:
    """Write every figure (PNG, SVG, PDF, with its numbers as CSV) and the summary of some runs.

    Failed and skipped runs are in no figure; the summary names them with their reason.

    Args:
        records: runs of any status, in the order the labels shall have.
        out: the folder, made if missing; files of the same name are replaced.
        only: names of the figures wanted; all by default. A figure the runs hold no numbers for (a
            training history of models that were not trained here) is left out, unless named.

    Returns:
        The files written.

    Raises:
        InputError: no finished run, an unknown figure, or ``out`` cannot be written.
    """
    wanted: dict[str, ComparisonFigure] = {name: figures.build(name, {}) for name in only or figures.names()}
    groups = group_runs(records)
    unfinished = [record for record in records if record.status != "done"]
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    written = []
    for name, figure in wanted.items():
        table = figure.table(groups)
        if len(table):
            written += _write_figure(folder / name, table, figure.draw(table))
        elif only:
            raise InputError(f"the runs hold no numbers for the figure '{name}'; choose another")
    written.append(write_whole(folder / "summary.md", summary_markdown(groups, unfinished).encode()))
    written.append(write_whole(folder / "summary.csv", _csv(summary_table(groups))))
    return written


def _write_figure(stem: Path, table: Table, figure: Figure) -> list[Path]:
    written = []
    for suffix, metadata in FORMATS.items():
        drawn = io.BytesIO()
        with style.applied():
            figure.savefig(drawn, format=suffix, metadata=metadata)
        written.append(write_whole(stem.with_name(f"{stem.name}.{suffix}"), drawn.getvalue()))
    return [*written, write_whole(stem.with_name(f"{stem.name}.csv"), _csv(table))]


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    table.write_csv(text)
    return text.getvalue().encode()


def write_whole(path: Path, content: bytes) -> Path:
    """Write beside ``path``, then rename: a reader never meets half a file."""
    working = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        working.write_bytes(content)
        working.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            working.unlink(missing_ok=True)
    return path


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot write {path}: {error.strerror or error}; choose a writable folder with free space"
    )
