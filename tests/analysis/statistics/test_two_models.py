"""Two models against each other: by hand, by another way of computing the same, and the words for it."""

import math
import re

import numpy as np
import pytest
from scipy import stats

from rc_vs_snn.analysis.curves import threshold_sweep
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.statistics import compare_two, mcnemar_at
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.errors import InputError

N_SEEDS = 3


def trace_of(levels: np.ndarray, labels: np.ndarray, **more) -> Trace:
    """Two classes; ``levels`` is the evidence for class 0, ``(N, T)``."""
    none = np.zeros(levels.shape)
    evidence = np.stack([levels, 1 - levels], axis=2).astype(np.float32)
    return Trace(evidence, labels, np.arange(len(labels)), none, none, none, **more)


def growing(seed: int, gain: float, n: int = 300, n_steps: int = 8, **more) -> Trace:
    """Evidence for the true one of two classes that grows with ``gain``; the same samples for every gain."""
    rng = np.random.default_rng(seed)
    labels, ease = rng.integers(0, 2, n), rng.lognormal(0, 0.5, n)[:, None]
    noise = rng.normal(0, 1, (n, n_steps)).cumsum(1)
    score = (gain * ease * np.arange(1, n_steps + 1) + noise) * np.where(labels, -1, 1)[:, None]
    return trace_of(1 / (1 + np.exp(-score)), labels, **more)


@pytest.fixture
def runs(make_run):
    """Runs of two models by label, a seed each: "quick" has more evidence than "slow"."""

    def make(quick: float = 1.0, slow: float = 0.6, seeds: int = N_SEEDS, **more):
        gains = {"quick": quick, "slow": slow}
        return [
            [make_run(growing(seed, gain, **more), label=label, seed=seed) for seed in range(seeds)]
            for label, gain in gains.items()
        ]

    return make


def another_way(first, second):
    """Sooner at equal accuracy, better at equal time, by np.interp on the sweeps that the figures draw."""
    tables = [threshold_sweep(record.trace(), "probability") for record in (first, second)]
    level = min(record.metrics["accuracy"] for record in (first, second))
    level = min(level, *(table["accuracy"].max() for table in tables))
    when = min(record.metrics["mean_step"] for record in (first, second))
    times, heights = [], []
    for table in tables:
        heights.append(np.interp(when, table["mean_step"], table["accuracy"]))
        fine = np.union1d(np.linspace(0, table["mean_step"][-1], 1_000_001), table["mean_step"])
        reached = np.interp(fine, table["mean_step"], table["accuracy"]) >= level - 1e-12
        times.append(fine[reached.argmax()])
    return times[1] - times[0], heights[0] - heights[1]


def test_over_seeds_by_another_way_and_scipys_t(runs):
    quick, slow = runs()
    found = compare_two(quick, slow)
    by_seed = np.array([another_way(*pair) for pair in zip(quick, slow, strict=True)])
    for ours, values in zip((found.sooner, found.better), by_seed.T, strict=True):
        low, high = stats.t.interval(0.95, N_SEEDS - 1, values.mean(), stats.sem(values))
        assert (ours.value, ours.low, ours.high) == pytest.approx((values.mean(), low, high), abs=1e-4)
        assert ours.basis == "95 % t-interval over 3 seeds"
    assert found.seeds == (0, 1, 2)
    assert found.sooner.low > 0
    assert not found.apart


def test_turned_round_it_says_the_opposite(runs):
    quick, slow = runs()
    there, back = compare_two(quick, slow), compare_two(slow, quick)
    assert (there.accuracy, there.time) == pytest.approx((back.accuracy, back.time))
    for name in ("sooner", "better", "area"):
        assert getattr(there, name).value == pytest.approx(-getattr(back, name).value)
        assert getattr(there, name).low == pytest.approx(-getattr(back, name).high)
    assert "quick decides" in there.sentence()
    assert "steps sooner than slow" in there.sentence()
    assert "quick is better than slow by" in there.sentence()
    assert "steps later than quick" in back.sentence()
    assert "slow is worse than quick by" in back.sentence()


def test_a_model_against_itself_differs_by_nothing(runs, make_run):
    (one, *_), _ = runs(seeds=1)
    same = make_run(one.trace(), label="same")
    found = compare_two([one], [same], resamples=100)
    for estimate in (found.sooner, found.better, found.area):
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)
        assert estimate.holds_zero
    assert found.sentence().count("an interval that holds zero") == 2
    assert found.mcnemar[0].p == 1


