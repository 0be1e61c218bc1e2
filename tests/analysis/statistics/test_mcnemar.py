"""McNemar's test against statsmodels, by hand, and at a matched decision time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as reference

from rc_vs_snn.analysis.statistics import at_thresholds, mcnemar, mcnemar_at
from rc_vs_snn.contracts import Trace
from rc_vs_snn.errors import InputError


def outcomes(both: int, only_first: int, only_second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    sizes = [both, only_first, only_second, neither]
    return np.repeat([True, True, False, False], sizes), np.repeat([True, False, True, False], sizes)


@given(*[st.integers(0, 40)] * 4)
def test_against_statsmodels(both, b, c, neither):
    if not both + b + c + neither:
        return
    ours = mcnemar(*outcomes(both, b, c, neither))
    assert (ours.only_first, ours.only_second, ours.exact) == (b, c, b + c < 25)
    if b == c:
        # no difference at all; statsmodels' correction makes one of (0 - 1)^2 here, and p below 1
        assert ours.p == 1
    else:
        theirs = reference([[both, b], [c, neither]], exact=ours.exact, correction=True)
        assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_by_hand():
    # 1 against 5: 2 (C(6,0) + C(6,1)) / 64 = 14 / 64
    few = mcnemar(*outcomes(10, 1, 5, 2))
    assert few.p == pytest.approx(14 / 64)
    assert few.basis == "McNemar, exact, 6 discordant samples"
    assert few.spell() == "1 against 5, p = 0.22"
    # 40 against 20: (20 - 1)^2 / 60 = 6.0167, chi-square: 0.0142 (in tables 0.01 at 6.63)
    many = mcnemar(*outcomes(10, 40, 20, 2))
    assert many.p == pytest.approx(0.01417, abs=1e-4)
    assert many.basis == "McNemar, chi-square with continuity correction, 60 discordant samples"
    assert mcnemar(*outcomes(0, 0, 300, 0)).spell() == "0 against 300, p < 0.0001"


def test_models_that_never_differ():
    same = mcnemar(*outcomes(3, 0, 0, 4))
    assert (same.p, same.exact, same.only_first) == (1.0, True, 0)
    assert mcnemar(np.array([True]), np.array([False])).p == 1.0  # one sample tells nothing


def test_faults_are_named():
    with pytest.raises(InputError, match="the same samples of both"):
        mcnemar(np.ones(3, bool), np.ones(2, bool))
    with pytest.raises(InputError, match="the same samples of both"):
        mcnemar(np.ones(0, bool), np.ones(0, bool))
    with pytest.raises(InputError, match="needs Booleans"):
        mcnemar(np.ones(3), np.ones(3))


def test_the_threshold_nearest_to_a_mean_step_is_found(two_models):
    first, second = two_models[0].trace(), two_models[3].trace()
    for asked in (0.0, 0.8, 2.5, 7.0, 99.0):
        found = mcnemar_at(first, first, asked)
        # every threshold that decides anything differently
        every = np.append(np.unique(first.evidence.max(axis=2)), 2.0)
        means = at_thresholds(first, every)[0].mean(axis=1)
        assert abs(found.steps[0] - asked) == pytest.approx(np.abs(means - asked).min())
        assert (found.only_first, found.only_second) == (0, 0)
    apart = Trace(**{**vars(second), "ids": second.ids + 1})
    with pytest.raises(InputError, match="not the same samples"):
        mcnemar_at(second, apart, 1.0)


def test_at_a_matched_step_by_hand(tiny_trace):
    # mean step 0: both read at once; the other model is right on the last two only
    flipped = Trace(**{**vars(tiny_trace), "evidence": tiny_trace.evidence[:, ::-1].copy()})
    found = mcnemar_at(tiny_trace, flipped, 0.0)
    # right at step 0: samples 0 and 3; flipped, at what was the last step: 0, 1, 2
    assert (found.only_first, found.only_second, found.steps) == (1, 2, (0.0, 0.0))


def test_steps_of_unequal_length_have_a_step_each(tiny_trace):
    found = mcnemar_at(tiny_trace, tiny_trace, (0.0, 2.0))
    assert found.steps == (0.0, 2.0)
