"""Curves against hand-worked traces, against `decide` one threshold at a time, and scikit-learn's area."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc

from rc_vs_snn.analysis.curves import forced_at_step, threshold_sweep
from rc_vs_snn.analysis.statistics import AccuracyTime, at_thresholds, by_fixed_step, by_threshold, oracle
from rc_vs_snn.analysis.statistics.accuracy_time import accuracy_at, areas, time_to
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.metrics import summarise
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.errors import InputError


@st.composite
def traces(draw) -> Trace:
    """Coarse evidence, so that ties and equal peaks abound, of samples that may end early."""
    n, n_steps, n_classes = draw(st.integers(1, 6)), draw(st.integers(1, 5)), draw(st.integers(2, 4))
    size = n * n_steps * n_classes
    values = draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=size, max_size=size))
    evidence = np.array(values, np.float32).reshape(n, n_steps, n_classes)
    lengths = np.array(draw(st.lists(st.integers(1, n_steps), min_size=n, max_size=n)))
    for row, length in enumerate(lengths):  # a trace stands still after a sample's end
        evidence[row, length:] = evidence[row, length - 1]
    labels = np.array(draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n)))
    none = np.zeros((n, n_steps))
    return Trace(evidence, labels, np.arange(n), none, none, none, lengths=lengths)


@given(traces(), st.lists(st.sampled_from([0.1, 0.25, 0.4, 0.5, 0.75, 0.9, 1.0]), min_size=1, max_size=4))
def test_many_thresholds_at_once_decide_as_one_at_a_time(trace, thresholds):
    steps, rights = at_thresholds(trace, np.array(thresholds))
    for step, right, threshold in zip(steps, rights, thresholds, strict=True):
        decision = decide(trace.evidence, FirstSpike(threshold), trace.lengths)
        assert step.tolist() == decision.step.tolist()
        assert right.tolist() == (decision.label == trace.labels).tolist()


@given(traces())
def test_every_curve_rises_in_time_and_has_an_area_between_its_extremes(trace):
    for curve in (by_threshold(trace, "probability"), by_fixed_step(trace), oracle(trace)):
        assert (np.diff(curve.step) >= 0).all()
        for over in ("step", "earliness"):
            assert -1e-12 <= curve.area(over) <= curve.accuracy.max() + 1e-12
    exits, fixed = oracle(trace), by_fixed_step(trace)
    # the same answers as reading everybody at the deadline, and never later
    assert exits.accuracy.tolist() == fixed.accuracy.tolist()
    assert (exits.step <= fixed.step).all()


def test_the_sweep_is_the_one_of_the_figures(two_models):
    for record in two_models[::3]:
        kind = record.metrics["evidence"]
        curve, figure = by_threshold(record.trace(), kind), threshold_sweep(record.trace(), kind)
        assert curve.step == pytest.approx(figure["mean_step"], abs=1e-12)
        assert curve.accuracy == pytest.approx(figure["accuracy"], abs=1e-12)
        assert curve.threshold.tolist() == figure["threshold"].tolist()


def test_read_at_one_step_by_hand(tiny_trace):
    # right: sample 0 at 0, 1, 2; sample 1 at 1, 2; sample 2 at 1, 2; sample 3 at 0, 1
    curve = by_fixed_step(tiny_trace)
    assert curve.step.tolist() == [0, 1, 2]
    assert curve.accuracy.tolist() == [0.5, 1.0, 0.75] == forced_at_step(tiny_trace)["accuracy"].tolist()
    assert curve.area() == pytest.approx((0.75 + 0.875) / 2)
    # over earliness 1/3, 2/3, 1: nothing is answered before 1/3
    assert curve.area("earliness") == pytest.approx((0.75 + 0.875) / 3)


def test_the_oracle_by_hand(tiny_trace):
    # final answers stand from steps 0, 1, 1, 2 on; deadlines 0, 1, 2 give mean steps 0, 3/4, 1
    curve = oracle(tiny_trace)
    assert curve.step.tolist() == [0, 0.75, 1.0]
    assert curve.accuracy.tolist() == [0.5, 1.0, 0.75]
    # two trapezoids, then 3/4 held from step 1 to the last step 2
    assert curve.area() == pytest.approx((0.75 * 0.75 + 0.25 * 0.875 + 1.0 * 0.75) / 2)


def test_area_against_scikit_learn(two_models):
    trace = two_models[4].trace()
    late = Trace(**{**vars(trace), "evidence": trace.evidence - 6})  # some are below any threshold at first
    whole = by_threshold(late, "membrane")
    curve = AccuracyTime(
        **{
            name: values[:30] if isinstance(values, np.ndarray) else values
            for name, values in vars(whole).items()
        }
    )  # one that ends before the last step
    start, end = curve.step[0], curve.last
    assert 0 < start < curve.step[-1] < end
    time = [0, start, *curve.step, end]
    assert curve.area() == pytest.approx(auc(time, [0, 0, *curve.accuracy, curve.accuracy[-1]]) / end)


def test_samples_of_unequal_length():
    evidence = np.array([[[0.9, 0.1]] * 3, [[0.4, 0.6], [0.8, 0.2], [0.8, 0.2]]], np.float32)
    none = np.zeros((2, 3))
    trace = Trace(evidence, np.array([0, 0]), np.arange(2), none, none, none, lengths=np.array([1, 2]))
    curve = by_fixed_step(trace)
    assert curve.step.tolist() == [0, 0.5, 0.5]
    assert curve.earliness.tolist() == [0.75, 1.0, 1.0]
    assert curve.last == 0.5
    assert curve.area() == pytest.approx(0.75)
    waited = summarise(trace, decide(evidence, FirstSpike(1.0), trace.lengths))
    assert curve.step[-1] == waited["mean_step"]


def test_silence_and_never_right():
    # nothing ever reaches a threshold above 0, and no answer is right: all forced, accuracy 0
    none = np.zeros((3, 4))
    silent = Trace(np.full((3, 4, 2), -1, np.float32), np.ones(3, int), np.arange(3), none, none, none)
    curve = by_threshold(silent, "membrane")
    assert set(curve.step) == {3.0}
    assert curve.area() == 0
    assert at_thresholds(silent, np.array([1.0]))[1].sum() == 0


def test_a_single_step_has_the_accuracy_as_area():
    none = np.zeros((2, 1))
    trace = Trace(np.array([[[0.9, 0.1]], [[0.9, 0.1]]]), np.array([0, 1]), np.arange(2), none, none, none)
    for curve in (by_threshold(trace, "probability"), by_fixed_step(trace), oracle(trace)):
        assert curve.area() == 0.5
        assert np.isfinite(curve.area("earliness"))


def test_faults_are_named(tiny_trace):
    with pytest.raises(InputError, match="unknown time axis 'ms'"):
        by_fixed_step(tiny_trace).area("ms")
    rising = np.array([0.0, 1.0])
    with pytest.raises(InputError, match="by rising time"):
        AccuracyTime("mine", rising[::-1], rising, rising, 1.0, rising)
    with pytest.raises(InputError, match="equally many"):
        AccuracyTime("mine", rising, rising, rising[:1], 1.0, rising)
    with pytest.raises(InputError, match="at least one sample"):
        by_fixed_step(Trace(np.zeros((0, 2, 2)), *[np.zeros(0, int)] * 2, *[np.zeros((0, 2))] * 3))


points = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 10)), min_size=1, max_size=6, unique_by=lambda at: at[0]
)


@given(points, st.integers(-1, 22))
def test_accuracy_at_a_time_against_numpy(drawn, at):
    time, accuracy = np.array(sorted(drawn), float).T
    got = accuracy_at(time[None], accuracy[None], np.array([at], float))[0]
    wanted = np.interp(at, time, accuracy, left=np.nan, right=np.nan)
    assert got == pytest.approx(wanted, nan_ok=True)


@given(points, st.integers(0, 11))
def test_the_time_to_an_accuracy_is_the_first_that_has_it(drawn, level):
    time, accuracy = np.array(sorted(drawn), float).T
    got = time_to(time[None], accuracy[None], np.array([level], float))[0]
    if level > accuracy.max():
        assert got == np.inf
    else:
        assert np.interp(got, time, accuracy) >= level - 1e-9
        before = np.linspace(time[0], got, 50)[:-1]
        assert (np.interp(before, time, accuracy) < level + 1e-9).all() or got == time[0]


def test_rows_are_read_apart():
    time = np.array([[0.0, 1.0], [0.0, 2.0]])
    accuracy = np.array([[0.0, 1.0], [0.5, 1.0]])
    assert areas(time, accuracy, np.array([2.0, 2.0])).tolist() == [0.75, 0.75]
    assert accuracy_at(time, accuracy, np.array([0.5, 0.5])).tolist() == [0.5, 0.625]
    assert time_to(time, accuracy, np.array([0.75, 0.75])).tolist() == [0.75, 1.0]
