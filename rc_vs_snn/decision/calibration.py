"""Calibration: setting a rule's thresholds on validation data, for a time, an accuracy or a confidence.

Two models compare best where they decide equally soon, or equally well. Their training thresholds seldom give
that, and a threshold picked from the test curve is a choice made on the test split. No torch.
"""

import math

import numpy as np

from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.evidence import Evidence
from rc_vs_snn.decision.exits import evidence_read_by
from rc_vs_snn.decision.rules import FirstSpike, PerStep, Reading, Rule, Shifted, decide
from rc_vs_snn.errors import InputError

# A probability's odds (or a membrane's threshold) times or through exp(20): from everyone to no one.
_WIDEST = 20.0
_HALVINGS = 40
_SHIFTS = 801


def calibrated(trace: Trace, rule: Rule, kind: str | Evidence, mean_step: float) -> Shifted:
    """Return the rule shifted as far up as keeps the mean decision step within a budget.

    Higher thresholds never decide sooner, so the best shift is found by halving.

    Args:
        trace: of the validation split.
        rule: the rule whose thresholds are shifted, all by one amount.
        kind: what the trace's evidence is, which a rule without one of its own reads.
        mean_step: largest mean decision step, 0-based.

    Raises:
        InputError: a budget outside [0, mean last step), or one that the lowest threshold exceeds.
    """
    last = float((trace.lengths - 1).mean())
    evidence = evidence_read_by(rule, trace)
    if not 0 <= mean_step < last:
        raise InputError(f"a mean decision step must lie in [0, {last:g}), got {mean_step:g}")

    def taken(amount: float) -> float:
        return float(decide(evidence, Shifted(rule, kind, amount), trace.lengths).step.mean())

    low, high = -_WIDEST, _WIDEST
    if taken(low) > mean_step:
        raise InputError(
            f"even at the lowest threshold the mean decision step is {taken(low):.3f}, above {mean_step:g}; "
            "ask for a later one"
        )
    if taken(high) <= mean_step:
        return Shifted(rule, kind, high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if taken(middle) <= mean_step else (low, middle)
    return Shifted(rule, kind, low)


def within_loss(trace: Trace, rule: Rule, kind: str | Evidence, loss: float) -> Shifted:
    """Return the rule shifted so that it decides as soon as an accuracy budget allows.

    Of the shifts on a grid whose accuracy is at most ``loss`` below that of reading every sample at its own
    last step, the one with the smallest mean step, and of equal ones the highest. (Accuracy need not rise
    with the threshold, so this is a search and no halving.)

    Args:
        trace: of the validation split.
        rule: the rule whose thresholds are shifted, all by one amount.
        kind: what the trace's evidence is, which a rule without one of its own reads.
        loss: share of all samples that may be lost, in [0, 1).

    Raises:
        InputError: a loss outside [0, 1), or one that no shift keeps.
    """
    if not 0 <= loss < 1:
        raise InputError(f"a loss of accuracy is a share in [0, 1), such as 0.001, got {loss:g}")
    return soonest(trace, rule, kind, accuracy_at_end(trace, rule) - loss)


def accuracy_at_end(trace: Trace, rule: Rule | None = None) -> float:
    """Return the accuracy of reading every sample at its own last step, or of what a rule reads there."""
    evidence = trace.evidence if rule is None else evidence_read_by(rule, trace)
    return float((evidence[:, -1].argmax(1) == trace.labels).mean())  # it stands still behind a sample's end


def soonest(trace: Trace, rule: Rule, kind: str | Evidence, least: float) -> Shifted:
    """Return the rule shifted so that it decides as soon as a wanted accuracy allows; see ``within_loss``.

    Args:
        trace: of the validation split.
        rule: the rule whose thresholds are shifted, all by one amount.
        kind: what the trace's evidence is, which a rule without one of its own reads.
        least: the accuracy that is wanted, a share.

    Raises:
        InputError: no shift keeps it.
    """
    evidence = evidence_read_by(rule, trace)
    best: tuple[float, Shifted] | None = None
    for amount in np.linspace(_WIDEST, -_WIDEST, _SHIFTS):
        shifted = Shifted(rule, kind, float(amount))
        decision = decide(evidence, shifted, trace.lengths)
        mean_step = float(decision.step.mean())
        kept = float((decision.label == trace.labels).mean()) >= least - 1e-12
        if kept and (best is None or mean_step < best[0]):
            best = mean_step, shifted
    if best is None:
        raise InputError(f"no shift of {rule!r} keeps an accuracy of {least:.4f}; allow for less")
    return best[1]


def halfway(reads: Evidence) -> Reading:
    """Return a constant threshold within the limits of an evidence: where shifting starts."""
    low, high = reads.limits
    return Reading(FirstSpike(low + 1 if high == math.inf else (low + high) / 2), reads)


def top_k_gap(trace: Trace, reads: Evidence, epsilon: float, levels: int = 100) -> Reading:
    """Return thresholds per step above which an answer is right, now and to the end, with confidence.

    With c = 1 for samples that are right at step t and at every later one, and g the best class's evidence:
    the threshold of step t is the smallest of ``levels`` equal levels b from 0 up to the largest g at which

        P(c = 1 | g > b at t) >= 1 - epsilon

    on the calibration data. A level that nobody is above is no evidence of anything; where none suffices,
    nothing is decided at that step.

    Args:
        trace: of the validation split, with readouts.
        reads: the evidence, such as ``Cumulative("sum", "gap")``: the gap of summed readouts.
        epsilon: share of wrong ones among those above, in [0, 1).
        levels: how many levels are tried.

    Raises:
        InputError: an epsilon out of range, no readouts, or no step at which any level suffices.

    Source: Wu et al., snncutoff's top-k cutoff (there on training data, with dropout on).
    """
    if not 0 <= epsilon < 1:
        raise InputError(f"epsilon must lie in [0, 1), got {epsilon:g}")
    evidence = evidence_read_by(Reading(PerStep((1.0,)), reads), trace)
    right = evidence.argmax(2) == trace.labels[:, None]  # (N, T)
    stays = np.logical_and.accumulate(right[:, ::-1], axis=1)[:, ::-1]
    gap = evidence.max(2)  # (N, T)
    reached = np.arange(trace.n_steps) < trace.lengths[:, None]
    thresholds = [
        _smallest_level(gap[reached[:, step], step], stays[reached[:, step], step], epsilon, levels)
        for step in range(trace.n_steps)
    ]
    return Reading(some_decide(thresholds, f"epsilon {epsilon:g}"), reads)


def _smallest_level(gap: np.ndarray, stays: np.ndarray, epsilon: float, levels: int) -> float:
    """Return the smallest level above which at least 1 - epsilon stay right; infinity if there is none."""
    for level in np.linspace(0, gap.max(initial=0), levels, endpoint=False, dtype=gap.dtype):
        above = gap > level
        if above.any() and stays[above].mean() >= 1 - epsilon:
            return float(np.nextafter(level, np.inf, dtype=gap.dtype))  # strictly above it
    return math.inf


def some_decide(thresholds: list[float], wanted: str) -> PerStep:
    """Return a rule of thresholds of which infinite ones never decide; raise InputError if all are."""
    if not np.isfinite(thresholds).any():
        raise InputError(f"no step has a threshold that keeps {wanted}; give more samples or ask for less")
    return PerStep(tuple("never" if each == math.inf else each for each in thresholds))
