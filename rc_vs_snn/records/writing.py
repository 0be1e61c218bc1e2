"""Writing what a run leaves behind, all of it in one place."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save

from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.records.layout import DECISIONS, TABLES, TRACE, WEIGHTS


@dataclass(frozen=True, eq=False)
class Result:
    """What a run came to; empty if it failed.

    Attributes:
        metrics: numbers of the operating point by name, and the kind of evidence.
        weights: the trained parameters by name.
        judged: what the model said about the test split and what was decided, if that is to be kept.
    """

    metrics: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    judged: tuple[Trace, Decision] | None = None


def write_run(
    working: Path,
    config: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, Any],
    outcome: Result,
) -> None:
    """Write the files of one run, see ``layout``.

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
    if outcome.weights:
        # safetensors stores the bytes of an array as they lie, so they must lie in C order
        ordered = {name: np.asarray(value, order="C") for name, value in outcome.weights.items()}
        (working / WEIGHTS).write_bytes(save(ordered))
    for name, table in zip(TABLES, (config, history, outcome.metrics, provenance), strict=True):
        write_json(working / name, table)


def write_json(path: Path, value: Any) -> None:
    """Write plain values as indented JSON; NaN, which JSON has not, is written as null."""
    path.write_text(json.dumps(_nan_to_none(value), indent=2, allow_nan=False) + "\n")


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
