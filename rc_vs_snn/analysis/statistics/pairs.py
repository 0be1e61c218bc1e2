"""Two runs on the same samples: what is read off the threshold sweeps of both, for samples or resamples."""

from dataclasses import dataclass

import numpy as np

from rc_vs_snn.analysis.curves import threshold_grid
from rc_vs_snn.analysis.groups import FinishedRun
from rc_vs_snn.analysis.statistics.accuracy_time import N_POINTS, accuracy_at, areas, at_thresholds, time_to
from rc_vs_snn.analysis.statistics.mcnemar import require_same_samples
from rc_vs_snn.analysis.statistics.stored import decision_of
from rc_vs_snn.errors import InputError

# Of each run, per sample: right and step at every threshold, right and step by its own rule, its last step.
_OWN = 3


@dataclass(frozen=True, eq=False)
class Pair:
    """Two runs of one seed.

    Attributes:
        runs: both.
        columns: ``(N, 2 (2 N_POINTS + 3))``, all that is averaged over samples.
        unit: of decision times, "steps" or "ms".
    """

    runs: tuple[FinishedRun, FinishedRun]
    columns: np.ndarray
    unit: str

    @classmethod
    def of(cls, first: FinishedRun, second: FinishedRun) -> "Pair":
        """Return the pair of two runs.

        Raises:
            InputError: other test samples, or steps that do not mean the same and have no duration.
        """
        try:
            require_same_samples(first.trace, second.trace)
            unit = _unit(first, second)
        except InputError as error:
            names = " and ".join(f"'{run.record.label}', seed {run.record.seed}" for run in (first, second))
            raise InputError(f"{names}: {error}") from error
        return cls((first, second), np.concatenate([_columns(first), _columns(second)], axis=1), unit)

    def clock(self, at: int) -> float | None:
        """Return how many ms a step of the first or second run lasts, where times are in ms."""
        return self.runs[at].trace.step_ms if self.unit == "ms" else None


@dataclass(frozen=True, eq=False)
class Reading:
    """What is read off two sweeps, ``(R,)`` each; infinite or NaN where one of them does not get there.

    Attributes:
        level: the accuracy at which times are compared.
        sooner: by how much the first decides sooner there.
        time: the mean decision time at which accuracies are compared.
        better: by how much the first is more accurate there.
        area: by how much the area under its accuracy-time curve is larger.
        spans: lowest first and highest accuracy of each sweep, ``(2, 2, R)``.
        reach: first and last mean decision time of each sweep, ``(2, 2, R)``.
    """

    level: np.ndarray
    sooner: np.ndarray
    time: np.ndarray
    better: np.ndarray
    area: np.ndarray
    spans: np.ndarray
    reach: np.ndarray


def read(pair: Pair, means: np.ndarray, accuracy: float | None, time: float | None) -> Reading:
    """Read two sweeps off means over samples.

    Args:
        pair: where the means come from.
        means: of its columns, ``(R, M)``.
        accuracy: the level; None: that of the less accurate of the two rules that were run, or what both
            sweeps reach if that is lower.
        time: the time; None: that of the rule that decided sooner, likewise.
    """
    first, second = (_Sweep.of(half, pair.clock(at)) for at, half in enumerate(np.split(means, 2, axis=1)))
    spans = np.array([[each.right[:, 0], each.right.max(axis=1)] for each in (first, second)])
    reach = np.array([[each.time[:, 0], each.time[:, -1]] for each in (first, second)])
    level, at_time = (
        np.minimum(first.own_right, second.own_right),
        np.minimum(first.own_time, second.own_time),
    )
    level = _within(level, spans) if accuracy is None else np.full(len(means), accuracy)
    at_time = _within(at_time, reach) if time is None else np.full(len(means), time)
    with np.errstate(invalid="ignore"):  # neither gets there: NaN
        sooner = time_to(second.time, second.right, level) - time_to(first.time, first.right, level)
    better = accuracy_at(first.time, first.right, at_time) - accuracy_at(second.time, second.right, at_time)
    area = areas(first.step, first.right, first.last) - areas(second.step, second.right, second.last)
    return Reading(level, sooner, at_time, better, area, spans, reach)


@dataclass(frozen=True, eq=False)
class _Sweep:
    """Means of one run: at every threshold (R, M), by its own rule (R,), and of the last step (R,)."""

    right: np.ndarray
    step: np.ndarray
    time: np.ndarray
    own_right: np.ndarray
    own_time: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, means: np.ndarray, step_ms: float | None) -> "_Sweep":
        right, step = np.split(means[:, :-_OWN], 2, axis=1)
        own_right, own_step, last = means[:, -_OWN:].T
        return cls(right, step, _times(step, step_ms), own_right, _times(own_step, step_ms), last)


def _within(wanted: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return what is wanted, or the nearest that both ``[low, high]`` hold; where none is, the higher low."""
    low, high = ends[:, 0].max(axis=0), ends[:, 1].min(axis=0)
    return np.maximum(np.minimum(wanted, high), low)


def _times(steps: np.ndarray, step_ms: float | None) -> np.ndarray:
    return steps if step_ms is None else (steps + 1) * step_ms


def _columns(run: FinishedRun) -> np.ndarray:
    trace, decision = run.trace, decision_of(run.record, run.trace)
    thresholds = threshold_grid(trace, run.record.metrics["evidence"], N_POINTS)
    step, right = at_thresholds(trace, thresholds)
    own = [decision.label == trace.labels, decision.step, trace.lengths - 1]
    return np.concatenate([right, step, own]).T


def _unit(first: FinishedRun, second: FinishedRun) -> str:
    durations = (first.trace.step_ms, second.trace.step_ms)
    if durations[0] == durations[1]:
        if durations[0] is None and first.trace.n_steps != second.trace.n_steps:
            raise InputError(
                f"{first.trace.n_steps} and {second.trace.n_steps} steps without a duration: a step of one "
                "is not a step of the other; encode both alike"
            )
        return "steps"
    if None in durations:
        raise InputError("the steps of only one of them have a duration; encode both alike")
    return "ms"
