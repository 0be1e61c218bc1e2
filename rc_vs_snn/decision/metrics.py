"""The numbers of one operating point: how often right, how soon, at what cost. Plain numpy."""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol

import numpy as np

from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.errors import InputError, blamed
from rc_vs_snn.registry import metrics as registered


def summarise(trace: Trace, decision: Decision) -> dict[str, float | int]:
    """Return the numbers of one set of decisions. Shares and accuracies lie in [0, 1].

    Args:
        trace: what the model said, N samples of T steps.
        decision: what was decided about the same N samples, in the same order.

    Returns:
        By name (an accuracy over no sample at all is NaN):

        - ``accuracy``: share of right labels, over all samples;
        - ``coverage``: share of samples decided by an output spike; ``accuracy_decided``: over those;
        - ``forced``: share of the others, read at the last step; ``forced_accuracy``: over those;
        - ``tied``: share of samples with several output spikes at the decision step;
        - ``mean_step``, ``median_step``: decision step, 0-based, forced ones at the last step;
        - ``mean_ms``: how many milliseconds of input were seen up to the decision, on average (NaN where
          a step has no duration);
        - ``earliness``: see `earliness`, the mean over samples; ``harmonic_mean``: see `harmonic_mean`;
        - ``acs``, ``macs``, ``leaks``, ``input_events``: mean accumulates, multiply-accumulates, leak
          multiplications and input spikes per sample, from step 0 to the decision step inclusive (NaN:
          not counted);
        - first-step accuracy, three ways: ``accuracy_forced_at_step0`` (every sample read at step 0),
          ``accuracy_decided_at_step0`` (over the ``share_decided_at_step0`` of samples that an output
          spike decided there), ``share_right_at_step0`` (decided there and right, over all samples);
        - ``n_samples``, ``n_steps``.

    Raises:
        InputError: no sample, another number of decisions than of samples, or a decision that is none: a
            step outside 0..T-1, labels that are no whole numbers, marks that are not Boolean.
    """
    _check(trace, decision)
    rows = np.arange(len(trace))
    right = decision.label == trace.labels
    decided_at_step0 = decision.decided & (decision.step == 0)
    accuracy = _mean(right)
    mean_step = _mean(decision.step)
    early = _mean(earliness(decision.step, trace.lengths))
    return {
        "accuracy": accuracy,
        "accuracy_decided": _mean(right[decision.decided]),
        "coverage": _mean(decision.decided),
        "mean_step": mean_step,
        "median_step": float(np.median(decision.step)),
        "mean_ms": math.nan if trace.step_ms is None else (mean_step + 1) * trace.step_ms,
        "forced": _mean(~decision.decided),
        "forced_accuracy": _mean(right[~decision.decided]),
        "tied": _mean(decision.tied),
        "earliness": early,
        "harmonic_mean": harmonic_mean(accuracy, early),
        "acs": _mean(trace.acs[rows, decision.step]),
        "macs": _mean(trace.macs[rows, decision.step]),
        "leaks": _mean(trace.leaks[rows, decision.step]),
        "input_events": _mean(trace.input_events[rows, decision.step]),
        "accuracy_forced_at_step0": _mean(trace.evidence[:, 0].argmax(axis=1) == trace.labels),
        "accuracy_decided_at_step0": _mean(right[decided_at_step0]),
        "share_decided_at_step0": _mean(decided_at_step0),
        "share_right_at_step0": _mean(decided_at_step0 & right),
        "n_samples": len(trace),
        "n_steps": trace.n_steps,
    }


def earliness(step: np.ndarray, n_steps: np.ndarray | int) -> np.ndarray:
    """Return the share of the sequence seen up to each decision: ``e = (step + 1) / T``, in (0, 1].

    Despite its usual name, a *small* earliness is early.

    Args:
        step: decision steps, 0-based.
        n_steps: number of time steps T, of each sample or of all.

    Raises:
        InputError: a step outside 0..T-1.

    Source: the ``earliness`` of aeon's early classifiers and of ml_edm.
    """
    step, n_steps = np.asarray(step), np.asarray(n_steps)
    if step.size and not ((step >= 0) & (step <= n_steps - 1)).all():
        raise InputError(f"decision steps must lie in 0..{n_steps.max() - 1}, got {step.min()}..{step.max()}")
    return (step + 1) / n_steps


