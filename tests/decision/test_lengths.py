"""Samples of different lengths: each gets what it gets alone, and nothing behind its length is read."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rc_vs_snn as rv
from rc_vs_snn import Decider, FirstSpike, Frames, InputError, SpikeTimes, decide, run_to_decision
from rc_vs_snn.analysis.curves import forced_at_step, oracle_exit
from rc_vs_snn.decision.batch import run_full
from rc_vs_snn.decision.evidence import evidence_of_trace
from rc_vs_snn.decision.metrics import summarise
from rc_vs_snn.decision.reading import evidence_trace
from rc_vs_snn.decision.rules import FallingThreshold
from rc_vs_snn.experiment.judging import _trace_batch
from rc_vs_snn.models import RankSNN, RecurrentRankSNN, rc_gru, rc_lstm
from rc_vs_snn.training.objectives import (
    Aligned,
    Cumulative,
    EveryStep,
    LastStep,
    RankCoding,
    spoken_steps,
)

T, CHANNELS, CLASSES = 6, 7, 3
RULES = (FirstSpike(0.45), FallingThreshold(0.8, 0.34), FirstSpike(1.0))


def models():
    """Both families, and one that no compiled loop knows."""
    torch.manual_seed(4)
    found = {
        "rc-lstm": rc_lstm((CHANNELS,), CLASSES, hidden=9),
        "rc-gru": rc_gru((CHANNELS,), CLASSES, hidden=9),
        "rank-snn": RankSNN((CHANNELS,), CLASSES, hidden=16, gain=3, evidence="softmax"),
        "rank-snn, two layers": RankSNN(
            (CHANNELS,), CLASSES, hidden=16, layers=2, gain=4, evidence="softmax"
        ),
        "recurrent-rank-snn": RecurrentRankSNN(
            (CHANNELS,), CLASSES, hidden=16, gain=3, recurrent_gain=3, evidence="softmax"
        ),
    }
    with torch.no_grad():
        for name, model in found.items():
            model["readout"].stored.mul_(20 if name.startswith("rc") else 3)
    return found


MODELS = models()


def drawn(seed, form, batch=5):
    """Return a mixed batch whose padding is poison, and the lengths."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(1, T + 1, batch)
    if form == "frames":
        values = draw.normal(size=(T, batch, CHANNELS)).astype(np.float32)
        values[np.arange(T)[:, None] >= lengths] = np.nan
        return Frames(values, (CHANNELS,), lengths=lengths), lengths
    steps = draw.integers(0, T + 1, (batch, CHANNELS))
    return SpikeTimes(steps, T, (CHANNELS,), hold=form == "held", lengths=lengths), lengths


def alone(encoded, row, length):
    """Return one sample cut to its length, as a code in which every sample has all steps."""
    if isinstance(encoded, Frames):
        return Frames(encoded.values[:length, row : row + 1], encoded.layout)
    steps = encoded.steps[row : row + 1].clamp_max(length)
    return SpikeTimes(steps, int(length), encoded.layout, encoded.hold)


class Cut:
    """A rule of T steps, read over fewer."""

    def __init__(self, rule):
        self.rule = rule

    def threshold_at(self, step, n_steps):
        return self.rule.threshold_at(step, T)


def gradients(model):
    """Return them; what no step reached has none."""
    return [torch.zeros_like(each) if each.grad is None else each.grad for each in model.parameters()]


def close(got, wanted, what):
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6, err_msg=what)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from(list(MODELS)), st.sampled_from(["frames", "once", "held"]),
       st.sampled_from(RULES))  # fmt: skip