def test_one_seed_is_a_bootstrap_over_the_samples(runs):
    (quick, *_), (slow, *_) = runs(seeds=1)
    found = compare_two([quick], [slow], resamples=400, seed=5)
    assert found.sooner.basis == "95 % paired bootstrap over 300 samples, 400 resamples"
    assert (found.sooner.value, found.better.value) == pytest.approx(another_way(quick, slow), abs=1e-4)
    # the same by drawing rows of both traces and comparing anew
    rng, values = np.random.default_rng(0), []
    for _ in range(60):
        rows = rng.integers(0, 300, 300)
        pair = []
        for record in (quick, slow):
            trace = record.trace()
            pair.append(trace_of(trace.evidence[rows, :, 0], trace.labels[rows]))
        values.append(better_at_the_sooner_rule(*pair))
    assert found.better.value == pytest.approx(np.mean(values), abs=0.02)
    spread = (found.better.high - found.better.low) / (2 * 1.96)
    assert spread == pytest.approx(np.std(values), rel=0.4)


def better_at_the_sooner_rule(first: Trace, second: Trace) -> float:
    when = min(decide(trace.evidence, FirstSpike(0.95)).step.mean() for trace in (first, second))
    heights = []
    for trace in (first, second):
        table = threshold_sweep(trace, "probability")
        heights.append(np.interp(when, table["mean_step"], table["accuracy"]))
    return heights[0] - heights[1]


def test_by_hand(make_run):
    # class 0 is right. "now" is sure and right at once; "then" doubts at step 0 (0.45: wrong), sure at step 1
    labels = np.zeros(4, int)
    now = make_run(trace_of(np.tile([0.99, 0.99], (4, 1)), labels), label="now")
    then = make_run(trace_of(np.tile([0.45, 0.99], (4, 1)), labels), label="then")
    found = compare_two([now], [then], resamples=100)
    # both rules end at 100 %, "then" a step later; at mean step 0 it has 0 % where it decides at all
    assert (found.accuracy, found.sooner.value) == (1.0, 1.0)
    assert (found.time, found.better.value) == (0.0, 1.0)
    assert found.area.value == pytest.approx(0.5)  # 1 against the triangle 1/2
    assert found.sentence() == (
        "At equal accuracy (100.0 %) now decides 1.00 ± 0.00 steps sooner than then; at equal mean decision "
        "step (0.00) now is better than then by 100.0 ± 0.0 points (95 % paired bootstrap over 4 samples, "
        "100 resamples)."
    )
    (test,) = found.mcnemar
    assert (test.only_first, test.only_second, test.p) == (4, 0, pytest.approx(2 / 16))


def test_nothing_is_extrapolated(runs):
    quick, slow = runs(quick=2.0, slow=0.02)
    found = compare_two(quick, slow, accuracy=0.9999, time=100)
    assert found.sooner is None
    assert found.better is None
    assert found.mcnemar == ()
    told = found.sentence()
    assert re.search(
        r"^At equal accuracy they cannot be compared: the sweep of \w+ does not reach 100.0 %, ", told
    )
    assert "the sweep of quick ends at mean step" in told
    assert "before 100.00 (seed 0)" in told
    assert "interval" not in told
    low = compare_two(quick, slow, accuracy=0.01)
    assert (
        "at equal accuracy they cannot be compared: the sweep of quick starts above 1.0 %" in low.sentence()
    )
    assert low.better is not None


def test_sweeps_that_do_not_meet(make_run):
    # "sure" is always right from step 0 on; "lost" never is: no accuracy in common
    labels = np.zeros(6, int)
    sure = make_run(trace_of(np.tile([0.99, 0.99, 0.99], (6, 1)), labels), label="sure")
    lost = make_run(trace_of(np.tile([0.01, 0.01, 0.01], (6, 1)), labels), label="lost")
    found = compare_two([sure], [lost], resamples=100)
    assert found.sooner is None
    assert found.better.value == 1
    told = found.sentence()
    assert "the sweep of lost does not reach 100.0 %, at most 0.0 %" in told
    assert "At equal mean decision step (0.00) sure is better than lost by 100.0 ± 0.0 points" in told


def test_silent_nets_are_compared_where_they_are_forced(make_run):
    # membranes that never spike: the sweep is one point, at the last step
    labels = np.array([0, 0, 1, 1])
    levels = {"one": [-0.1, -0.2, -0.3, -0.4], "other": [-0.8, -0.7, -0.6, -0.9]}
    records = []
    for label, each in levels.items():
        trace = trace_of(np.zeros((4, 3)), labels)
        evidence = np.full((4, 3, 2), -1.0, np.float32)
        evidence[:, :, 0] = np.array(each)[:, None]
        silent = Trace(**{**vars(trace), "evidence": evidence})
        records.append(make_run(silent, label=label, evidence="membrane", threshold=4.0))
    found = compare_two([records[0]], [records[1]], resamples=100)
    assert (found.time, found.better.value, found.sooner.value) == (2.0, 0.0, 0.0)


