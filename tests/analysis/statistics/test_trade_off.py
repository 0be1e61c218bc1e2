"""The Pareto front by brute force; the best operating point by trying every threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hmean

from rc_vs_snn.analysis.curves import threshold_grid
from rc_vs_snn.analysis.groups import FinishedRun
from rc_vs_snn.analysis.statistics import best_operating_point, pareto_front, valid_trace
from rc_vs_snn.analysis.statistics.trade_off import best_point_of
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.metrics import average_cost, summarise
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.errors import InputError
from rc_vs_snn.records.writing import write_trace

number = st.one_of(st.integers(0, 6).map(float), st.just(np.nan))


@given(st.lists(st.tuples(number, number), max_size=12))
def test_the_front_by_brute_force(points):
    cost, accuracy = np.array(points, float).reshape(-1, 2).T
    front = pareto_front(cost, accuracy)
    known = {point for point in points if not np.isnan(point).any()}
    unbeaten = {
        (c, a) for c, a in known
        if not any(c2 <= c and a2 >= a and (c2, a2) != (c, a) for c2, a2 in known)
    }  # fmt: skip
    assert {(cost[i], accuracy[i]) for i in front} == unbeaten
    assert len(front) == len(unbeaten), "of equal points one"
    assert (np.diff(cost[front]) > 0).all()
    assert (np.diff(accuracy[front]) > 0).all()
    assert all(i == points.index(points[i]) for i in front), "the first of equal ones"


def test_the_front_by_hand():
    # (1, .5) and (2, .9) stand; (3, .9) costs more, (1, .4) is worse, NaN was not counted
    cost, accuracy = np.array([3, 1, 2, np.nan, 1]), np.array([0.9, 0.5, 0.9, 1.0, 0.4])
    assert pareto_front(cost, accuracy).tolist() == [1, 2]
    with pytest.raises(InputError, match="a cost and an accuracy per point"):
        pareto_front(cost, accuracy[:2])


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 3.0])
def test_the_best_point_by_trying_every_threshold(two_models, alpha):
    valid, test = two_models[0].trace(), two_models[1].trace()
    best = best_operating_point(valid, test, "probability", alpha, n_points=50)
    costs = {}
    for threshold in threshold_grid(valid, "probability", 50).tolist():
        numbers = summarise(valid, decide(valid.evidence, FirstSpike(threshold)))
        costs[threshold] = average_cost(numbers["accuracy"], numbers["earliness"], alpha)
    assert best.valid_cost == pytest.approx(min(costs.values()))
    assert costs[best.threshold] == pytest.approx(min(costs.values()))
    applied = summarise(test, decide(test.evidence, FirstSpike(best.threshold)))
    assert best.accuracy == pytest.approx(applied["accuracy"])
    assert best.mean_step == pytest.approx(applied["mean_step"])
    assert best.cost == pytest.approx(1 - applied["accuracy"] + alpha * applied["earliness"])
    wanted = hmean([applied["accuracy"], 1 - applied["earliness"]])
    assert best.harmonic_mean == pytest.approx(wanted) == pytest.approx(applied["harmonic_mean"])


def test_a_dear_wait_is_not_waited_for_and_a_free_one_is(two_models):
    trace = two_models[0].trace()
    assert best_operating_point(trace, trace, "probability", 100.0).mean_step == 0
    patient = best_operating_point(trace, trace, "probability", 0.0)
    assert patient.accuracy == pytest.approx(patient.valid_cost * -1 + 1)
    with pytest.raises(InputError, match="alpha must be at least 0"):
        best_operating_point(trace, trace, "probability", -1.0)


def test_empty_splits_are_named(two_models):
    trace = two_models[0].trace()
    empty = Trace(np.zeros((0, 8, 5)), *[np.zeros(0, int)] * 2, *[np.zeros((0, 8))] * 3)
    with pytest.raises(InputError, match="the test split is empty"):
        best_operating_point(trace, empty, "probability", 0.1)
    with pytest.raises(InputError, match="at least one sample"):
        best_operating_point(empty, trace, "probability", 0.1)


def test_a_run_that_keeps_a_trace_of_valid_has_a_best_point(make_run, two_models):
    record = make_run(two_models[1].trace())
    assert best_point_of(FinishedRun(record), 0.1) is None
    path = record.folder / "trace-valid.npz"
    write_trace(path, two_models[0].trace())
    found = best_point_of(FinishedRun(record), 0.1)
    direct = best_operating_point(two_models[0].trace(), two_models[1].trace(), "probability", 0.1)
    assert found == direct
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"trace-valid\.npz is damaged"):
        valid_trace(record)