def test_decision_trace_cost_and_gradient_are_those_of_the_sample_alone(seed, name, form, rule):
    encoded, lengths = drawn(seed, form)
    model = MODELS[name].eval()
    # torch's own functions, of which the GRU is made, round by a value's place in the batch
    same = np.testing.assert_array_equal if name != "rc-gru" else close
    labels = torch.arange(len(lengths)) % CLASSES
    with torch.no_grad():
        early = run_to_decision(model, encoded, rule).decision()
        traced = {key: value.numpy() for key, value in _trace_batch(model, encoded).items()}
    traced["evidence"] = evidence_of_trace(traced["readouts"], model.evidence, traced["lengths"])
    full = decide(traced["evidence"], rule, traced["lengths"])
    streamed = Decider(model, rule, T, hold=form == "held", n_channels=CHANNELS).decide_all(encoded)
    model.zero_grad()
    RankCoding(auxiliary=0.5)(model, encoded, labels, rule)[0].backward()
    together = gradients(model)
    summed, pairs = [0.0] * len(together), int((early.step + 1).sum())
    for row, length in enumerate(lengths):
        single = alone(encoded, row, length)
        with torch.no_grad():
            wanted = run_to_decision(model, single, Cut(rule)).decision()
            trace = {key: value.numpy() for key, value in _trace_batch(model, single).items()}
        for field in ("label", "step", "decided", "tied", "evidence"):
            got = [getattr(each, field)[row] for each in (early, full, streamed)]
            same(got, [getattr(wanted, field)[0]] * 3, field)
        for key in ("readouts", "acs", "macs", "leaks", "input_events"):
            same(traced[key][row, :length], trace[key][0], key)
            behind = traced[key][row, length - 1 :]
            np.testing.assert_array_equal(behind, np.broadcast_to(behind[0], behind.shape), key)
        model.zero_grad()
        readouts = run_full(model, single)[: wanted.step[0] + 1, 0]
        label = labels[row].repeat(len(readouts))
        losses = torch.nn.functional.cross_entropy(readouts, label, reduction="none")
        (losses[-1] / len(lengths) + 0.5 * losses.sum() / pairs).backward()
        summed = [total + more for total, more in zip(summed, gradients(model), strict=True)]
    for got, wanted in zip(together, summed, strict=True):
        assert torch.allclose(got, wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_the_other_objectives_read_within_the_length_only(name):
    encoded, lengths = drawn(11, "frames")
    model, labels = copy.deepcopy(MODELS[name]), torch.arange(5) % CLASSES
    last, _ = LastStep()(model, encoded, labels, FirstSpike(0.5))
    every, _ = EveryStep()(model, encoded, labels, FirstSpike(0.5))
    losses = []
    for row, length in enumerate(lengths):
        readouts = run_full(model, alone(encoded, row, length))[:, 0]
        label = labels[row].repeat(int(length))
        losses.append(torch.nn.functional.cross_entropy(readouts, label, reduction="none"))
    assert torch.allclose(last, torch.stack([each[-1] for each in losses]).mean(), atol=1e-6)
    assert torch.allclose(every, torch.cat(losses).mean(), atol=1e-6)
    for objective in (Cumulative(), Aligned(silence="mask"), Aligned(rise=0.3)):
        loss, _ = objective(model, encoded, labels, FirstSpike(0.5))
        apart, weights = [], []
        for row, length in enumerate(lengths):
            single = alone(encoded, row, length)
            apart.append(objective(model, single, labels[row : row + 1], FirstSpike(0.5))[0])
            masked = getattr(objective, "silence", None) == "mask"
            weights.append(spoken_steps(single, objective.rise).sum() if masked else torch.tensor(length))
        expected = (torch.stack(apart) * torch.stack(weights)).sum() / torch.stack(weights).sum()
        assert torch.allclose(loss, expected, atol=1e-6)
    (every + loss).backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in model.parameters())


def test_decide_by_hand():
    """Class 1 would spike at step 2, but the first sample has two steps and the second three."""
    evidence = np.zeros((3, 4, 2), np.float32)
    evidence[:, 2, 1] = 0.9
    evidence[:, 1, 0] = 0.2
    decision = decide(evidence, FirstSpike(0.5), np.array([2, 3, 4]))
    assert decision.step.tolist() == [1, 2, 2]
    assert decision.decided.tolist() == [False, True, True]
    assert decision.label.tolist() == [0, 1, 1]


