import math

import numpy as np
import pytest

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.intervals import (
    cell,
    mean_interval,
    mean_over_seeds,
    paired_difference,
    percent_decimals,
)
from rc_vs_snn.errors import InputError


# 97.5 % quantiles of Student's t from a printed table: 1, 2, 4 and 9 degrees of freedom
@pytest.mark.parametrize(("n", "quantile"), [(2, 12.706), (3, 4.303), (5, 2.776), (10, 2.262)])
def test_half_width_is_the_tabulated_t_times_the_standard_error(n, quantile):
    values = np.arange(n, dtype=float)
    deviation = math.sqrt(sum((value - values.mean()) ** 2 for value in values) / (n - 1))
    interval = mean_interval(values)
    assert interval.mean == pytest.approx((n - 1) / 2)
    assert interval.half_width == pytest.approx(quantile * deviation / math.sqrt(n), rel=2e-4)
    assert interval.basis == f"95 % t-interval over {n} seeds"


def test_three_values_by_hand():
    # mean 97, deviations -1 0 1: s = 1, half width 4.303 / sqrt(3) = 2.484
    interval = mean_interval([0.96, 0.97, 0.98])
    assert interval.spell(1, 100) == "97.0 ± 2.5"


def test_one_repetition_gives_no_interval():
    interval = mean_interval([0.97])
    assert interval.half_width is None
    assert interval.spell(1, 100) == "97.0"
    assert interval.basis == "1 seed, no interval"
    assert mean_interval([1.0], unit="speaker").basis == "1 speaker, no interval"


def test_nothing_to_average():
    with pytest.raises(InputError, match="no seed to average"):
        mean_interval([])


def test_a_missing_number_is_spelled_as_a_dash():
    assert mean_interval([math.nan, 1.0]).spell(1) == "-"


def test_paired_difference_uses_shared_seeds_only():
    # seeds 1 and 2: differences 0.02 and 0.04; mean 0.03, s = 0.01 sqrt(2), half width 12.706 x 0.01
    difference = paired_difference({0: 0.5, 1: 0.97, 2: 0.99}, {1: 0.95, 2: 0.95, 7: 0.1})
    assert difference.mean == pytest.approx(0.03)
    assert difference.half_width == pytest.approx(0.12706, rel=1e-3)
    assert difference.n == 2
    with pytest.raises(InputError, match="no seed in common"):
        paired_difference({0: 0.5}, {1: 0.5})


def test_a_constant_difference_has_no_width():
    first = {seed: 0.9 + 0.01 * seed for seed in range(3)}
    second = {seed: value - 0.25 for seed, value in first.items()}
    assert paired_difference(first, second).half_width == pytest.approx(0, abs=1e-12)


def test_tables_are_averaged_row_by_row():
    mean = mean_over_seeds([Table({"x": np.array([1.0, 5.0])}), Table({"x": np.array([3.0, 5.0])})])
    assert mean["x"].tolist() == [2.0, 5.0]
    # s = sqrt(2), half width 12.706 sqrt(2) / sqrt(2)
    assert mean["x_half_width"] == pytest.approx([12.7062, 0.0], rel=1e-4)


def test_a_single_table_keeps_its_values_without_intervals():
    mean = mean_over_seeds([Table({"x": np.array([1.0, 5.0])})])
    assert mean["x"].tolist() == [1.0, 5.0]
    assert np.isnan(mean["x_half_width"]).all()


def test_a_cell_is_read_back_as_an_interval():
    one = mean_over_seeds([Table({"x": np.array([1.0])})]).tagged(n_seeds=1)
    two = mean_over_seeds([Table({"x": np.array([value])}) for value in (1.0, 3.0)]).tagged(n_seeds=2)
    assert cell(one, "x") == mean_interval([1.0])
    assert cell(two, "x") == mean_interval([1.0, 3.0])


def test_digits_follow_the_number_of_samples():
    assert percent_decimals(360) == 1
    assert percent_decimals(10_000) == 2
