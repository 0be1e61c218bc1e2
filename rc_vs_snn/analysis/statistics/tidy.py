"""Everything that some runs hold as three tidy tables, to compute with elsewhere."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, group_runs
from rc_vs_snn.analysis.statistics.reliability import confidence_at, has_confidence
from rc_vs_snn.analysis.statistics.stored import decision_of, has_trace
from rc_vs_snn.analysis.writing import write_whole
from rc_vs_snn.errors import InputError
from rc_vs_snn.records import NUMBERS, Record

Format = Literal["csv", "parquet"]

RUN = {
    "label": "the model's name, as in the figures",
    "seed": "base seed of the run",
    "dataset": "registered name of the dataset",
    "folder": "name of the run folder",
}
"""Columns that every table begins with."""

DECISIONS = {
    "id": "sample id",
    "true_label": "its class",
    "decided_label": "the class decided by the rule that was run",
    "right": "whether that is right",
    "step": "decision step, 0-based",
    "n_steps": "the sample's own number of steps",
    "earliness": "share of the sequence seen by then, (step + 1) / n_steps",
    "ms": "milliseconds of input seen by then; empty where steps have no duration",
    "decided": "whether an output spike decided; if not, the decision was forced at the last step",
    "tied": "whether several classes spiked at that step",
    "evidence": "evidence for the decided class",
    "confidence": "probability of the decided class at the decision step",
    "acs": "accumulates up to the decision; empty: not counted",
    "macs": "multiply-accumulates up to the decision; likewise",
    "leaks": "neuron updates up to the decision; likewise",
}
"""Columns of ``decisions``, a row per run and test sample."""

SWEEPS = {
    "threshold": "constant threshold of the first-spike rule",
    "mean_step": "mean decision step, 0-based",
    "accuracy": "share of right labels, over all samples",
    "accuracy_decided": "over those decided by an output spike",
    "coverage": "share of samples that an output spike decided",
    "forced": "share of the others",
    "tied": "share of samples with several output spikes at the decision step",
    "acs": "mean accumulates per sample up to the decision",
    "macs": "mean multiply-accumulates",
    "leaks": "mean neuron updates",
}
"""Columns of ``sweeps``, a row per run and threshold, thresholds rising."""


@dataclass(frozen=True, eq=False)
class Tidy:
    """Three tables of some runs.

    Attributes:
        runs: a row per run: ``RUN`` and every number of its ``metrics.json``.
        sweeps: a row per run and threshold: ``RUN`` and ``SWEEPS``.
        decisions: a row per run and test sample: ``RUN`` and ``DECISIONS``.
    """

    runs: Table
    sweeps: Table
    decisions: Table

    def write(self, folder: Path | str, file_format: Format = "csv") -> list[Path]:
        """Write ``runs``, ``sweeps`` and ``decisions``, a file each; NaN is an empty cell in CSV.

        Args:
            folder: made if missing; files of the same name are replaced.
            file_format: "csv" or "parquet".

        Raises:
            InputError: another format, or the folder cannot be written.
        """
        if file_format not in get_args(Format):
            raise InputError(f"unknown format {file_format!r}; allowed: {', '.join(get_args(Format))}")
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write {folder}: {error.strerror or error}; choose another") from error
        return [
            write_whole(folder / f"{name}.{file_format}", _bytes(table, file_format))
            for name, table in vars(self).items()
        ]


def tidy(records: Sequence[Record]) -> Tidy:
    """Return all that finished runs hold as three tables; failed and skipped ones are left out.

    Runs without a trace (decisions made elsewhere, some copies) have no sweep, and no number that needs one.

    Args:
        records: runs of any status.

    Raises:
        InputError: no finished run, or a damaged one.
    """
    runs, sweeps, decisions = [], [], []
    for group in group_runs(records):
        for run in group.runs:
            record = run.record
            about = {
                "label": group.label, "seed": record.seed, "dataset": str(record.config["dataset"]["name"]),
                "folder": record.folder.name,
            }  # fmt: skip
            numbers = Table({name: np.array([record.metric(name)]) for name in NUMBERS})
            runs.append(numbers.tagged(**about))
            if has_trace(run):
                sweeps.append(Table({name: run.sweep[name] for name in SWEEPS}).tagged(**about))
            decisions.append(_decisions(run).tagged(**about))
    none = Table({name: np.empty(0) for name in (*RUN, *SWEEPS)})
    return Tidy(stack(runs), stack(sweeps or [none]), stack(decisions))


def _decisions(run: FinishedRun) -> Table:
    stored = run.record.decisions()
    n = len(stored["step"])
    columns = {
        **{name: stored.get(name, np.full(n, np.nan)) for name in DECISIONS},
        "decided_label": stored["label"],
        "right": stored["label"] == stored["true_label"],
    }
    if has_trace(run):
        trace, decision = run.trace, decision_of(run.record, run.trace)
        seen = decision.step + 1
        kind = run.record.metrics["evidence"]
        if has_confidence(trace, kind):
            columns["confidence"] = confidence_at(trace, decision, kind)
        columns |= {
            "n_steps": trace.lengths,
            "earliness": seen / trace.lengths,
            "ms": seen * (np.nan if trace.step_ms is None else trace.step_ms),
        }
    return Table(columns)


def _bytes(table: Table, file_format: Format) -> bytes:
    if file_format == "csv":
        text = io.StringIO()
        table.write_csv(text)
        return text.getvalue().encode()
    made = io.BytesIO()
    pq.write_table(pa.table(dict(table.columns)), made)
    return made.getvalue()