def test_earliness_and_time_are_of_each_samples_own_length():
    evidence = np.zeros((2, 4, 2), np.float32)
    zeros = np.zeros((2, 4))
    trace = rv.Trace(evidence, np.zeros(2, int), np.arange(2), zeros, zeros, zeros,
                     lengths=np.array([1, 4]), step_ms=20.0)  # fmt: skip
    evidence[1, 1, 0] = 1  # decided at step 1 of four: earliness 1/2; the other at its only step: 1
    numbers = summarise(trace, decide(evidence, FirstSpike(0.5), trace.lengths))
    assert numbers["earliness"] == 0.75
    assert numbers["mean_step"] == 0.5
    assert numbers["mean_ms"] == 30.0


def test_curves_read_an_ended_sample_at_its_own_last_step():
    evidence = np.zeros((1, 3, 2), np.float32)
    evidence[0, :, 1] = [0.1, 0.4, 0.4]  # ended after two steps
    evidence[0, :, 0] = [0.2, 0.3, 0.3]
    zeros = np.zeros((1, 3))
    trace = rv.Trace(evidence, np.ones(1, int), np.arange(1), zeros, zeros, zeros, lengths=np.array([2]))
    assert forced_at_step(trace)["accuracy"].tolist() == [0, 1, 1]
    assert oracle_exit(trace)["step"].tolist() == [1]


def test_finish_ends_a_sample_that_is_still_undecided():
    decider = Decider(MODELS["rank-snn"].eval(), FirstSpike(1.0), T)
    with pytest.raises(InputError, match="no step was pushed"):
        decider.finish()
    decider.push([0, 1])
    decider.push([2])
    ended = decider.finish()
    assert (ended.step, ended.decided) == (1, False)
    with pytest.raises(InputError, match="decided already"):
        decider.finish()
    with pytest.raises(InputError, match="reset"):
        decider.push([3])


@pytest.mark.parametrize("lengths", [[0, 1], [1, T + 1], [1.0, 2.0], [1], [True, False]])
def test_lengths_that_cannot_be_are_refused(lengths):
    with pytest.raises(InputError, match="lengths"):
        SpikeTimes(np.zeros((2, 3), int), T, (3,), lengths=np.array(lengths))
    if len(lengths) == 2 and lengths != [True, False] and lengths != [1.0, 2.0]:
        with pytest.raises(InputError, match="lengths"):
            decide(np.zeros((2, T, 2)), FirstSpike(0.5), np.array(lengths))


@pytest.mark.parametrize("step_ms", [0, -1.0, np.inf, np.nan])
def test_a_duration_that_cannot_be_is_refused(step_ms):
    with pytest.raises(InputError, match="step_ms must"):
        Frames(np.zeros((2, 1, 3)), (3,), step_ms=step_ms)


def test_equal_lengths_are_no_lengths_and_rows_keep_theirs():
    assert SpikeTimes(np.zeros((2, 3), int), T, (3,), lengths=[T, T]).lengths is None
    some = SpikeTimes(np.zeros((3, 3), int), T, (3,), lengths=np.array([1, 2, 3]), step_ms=5.0)
    assert some.select(torch.tensor([2, 0])).lengths.tolist() == [3, 1]
    assert some.to("cpu").step_ms == 5.0


def test_padding_is_never_read_in_training_or_streaming():
    encoded, _ = drawn(3, "frames", batch=64)
    for model in MODELS.values():
        loss, decision = RankCoding()(model, encoded, torch.zeros(64, dtype=torch.int64), FirstSpike(0.7))
        assert bool(loss.isfinite())
        assert np.isfinite(decision.evidence).all()
        assert np.isfinite(evidence_trace(run_full(model, encoded), model.evidence)).all()
