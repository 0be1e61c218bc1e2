"""Early exit against the full pass: same decisions to the bit, same losses and gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from rc_vs_snn import FirstSpike, SpikeTimes, decide, run_to_decision
from rc_vs_snn.decision.batch import run_full
from rc_vs_snn.decision.reading import evidence_trace
from rc_vs_snn.decision.rules import FallingThreshold
from rc_vs_snn.encoded import Frames
from rc_vs_snn.models import RankSNN, rc_gru, rc_lstm
from rc_vs_snn.training.objectives import RankCoding, output_entropy

FIELDS = ("label", "step", "decided", "tied", "evidence")


class Replay(torch.nn.Module):
    """A model whose readout is its input: any trace can be put through ``run_to_decision``."""

    def __init__(self, evidence):
        super().__init__()
        self.evidence = evidence
        self.rows_seen = []

    def initial_state(self, batch, device):
        return (torch.zeros(batch, 1),)

    def step(self, x, state):
        self.rows_seen.append(len(x))
        return x, state


def trace_as_input(trace):  # (N, T, K)
    return Frames(torch.as_tensor(np.ascontiguousarray(trace.transpose(1, 0, 2))), (trace.shape[2],))


def assert_same(outcome, decision):
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(outcome.decision(), field), getattr(decision, field), field)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_early_exit_equals_decide_on_any_trace_with_ties_and_silence(data):
    shape = (data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4)))
    size = shape[0] * shape[1] * shape[2]
    # Few different values: equal evidence and exact hits of the threshold are frequent.
    values = data.draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=size,
                                max_size=size))  # fmt: skip
    trace = np.array(values, dtype=np.float32).reshape(shape)
    rule = data.draw(
        st.sampled_from([FirstSpike(0.5), FirstSpike(0.75), FirstSpike(2.0), FallingThreshold(1.0, 0.25)])
    )
    model = Replay("membrane")
    outcome = run_to_decision(model, trace_as_input(trace), rule)
    expected = decide(trace, rule)
    assert_same(outcome, expected)
    still_there = [int((expected.step >= step).sum()) for step in range(shape[1])]
    assert model.rows_seen == [count for count in still_there if count]  # only what is needed was computed


def test_an_empty_batch_gives_empty_decisions():
    encoded = SpikeTimes(torch.zeros(0, 4, dtype=torch.uint8), 3, (4,))
    outcome = run_to_decision(rc_lstm((4,), 3, hidden=5), encoded, FirstSpike(0.9))
    assert outcome.readout.shape == (0, 3)
    assert len(outcome.decision()) == 0


MODELS = {
    "rc-lstm": lambda c, k, layers: rc_lstm((c,), k, hidden=7, layers=layers),
    "rc-gru": lambda c, k, layers: rc_gru((c,), k, hidden=7, layers=layers),
    "rank-snn": lambda c, k, layers: RankSNN((c,), k, hidden=9, layers=layers, gain=4.0),
    "rank-snn-synaptic": lambda c, k, layers: RankSNN(
        (c,), k, hidden=9, layers=layers, neuron="synaptic", reset="zero", learn_threshold=True, gain=3.0
    ),
    "rank-snn-softmax": lambda c, k, layers: RankSNN((c,), k, hidden=9, layers=layers, evidence="softmax"),
}


def reference_loss(model, encoded, labels, rule, objective):
    """The published way: the full pass, a gather at the first crossing, then backpropagation."""
    readouts = run_full(model, encoded)  # (T, B, K)
    decision = decide(evidence_trace(readouts, model.evidence), rule)
    steps = torch.as_tensor(decision.step)
    chosen = readouts[steps, torch.arange(len(labels))]
    loss = functional.cross_entropy(chosen, labels) - objective.beta * output_entropy(chosen).mean()
    if objective.auxiliary:
        alive = torch.arange(len(readouts))[:, None] <= steps[None]  # (T, B)
        every = torch.stack([functional.cross_entropy(r, labels, reduction="none") for r in readouts])
        loss = loss + objective.auxiliary * (every * alive).sum() / alive.sum()
    return loss, decision


@pytest.mark.parametrize("name", MODELS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_losses_and_gradients_equal_the_full_pass(name, data):
    batch, n_steps = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 6))
    n_channels, n_classes = data.draw(st.integers(1, 12)), data.draw(st.integers(2, 4))
    layers = data.draw(st.integers(1, 2))
    torch.manual_seed(data.draw(st.integers(0, 10**6)))
    model = MODELS[name](n_channels, n_classes, layers).double()
    steps = torch.randint(0, n_steps + 1, (batch, n_channels))
    labels = torch.randint(0, n_classes, (batch,))
    # Low thresholds decide at once, high ones leave rows forced at the last step.
    rule = FirstSpike(data.draw(st.sampled_from([1e-6, 0.3, 0.4, 0.6, 1.0])))
    objective = RankCoding(
        beta=data.draw(st.sampled_from([0.0, 0.3])), auxiliary=data.draw(st.sampled_from([0.0, 0.3]))
    )
    torch.set_default_dtype(torch.float64)
    try:
        encoded = SpikeTimes(steps, n_steps, (n_channels,), hold=data.draw(st.booleans()))
        loss, decision = objective(model, encoded, labels, rule)
        loss.backward()
        ours = {key: parameter.grad for key, parameter in model.named_parameters()}
        model.zero_grad(set_to_none=True)
        expected, expected_decision = reference_loss(model, encoded, labels, rule, objective)
        expected.backward()
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=1e-12)
    for field in ("label", "step", "decided", "tied"):
        np.testing.assert_array_equal(getattr(decision, field), getattr(expected_decision, field))
    for key, parameter in model.named_parameters():
        mine = torch.zeros_like(parameter) if ours[key] is None else ours[key]
        theirs = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(
            mine, theirs, rtol=1e-8, atol=1e-11, msg=lambda text, key=key: f"{key}: {text}"
        )


def test_no_gradient_comes_from_steps_after_the_decision():
    """A channel that spikes only after the decision leaves no trace in the gradient."""
    torch.manual_seed(0)
    model = rc_lstm((2,), 2, hidden=4)
    encoded = SpikeTimes(torch.tensor([[0, 1]]), 3, (2,))  # channel 1 spikes at step 1
    outcome = run_to_decision(model, encoded, FirstSpike(0.1))  # decides at step 0
    assert outcome.step.tolist() == [0]
    functional.cross_entropy(outcome.readout, torch.tensor([1])).backward()
    gradient = model["cell1"].input.stored.grad  # by source
    assert gradient[0].abs().sum() > 0
    assert gradient[1].abs().sum() == 0
