"""Calibration against scikit-learn's curve, Wilson's interval against statsmodels and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from statsmodels.stats.proportion import proportion_confint

from rc_vs_snn.analysis.statistics import confidence_at, expected_calibration_error, reliability, wilson
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.errors import InputError

judged = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9, 1.0])),  # edges of bins too
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


@given(judged, st.sampled_from([1, 5, 10, 15]))
def test_table_and_error_against_scikit_learn(samples, bins):
    confidence, right = np.array([each for each, _ in samples]), np.array([each for _, each in samples])
    table = reliability(confidence, right, bins)
    accuracy, mean = calibration_curve(right.astype(int), confidence, n_bins=bins, pos_label=1)
    assert table["accuracy"] == pytest.approx(accuracy)
    assert table["confidence"] == pytest.approx(mean)
    assert table["n"].sum() == len(samples)
    assert (
        (table["low"] <= table["confidence"] + 1e-9) & (table["confidence"] <= table["high"] + 1e-9)
    ).all()
    weights = table["n"] / len(samples)
    by_hand = float((weights * np.abs(accuracy - mean)).sum())
    assert expected_calibration_error(confidence, right, bins) == pytest.approx(by_hand)


def test_by_hand():
    # two bins; 0.5 is in the lower: (0.2, 0.5 | 1 of 2 right) and (0.9, 1.0, 0.8 | 2 of 3 right)
    confidence = np.array([0.2, 0.9, 0.5, 1.0, 0.8])
    right = np.array([False, True, True, True, False])
    table = reliability(confidence, right, 2)
    assert table["n"].tolist() == [2, 3]
    assert table["confidence"] == pytest.approx([0.35, 0.9])
    assert table["accuracy"] == pytest.approx([0.5, 2 / 3])
    # 2/5 of 0.15 and 3/5 of 0.2333
    assert expected_calibration_error(confidence, right, 2) == pytest.approx(0.4 * 0.15 + 0.6 * (0.9 - 2 / 3))


def test_never_right_and_wholly_sure_is_as_wrong_as_can_be():
    assert expected_calibration_error(np.ones(4), np.zeros(4, bool)) == 1
    assert expected_calibration_error(np.ones(1), np.ones(1, bool)) == 0


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_against_statsmodels_and_scipy(counts):
    k, n = counts
    low, high = wilson(np.array([k]), np.array([n]))
    assert (low[0], high[0]) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)
    theirs = binomtest(k, n).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_confidence_of_each_kind_of_evidence(tiny_trace):
    decision = decide(tiny_trace.evidence, FirstSpike(0.95))
    # decided at steps 0 (0.97), 2 (0.98), 0 (1 - 0.04) and, forced, 2 (0.55)
    expected = [0.97, 0.98, 0.96, 0.55]
    for kind in ("probability", "sigmoid"):
        assert confidence_at(tiny_trace, decision, kind) == pytest.approx(expected)
    potentials = Trace(**{**vars(tiny_trace), "evidence": 1000 * tiny_trace.evidence})
    decision = decide(potentials.evidence, FirstSpike(950.0))
    got = confidence_at(potentials, decision, "membrane")
    rows = np.arange(4)
    wanted = softmax(potentials.evidence[rows, decision.step].astype(float), axis=1)[rows, decision.label]
    assert got == pytest.approx(wanted)
    assert got.max() <= 1
    # any other evidence: of the readouts it was made of, if these are kept
    with pytest.raises(
        InputError, match="evidence 'margin' is no probability, and the trace holds no readouts"
    ):
        confidence_at(potentials, decision, "margin")
    readouts = np.random.default_rng(0).normal(size=potentials.evidence.shape)
    kept = Trace(**{**vars(potentials), "readouts": readouts})
    wanted = softmax(readouts[rows, decision.step], axis=1)[rows, decision.label]
    assert confidence_at(kept, decision, "margin") == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("confidence", "right", "message"),
    [
        ([], [], "a confidence and a right or wrong per sample"),
        ([0.5], [True, False], "a confidence and a right or wrong per sample"),
        ([1.5], [True], r"must lie in \[0, 1\], got 1.5 to 1.5"),
        ([np.nan], [True], r"must lie in \[0, 1\]"),
    ],
)
def test_faults_are_named(confidence, right, message):
    with pytest.raises(InputError, match=message):
        reliability(np.array(confidence), np.array(right))
