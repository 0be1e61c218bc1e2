"""The accuracy-time curve of a run as a value: by threshold, by fixed step, by an oracle; the area under it.

A curve is points (mean decision time, accuracy), joined by straight lines. A point on such a line can be had:
take each sample's decision from one end or the other by the toss of a coin. Nothing is read off a curve
outside its ends.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from rc_vs_snn.analysis.curves import forced_at_step, oracle_exit, threshold_grid
from rc_vs_snn.contracts import Trace
from rc_vs_snn.errors import InputError

Over = Literal["step", "earliness"]
N_POINTS = 60


@dataclass(frozen=True, eq=False)
class AccuracyTime:
    """Accuracy against mean decision time.

    Attributes:
        kind: how the points came about: "threshold sweep", "fixed step" or "oracle".
        step: mean decision step of each point, 0-based, rising, ``(M,)``.
        earliness: mean share of the sequence seen by then, in (0, 1], ``(M,)``.
        accuracy: ``(M,)``, in [0, 1].
        last: the mean last step of the samples, mean(T_i) - 1.
        threshold: of each point; NaN where there is none.
    """

    kind: str
    step: np.ndarray
    earliness: np.ndarray
    accuracy: np.ndarray
    last: float
    threshold: np.ndarray

    def __post_init__(self) -> None:
        shapes = {np.shape(values) for values in (self.step, self.earliness, self.accuracy, self.threshold)}
        if len(shapes) > 1 or not all(len(shape) == 1 and shape[0] for shape in shapes):
            raise InputError(
                f"a curve needs equally many steps, earlinesses, accuracies and thresholds, got {shapes}"
            )
        if (np.diff(self.step) < 0).any() or (np.diff(self.earliness) < 0).any():
            raise InputError("the points of a curve must lie by rising time; sort them")

    def area(self, over: Over = "step") -> float:
        """Return the area under the curve, in [0, 1], by the trapezoid rule.

        Over "step" the time axis is the mean decision step divided by the mean last step, over "earliness"
        the mean earliness; both end at 1. Before the first point the curve is 0, as nothing is answered so
        early; after the last it stays as high as there. With a single step (T = 1) no time passes: the area
        over "step" is the accuracy.

        Raises:
            InputError: another axis.
        """
        if over not in get_args(Over):
            raise InputError(f"unknown time axis {over!r}; allowed: {', '.join(get_args(Over))}")
        time, end = (self.step, self.last) if over == "step" else (self.earliness, 1.0)
        return float(areas(time[None], self.accuracy[None], np.array([end]))[0])


def by_threshold(trace: Trace, evidence: str, n_points: int = N_POINTS) -> AccuracyTime:
    """Return the curve of the first-spike rule at many constant thresholds, see ``curves.threshold_grid``."""
    _require_samples(trace)
    thresholds = threshold_grid(trace, evidence, n_points)
    step, right = at_thresholds(trace, thresholds)
    return _curve("threshold sweep", trace, step, right, thresholds)


def by_fixed_step(trace: Trace) -> AccuracyTime:
    """Return the curve of reading every sample at one step (at its own last step where it ends before)."""
    _require_samples(trace)
    steps = np.minimum(forced_at_step(trace)["step"][:, None], trace.lengths - 1)  # (T, N)
    return _curve(
        "fixed step", trace, steps, Answers.of(trace).right_at(steps), np.full(trace.n_steps, np.nan)
    )


def oracle(trace: Trace) -> AccuracyTime:
    """Return the curve of an oracle with a deadline: a sample leaves at its oracle exit, or at the deadline.

    The oracle exit is the first step from which the prediction stays what it is at the end
    (``curves.oracle_exit``). At a deadline d the accuracy is that of reading all samples at step d, at the
    earliest mean time at which those answers could be known to be final.
    """
    _require_samples(trace)
    deadline = np.arange(trace.n_steps)[:, None]
    steps = np.minimum(np.minimum(oracle_exit(trace)["step"], deadline), trace.lengths - 1)  # (T, N)
    return _curve("oracle", trace, steps, Answers.of(trace).right_at(steps), np.full(trace.n_steps, np.nan))


@dataclass(frozen=True, eq=False)
class Answers:
    """A trace boiled down to what a constant threshold needs: judging it again at many of them is quick.

    Attributes:
        peak: each sample's running maximum of evidence, ``(N, T)``.
        right: whether the prediction is right at each step, ``(N, T)``.
        last: each sample's last step, ``(N,)``.
    """

    peak: np.ndarray
    right: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, trace: Trace) -> "Answers":
        """Return those of a trace."""
        peak = np.maximum.accumulate(trace.evidence.max(axis=2), axis=1)
        right = trace.evidence.argmax(axis=2) == trace.labels[:, None]
        return cls(peak, right, trace.lengths - 1)

    def at_thresholds(self, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return decision steps and whether they are right, ``(G, N)`` each, see `at_thresholds`."""
        asked = np.asarray(thresholds).astype(self.peak.dtype)
        step = np.empty((len(asked), len(self.last)), np.int64)
        for row, threshold in enumerate(asked):
            step[row] = np.minimum((self.peak < threshold).sum(axis=1), self.last)
        return step, self.right_at(step)

    def right_at(self, step: np.ndarray) -> np.ndarray:
        """Return whether the predictions at steps ``(G, N)`` are right, ``(G, N)``."""
        return self.right[np.arange(len(self.last)), step]


