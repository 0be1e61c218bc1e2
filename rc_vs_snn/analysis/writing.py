"""Write the figures and the summary of a comparison: all of them whole, or none."""

import contextlib
import errno
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.figures.protocol import ComparisonFigure
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.statistics.overview import statistics_markdown, statistics_table
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
        InputError: no finished run, a damaged one, an unknown figure, or ``out`` cannot be written; nothing
            in ``out`` has changed then.
    """
    wanted: dict[str, ComparisonFigure] = {name: figures.build(name, {}) for name in only or figures.names()}
    groups = group_runs(records)
    unfinished = [record for record in records if record.status != "done"]
    files: dict[str, bytes] = {}
    for name, figure in wanted.items():
        table = figure.table(groups)
        if len(table):
            files |= _drawn(name, table, figure.draw(table))
        elif only:
            raise InputError(f"the runs hold no numbers for the figure '{name}'; choose another")
    files["summary.md"] = summary_markdown(groups, unfinished).encode()
    files["summary.csv"] = _csv(summary_table(groups))
    statistics = statistics_table(groups)
    files["statistics.md"] = statistics_markdown(groups, statistics).encode()
    files["statistics.csv"] = _csv(statistics)
    return _write_all(Path(out), files)


def _drawn(name: str, table: Table, figure: Figure) -> dict[str, bytes]:
    """Return the files of one figure by name."""
    files = {}
    for suffix, metadata in FORMATS.items():
        drawn = io.BytesIO()
        with style.applied():
            figure.savefig(drawn, format=suffix, metadata=metadata)
        files[f"{name}.{suffix}"] = drawn.getvalue()
    return {**files, f"{name}.csv": _csv(table)}


def _write_all(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files aside and move them into ``folder`` when all are there: a failure leaves the old ones."""
    targets = [folder / name for name in files]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target in targets:
            if target.is_dir():
                raise _unwritable(target, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as working:
            for name, content in files.items():
                (Path(working) / name).write_bytes(content)
            for target in targets:
                (Path(working) / target.name).replace(target)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        if isinstance(error, InputError):
            raise
        raise _unwritable(folder, error) from error
    return targets


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


def _unwritable(path: Path, error: OSError | ValueError) -> InputError:
    why = getattr(error, "strerror", None) or error
    return InputError(f"cannot write {path}: {why}; choose a writable folder with free space")
