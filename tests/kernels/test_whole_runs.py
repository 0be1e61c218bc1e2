"""The compiled runs against loop and full pass: gradients in training, bits in inference."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from rc_vs_snn import FirstSpike, Frames, SpikeTimes, decide, run_to_decision
from rc_vs_snn.decision.batch import run_full
from rc_vs_snn.decision.reading import evidence_trace
from rc_vs_snn.decision.rules import FallingThreshold
from rc_vs_snn.kernels import pairs
from rc_vs_snn.models import RankSNN, RecurrentRankSNN, Stack, rc_gru, rc_lstm
from rc_vs_snn.training.objectives import RankCoding, output_entropy


def lstm(draw, n_channels, n_classes, dropout):
    model = rc_lstm((n_channels,), n_classes, hidden=int(draw.integers(3, 20)), dropout=dropout)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def snn(draw, n_channels, n_classes, dropout, build=RankSNN, **options):
    model = build(
        (n_channels,), n_classes, hidden=int(draw.integers(3, 20)), dropout=dropout, gain=3.0, slope=2.0,
        learn_decay=bool(draw.integers(4)), learn_threshold=bool(draw.integers(2)),
        reset=str(draw.choice(["subtract", "zero"])), spike_grad=str(draw.choice(["fast-sigmoid", "atan"])),
        evidence=str(draw.choice(["membrane", "softmax"])), **options,
    )  # fmt: skip
    with torch.no_grad():  # decays beyond the clamp's ends, too
        for decay in (model["neurons1"].neuron.beta, model["output"].decay):
            if isinstance(decay, torch.nn.Parameter):
                decay.copy_(torch.linspace(-0.1, 1.1, len(decay)))
    return model


def recurrent_snn(draw, n_channels, n_classes, dropout):
    return snn(draw, n_channels, n_classes, dropout, RecurrentRankSNN, recurrent_gain=3.0)


FAMILIES = {"lstm": lstm, "snn": snn, "recurrent snn": recurrent_snn}
PLAIN = {"lstm": rc_lstm, "snn": RankSNN, "recurrent snn": RecurrentRankSNN}


def runs_whole(model, encoded):
    return model.run(encoded, np.full(encoded.n_steps, 0.5, np.float32)) is not None


def case(family, seed, dropout=0.0):
    draw = np.random.default_rng(seed)
    torch.manual_seed(seed)
    batch, n_steps, n_channels, n_classes = (
        int(draw.integers(*span)) for span in ((1, 9), (1, 7), (1, 13), (2, 5))
    )
    model = FAMILIES[family](draw, n_channels, n_classes, dropout)
    steps = torch.randint(0, n_steps + 1, (batch, n_channels))
    lengths = draw.integers(1, n_steps + 1, batch) if draw.integers(2) else None
    if draw.integers(2):
        encoded = SpikeTimes(steps, n_steps, (n_channels,), hold=bool(draw.integers(2)), lengths=lengths)
    else:
        values = draw.normal(size=(n_steps, batch, n_channels)).astype(np.float32)
        values = np.where(draw.random(values.shape) < 0.3, 0, values)
        encoded = Frames(values.round() if draw.integers(2) else values, (n_channels,), lengths=lengths)
    threshold = float(draw.choice([1e-6, 0.3, 0.45, 0.6, 1.0]))
    rule = FirstSpike(threshold) if draw.integers(2) else FallingThreshold(0.9, 0.3)
    objective = RankCoding(beta=float(draw.choice([0, 0.3])), auxiliary=float(draw.choice([0, 0.3])))
    return model, encoded, torch.randint(0, n_classes, (batch,)), rule, objective, int(draw.integers(1, 9))


def learn(model, loss, decision):
    """Return loss, decision and every gradient."""
    model.zero_grad(set_to_none=True)
    loss.backward()
    gradients = {
        key: torch.zeros_like(p) if p.grad is None else p.grad.clone() for key, p in model.named_parameters()
    }
    return loss, decision, gradients


def assert_same(mine, theirs):
    for key in ("label", "step", "decided", "tied"):
        np.testing.assert_array_equal(getattr(mine[1], key), getattr(theirs[1], key))
    torch.testing.assert_close(mine[0], theirs[0], rtol=1e-5, atol=1e-6)
    for key, gradient in mine[2].items():
        torch.testing.assert_close(gradient, theirs[2][key], rtol=1e-4, atol=5e-6)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(60))
def test_training_equals_the_loop(family, seed, dropout, monkeypatch):
    model, encoded, labels, rule, objective, _ = case(family, seed, dropout)
    results = []
    for available in (True, False):
        if not available:
            monkeypatch.setattr(Stack, "run", lambda *_: None)
        torch.manual_seed(seed)  # the same dropout mask
        results.append(learn(model, *objective(model, encoded, labels, rule)))
    assert_same(*results)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(60))
def test_training_equals_the_full_pass_in_parts_of_any_size(family, seed, monkeypatch):
    model, encoded, labels, rule, objective, limit = case(family, seed)
    monkeypatch.setattr(pairs, "ROWS", limit)
    mine = learn(model, *objective(model, encoded, labels, rule))
    readouts = run_full(model, encoded)
    decision = decide(evidence_trace(readouts, model.evidence), rule, encoded.lengths)
    steps = torch.as_tensor(decision.step)
    chosen = readouts[steps, torch.arange(len(labels))]
    loss = functional.cross_entropy(chosen, labels) - objective.beta * output_entropy(chosen).mean()
    if objective.auxiliary:
        alive = torch.arange(len(readouts))[:, None] <= steps[None]
        every = torch.stack([functional.cross_entropy(r, labels, reduction="none") for r in readouts])
        loss = loss + objective.auxiliary * (every * alive).sum() / alive.sum()
    assert_same(mine, learn(model, loss, decision))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(60))
def test_inference_equals_the_trace_to_the_bit_in_parts_of_any_size(family, seed, monkeypatch):
    model, encoded, _, rule, _, limit = case(family, seed)
    monkeypatch.setattr(pairs, "ROWS", limit)
    model.eval()
    with torch.no_grad():
        readouts = run_full(model, encoded)
        expected = decide(evidence_trace(readouts, model.evidence), rule, encoded.lengths)
        assert runs_whole(model, encoded)
        outcome = run_to_decision(model, encoded, rule)
    for field in ("label", "step", "decided", "tied", "evidence"):
        np.testing.assert_array_equal(getattr(outcome.decision(), field), getattr(expected, field), field)
    at_decision = readouts[outcome.step, torch.arange(len(encoded))]
    torch.testing.assert_close(outcome.readout, at_decision, rtol=0, atol=0)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("hold", [True, False])
@torch.no_grad()
def test_a_sample_is_decided_alike_to_the_bit_in_every_batch(family, hold):
    """At sizes at which every block of the products is met: alone, in an odd batch, among 300."""
    torch.manual_seed(0)
    options = {} if family == "lstm" else {"gain": 4.0}
    model = PLAIN[family]((90,), 5, hidden=150, **options)
    encoded = SpikeTimes(torch.randint(0, 40, (300, 90)).clamp_max(12), 12, (90,), hold=hold)
    trace = evidence_trace(run_full(model, encoded), model.evidence)
    rule = FirstSpike(float(np.median(trace[:, :6].max((1, 2)))))  # half of them decide within 6 steps
    together = run_to_decision(model, encoded, rule)
    assert together.step.unique().numel() > 5
    for rows in ([17], [299, 3, 41], list(range(0, 300, 3))):
        apart = run_to_decision(model, encoded.select(rows), rule)
        torch.testing.assert_close(apart.readout, together.readout[rows], rtol=0, atol=0)
        assert torch.equal(apart.step, together.step[rows])
    np.testing.assert_array_equal(together.decision().evidence, decide(trace, rule).evidence)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(20))
def test_observe_sees_every_undecided_row_at_every_step(family, seed, monkeypatch):
    model, encoded, _, rule, _, limit = case(family, seed)
    seen = {}
    for available in (True, False):
        monkeypatch.setattr(pairs, "ROWS", limit)
        if not available:
            monkeypatch.setattr(Stack, "run", lambda *_: None)
        seen[available] = []
        run_to_decision(model, encoded, rule, lambda *each, to=seen[available]: to.append(each))
    for mine, theirs in zip(seen[True], seen[False], strict=True):
        assert mine[0] == theirs[0]
        assert torch.equal(mine[1], theirs[1])
        torch.testing.assert_close(mine[2], theirs[2], rtol=1e-4, atol=1e-5)


def test_only_what_is_known_runs_compiled():
    encoded = SpikeTimes(torch.tensor([[0, 1]]), 3, (2,))
    known = [build((2,), 2, hidden=4) for build in PLAIN.values()]
    assert all(runs_whole(model, encoded) for model in known)

    class Changed(RankSNN):
        pass

    others = [
        rc_gru((2,), 2, hidden=4), rc_lstm((2,), 2, hidden=4, layers=2), RankSNN((2,), 2, hidden=4, layers=2),
        RankSNN((2,), 2, hidden=4, neuron="synaptic"), RankSNN((2,), 2, hidden=4, spike_grad="sigmoid"),
        Changed((2,), 2, hidden=4), rc_lstm((2,), 2, hidden=4).double(),
        RecurrentRankSNN((2,), 2, hidden=4, layers=2), RecurrentRankSNN((2,), 2, hidden=4, neuron="synaptic"),
        RecurrentRankSNN((2,), 2, hidden=4, spike_grad="sigmoid"),
    ]  # fmt: skip
    assert not any(runs_whole(model, encoded) for model in others)
    assert not runs_whole(known[0], encoded.select([]))
    with torch.autocast("cpu", torch.bfloat16):
        assert not runs_whole(known[0], encoded)


def test_frozen_weights_take_the_loop_in_training_only():
    encoded = SpikeTimes(torch.tensor([[0, 1]]), 3, (2,))
    model = rc_lstm((2,), 2, hidden=4)
    model["readout"].stored.requires_grad_(False)
    assert not runs_whole(model, encoded)
    with torch.no_grad():
        assert runs_whole(model, encoded)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("grad", [True, False])
def test_a_code_of_another_width_is_refused_and_not_read_beyond_the_weights(family, grad):
    model = PLAIN[family]((2,), 2, hidden=4)
    for n_channels in (1, 5):
        encoded = SpikeTimes(torch.zeros(3, n_channels, dtype=torch.uint8), 3, (n_channels,))
        with torch.set_grad_enabled(grad), pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
            run_to_decision(model, encoded, FirstSpike(0.5))
