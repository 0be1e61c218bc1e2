"""McNemar's test: do two models, judged on the same samples, err equally often?"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from rc_vs_snn.analysis.statistics.accuracy_time import Answers
from rc_vs_snn.checks import as_array
from rc_vs_snn.contracts import Trace
from rc_vs_snn.errors import InputError

EXACT_BELOW = 25
"""Fewer discordant samples than this are tested exactly."""


@dataclass(frozen=True)
class McNemar:
    """The outcome of a test.

    Attributes:
        only_first: samples that the first model gets right and the second wrong.
        only_second: the other way round.
        p: probability of a difference at least as large if both err equally often (two-sided).
        exact: by the binomial distribution, or by chi-square with continuity correction.
        steps: mean decision steps of both at which they were judged; None where that was left to the caller.
    """

    only_first: int
    only_second: int
    p: float
    exact: bool
    steps: tuple[float, float] | None = None

    @property
    def basis(self) -> str:
        """Return which test it is."""
        kind = "exact" if self.exact else "chi-square with continuity correction"
        return f"McNemar, {kind}, {self.only_first + self.only_second:,} discordant samples"

    def spell(self) -> str:
        """Return "31 against 12, p = 0.0055" or "p < 0.0001"."""
        p = "p < 0.0001" if self.p < 1e-4 else f"p = {self.p:.2g}"
        return f"{self.only_first:,} against {self.only_second:,}, {p}"


def mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """Test whether two models err equally often on the same samples.

    With b samples that only the first and c that only the second gets right: below 25 of them the exact
    two-sided binomial test of b in b + c at 1/2; from there on ``chi2 = max(|b - c| - 1, 0)^2 / (b + c)``
    with one degree of freedom.

    Args:
        first: whether the first model is right, one Boolean per sample, ``(N,)``.
        second: the same of the second model, samples in the same order.

    Raises:
        InputError: no sample, unequal lengths, or no Booleans.

    Source: McNemar, Psychometrika 12, 1947; Edwards, Psychometrika 13, 1948 (the correction).
    """
    first, second = as_array(first, "first"), as_array(second, "second")
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise InputError(
            f"McNemar's test needs the same samples of both, got {first.shape} and {second.shape}"
        )
    if first.dtype != bool or second.dtype != bool:
        raise InputError(
            f"McNemar's test needs Booleans (right or wrong), got {first.dtype} and {second.dtype}"
        )
    b, c = int((first & ~second).sum()), int((~first & second).sum())
    exact = b + c < EXACT_BELOW
    if not b + c:
        p = 1.0
    elif exact:
        p = float(stats.binomtest(b, b + c).pvalue)
    else:
        p = float(stats.chi2.sf(max(abs(b - c) - 1, 0) ** 2 / (b + c), 1))
    return McNemar(b, c, p, exact)


def mcnemar_at(first: Trace, second: Trace, mean_step: float | tuple[float, float]) -> McNemar:
    """Test two models at a matched mean decision step: constant thresholds that come nearest to it.

    The thresholds are set on the traces that are tested: for their time alone, not for their accuracy.

    Args:
        first: of the first model.
        second: of the second model, on the same samples.
        mean_step: the mean decision step asked for, 0-based; one for each where their steps differ in length.

    Raises:
        InputError: other samples, or no sample.
    """
    require_same_samples(first, second)
    asked = mean_step if isinstance(mean_step, tuple) else (mean_step, mean_step)
    (step, right), (other_step, other_right) = _nearest(first, asked[0]), _nearest(second, asked[1])
    return replace(mcnemar(right, other_right), steps=(step, other_step))


def require_same_samples(first: Trace, second: Trace) -> None:
    """Raise InputError unless two traces are about the same samples in the same order."""
    same = np.array_equal(first.ids, second.ids) and np.array_equal(first.labels, second.labels)
    if not same or not len(first):
        raise InputError(
            f"not the same samples ({len(first)} and {len(second)}); judge both models on one test split"
        )


def _nearest(trace: Trace, mean_step: float) -> tuple[float, np.ndarray]:
    """Return the mean step nearest to the one asked for, and what is right then."""
    answers = Answers.of(trace)
    levels = np.unique(answers.peak)
    levels = np.append(levels, np.nextafter(levels[-1], np.inf, dtype=levels.dtype))  # none decides
    low, high = 0, len(levels) - 1  # the mean step never falls as the threshold rises
    while high - low > 1:
        middle = (low + high) // 2
        taken = answers.at_thresholds(levels[[middle]])[0].mean()
        low, high = (middle, high) if taken <= mean_step else (low, middle)
    step, right = answers.at_thresholds(levels[[low, high]])
    means = step.mean(axis=1)
    best = int(np.abs(means - mean_step).argmin())
    return float(means[best]), right[best]
