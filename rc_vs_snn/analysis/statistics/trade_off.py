"""The best operating point for a price of time, chosen on valid; the Pareto front of operating points."""

from dataclasses import dataclass

import numpy as np

from rc_vs_snn.analysis.groups import FinishedRun
from rc_vs_snn.analysis.statistics.accuracy_time import AccuracyTime, at_thresholds, by_threshold
from rc_vs_snn.analysis.statistics.stored import valid_trace
from rc_vs_snn.checks import as_array
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.metrics import average_cost, harmonic_mean
from rc_vs_snn.errors import InputError


@dataclass(frozen=True)
class BestPoint:
    """The threshold of least cost on valid, and what it comes to on test.

    Attributes:
        alpha: the price of waiting for the whole sequence, an error costing 1.
        threshold: the constant threshold of the first-spike rule.
        valid_cost: AvgCost(alpha) on valid; chosen to be least, so lower than what to expect.
        cost: AvgCost(alpha) on test.
        accuracy: on test.
        mean_step: on test, 0-based.
        earliness: on test, mean.
    """

    alpha: float
    threshold: float
    valid_cost: float
    cost: float
    accuracy: float
    mean_step: float
    earliness: float

    @property
    def harmonic_mean(self) -> float:
        """Of accuracy and earliness on test."""
        return harmonic_mean(self.accuracy, self.earliness)


def best_operating_point(
    valid: Trace, test: Trace, evidence: str, alpha: float, n_points: int = 200
) -> BestPoint:
    """Choose the threshold of least AvgCost(alpha) = (1 - a) + alpha e on valid and apply it to test.

    Of thresholds that cost the same, the lowest: it decides soonest.

    Args:
        valid: trace of the validation split: all that the choice sees.
        test: trace of the test split.
        evidence: what both hold.
        alpha: at least 0.
        n_points: how many thresholds are tried.

    Raises:
        InputError: alpha below 0, an empty split.
    """
    tried = by_threshold(valid, evidence, n_points)
    costs = average_costs(tried, alpha)
    best = int(costs.argmin())
    threshold = float(tried.threshold[best])
    step, right = at_thresholds(test, np.array([threshold]))
    if not right.size:
        raise InputError("the test split is empty; an operating point needs samples to be applied to")
    accuracy, early = float(right.mean()), float(((step + 1) / test.lengths).mean())
    cost = average_cost(accuracy, early, alpha)
    return BestPoint(alpha, threshold, float(costs[best]), cost, accuracy, float(step.mean()), early)


def average_costs(curve: AccuracyTime, alpha: float) -> np.ndarray:
    """Return AvgCost(alpha) at every point of a curve, see ``metrics.average_cost``."""
    points = zip(curve.accuracy.tolist(), curve.earliness.tolist(), strict=True)
    return np.array([average_cost(accuracy, early, alpha) for accuracy, early in points])


def best_point_of(run: FinishedRun, alpha: float) -> BestPoint | None:
    """Return a run's best operating point for ``alpha``; None where it keeps no trace of valid."""
    valid = valid_trace(run.record)
    return (
        None
        if valid is None
        else best_operating_point(valid, run.trace, run.record.metrics["evidence"], alpha)
    )


def pareto_front(cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Return which points no other beats by costing no more, being no less accurate, and better in one.

    Args:
        cost: mean step, operations, energy, ... of each point, ``(n,)``; less is better. A point whose cost
            is NaN (not counted) is not on the front and beats nobody.
        accuracy: ``(n,)``; more is better. NaN likewise.

    Returns:
        Indices by rising cost (and so by rising accuracy); of equal points the first.

    Raises:
        InputError: unequal lengths.
    """
    cost, accuracy = as_array(cost, "cost"), as_array(accuracy, "accuracy")
    if cost.shape != accuracy.shape or cost.ndim != 1:
        raise InputError(
            f"a Pareto front needs a cost and an accuracy per point, got {cost.shape} and {accuracy.shape}"
        )
    known = np.flatnonzero(~np.isnan(cost) & ~np.isnan(accuracy))
    order = known[np.lexsort((known, -accuracy[known], cost[known]))]
    best_before = np.append(-np.inf, np.maximum.accumulate(accuracy[order])[:-1])
    return order[accuracy[order] > best_before]