def harmonic_mean(accuracy: float, earliness: float) -> float:
    """Return ``HM = 2 a (1 - e) / (a + 1 - e)``: high only if both right and early; 0 if neither.

    Args:
        accuracy: a, in [0, 1].
        earliness: e, in (0, 1].

    Raises:
        InputError: a number outside its range.

    Source: aeon (``harmonic_mean`` of early classification), ml_edm.
    """
    _check_ranges(accuracy, earliness)
    total = accuracy + 1 - earliness
    return 2 * accuracy * (1 - earliness) / total if total > 0 else 0.0


def average_cost(accuracy: float, earliness: float, alpha: float) -> float:
    """Return ``AvgCost = (1 - a) + alpha e``: an error costs 1, waiting for the whole sequence alpha.

    Args:
        accuracy: a, in [0, 1].
        earliness: e, in (0, 1].
        alpha: cost of the delay relative to an error, at least 0.

    Raises:
        InputError: a number outside its range.

    Source: ml_edm (average cost).
    """
    _check_ranges(accuracy, earliness)
    if not 0 <= alpha < math.inf:
        raise InputError(f"alpha must be at least 0 and finite, got {alpha:g}; a delay cannot earn anything")
    return (1 - accuracy) + alpha * earliness


class Metric(Protocol):
    """One number of a set of decisions."""

    def __call__(self, trace: Trace, decision: Decision) -> float:
        """Return the number; NaN where there is none.

        Args:
            trace: what the model said about N samples.
            decision: what was decided about them, in the same order.
        """
        ...


@registered.register("harmonic-mean")
@dataclass(frozen=True)
class HarmonicMean:
    """The harmonic mean of accuracy and of the share of the sequence that was not needed."""

    def __call__(self, trace: Trace, decision: Decision) -> float:
        """See ``Metric``."""
        return float(summarise(trace, decision)["harmonic_mean"])


@registered.register("average-cost")
@dataclass(frozen=True)
class AverageCost:
    """What errors and waiting cost together: (1 - accuracy) + alpha times earliness.

    Attributes:
        alpha: what waiting for a whole sequence costs relative to an error.
    """

    alpha: float = 0.5

    def __call__(self, trace: Trace, decision: Decision) -> float:
        """See ``Metric``."""
        found = summarise(trace, decision)
        return average_cost(float(found["accuracy"]), float(found["earliness"]), self.alpha)


def plugged_in(trace: Trace, decision: Decision) -> dict[str, float]:
    """Return the numbers of every metric that another package registers, by its name with underscores.

    Raises:
        InputError: a metric raises, or returns no number.
    """
    found = {}
    for name in registered.names():
        if registered.get(name).__module__ == __name__:
            continue
        with blamed(f"metric '{name}'"):
            value: Any = registered.build(name, {})(trace, decision)
        if isinstance(value, bool) or not isinstance(value, Real):
            raise InputError(f"metric '{name}' returned {value!r}; it returns one number")
        found[name.replace("-", "_")] = float(value)
    return found


def _check(trace: Trace, decision: Decision) -> None:
    if len(trace) == 0 or len(decision) != len(trace):
        raise InputError(f"{len(decision)} decisions for {len(trace)} samples; there must be one for each")
    for name, kinds, what in (
        ("label", "iu", "integers"), ("step", "iu", "integers"),
        ("decided", "b", "Booleans"), ("tied", "b", "Booleans"),
    ):  # fmt: skip
        values = np.asarray(getattr(decision, name))
        if values.shape != (len(trace),) or values.dtype.kind not in kinds:
            raise InputError(
                f"a decision's {name} must be {what} of shape ({len(trace)},), got {values.dtype} of shape "
                f"{values.shape}"
            )
    low, high = np.min(decision.step), np.max(decision.step)
    if low < 0 or high >= trace.n_steps:
        raise InputError(f"decision steps must lie in 0..{trace.n_steps - 1}, got {low}..{high}")


def _check_ranges(accuracy: float, earliness: float) -> None:
    if not 0 <= accuracy <= 1:
        raise InputError(f"accuracy must lie in [0, 1], got {accuracy:g}")
    if not 0 < earliness <= 1:
        raise InputError(f"earliness must lie in (0, 1], got {earliness:g}")


def _mean(values: np.ndarray) -> float:
    # numpy warns about the mean of nothing; "no such sample" is a normal outcome here
    return float(np.mean(values)) if len(values) else float("nan")