def at_thresholds(trace: Trace, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Judge every sample with the first-spike rule at several constant thresholds.

    What ``decide`` gives one threshold at a time.

    Args:
        trace: N samples.
        thresholds: ``(G,)``.

    Returns:
        The decision step and whether the decision is right, ``(G, N)`` each.
    """
    return Answers.of(trace).at_thresholds(thresholds)


def _require_samples(trace: Trace) -> None:
    if not len(trace):
        raise InputError("an accuracy-time curve needs at least one sample")


def _curve(
    kind: str, trace: Trace, step: np.ndarray, right: np.ndarray, threshold: np.ndarray
) -> AccuracyTime:
    earliness = ((step + 1) / trace.lengths).mean(axis=1)
    last = float(trace.lengths.mean() - 1)
    return AccuracyTime(kind, step.mean(axis=1), earliness, right.mean(axis=1), last, threshold)


# Reading curves, a row each: a bootstrap has thousands of them. ``time`` and ``accuracy`` are (R, M), the M
# points of a curve by rising time.


def areas(time: np.ndarray, accuracy: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the area under every curve from time 0 to ``end`` (R,), divided by ``end``: see `area`."""
    width = np.diff(time, axis=1)
    under = (width * (accuracy[:, 1:] + accuracy[:, :-1]) / 2).sum(axis=1)
    held = (end - time[:, -1]) * accuracy[:, -1]
    passes = end > 0
    return np.where(passes, (under + held) / np.where(passes, end, 1), accuracy[:, -1])


def accuracy_at(time: np.ndarray, accuracy: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return every curve's accuracy at a time ``at`` (R,), linear between points; NaN outside its ends."""
    after = (time < at[:, None]).sum(axis=1)  # the first point at or behind it
    rows, last = np.arange(len(time)), time.shape[1] - 1
    right, left = np.minimum(after, last), np.maximum(after - 1, 0)
    there = accuracy[rows, right]
    width = time[rows, right] - time[rows, left]
    share = np.where(width > 0, (at - time[rows, left]) / np.where(width > 0, width, 1), 1.0)
    between = accuracy[rows, left] + share * (there - accuracy[rows, left])
    outside = (at < time[:, 0]) | (at > time[:, -1])
    return np.where(outside, np.nan, np.where(time[rows, right] == at, there, between))


def time_to(time: np.ndarray, accuracy: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return when every curve first reaches an accuracy ``level`` (R,), linear between points.

    Its first time where it starts at or above the level, infinity where it never gets there.
    """
    reached = accuracy >= level[:, None]
    first, rows = reached.argmax(axis=1), np.arange(len(time))
    before = np.maximum(first - 1, 0)
    rise = accuracy[rows, first] - accuracy[rows, before]
    share = np.where(rise > 0, (level - accuracy[rows, before]) / np.where(rise > 0, rise, 1), 1.0)
    when = time[rows, before] + share * (time[rows, first] - time[rows, before])
    return np.where(reached.any(axis=1), when, np.inf)
