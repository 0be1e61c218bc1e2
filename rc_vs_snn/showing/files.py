"""Writing what is shown: a figure in all formats with its numbers beside it."""

from pathlib import Path

from matplotlib.figure import Figure

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.writing import figure_files, write_whole
from rc_vs_snn.errors import InputError
from rc_vs_snn.records import Record


def write_shown(figure: Figure, table: Table, out: Path, name: str) -> list[Path]:
    """Write a figure (PNG, SVG, PDF) and its table (CSV) as ``name`` and return the files.

    Raises:
        InputError: ``out`` cannot be written.
    """
    made_folder(out)
    files = figure_files(name, table, figure)
    return [write_whole(out / file, content) for file, content in files.items()]


def made_folder(out: Path) -> Path:
    """Return a folder, made if it is missing; InputError where that is not possible."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write {out}: {why}; choose a writable --out") from error
    return out


def beside(run: Record) -> Path:
    """Return where the figures of the run's comparison lie."""
    return run.folder.absolute().parent / "figures"
