import time

import numpy as np
import pytest

from rc_vs_snn.analysis.curves import (
    SWEEP_COLUMNS,
    forced_at_step,
    oracle_exit,
    threshold_grid,
    threshold_sweep,
)
from rc_vs_snn.contracts import Trace
from rc_vs_snn.errors import InputError


def random_trace(kind: str, n=40, n_steps=5, n_classes=4, seed=0) -> Trace:
    rng = np.random.default_rng(seed)
    potential = rng.normal(0, 1, (n, n_steps, n_classes)).cumsum(axis=1)
    odds = np.exp(2 * potential)
    evidence = odds / odds.sum(axis=2, keepdims=True) if kind == "probability" else potential
    return Trace(
        evidence=evidence.astype(np.float32),
        labels=rng.integers(0, n_classes, n),
        ids=np.arange(n),
        acs=rng.integers(1, 9, (n, n_steps)).cumsum(axis=1),
        macs=rng.integers(1, 9, (n, n_steps)).cumsum(axis=1),
        input_events=rng.integers(1, 9, (n, n_steps)).cumsum(axis=1),
        leaks=rng.integers(1, 9, (n, n_steps)).cumsum(axis=1),
    )


def naive_point(trace: Trace, threshold: float) -> dict[str, float]:
    """The first-spike rule and its numbers as plain loops over single values."""
    right, steps, decided, tied, acs, macs, leaks, right_decided = [], [], [], [], [], [], [], []
    for row in range(len(trace)):
        step, spiked = trace.n_steps - 1, []
        for candidate in range(trace.n_steps):
            values = trace.evidence[row, candidate]
            spiked = [k for k, value in enumerate(values) if value >= np.float32(threshold)]
            if spiked:
                step = candidate
                break
        values = list(trace.evidence[row, step])
        label = values.index(max(values))
        right.append(label == trace.labels[row])
        if spiked:
            right_decided.append(right[-1])
        steps.append(step)
        decided.append(bool(spiked))
        tied.append(len(spiked) > 1)
        acs.append(trace.acs[row, step])
        macs.append(trace.macs[row, step])
        leaks.append(trace.leaks[row, step])
    n = len(trace)
    return {
        "mean_step": sum(steps) / n,
        "accuracy": sum(right) / n,
        "accuracy_decided": sum(right_decided) / len(right_decided) if right_decided else np.nan,
        "coverage": sum(decided) / n,
        "forced": 1 - sum(decided) / n,
        "tied": sum(tied) / n,
        "acs": sum(acs) / n,
        "macs": sum(macs) / n,
        "leaks": sum(leaks) / n,
    }


@pytest.mark.parametrize("kind", ["probability", "membrane"])
def test_sweep_agrees_with_a_naive_loop(kind):
    trace = random_trace(kind)
    sweep = threshold_sweep(trace, kind, n_points=15)
    assert len(sweep) == 15
    for index, threshold in enumerate(sweep["threshold"]):
        got = {name: sweep[name][index] for name in SWEEP_COLUMNS}
        assert got == pytest.approx(naive_point(trace, threshold), nan_ok=True)


@pytest.mark.parametrize("kind", ["probability", "membrane"])
def test_sweep_spans_from_all_at_step_0_to_hardly_any(kind):
    trace = random_trace(kind)
    sweep = threshold_sweep(trace, kind)
    assert (np.diff(sweep["threshold"]) >= 0).all()
    assert (np.diff(sweep["mean_step"]) >= 0).all()
    assert (sweep["threshold"] > 0).all()
    assert sweep["coverage"][-1] <= 2 / len(trace)
    if kind == "probability":
        assert sweep["mean_step"][0] == 0
        assert sweep["accuracy"][0] == forced_at_step(trace)["accuracy"][0]


def test_probability_thresholds_are_dense_towards_1_and_end_there():
    grid = threshold_grid(random_trace("probability"), "probability", 60)
    assert 1 / 4 < grid[0] < 0.26  # four classes
    assert grid[-1] == 1.0
    assert ((grid > 0.95) & (grid < 1)).sum() >= 20
    assert len(grid) == 60


def test_membrane_thresholds_are_peaks_above_zero():
    trace = random_trace("membrane")
    peak = np.maximum.accumulate(trace.evidence.max(axis=2), axis=1)
    grid = threshold_grid(trace, "membrane", 30)
    assert grid[0] == peak[peak > 0].min()
    assert grid[-1] == peak.max()


def test_a_silent_net_is_forced_at_any_threshold():
    trace = random_trace("membrane")
    silent = Trace(**{**vars(trace), "evidence": -1 - np.abs(trace.evidence)})
    sweep = threshold_sweep(silent, "membrane", n_points=5)
    assert sweep["forced"].tolist() == [1.0] * 5
    assert np.isnan(sweep["accuracy_decided"]).all()
    assert sweep["mean_step"].tolist() == [4.0] * 5


def test_unusable_requests_are_refused():
    trace = random_trace("membrane")
    with pytest.raises(InputError, match="at least 2 points"):
        threshold_sweep(trace, "membrane", n_points=1)


def test_forced_read_out_by_hand(tiny_trace):
    # predictions per step    labels  right
    # 0 0 0                   0       1 1 1
    # 0 1 1                   1       0 1 1
    # 1 0 0                   0       0 1 1
    # 1 1 0                   1       1 1 0
    read = forced_at_step(tiny_trace)
    assert read["step"].tolist() == [0, 1, 2]
    assert read["accuracy"].tolist() == [0.5, 1.0, 0.75]
    assert read["acs"].tolist() == [25.0, 50.0, 75.0]
    assert read["macs"].tolist() == [100.0, 200.0, 300.0]


def test_oracle_exit_by_hand(tiny_trace):
    # class 0 from step 0; class 1 from step 1; class 0 from step 1; class 1, 1, then 0 at the end
    exits = oracle_exit(tiny_trace)
    assert exits["step"].tolist() == [0, 1, 1, 2]
    assert exits["right"].tolist() == [True, True, True, False]


def test_what_stays_wrong_can_stop_at_once_too():
    evidence = np.array([[[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]], np.float32)
    counts = np.zeros((1, 3))
    exits = oracle_exit(Trace(evidence, np.array([1]), np.array([0]), counts, counts, counts))
    assert exits["step"].tolist() == [0]
    assert exits["right"].tolist() == [False]


@pytest.mark.parametrize("seed", range(20))
def test_no_rule_that_keeps_the_final_predictions_is_sooner_than_the_oracle(seed):
    trace = random_trace("probability", n=300, seed=seed)
    exits = oracle_exit(trace)
    predicted = trace.evidence.argmax(axis=2)
    for row in range(len(trace)):
        step = exits["step"][row]
        assert (predicted[row, step:] == predicted[row, -1]).all()
        assert step == 0 or predicted[row, step - 1] != predicted[row, -1]


def test_full_mnist_size_takes_about_a_second():
    trace = random_trace("probability", n=10_000, n_steps=10, n_classes=10)
    start = time.perf_counter()
    threshold_sweep(trace, "probability", n_points=60)
    assert time.perf_counter() - start < 5  # 0.3 s on a free core; room for a busy one
