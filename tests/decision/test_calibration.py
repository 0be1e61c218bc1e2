"""Calibration: by hand, and as a bound that holds."""

import numpy as np
import pytest

from rc_vs_snn import InputError
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.calibration import calibrated
from rc_vs_snn.decision.rules import FallingThreshold, FirstSpike, Shifted, decide


def rising(peaks):
    """Return evidence ``(N, 4, 2)`` of class 0 that rises evenly to each peak at the last step."""
    peak = np.asarray(peaks, dtype=np.float32)
    ramp = np.linspace(0.25, 1, 4, dtype=np.float32)
    evidence = np.zeros((len(peak), 4, 2), np.float32)
    evidence[:, :, 0] = peak[:, None] * ramp
    return evidence


def traced(evidence, lengths=()):
    """Return a trace that holds the evidence; what was right and at what cost does not matter here."""
    nothing = np.zeros(evidence.shape[:2])
    rows = np.arange(len(evidence))
    return Trace(evidence, rows * 0, rows, nothing, nothing, nothing, lengths=np.array(lengths, np.int64))


def test_shifts_by_hand():
    assert Shifted(FirstSpike(2.0), "membrane", np.log(3)).threshold_at(0, 5) == pytest.approx(6.0)
    assert Shifted(FirstSpike(0.5), "probability", np.log(3)).threshold_at(0, 5) == pytest.approx(0.75)
    falling = Shifted(FallingThreshold(0.9, 0.5), "probability", np.log(9))  # odds 9 and 1, times 9
    assert falling.threshold_at(0, 3) == pytest.approx(81 / 82)
    assert falling.threshold_at(2, 3) == pytest.approx(0.9)


def test_the_highest_threshold_within_the_budget_by_hand():
    """Peaks 4, 4 and 8: at a threshold of 2 the steps are 1, 1 and 0; a hair above, 2, 2 and 1."""
    evidence = rising([4, 4, 8])
    rule = calibrated(traced(evidence), FirstSpike(1.0), "membrane", 2 / 3)
    assert rule.threshold_at(0, 4) == pytest.approx(2.0, rel=1e-5)
    assert decide(evidence, rule).step.tolist() == [1, 1, 0]


def test_a_sample_that_ends_early_waits_no_longer_than_that():
    """Peaks 4 and 4, the second of 2 steps: at a threshold above 4 they are forced at steps 3 and 1."""
    short = traced(rising([4, 4]), [4, 2])
    assert calibrated(short, FirstSpike(1.0), "membrane", 1.5).threshold_at(0, 4) == pytest.approx(
        3, rel=1e-5
    )
    with pytest.raises(InputError, match=r"must lie in \[0, 2\), got 2"):
        calibrated(short, FirstSpike(1.0), "membrane", 2)


@pytest.mark.parametrize(("kind", "start"), [("membrane", 4.0), ("probability", 0.9)])
@pytest.mark.parametrize("budget", [0.1, 0.7, 2.5, 5.9])
def test_the_budget_holds_and_is_used(kind, start, budget):
    draws = np.random.default_rng(3).normal(0.3, 1, (2000, 8, 5)).cumsum(1)
    if kind == "probability":
        draws = np.exp(draws) / np.exp(draws).sum(2, keepdims=True)
    rule = calibrated(traced(draws), FallingThreshold(start, start / 2), kind, budget)
    taken = decide(draws, rule).step.mean()
    assert budget - 0.02 < taken <= budget


def test_what_cannot_be_met_is_refused():
    with pytest.raises(InputError, match=r"must lie in \[0, 3\)"):
        calibrated(traced(rising([1])), FirstSpike(1.0), "membrane", 3)
    silent = rising([-1, 4])
    with pytest.raises(InputError, match=r"mean decision step is 1\.500, above 1;"):
        calibrated(traced(silent), FirstSpike(1.0), "membrane", 1)


def test_a_budget_that_no_threshold_uses_up_takes_the_widest():
    evidence = rising([4])
    evidence[:, 0, 0] = np.inf
    assert calibrated(traced(evidence), FirstSpike(1.0), "membrane", 1).amount == 20
