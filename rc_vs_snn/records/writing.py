"""Writing what a run leaves behind, all of it in one place."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save

from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.errors import InputError
from rc_vs_snn.records.checking import checksums, sizes_and_times
from rc_vs_snn.records.folders import write_whole
from rc_vs_snn.records.layout import (
    CONFIG,
    DECISIONS,
    HISTORY,
    METRICS,
    PROVENANCE,
    TRACE,
    VALID_TRACE,
    WEIGHTS,
)
from rc_vs_snn.records.reading import Record


@dataclass(frozen=True, eq=False)
class Result:
    """What a run came to; empty if it failed.

    Attributes:
        metrics: numbers of the operating point by name, and the kind of evidence.
        weights: the trained parameters by name.
        judged: what the model said about the test split and what was decided, if that is to be kept.
        decisions: columns of the decisions, where nothing but these is known.
        valid: what it said about the validation split, likewise.
    """

    metrics: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    judged: tuple[Trace, Decision] | None = None
    valid: Trace | None = None
    decisions: Mapping[str, np.ndarray] = field(default_factory=dict)


def write_run(
    working: Path,
    config: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, Any],
    outcome: Result,
) -> None:
    """Write the files of one run, see ``layout``; the marker last, with a checksum of every other file.

    Args:
        working: the folder in the making, see ``atomic_folder``.
        config: the run configuration as nested plain values.
        history: one mapping per epoch.
        provenance: see ``run_provenance``.
        outcome: what the run came to.
    """
    if outcome.judged is not None:
        trace, decision = outcome.judged
        write_decisions(working / DECISIONS, trace, decision)
        write_trace(working / TRACE, trace)
    if outcome.decisions:
        pq.write_table(pa.table(dict(outcome.decisions)), working / DECISIONS)
    if outcome.valid is not None:
        write_trace(working / VALID_TRACE, outcome.valid)
    if outcome.weights:
        write_weights(working / WEIGHTS, outcome.weights)
    for name, table in ((CONFIG, config), (HISTORY, history), (METRICS, outcome.metrics)):
        write_json(working / name, table)
    files = checksums(working)
    marker = {**provenance, "files": files, "written": sizes_and_times(working, files)}
    write_json(working / PROVENANCE, marker)


def write_weights(path: Path, weights: Mapping[str, np.ndarray]) -> None:
    """Write parameters by name as safetensors."""
    # safetensors stores the bytes of an array as they lie, so they must lie in C order
    path.write_bytes(save({name: np.asarray(value, order="C") for name, value in weights.items()}))


def write_json(path: Path, value: Any) -> None:
    """Write plain values as indented JSON, see ``json_text``."""
    path.write_text(json_text(value) + "\n", encoding="utf-8", newline="\n")


def json_text(value: Any) -> str:
    """Return plain values as indented JSON; NaN, which JSON has not, is written as null."""
    return json.dumps(_nan_to_none(value), indent=2, allow_nan=False)


def write_order(record: Record, order: int | None) -> Record:
    """Record a run's place in its comparison, if it has one and it is another than before; return the run."""
    if order is None or record.provenance.get("order") == order:
        return record
    provenance = {**record.provenance, "order": order}
    path = record.folder / PROVENANCE
    try:
        write_whole(path, json_text(provenance) + "\n", within=record.folder.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return replace(record, provenance=provenance)


def _nan_to_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _nan_to_none(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_nan_to_none(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def write_trace(path: Path, trace: Trace) -> None:
    """Write a trace as compressed arrays; its lengths and time only where they tell something."""
    arrays = dict(vars(trace))
    if (trace.lengths == trace.n_steps).all():
        del arrays["lengths"]
    if trace.step_ms is None:
        del arrays["step_ms"]
    if trace.readouts is None or trace.readouts is trace.evidence:  # a membrane is read as it is
        del arrays["readouts"]
    np.savez_compressed(path, **arrays)


def write_decisions(path: Path, trace: Trace, decision: Decision) -> None:
    """Write one row per sample as Parquet."""
    rows = np.arange(len(trace))
    columns = {
        "id": trace.ids,
        "true_label": trace.labels,
        **vars(decision),
        "acs": trace.acs[rows, decision.step],
        "macs": trace.macs[rows, decision.step],
        "leaks": trace.leaks[rows, decision.step],
    }
    pq.write_table(pa.table(columns), path)
