"""Means and Student-t intervals. The unit of repetition is the seed; one seed gives no interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.errors import InputError

CONFIDENCE = 0.95
SECOND_DECIMAL_FROM = 2000  # samples: from here on, one sample is at most 0.05 %
_HALF_WIDTH = "_half_width"


@dataclass(frozen=True)
class Interval:
    """A mean and, from two repetitions on, its 95 % Student-t interval.

    Attributes:
        mean: the mean over the repetitions.
        half_width: half the interval's width, or None for a single repetition.
        n: number of repetitions.
        unit: what was repeated, singular.
    """

    mean: float
    half_width: float | None
    n: int
    unit: str = "seed"

    @property
    def basis(self) -> str:
        """Return what the interval rests on: "95 % t-interval over 3 seeds"."""
        if self.half_width is None:
            return f"1 {self.unit}, no interval"
        return f"{CONFIDENCE:.0%} t-interval over {self.n} {self.unit}s".replace("%", " %")

    def spell(self, decimals: int, scale: float = 1.0) -> str:
        """Return "97.3 ± 0.4", or "97.3" without an interval, or "-" for NaN.

        Args:
            decimals: digits after the point.
            scale: factor on both numbers, such as 100 for per cent.
        """
        if np.isnan(self.mean):
            return "-"
        text = f"{self.mean * scale:.{decimals}f}"
        return text if self.half_width is None else f"{text} ± {self.half_width * scale:.{decimals}f}"


def percent_decimals(n_samples: int) -> int:
    """Return how many decimals of a percentage of ``n_samples`` mean something."""
    return 2 if n_samples >= SECOND_DECIMAL_FROM else 1


def half_width(values: np.ndarray) -> np.ndarray | None:
    """Return ``t(0.975, n - 1) s / sqrt(n)`` along the first axis, or None for a single repetition.

    Args:
        values: ``(n, ...)``, one entry per repetition.

    Source: Student's t interval for the mean of normal values with unknown variance.
    """
    n = len(values)
    if n < 2:
        return None
    quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))
    return np.asarray(quantile * np.std(values, axis=0, ddof=1) / np.sqrt(n))


def mean_interval(values: Sequence[float] | np.ndarray, unit: str = "seed") -> Interval:
    """Return the mean of one value per repetition with its interval.

    Args:
        values: one value per repetition.
        unit: what was repeated, singular.

    Raises:
        InputError: no value.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers):
        raise InputError(f"no {unit} to average over")
    width = half_width(numbers)
    return Interval(float(numbers.mean()), None if width is None else float(width), len(numbers), unit)


def paired_difference(first: Mapping[int, float], second: Mapping[int, float]) -> Interval:
    """Return the mean of ``first - second`` over the seeds both have.

    Runs of one seed share data order and splits, so their difference varies less than either.

    Args:
        first: one value per seed.
        second: one value per seed.

    Raises:
        InputError: no seed in common.
    """
    shared = sorted(first.keys() & second.keys())
    if not shared:
        raise InputError(
            f"no seed in common: {sorted(first)} against {sorted(second)}; run both with the same seeds"
        )
    return mean_interval([first[seed] - second[seed] for seed in shared])


def mean_over_seeds(tables: Sequence[Table]) -> Table:
    """Average tables of equal length row by row.

    Args:
        tables: one per seed, all with the same numeric columns.

    Returns:
        Every column's mean and, beside it, its ``<name>_half_width`` (NaN for a single seed).
    """
    columns: dict[str, np.ndarray] = {}
    for name in tables[0].columns:
        values = np.stack([table[name] for table in tables]).astype(np.float64)  # (seed, row)
        width = half_width(values)
        columns[name] = values.mean(axis=0)
        columns[name + _HALF_WIDTH] = np.full(values.shape[1], np.nan) if width is None else width
    return Table(columns)


def cell(table: Table, name: str) -> Interval:
    """Return the one value of a column of `mean_over_seeds` as an interval.

    Args:
        table: a single row, with the column ``n_seeds``.
        name: the column.
    """
    width = float(table[name + _HALF_WIDTH].item())
    return Interval(
        float(table[name].item()), None if np.isnan(width) else width, int(table["n_seeds"].item())
    )
