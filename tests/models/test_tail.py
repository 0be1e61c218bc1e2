"""The compiled tail against the step-by-step loop and against the full pass, in float32."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from rc_vs_snn import FirstSpike, SpikeTimes, decide
from rc_vs_snn.decision import evidence_trace, run_full
from rc_vs_snn.models import rc_gru, rc_lstm, tail
from rc_vs_snn.objectives import RankCoding, output_entropy
from rc_vs_snn.rules import FallingThreshold


def case(seed, dropout):
    draw = np.random.default_rng(seed)
    torch.manual_seed(seed)
    batch, n_steps, n_channels, n_classes = (
        int(draw.integers(*span)) for span in ((1, 9), (1, 7), (1, 13), (2, 5))
    )
    model = rc_lstm((n_channels,), n_classes, hidden=int(draw.integers(3, 20)), dropout=dropout)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    steps = torch.randint(0, n_steps + 1, (batch, n_channels))
    encoded = SpikeTimes(steps, n_steps, (n_channels,), hold=bool(draw.integers(2)))
    threshold = float(draw.choice([1e-6, 0.3, 0.45, 0.6, 1.0]))
    rule = FirstSpike(threshold) if draw.integers(2) else FallingThreshold(0.9, 0.3)
    objective = RankCoding(beta=float(draw.choice([0, 0.3])), auxiliary=float(draw.choice([0, 0.3])))
    return model, encoded, torch.randint(0, n_classes, (batch,)), rule, objective, int(draw.integers(1, 9))


def gradients(model, loss):
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {
        key: torch.zeros_like(p) if p.grad is None else p.grad.clone() for key, p in model.named_parameters()
    }


def assert_same(mine, theirs):
    for key in ("label", "step", "decided", "tied"):
        np.testing.assert_array_equal(getattr(mine[1], key), getattr(theirs[1], key))
    torch.testing.assert_close(mine[0], theirs[0], rtol=1e-5, atol=1e-6)
    for key, gradient in mine[2].items():
        torch.testing.assert_close(gradient, theirs[2][key], rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(60))
def test_the_tail_equals_the_loop(seed, dropout, monkeypatch):
    model, encoded, labels, rule, objective, limit = case(seed, dropout)
    results = []
    for most in (0, limit):
        monkeypatch.setattr(tail, "MOST_ROWS", most)
        torch.manual_seed(seed)  # the same dropout mask
        loss, decision = objective(model, encoded, labels, rule)
        results.append((loss, decision, gradients(model, loss)))
    assert_same(*results)


@pytest.mark.parametrize("seed", range(60))
def test_the_tail_equals_the_full_pass(seed, monkeypatch):
    model, encoded, labels, rule, objective, limit = case(seed, 0.0)
    monkeypatch.setattr(tail, "MOST_ROWS", limit)
    loss, decision = objective(model, encoded, labels, rule)
    mine = (loss, decision, gradients(model, loss))
    readouts = run_full(model, encoded)
    decision = decide(evidence_trace(readouts, model.evidence), rule)
    steps = torch.as_tensor(decision.step)
    chosen = readouts[steps, torch.arange(len(labels))]
    loss = functional.cross_entropy(chosen, labels) - objective.beta * output_entropy(chosen).mean()
    if objective.auxiliary:
        alive = torch.arange(len(readouts))[:, None] <= steps[None]
        every = torch.stack([functional.cross_entropy(r, labels, reduction="none") for r in readouts])
        loss = loss + objective.auxiliary * (every * alive).sum() / alive.sum()
    assert_same(mine, (loss, decision, gradients(model, loss)))


def test_few_rows_take_the_tail_and_other_models_do_not(monkeypatch):
    starts = []
    run = tail.run_tail
    monkeypatch.setattr(tail, "run_tail", lambda *given: starts.append(given[3]) or run(*given))
    encoded = SpikeTimes(torch.tensor([[0, 1]]), 3, (2,))
    labels = torch.tensor([0])
    RankCoding()(rc_lstm((2,), 2, hidden=4), encoded, labels, FirstSpike(1.0))
    assert starts == [0]
    RankCoding()(rc_gru((2,), 2, hidden=4), encoded, labels, FirstSpike(1.0))
    RankCoding()(rc_lstm((2,), 2, hidden=4, layers=2), encoded, labels, FirstSpike(1.0))
    assert starts == [0]
