import numpy as np
from error_curve import ErrorCurve
from focal import Focal
from hesitation import Hesitation
from integrator import Integrator
from not_before import NotBefore
from smoothed import Smoothed

from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.testing import check_evidence, check_metric, check_model, check_objective, check_rule


def test_every_part_keeps_the_promises_of_its_kind() -> None:
    check_evidence(Smoothed(keep=0.7))
    check_rule(NotBefore(threshold=0.8, wait=3))
    check_model(Integrator)
    check_objective(Focal(gamma=1.0))
    check_metric(Hesitation())
    assert ErrorCurve().table([]).columns == {}


def test_hand_worked_hesitation() -> None:
    evidence = np.array([[[0.6, 0.4], [0.7, 0.3], [0.8, 0.2]], [[0.6, 0.4], [0.2, 0.8], [0.1, 0.9]]])
    costs = np.zeros((2, 3))
    trace = Trace(evidence, np.array([0, 1]), np.arange(2), costs, costs, costs)
    step = np.array([2, 1])
    decided = np.array([True, True])
    decision = Decision(np.array([0, 1]), step, decided, ~decided, np.array([0.8, 0.8]))
    assert Hesitation()(trace, decision) == (2 + 0) / 2
