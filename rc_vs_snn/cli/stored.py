"""Commands that read stored runs. Each imports what it needs when it runs."""

import json
from pathlib import Path
from typing import Literal

from rc_vs_snn.cli.options import EXECUTION, Executed, Names, draw, read_runs
from rc_vs_snn.config import Part


def evaluate(
    run: Path,
    /,
    *,
    split: Literal["train", "valid", "test"] = "test",
    threshold: float | None = None,
    mean_step: float | None = None,
    execution: Executed = EXECUTION,
) -> None:
    """Judge a finished run again from its weights.

    Prints its metrics on a split as JSON.

    Args:
        run: a run folder.
        split: which samples.
        threshold: judge with another constant threshold.
        mean_step: shift the thresholds so that the mean decision step on valid is at most this.
        execution: how runs are executed.
    """
    from rc_vs_snn.experiment import evaluate
    from rc_vs_snn.records import read_record

    rule = None if threshold is None else Part("first-spike", {"threshold": threshold})
    metrics = evaluate(read_record(run), execution, split=split, rule=rule, mean_step=mean_step)
    print(json.dumps(metrics, indent=2))


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
