"""Predictions that somebody else's program made, judged without the network that made them."""

import math
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rc_vs_snn import registry
from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.decision.evidence import Evidence, Membrane, evidence_of_trace, read_by
from rc_vs_snn.decision.metrics import earliness, harmonic_mean, plugged_in, summarise
from rc_vs_snn.decision.rules import check_rule, decide
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.elsewhere import UNKNOWN_TRAINING, Named, part_of, write_elsewhere
from rc_vs_snn.experiment.foreign import JUDGED
from rc_vs_snn.experiment.parts import build_part
from rc_vs_snn.experiment.prediction_arrays import PER_STEP, READOUTS, read_arrays
from rc_vs_snn.experiment.prediction_tables import COSTS, read_table
from rc_vs_snn.experiment.truth import Truth
from rc_vs_snn.records import ELSEWHERE, Record, Result
from rc_vs_snn.records.checking import checksum

ARRAY_FILES, TABLE_FILES = (".npy", ".npz"), (".csv", ".parquet")


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a program made elsewhere said about N samples: readouts of every step, or decisions alone.

    Attributes:
        ids: the samples, ``(N,)``.
        labels: their true classes, ``(N,)``.
        n_steps: number of steps T.
        readouts: logits, potentials or spike counts at every step, ``(N, T, K)``; None of decisions alone.
        decision: what was decided; None of readouts, which any rule can judge.
        lengths: each sample's own number of steps, ``(N,)``.
        costs: ``acs``, ``macs``, ``leaks`` (and ``input_events``), as far as they were counted: up to every
            step ``(N, T)``, or up to the decision ``(N,)``.
        source: the file, and its SHA-256.
    """

    ids: np.ndarray
    labels: np.ndarray
    n_steps: int
    readouts: np.ndarray | None = None
    decision: Decision | None = None
    lengths: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    costs: Mapping[str, np.ndarray] = field(default_factory=dict)
    source: tuple[str, str] = ("", "")

    def __len__(self) -> int:
        return len(self.ids)


def read_predictions(path: Path | str, labels: Any = None, *, n_steps: int | None = None) -> Predictions:
    """Read predictions from a file; ``docs/judge_your_own.md`` tells what may be in it.

    Args:
        path: readouts as ``.npy`` or ``.npz``, decisions as ``.csv`` or ``.parquet``.
        labels: the true labels: a split (``splits.test``), whose samples the predictions are matched with by
            their ids, or one label a sample, in the order of the file (ids 0..N-1). Not needed where the file
            holds them.
        n_steps: number of steps T, of decisions alone.

    Raises:
        InputError: the first thing that is wrong: the file, and in it the row (of a CSV file its line) or
            entry, the column or array, what was found there and what is allowed.
    """
    path = Path(path)
    truth = Truth.of(labels)
    if path.suffix in ARRAY_FILES:
        found = read_arrays(path, truth)
        readouts = found[READOUTS]
        if n_steps is not None and n_steps != readouts.shape[1]:
            raise InputError(
                f"{path} holds {readouts.shape[1]} steps, and n_steps is {n_steps}; leave it out"
            )
        costs = {name: found[name] for name in PER_STEP if name in found}
        return Predictions(
            found["ids"], found["labels"], readouts.shape[1], readouts, None, found["lengths"], costs,
            (path.name, checksum(path)),
        )  # fmt: skip
    if path.suffix in TABLE_FILES:
        if n_steps is not None and n_steps < 1:
            raise InputError(f"n_steps must be at least 1, got {n_steps}")
        found = read_table(path, truth, n_steps)
        none = np.full(len(found["id"]), math.nan)
        decision = Decision(
            found["label"], found["step"], found["decided"], np.zeros(len(none), bool),
            found.get("evidence", none),
        )  # fmt: skip
        costs = {name: found[name] for name in COSTS if name in found}
        return Predictions(
            found["id"], found["true_label"], int(n_steps or 0), None, decision, costs=costs,
            source=(path.name, checksum(path)),
        )  # fmt: skip
    allowed = (*ARRAY_FILES, *TABLE_FILES)
    raise InputError(
        f"{path}: no file of predictions ends with '{path.suffix}'; allowed: {', '.join(allowed)}"
    )


def judge_predictions(
    predictions: Predictions,
    *,
    valid: Predictions | None = None,
    rule: Any = None,
    label: str = "predictions",
    out: Path | str = JUDGED,
    seed: int = 0,
    dataset: str = "given",
    evidence: Any = "probability",
    overwrite: bool = False,
) -> Record:
    """Write the run folder of predictions, so that they appear in every table and figure they can support.

    Args:
        predictions: see ``read_predictions``.
        valid: readouts of the validation samples, on which `calibrate` can then set the rule.
        rule: what decides from readouts: a name, a table or a rule (default: first-spike). Decisions alone
            have been decided already.
        label: their name in tables and figures.
        out: the folder of run folders in which their own is written; what was judged there before under the
            same label and seed is replaced.
        seed: which repetition they are, of networks trained alike.
        dataset: what tables call the data.
        evidence: what the rule reads of readouts: "probability" (their softmax), "membrane" (as they are), or
            any other, by name, table or as an object.
        overwrite: whether a run that was trained there is replaced.

    Returns:
        The record; ``made`` in its provenance is "predictions".

    Raises:
        InputError: a rule for decisions, or one that the evidence can never meet; validation readouts of
            other steps or classes, or of test samples; or a folder that is not replaced.
    """
    named = Named(label, seed, Path(out), overwrite)
    started = clock.time()
    parts: dict[str, Mapping[str, Any]] = {"dataset": {"name": dataset}}
    if predictions.readouts is None:
        if rule is not None or valid is not None:
            what = "rule" if valid is None else "validation readouts"
            raise InputError(f"decisions have been made already; leave out the {what}, or give readouts")
        outcome = _decided(predictions)
    else:
        part = part_of(registry.rules, "first-spike" if rule is None else rule)
        reads = part_of(registry.evidences, evidence)
        decides = build_part(registry.rules, part)
        outcome = _judged(predictions, valid, decides, build_part(registry.evidences, reads))
        parts |= {"rule": part.to_table(), "evidence": reads.to_table()}
    name, digest = predictions.source
    facts = {"predictions": {"file": name, "sha256": digest}}
    return write_elsewhere(named, parts, outcome, "predictions", started, facts)


def _judged(predictions: Predictions, valid: Predictions | None, rule: Any, evidence: Any) -> Result:
    check_rule(rule, evidence, predictions.n_steps)
    reads = read_by(rule, evidence)
    trace = _trace(predictions, reads)
    if valid is not None:
        _check_valid(valid, predictions)
    decision = decide(trace.evidence, rule, trace.lengths)
    numbers = {**plugged_in(trace, decision), **summarise(trace, decision)}
    name = registry.evidences.name_of(reads)
    metrics = {**numbers, **UNKNOWN_TRAINING, "evidence": name, "neurobench": _neurobench(numbers)}
    on_valid = None if valid is None else _trace(valid, reads)
    return Result(metrics, judged=(trace, decision), valid=on_valid)


def _trace(predictions: Predictions, reads: Evidence) -> Trace:
    readouts = predictions.readouts
    assert readouts is not None
    uncounted = np.full(readouts.shape[:2], math.nan)
    costs: dict[str, Any] = {name: predictions.costs.get(name, uncounted) for name in PER_STEP}
    # what is read as it is, is kept once
    seen = readouts if isinstance(reads, Membrane) else evidence_of_trace(readouts, reads)
    return Trace(
        seen, predictions.labels, predictions.ids, lengths=predictions.lengths, readouts=readouts, **costs
    )


def _check_valid(valid: Predictions, test: Predictions) -> None:
    shapes = [None if each.readouts is None else each.readouts.shape[1:] for each in (valid, test)]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"the validation readouts must be of (T, K) = {shapes[1]} as those of test, got {shapes[0]}"
        )
    if np.intersect1d(valid.ids, test.ids).size:
        twice = int(np.intersect1d(valid.ids, test.ids)[0])
        raise InputError(f"sample {twice} is in valid and in test; a rule set on test samples proves nothing")


def _decided(predictions: Predictions) -> Result:
    decision = predictions.decision
    assert decision is not None
    n_steps = predictions.n_steps
    right, at_step0 = decision.label == predictions.labels, decision.decided & (decision.step == 0)
    early = float(np.mean(earliness(decision.step, n_steps)))
    numbers: dict[str, Any] = {
        "accuracy": float(right.mean()),
        "accuracy_decided": _mean(right[decision.decided]),
        "coverage": float(decision.decided.mean()),
        "mean_step": float(decision.step.mean()),
        "median_step": float(np.median(decision.step)),
        "mean_ms": math.nan,
        "forced": float((~decision.decided).mean()),
        "forced_accuracy": _mean(right[~decision.decided]),
        "tied": math.nan,  # nobody says whether another class was as good
        "earliness": early,
        "harmonic_mean": harmonic_mean(float(right.mean()), early),
        **{name: _mean(predictions.costs.get(name, np.empty(0))) for name in PER_STEP},
        "accuracy_forced_at_step0": math.nan,  # what was said then of the others is not known
        "accuracy_decided_at_step0": _mean(right[at_step0]),
        "share_decided_at_step0": float(at_step0.mean()),
        "share_right_at_step0": float((at_step0 & right).mean()),
        "n_samples": len(predictions),
        "n_steps": n_steps,
    }
    table = {
        "id": predictions.ids,
        "true_label": predictions.labels,
        **vars(decision),
        **{name: predictions.costs.get(name, np.full(len(right), math.nan)) for name in COSTS},
    }
    metrics = {
        **numbers, **UNKNOWN_TRAINING, "evidence": ELSEWHERE, "neurobench": _neurobench(numbers)
    }  # fmt: skip
    return Result(metrics, decisions=table)


def _neurobench(numbers: Mapping[str, Any]) -> dict[str, float]:
    """Return the one metric of NeuroBench that is known without a network."""
    return {"classification_accuracy": float(numbers["accuracy"])}


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else math.nan
