import math
from dataclasses import replace

import numpy as np
import pytest

from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.metrics import average_cost, earliness, harmonic_mean, summarise
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.errors import InputError


def make_trace(probability_of_class_0, labels) -> Trace:
    """Two classes; costs that rise by one unit per step, another unit for every sample."""
    first = np.array(probability_of_class_0)
    n_samples, n_steps = first.shape
    sums = np.arange(1, n_samples + 1)[:, None] * np.arange(1, n_steps + 1)
    return Trace(
        evidence=np.stack([first, 1 - first], axis=2).astype(np.float32),
        labels=np.array(labels),
        ids=np.arange(n_samples),
        acs=10 * sums,
        macs=100 * sums,
        input_events=sums,
        leaks=7 * sums,
    )


TRACE = make_trace(
    [
        [0.97, 0.60, 0.99, 0.50],  # step 0, class 0: right
        [0.60, 0.02, 0.30, 0.40],  # step 1, class 1: right
        [0.02, 0.70, 0.80, 0.90],  # step 0, class 1: wrong
        [0.45, 0.48, 0.55, 0.40],  # forced at step 3, class 1: right
        [0.55, 0.48, 0.55, 0.40],  # forced at step 3, class 1: wrong
    ],
    [0, 1, 0, 1, 0],
)


def test_every_number_of_five_samples_worked_by_hand():
    got = summarise(TRACE, decide(TRACE.evidence, FirstSpike(0.95)))
    mean_step = (0 + 1 + 0 + 3 + 3) / 5  # 1.4
    early = 2.4 / 4  # (1.4 + 1) / 4 = 0.6
    expected = {
        "accuracy": 3 / 5,
        "accuracy_decided": 2 / 3,
        "coverage": 3 / 5,
        "mean_step": mean_step,
        "median_step": 1.0,
        "mean_ms": math.nan,
        "forced": 2 / 5,
        "forced_accuracy": 1 / 2,
        "tied": 0.0,
        "earliness": early,
        "harmonic_mean": 2 * 0.6 * 0.4 / (0.6 + 0.4),
        # sample number x (step + 1): 1x1 + 2x2 + 3x1 + 4x4 + 5x4 = 44
        "acs": 440 / 5,
        "macs": 4400 / 5,
        "leaks": 308 / 5,
        "input_events": 44 / 5,
        # largest at step 0: class 0, 0, 1, 1, 0 against labels 0, 1, 0, 1, 0
        "accuracy_forced_at_step0": 3 / 5,
        "accuracy_decided_at_step0": 1 / 2,
        "share_decided_at_step0": 2 / 5,
        "share_right_at_step0": 1 / 5,
        "n_samples": 5,
        "n_steps": 4,
    }
    assert got == pytest.approx(expected, nan_ok=True)
    assert list(got) == list(expected)
    assert all(type(value) in (float, int) for value in got.values()), "plain values, fit for JSON"


def test_a_low_threshold_ties_classes():
    got = summarise(TRACE, decide(TRACE.evidence, FirstSpike(0.44)))
    # at step 0 both classes reach 0.44 in samples 3 and 4 only (0.45 / 0.55 and 0.55 / 0.45)
    assert got["tied"] == pytest.approx(2 / 5)
    assert got["coverage"] == 1.0
    assert math.isnan(got["forced_accuracy"])


def test_nothing_decided_gives_nan_and_no_warning():
    got = summarise(TRACE, decide(TRACE.evidence, FirstSpike(1.0)))
    assert got["coverage"] == 0.0
    assert got["forced"] == 1.0
    assert math.isnan(got["accuracy_decided"])
    assert math.isnan(got["accuracy_decided_at_step0"])
    assert got["mean_step"] == 3.0
    assert got["earliness"] == 1.0
    assert got["harmonic_mean"] == 0.0


def test_decisions_of_another_split_are_refused():
    decision = decide(TRACE.evidence[:3], FirstSpike(0.95))
    with pytest.raises(InputError, match="3 decisions for 5 samples"):
        summarise(TRACE, decision)


def test_no_sample_is_refused():
    empty = make_trace(np.empty((0, 2)), np.empty(0, dtype=int))
    with pytest.raises(InputError, match="0 decisions for 0 samples"):
        summarise(empty, decide(empty.evidence, FirstSpike(0.95)))


@pytest.mark.parametrize(
    ("field", "values", "says"),
    [
        ("step", [-1, 0, 0, 0, 0], r"decision steps must lie in 0\.\.3, got -1\.\.0"),
        ("step", [4, 0, 0, 0, 0], r"decision steps must lie in 0\.\.3, got 0\.\.4"),
        ("step", [0.5, 0, 0, 0, 0], r"step must be integers of shape \(5,\), got float64"),
        ("step", [0], r"step must be integers of shape \(5,\), got int64 of shape \(1,\)"),
        ("label", [np.nan, 0, 0, 0, 0], "label must be integers"),
        ("decided", [1, 0, 0, 0, 0], "decided must be Booleans"),
        ("tied", [2, 0, 0, 0, 0], "tied must be Booleans"),
    ],
)
def test_decisions_that_are_none_are_refused(field, values, says):
    decision = replace(decide(TRACE.evidence, FirstSpike(0.95)), **{field: np.array(values)})
    with pytest.raises(InputError, match=says):
        summarise(TRACE, decision)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (lambda: earliness(-1, 10), r"decision steps must lie in 0\.\.9, got -1"),
        (lambda: earliness(10, 10), r"got 10"),
        (lambda: earliness(math.nan, 10), "got nan"),
        (lambda: earliness(0, 0), r"must lie in 0\.\.-1"),
        (lambda: harmonic_mean(1.5, 0.5), r"accuracy must lie in \[0, 1\], got 1.5"),
        (lambda: harmonic_mean(0.5, 0), r"earliness must lie in \(0, 1\], got 0"),
        (lambda: average_cost(0.5, math.nan, 1), "earliness must lie"),
        (lambda: average_cost(0.5, 0.5, math.nan), "alpha must be at least 0 and finite"),
    ],
)
def test_numbers_out_of_range_are_refused(number, says):
    with pytest.raises(InputError, match=says):
        number()


def test_formulas():
    assert earliness(0, 10) == pytest.approx(0.1)
    assert earliness(9, 10) == 1.0
    assert harmonic_mean(0.9, 0.1) == pytest.approx(0.9)  # equal parts: their mean is they
    assert harmonic_mean(1.0, 0.5) == pytest.approx(2 / 3)
    assert harmonic_mean(0.0, 1.0) == 0.0
    assert average_cost(0.9, 0.4, alpha=0.5) == pytest.approx(0.1 + 0.2)
    assert average_cost(0.9, 0.4, alpha=0) == pytest.approx(0.1)
    with pytest.raises(InputError, match="alpha must be at least 0"):
        average_cost(0.9, 0.4, alpha=-1)