def test_a_single_sample_has_no_interval(make_run):
    runs = [make_run(growing(0, gain, n=1), label=str(gain)) for gain in (0.5, 2.0)]
    found = compare_two([runs[1]], [runs[0]])
    assert found.better.low is None
    assert "(1 sample, no interval)" in found.sentence()


def test_milliseconds_where_steps_have_them(runs):
    quick, slow = runs(step_ms=20.0)
    found = compare_two(quick, slow)
    assert (found.unit, found.step_ms) == ("steps", 20.0)
    (steps, ms) = re.search(
        r"decides ([\d.]+) ± [\d.]+ steps \[([\d.]+) ± [\d.]+ ms\] sooner", found.sentence()
    ).groups()
    assert float(ms) == pytest.approx(20 * float(steps), abs=0.15)


def test_steps_of_unequal_length_are_compared_in_milliseconds(make_run):
    # one trace with every step twice: decides at the same time, in steps of half the length
    trace = growing(0, 1.0, step_ms=20.0)
    twice = trace_of(np.repeat(trace.evidence[:, :, 0], 2, axis=1), trace.labels, step_ms=10.0)
    whole, halves = make_run(trace, label="whole"), make_run(twice, label="halves")
    level = threshold_sweep(trace, "probability")["accuracy"][4]  # where nobody is forced yet
    found = compare_two([halves], [whole], accuracy=level, resamples=200)
    assert (found.unit, found.step_ms) == ("ms", None)
    assert found.sooner.value == pytest.approx(10.0)  # seen after 10 and not after 20 ms
    assert re.search(r"halves decides 10\.0 .* ms sooner than whole; ", found.sentence())
    assert "at equal mean decision time (" in found.sentence()
    # a matched time is another step for each
    at = found.time
    assert found.mcnemar[0] == mcnemar_at(twice, trace, (at / 10 - 1, at / 20 - 1))


def test_groups_are_taken_as_well_as_records(runs):
    quick, slow = runs()
    first, second = group_runs([*quick, *slow])
    assert compare_two(first, second) == compare_two(quick, slow)


def test_uneven_seeds_are_paired_where_both_have_them(runs):
    quick, slow = runs()
    found = compare_two(quick, slow[1:])
    assert found.seeds == (1, 2)
    assert found.sooner.basis == "95 % t-interval over 2 seeds"


def test_faults_are_named(runs, make_run):
    quick, slow = runs()
    with pytest.raises(InputError, match=r"no seed in common \(\[0\] against \[1, 2\]\)"):
        compare_two(quick[:1], slow[1:])
    with pytest.raises(InputError, match="each side of a comparison is one model, got 'quick', 'slow'"):
        compare_two([*quick, *slow], slow)
    with pytest.raises(InputError, match="accuracy must lie in"):
        compare_two(quick, slow, accuracy=95)
    with pytest.raises(InputError, match="time must be at least 0"):
        compare_two(quick, slow, time=-1)
    other = make_run(growing(7, 1.0), label="other")
    with pytest.raises(InputError, match="'quick', seed 0 and 'other', seed 0: not the same samples"):
        compare_two(quick[:1], [other])
    shorter = make_run(growing(0, 1.0, n_steps=8), label="shorter")
    trace = quick[0].trace()
    longer = make_run(trace_of(np.repeat(trace.evidence[:, :, 0], 2, axis=1), trace.labels), label="longer")
    with pytest.raises(InputError, match="16 and 8 steps without a duration"):
        compare_two([longer], [shorter])
    timed = make_run(Trace(**{**vars(trace), "step_ms": 5.0}), label="timed")
    with pytest.raises(InputError, match="only one of them have a duration"):
        compare_two([timed], quick[:1])
    with pytest.raises(InputError, match="resamples must be a whole number"):
        compare_two(quick[:1], slow[:1], resamples=3)
    with pytest.raises(InputError, match="no finished run"):
        compare_two([], slow)


def test_costs_that_were_not_counted_do_not_matter(runs, make_run):
    (quick, *_), (slow, *_) = runs(seeds=1)
    bare = Trace(**{**vars(quick.trace()), "acs": np.full((300, 8), math.nan)})
    found = compare_two([make_run(bare, label="bare")], [slow], resamples=100)
    assert found.sooner.value == compare_two([quick], [slow], resamples=100).sooner.value
