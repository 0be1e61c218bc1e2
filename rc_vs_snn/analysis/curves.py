"""Accuracy, time and cost as the decision threshold varies, recomputed from a stored trace."""

import numpy as np

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.metrics import summarise
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.errors import InputError

SWEEP_COLUMNS = (
    "mean_step", "accuracy", "accuracy_decided", "coverage", "forced", "tied", "acs", "macs", "leaks",
)  # fmt: skip


def threshold_sweep(trace: Trace, evidence: str, n_points: int = 60) -> Table:
    """Judge a trace again with the first-spike rule at many constant thresholds.

    Args:
        trace: N samples of T steps.
        evidence: what the trace's evidence is, by name.
        n_points: number of thresholds.

    Returns:
        One row per threshold, rising: ``threshold`` and the columns of `metrics.summarise` named
        in ``SWEEP_COLUMNS``. The mean step never falls from one row to the next.

    Raises:
        InputError: fewer than two points, NaN in the evidence.
    """
    thresholds = threshold_grid(trace, evidence, n_points)
    points = [
        summarise(trace, decide(trace.evidence, FirstSpike(float(value)), trace.lengths))
        for value in thresholds
    ]
    columns = {name: np.array([point[name] for point in points]) for name in SWEEP_COLUMNS}
    return Table({"threshold": thresholds, **columns})


def threshold_grid(trace: Trace, evidence: str, n_points: int) -> np.ndarray:
    """Return ``n_points`` rising thresholds that span "all decide at step 0" to "hardly any decide".

    A trained classifier's probabilities crowd near 1, so their thresholds are spaced evenly in the
    logit, from just above 1/K (which some class always reaches; of sigmoids, from almost 0) to 1. A
    membrane potential has no fixed range: its thresholds, and those of any other evidence, are quantiles of
    the running peak over all samples and steps, of which only those above 0 count, as a firing threshold
    must be. They are denser at both ends, where accuracy falls off and where coverage runs out, and may
    repeat.

    Raises:
        InputError: fewer than two points.
    """
    if n_points < 2:
        raise InputError(f"a threshold sweep needs at least 2 points, got {n_points}")
    if evidence in ("probability", "sigmoid"):
        chance = 1 / trace.evidence.shape[2] if evidence == "probability" else 0.0
        low, high = chance + 1e-3 * (1 - chance), 1 - 1e-6
        logits = np.linspace(np.log(low / (1 - low)), np.log(high / (1 - high)), n_points - 1)
        return np.append(1 / (1 + np.exp(-logits)), 1.0)
    peak = np.maximum.accumulate(trace.evidence.max(axis=2), axis=1)  # (N, T)
    usable = peak if evidence == "exclusion" else peak[peak > 0]  # it alone counts below 0
    if not usable.size:
        return np.ones(n_points)  # a silent net stays silent at any threshold: all are forced
    levels = (1 - np.cos(np.pi * np.linspace(0, 1, n_points))) / 2
    return np.quantile(usable.astype(np.float64), levels)


def forced_at_step(trace: Trace) -> Table:
    """Read every sample at one step, threshold or not: early inference without rank coding.

    A sample that has ended by then is read at its own last step.

    Returns:
        One row per step: ``step``, ``accuracy``, and mean ``acs`` and ``macs`` up to that step.
    """
    right = trace.evidence.argmax(axis=2) == trace.labels[:, None]  # (N, T)
    return Table(
        {
            "step": np.arange(trace.n_steps),
            "accuracy": right.mean(axis=0),
            "acs": trace.acs.mean(axis=0),
            "macs": trace.macs.mean(axis=0),
        }
    )


def oracle_exit(trace: Trace) -> Table:
    """Find the earliest step from which each sample's prediction stays what it is at the last step.

    It needs the end of the trace. No rule that keeps those predictions decides sooner. (A rule that does not
    keep them may be sooner, and even more accurate, where a prediction that was right turns wrong later.)

    Returns:
        One row per sample: ``step``, and ``right``, whether the final prediction is.

    Source: oracle exit as used for early-exit networks (a bound).
    """
    predicted = trace.evidence.argmax(axis=2)  # (N, T)
    final = predicted[:, -1:] == predicted
    stable = np.logical_and.accumulate(final[:, ::-1], axis=1).sum(axis=1)  # steps at the end that agree
    return Table({"step": trace.n_steps - stable, "right": predicted[:, -1] == trace.labels})
