"""The first-spike rule, judged on a full evidence trace. No torch: training and analysis share it.

Class k spikes at the first step at which its evidence reaches the threshold; the earliest spike
decides. Several at one step: the largest evidence wins and the sample is marked tied (equal
evidence: the lowest class index). None by the sample's last step: the largest evidence there is
the label and the decision is marked forced (``decided`` False).

Every exit is this rule: what differs is the evidence, and the threshold over time.

Source: Jeffares et al., ICLR 2022, arXiv 2110.02865 (threshold crossing as the output spike).
"""

import math
from numbers import Real
from typing import Any

import numpy as np

from rc_vs_snn.checks import as_array, as_integers
from rc_vs_snn.contracts import Decision
from rc_vs_snn.decision.evidence import Evidence, read_by
from rc_vs_snn.decision.thresholds import (
    FallingThreshold,
    FirstSpike,
    FixedStep,
    PerStep,
    Reading,
    Rule,
    Scaled,
    Shifted,
)
from rc_vs_snn.errors import DivergedError, InputError, blamed
from rc_vs_snn.kernels import rule as kernel

__all__ = [
    "FallingThreshold", "FirstSpike", "FixedStep", "PerStep", "Reading", "Rule", "Scaled", "Shifted",
    "check_rule", "decide", "thresholds_of",
]  # fmt: skip


def _numbers(rule: Rule, n_steps: int) -> list[float]:
    """Return a rule's threshold at every step; raise InputError if what it gives is no number."""
    with blamed(f"rule {rule!r}"):  # once: this is part of every training step
        given: list[Any] = [rule.threshold_at(step, n_steps) for step in range(n_steps)]
    for step, each in enumerate(given):
        if type(each) is float:  # to ask what else is a number takes a while, at every step of every batch
            continue
        if isinstance(each, bool) or not (isinstance(each, Real) or getattr(each, "shape", None) == ()):
            raise InputError(
                f"rule {rule!r} gave {each!r} as the threshold at step {step}; threshold_at returns a number"
            )
    return list(map(float, given))


def thresholds_of(rule: Rule, n_steps: int) -> np.ndarray:
    """Return the threshold in force at every step, ``(T,)`` float64.

    Raises:
        InputError: one is not a number, or none is finite.
    """
    thresholds = np.array(_numbers(rule, n_steps), np.float64)
    if not math.isfinite(thresholds.sum()):
        usable = np.isfinite(thresholds) | (thresholds == math.inf)
        if not usable.all() or (thresholds == math.inf).all():
            step = int(np.argmin(usable))
            raise InputError(f"the threshold at step {step} is {thresholds[step]}; choose a finite one")
    return thresholds


def check_rule(rule: Rule, evidence: str | Evidence, n_steps: int) -> None:
    """Raise InputError if the evidence could never meet (or could not miss) the rule's threshold.

    Args:
        rule: the rule.
        evidence: what it reads, if it does not say so itself.
        n_steps: number of time steps T.
    """
    low, high = read_by(rule, evidence).limits
    thresholds = _numbers(rule, n_steps)
    some_decide = any(map(math.isfinite, thresholds))
    for step, threshold in enumerate(thresholds):
        if (low < threshold <= high) if math.isfinite(threshold) else (threshold == math.inf and some_decide):
            continue
        if (low, high) == (0, 1):
            raise InputError(
                f"threshold {threshold:g} at step {step} cannot be met by a probability; "
                "choose one in (0, 1], such as 0.95"
            )
        if (low, high) == (0, np.inf):
            raise InputError(
                f"threshold {threshold:g} at step {step} is no firing threshold; a membrane potential "
                "starts at 0, so choose one above 0, such as 4"
            )
        raise InputError(f"threshold {threshold:g} at step {step} must lie in ({low:g}, {high:g}]")


def decide(evidence: np.ndarray, rule: Rule, lengths: np.ndarray | None = None) -> Decision:
    """Judge full evidence traces.

    Args:
        evidence: ``(N, T, K)``.
        rule: the threshold over time.
        lengths: each sample's own number of steps, ``(N,)`` in 1..T; all have T where it is left out.

    Returns:
        One decision per sample.

    Raises:
        InputError: a wrong shape, no step, a length out of range, NaN in the evidence, or a threshold that
            is not finite.
    """
    evidence = as_array(evidence, "evidence")
    if evidence.ndim != 3 or 0 in evidence.shape[1:]:
        raise InputError(f"evidence must have shape (sample, time, class), got {evidence.shape}")
    if evidence.dtype.kind not in "biuf":
        raise InputError(f"evidence must be numbers, got {evidence.dtype}")
    if evidence.dtype.kind in "biu":  # spikes or counts: a threshold of 0.95 is not 0
        evidence = evidence.astype(np.float64)
    if np.isnan(evidence).any():
        raise DivergedError(
            "evidence holds NaN: the model diverged; lower training.learning_rate or training.clip_norm"
        )
    n_samples, n_steps, _ = evidence.shape
    last = _last_steps(lengths, n_samples, n_steps)
    thresholds = thresholds_of(rule, n_steps).astype(evidence.dtype)
    spikes = kernel.n_spikes(evidence, thresholds[:, None])  # (N, T)
    fired = (spikes > 0) & (np.arange(n_steps) <= last[:, None])
    decided = fired.any(axis=1)
    step = np.where(decided, fired.argmax(axis=1), last)
    rows = np.arange(n_samples)
    label, best = kernel.verdict_of_arrays(evidence[rows, step])
    return Decision(label, step.astype(np.int64), decided, spikes[rows, step] > 1, best)


def _last_steps(lengths: np.ndarray | None, n_samples: int, n_steps: int) -> np.ndarray:
    if lengths is None:
        return np.full(n_samples, n_steps - 1)
    lengths = as_integers(lengths, "lengths")
    if lengths.shape != (n_samples,) or ((lengths < 1) | (lengths > n_steps)).any():
        raise InputError(f"lengths must be one number in 1..{n_steps} for each of {n_samples} samples")
    return lengths - 1
