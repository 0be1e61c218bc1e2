"""A number with its interval, and the paired bootstrap over samples. Each interval says what it rests on."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rc_vs_snn.analysis.intervals import CONFIDENCE, Interval
from rc_vs_snn.checks import as_array, check_whole
from rc_vs_snn.errors import InputError
from rc_vs_snn.seeds import generator_for

RESAMPLES = 10_000
_CHUNK = 5_000_000  # weights held at once
_EXACT = 2**24  # whole numbers up to here are exact in float32, and so are their sums


@dataclass(frozen=True)
class Estimate:
    """A number and its interval, which need not lie evenly around it.

    Attributes:
        value: the number.
        low: lower end of the interval; None where there is none.
        high: upper end.
        basis: what the interval rests on, such as "95 % t-interval over 3 seeds".
    """

    value: float
    low: float | None
    high: float | None
    basis: str

    @classmethod
    def of(cls, interval: Interval) -> "Estimate":
        """Return a mean over repetitions with its t-interval."""
        mean, width = interval.mean, interval.half_width
        if width is None:
            return cls(mean, None, None, interval.basis)
        return cls(mean, mean - width, mean + width, interval.basis)

    @property
    def holds_zero(self) -> bool:
        """Whether zero lies in the interval, its ends included; False where there is no interval."""
        return self.low is not None and self.high is not None and self.low <= 0 <= self.high

    def scaled(self, factor: float) -> "Estimate":
        """Return the estimate of ``factor`` times the number."""
        ends = [None if end is None else end * factor for end in (self.low, self.high)]
        low, high = ends if factor >= 0 else reversed(ends)
        return Estimate(self.value * factor, low, high, self.basis)

    def spell(self, decimals: int) -> str:
        """Return "0.41 ± 0.05" for an even interval, else "0.41 (0.36 to 0.47)", or "0.41" without one."""
        if math.isnan(self.value):
            return "-"
        value = f"{self.value:.{decimals}f}"
        if self.low is None or self.high is None:
            return value
        below, above = self.value - self.low, self.high - self.value
        if math.isclose(below, above, rel_tol=1e-6, abs_tol=1e-12):
            return f"{value} ± {above:.{decimals}f}"
        low, high = (
            f"{end:.{decimals}f}" if math.isfinite(end) else "no bound" for end in (self.low, self.high)
        )
        return f"{value} ({low} to {high})"


def bootstrap(
    columns: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Estimate]:
    """Return functions of sample means with their 95 % percentile intervals, samples drawn with replacement.

    All columns of a sample are drawn together, so numbers of two models on the same samples stay paired.

    Args:
        columns: ``(N, M)``, M numbers of each of N samples.
        statistic: from means ``(R, M)`` to S statistics of each row, ``(R, S)``. They may be infinite; rows
            in which one is NaN are left out of its interval, and its basis says how many.
        resamples: how often N samples are drawn.
        seed: of the drawing.

    Returns:
        Each statistic of the samples as they are; no interval for a single sample.

    Raises:
        InputError: no sample, fewer than 100 resamples, or numbers that are not finite.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile interval).
    """
    columns = as_array(columns, "columns")
    check_whole(resamples, "resamples", 100)
    if columns.ndim != 2 or not len(columns):
        raise InputError(f"a bootstrap needs numbers of shape (sample, number), got {columns.shape}")
    if not np.isfinite(columns).all():
        raise InputError("a bootstrap needs finite numbers; leave out what was not counted")
    n = len(columns)
    values = statistic(columns.mean(axis=0, dtype=np.float64)[None])[0].tolist()
    if n == 1:
        return [Estimate(value, None, None, "1 sample, no interval") for value in values]
    whole = (columns == np.rint(columns)).all() and np.abs(columns).max(initial=0) * n < _EXACT
    columns = columns.astype(np.float32 if whole else np.float64)
    generator = generator_for(seed, "bootstrap", n)
    drawn, at_once = [], max(1, _CHUNK // n)
    for start in range(0, resamples, at_once):
        weights = _times_drawn(generator, min(at_once, resamples - start), n).astype(columns.dtype)
        drawn.append(statistic((weights @ columns).astype(np.float64) / n))
    return [
        _interval(value, spread, n) for value, spread in zip(values, np.concatenate(drawn).T, strict=True)
    ]


def _times_drawn(generator: np.random.Generator, resamples: int, n: int) -> np.ndarray:
    """Return how often each of n samples is in each resample, ``(R, n)``."""
    chosen = generator.integers(0, n, (resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(chosen.ravel(), minlength=resamples * n).reshape(resamples, n)


def _interval(value: float, spread: np.ndarray, n: int) -> Estimate:
    """Return a statistic of n samples with the percentile interval of its values in R resamples, ``(R,)``."""
    defined = spread[~np.isnan(spread)]
    basis = f"{CONFIDENCE * 100:g} % paired bootstrap over {n:,} samples, {len(spread):,} resamples"
    if len(defined) < len(spread):
        basis += f", of which {len(spread) - len(defined):,} without a value are left out"
    if not len(defined):
        return Estimate(value, None, None, basis)
    tail = (1 - CONFIDENCE) / 2
    if np.isfinite(defined).all():
        low, high = np.quantile(defined, [tail, 1 - tail])
    else:  # nothing lies between a number and infinity: take the outer of the two
        low = np.quantile(defined, tail, method="lower")
        high = np.quantile(defined, 1 - tail, method="higher")
    return Estimate(value, float(low), float(high), basis)


def paired_bootstrap(
    first: np.ndarray, second: np.ndarray, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """Return the mean of ``first - second`` with its 95 % interval over samples, see `bootstrap`.

    Args:
        first: one number per sample, ``(N,)``, such as whether it is right.
        second: the same of another model, for the same samples in the same order.
        resamples: how often N samples are drawn.
        seed: of the drawing.

    Raises:
        InputError: unequal lengths, and see `bootstrap`.
    """
    first, second = as_array(first, "first"), as_array(second, "second")
    if first.shape != second.shape or first.ndim != 1:
        raise InputError(
            f"a paired bootstrap needs one number per sample of both, got {first.shape} and {second.shape}"
        )
    difference = first.astype(np.float64) - second
    (estimate,) = bootstrap(difference[:, None], lambda means: means, resamples, seed)
    return estimate
