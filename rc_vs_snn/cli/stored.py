"""Commands that show or keep stored runs. Each imports what it needs when it runs."""

from pathlib import Path

from rc_vs_snn.cli.options import EXECUTION, Executed, Names, draw, read_runs


def figures(runs: list[Path], /, *, out: Path | None = None, only: Names = ()) -> None:
    """Draw figures and table of stored runs.

    Figures are PNG, SVG and PDF, with their numbers as CSV.

    Args:
        runs: run folders, or folders of run folders.
        out: where to write (default: figures/ in the first folder).
        only: a figure by name; repeatable.
    """
    draw(read_runs(runs), out or runs[0] / "figures", only)


def report(runs: list[Path], /, *, out: Path = Path("report.html")) -> None:
    """Write stored runs as one HTML page that works offline.

    Plot, tables, confusion and samples at any threshold, provenance. Needs the extra `report`.

    Args:
        runs: run folders, or folders of run folders.
        out: the file to write.
    """
    from rc_vs_snn.analysis.html import write_html

    print(write_html(read_runs(runs), out))


def export(runs: list[Path], /, *, out: Path, execution: Executed = EXECUTION) -> None:
    """Keep each model's best seed, by validation accuracy, with a model card.

    Writes weights (safetensors) and a card for `compare --pretrained`.

    Args:
        runs: run folders, or folders of run folders.
        out: folder of the model folders.
        execution: how runs are executed.
    """
    from rc_vs_snn.experiment.pretrained import export

    for folder in export(read_runs(runs), out, execution):
        print(folder)
