"""Intervals against scipy and against every resample there is."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from rc_vs_snn.analysis.intervals import mean_interval
from rc_vs_snn.analysis.statistics import Estimate, bootstrap, paired_bootstrap
from rc_vs_snn.errors import InputError


def test_a_t_interval_has_the_ends_that_scipy_gives():
    values = np.array([0.91, 0.94, 0.99, 0.93])
    estimate = Estimate.of(mean_interval(values))
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert (estimate.low, estimate.high) == pytest.approx((low, high))
    assert estimate.basis == "95 % t-interval over 4 seeds"


def test_paired_bootstrap_against_scipy():
    rng = np.random.default_rng(3)
    first = rng.random(400) < 0.9
    second = np.where(rng.random(400) < 0.7, first, rng.random(400) < 0.8)
    ours = paired_bootstrap(first, second, resamples=20_000)
    theirs = stats.bootstrap(
        (first.astype(float), second.astype(float)), lambda a, b, axis: a.mean(axis) - b.mean(axis),
        paired=True, method="percentile", n_resamples=20_000, rng=1,
    )  # fmt: skip
    assert ours.value == pytest.approx(first.mean() - second.mean())
    # resampling noise of an end is about 0.0003; one sample more or less moves it by 0.0025
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.0026)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.0026)
    assert ours.basis == "95 % paired bootstrap over 400 samples, 20,000 resamples"


def test_three_samples_against_all_27_resamples():
    values = np.array([0.0, 1.0, 5.0])
    means = [np.mean(each) for each in itertools.product(values, repeat=3)]
    drawn = []
    bootstrap(values[:, None], lambda rows: (drawn.extend(rows[:, 0]), rows)[1], 27_000)
    found, counts = np.unique(np.round(drawn[1:], 9), return_counts=True)
    wanted, of_27 = np.unique(np.round(means, 9), return_counts=True)
    assert found.tolist() == wanted.tolist()
    # 4.5 standard deviations of a binomial count
    assert (np.abs(counts - 1000 * of_27) < 4.5 * np.sqrt(1000 * of_27)).all()


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(11)
    held = 0
    for draw in range(300):
        first = rng.random(250) < 0.85
        second = np.where(rng.random(250) < 0.6, first, rng.random(250) < 0.75)  # true difference 0.4 x 0.1
        estimate = paired_bootstrap(first, second, resamples=300, seed=draw)
        held += estimate.low <= 0.04 <= estimate.high
    # 95 % of 300, 3 standard deviations of a binomial count around it
    assert held / 300 == pytest.approx(0.95, abs=0.038)


def test_columns_of_a_sample_stay_together():
    rng = np.random.default_rng(0)
    first = rng.random(50)
    shifted = paired_bootstrap(first + 0.25, first)
    assert (shifted.low, shifted.value, shifted.high) == pytest.approx((0.25, 0.25, 0.25))


def test_a_seed_gives_the_same_again_and_another_something_else():
    values = np.arange(30.0)
    once, again, other = (paired_bootstrap(values, values**1.1, seed=seed) for seed in (1, 1, 2))
    assert once == again != other


def test_many_samples_are_weighted_in_parts():
    # more than fits at once: 3 million weights a resample of which at most 5 million are held
    estimate = paired_bootstrap(np.tile([True, False], 30_000), np.zeros(60_000, bool), resamples=200)
    # 1.96 sqrt(1/4 / 60000) = 0.004
    assert estimate.high - estimate.low == pytest.approx(0.008, rel=0.25)


def test_one_sample_has_no_interval():
    estimate = paired_bootstrap(np.array([True]), np.array([False]))
    assert estimate == Estimate(1.0, None, None, "1 sample, no interval")
    assert not estimate.holds_zero
    assert estimate.spell(1) == "1.0"


def test_infinite_and_undefined_statistics():
    values = np.arange(10.0)[:, None]

    def statistic(means):
        unbounded = np.where(means > 5, np.inf, means)  # about a third of the resamples
        some, none = np.where(means < 4.5, np.nan, means), np.full_like(means, np.nan)
        return np.concatenate([unbounded, some, none], axis=1)

    unbounded, some, none = bootstrap(values, statistic, 1000)
    assert math.isfinite(unbounded.low)
    assert unbounded.high == np.inf
    assert unbounded.spell(1).endswith("to no bound)")
    assert some.low >= 4.5
    assert "1,000 resamples, of which" in some.basis
    assert some.basis.endswith("without a value are left out")
    assert none.low is None
    assert none.spell(2) == "-"


def test_how_estimates_are_spelled():
    even = Estimate(0.41, 0.36, 0.46, "")
    assert even.spell(2) == "0.41 ± 0.05"
    assert Estimate(0.41, 0.36, 0.49, "").spell(2) == "0.41 (0.36 to 0.49)"
    assert even.scaled(-2) == Estimate(-0.82, -0.92, -0.72, "")
    assert not even.holds_zero
    assert Estimate(0.1, 0.0, 0.2, "").holds_zero
    assert Estimate(1.0, None, None, "").scaled(-1).low is None


@pytest.mark.parametrize(
    ("columns", "resamples", "message"),
    [
        (np.zeros((0, 2)), 1000, "numbers of shape"),
        (np.zeros(5), 1000, "numbers of shape"),
        (np.array([[np.nan], [1.0]]), 1000, "finite numbers; leave out what was not counted"),
        (np.zeros((5, 1)), 99, "resamples must be a whole number of at least 100"),
    ],
)
def test_faults_are_named(columns, resamples, message):
    with pytest.raises(InputError, match=message):
        bootstrap(columns, lambda means: means, resamples)


def test_pairs_need_partners():
    with pytest.raises(InputError, match=r"one number per sample of both, got \(3,\) and \(2,\)"):
        paired_bootstrap(np.zeros(3), np.zeros(2))
