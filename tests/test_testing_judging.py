"""The conformance suite of rules, objectives, metrics and figures: built-ins pass, broken ones are named."""

import dataclasses

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from rc_vs_snn import registry
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.contracts import Decision
from rc_vs_snn.decision import metrics as judged_by
from rc_vs_snn.decision.metrics import AverageCost, plugged_in
from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.errors import InputError
from rc_vs_snn.testing import check_figure, check_metric, check_objective, check_rule
from rc_vs_snn.testing.judging import _trace
from rc_vs_snn.training.objectives import LastStep


@pytest.mark.parametrize("name", registry.objectives.names())
def test_every_objective_keeps_its_promises(name):
    check_objective(registry.objectives.build(name, {}))


@pytest.mark.parametrize("name", registry.metrics.names())
def test_every_metric_keeps_its_promises(name):
    check_metric(registry.metrics.build(name, {}))


def no_gradient(model, encoded, labels, rule):
    loss, decision = LastStep()(model, encoded, labels, rule)
    return loss.detach(), decision


def too_few(model, encoded, labels, rule):
    loss, decision = LastStep()(model, encoded, labels, rule)
    return loss, Decision(**{name: value[:1] for name, value in vars(decision).items()})


@pytest.mark.parametrize(
    ("objective", "told"),
    [
        (no_gradient, "scalar tensor with gradient"),
        (too_few, "one entry per row"),
        (lambda model, encoded, labels, rule: torch.zeros(()), r"returns \(loss, Decision\)"),
    ],
)
def test_broken_objectives_are_named(objective, told):
    with pytest.raises(AssertionError, match=told):
        check_objective(objective)


def by_place(trace, decision):
    return float((np.arange(len(decision)) * decision.step).sum())


def worst_step(trace, decision):
    return decision.step.max()


def a_word(trace, decision):
    return "late"


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        (lambda trace, decision: decision.step, "returns one number"),
        (by_place, "the order of the samples"),
    ],
)
def test_broken_metrics_are_named(metric, told):
    with pytest.raises(AssertionError, match=told):
        check_metric(metric)


class Restless:
    def threshold_at(self, step, n_steps):
        return float(np.random.default_rng().uniform(0.1, 0.9))


def test_a_rule_that_changes_its_mind_is_named():
    with pytest.raises(AssertionError, match="other thresholds"):
        check_rule(Restless())


@dataclasses.dataclass
class Drawing:
    restless: bool = False
    greedy: bool = False

    def table(self, groups):
        return Table({"x": np.arange(3.0)})

    def draw(self, table):
        figure = Figure()
        shift = np.random.default_rng().uniform() if self.restless else 0
        figure.add_subplot().plot(table["x"] + shift)
        if self.greedy:
            table["x"][0] += 1
        return figure


def test_figures_are_checked():
    check_figure(Drawing(), [])
    with pytest.raises(AssertionError, match="two figures"):
        check_figure(Drawing(restless=True), [])
    with pytest.raises(AssertionError, match=r"two figures|changed its table"):
        check_figure(Drawing(greedy=True), [])


def test_a_metric_of_another_package_is_in_the_numbers(monkeypatch):
    trace = _trace(10)
    decision = judged_by_rule(trace)
    assert plugged_in(trace, decision) == {}
    monkeypatch.setitem(registry.metrics._factories, "worst-step", lambda: worst_step)
    assert plugged_in(trace, decision) == {"worst_step": float(decision.step.max())}
    monkeypatch.setitem(registry.metrics._factories, "worst-step", lambda: a_word)
    with pytest.raises(InputError, match="metric 'worst-step' returned 'late'"):
        plugged_in(trace, decision)


def judged_by_rule(trace):
    from rc_vs_snn.decision.rules import decide

    return decide(trace.evidence, FirstSpike(0.6))


def test_the_average_cost_is_that_of_the_formula():
    trace = _trace(30)
    decision = judged_by_rule(trace)
    found = judged_by.summarise(trace, decision)
    expected = 1 - found["accuracy"] + 0.25 * found["earliness"]
    assert AverageCost(0.25)(trace, decision) == pytest.approx(expected)
