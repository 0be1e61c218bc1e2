"""The first-spike rule on hand-worked traces."""

import numpy as np
import pytest

from rc_vs_snn import FirstSpike, InputError, decide
from rc_vs_snn.decision.rules import FallingThreshold, check_rule

# Five samples, T = 3, K = 3, threshold 0.6.
TRACE = np.array(
    [
        [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]],  # class 0 at step 0
        [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.9, 0.1, 0.0]],  # class 1 reaches it exactly, at step 1
        [[0.5, 0.3, 0.2], [0.4, 0.5, 0.1], [0.3, 0.1, 0.59]],  # never: forced to class 2 at step 2
        [[0.1, 0.7, 0.8], [0.9, 0.1, 0.1], [0.9, 0.1, 0.1]],  # two at step 0: larger evidence, tied
        [[0.2, 0.7, 0.7], [0.9, 0.1, 0.1], [0.9, 0.1, 0.1]],  # two alike: the lower class index
    ],
    dtype=np.float32,
)


def test_hand_worked_decisions():
    decision = decide(TRACE, FirstSpike(0.6))
    assert decision.label.tolist() == [0, 1, 2, 2, 1]
    assert decision.step.tolist() == [0, 1, 2, 0, 0]
    assert decision.decided.tolist() == [True, True, False, True, True]
    assert decision.tied.tolist() == [False, False, False, True, True]
    np.testing.assert_allclose(decision.evidence, [0.7, 0.6, 0.59, 0.8, 0.7], rtol=1e-6)


def test_a_spike_at_the_last_step_is_not_silence():
    trace = np.zeros((2, 2, 2), dtype=np.float32)
    trace[0, 1, 1] = 1.0  # a real spike, at the last step
    decision = decide(trace, FirstSpike(0.9))
    assert decision.step.tolist() == [1, 1]
    assert decision.decided.tolist() == [True, False]
    assert decision.label.tolist() == [1, 0]


def test_an_all_silent_network_is_forced_everywhere():
    decision = decide(np.zeros((4, 5, 3), dtype=np.float32), FirstSpike(0.5))
    assert not decision.decided.any()
    assert (decision.step == 4).all()


def test_falling_threshold_is_linear_and_lets_late_evidence_decide():
    rule = FallingThreshold(threshold=0.9, final=0.5)
    assert [rule.threshold_at(step, 5) for step in (0, 2, 4)] == pytest.approx([0.9, 0.7, 0.5])
    assert rule.threshold_at(0, 1) == 0.9
    trace = np.full((1, 5, 2), 0.0, dtype=np.float32)
    trace[0, :, 1] = 0.65  # reaches the threshold once it has fallen to 0.6, at step 3
    assert decide(trace, rule).step.tolist() == [3]


@pytest.mark.parametrize(
    ("threshold", "evidence"),
    [(0.0, "probability"), (1.01, "probability"), (float("nan"), "probability"), (0.0, "membrane"),
     (-1.0, "membrane"), (float("inf"), "membrane")],
)  # fmt: skip
def test_a_threshold_the_evidence_cannot_meet_is_refused(threshold, evidence):
    with pytest.raises(InputError, match="threshold"):
        check_rule(FirstSpike(threshold), evidence, 3)


def test_meetable_thresholds_pass():
    check_rule(FirstSpike(1.0), "probability", 3)
    check_rule(FirstSpike(40.0), "membrane", 3)


def test_nan_evidence_and_wrong_shapes_are_refused():
    with pytest.raises(InputError, match="NaN"):
        decide(np.full((1, 2, 2), np.nan), FirstSpike(0.5))
    with pytest.raises(InputError, match="shape"):
        decide(np.zeros((2, 2)), FirstSpike(0.5))
    with pytest.raises(InputError, match="shape"):
        decide(np.zeros((2, 0, 2)), FirstSpike(0.5))
