"""The preset ``paper-notebook`` against the authors' way, written out with ``torch.nn.LSTM``."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import rc_vs_snn as rv
from rc_vs_snn.analysis.curves import threshold_sweep
from rc_vs_snn.contracts import Samples
from rc_vs_snn.decision.batch import run_full
from rc_vs_snn.decision.reading import evidence_trace
from rc_vs_snn.decision.rules import check_rule, decide
from rc_vs_snn.encoders import Latency
from rc_vs_snn.models import rc_lstm
from rc_vs_snn.training.objectives import RankCoding


def sample_code(weights, frames, labels):
    """Full-length LSTM, sigmoids, read at the first step at which one is above 0.95; loss and steps."""
    lstm, linear = nn.LSTM(frames.shape[2], 125), nn.Linear(125, 10)
    with torch.no_grad():
        for name, value in (
            ("weight_ih_l0", weights["cell1.input.weight"]),
            ("weight_hh_l0", weights["cell1.recurrent.weight"]),
            ("bias_ih_l0", weights["cell1.input.bias"]),
            ("bias_hh_l0", torch.zeros(500)),
        ):
            getattr(lstm, name).copy_(value)
        linear.weight.copy_(weights["readout.weight"])
        linear.bias.copy_(weights["readout.bias"])
    out = torch.sigmoid(linear(lstm(frames)[0]))  # (T, B, K)
    above = (out > 0.95).any(2)
    step = torch.where(above.any(0), above.int().argmax(0), len(frames) - 1)
    loss = functional.cross_entropy(out[step, torch.arange(len(labels))], labels)
    loss.backward()
    return loss, step, lstm.weight_hh_l0.grad, linear.weight.grad


def test_loss_decisions_and_gradients_are_those_of_the_sample_code() -> None:
    run = rv.load_preset("paper-notebook").runs[0]
    assert (run.training.batch_size, run.training.epochs, run.encoder.options["n_steps"]) == (256, 30, 20)
    rule = rv.FirstSpike(run.rule.options["threshold"])
    draw = np.random.default_rng(3)
    images = draw.integers(0, 256, (40, 6, 6), dtype=np.uint8)
    labels = draw.integers(0, 10, 40)
    code = Latency(20, background="spike")(Samples(images, labels, np.arange(40), "images", 10))
    torch.manual_seed(0)
    model = rc_lstm((6, 6), 10, hidden=125, evidence="sigmoid")
    with torch.no_grad():  # spread the logits, so that first crossings fall everywhere and some never come
        model["readout"].bias.fill_(1.5)
        model["readout"].stored.mul_(25)
    loss, decision = RankCoding(on_sigmoid=True)(model, code, torch.from_numpy(labels), rule)
    loss.backward()

    frames = torch.stack([code.at(step) for step in range(20)])
    names = {name.removeprefix("layers."): value for name, value in model.state_dict().items()}
    expected, step, by_recurrent, by_readout = sample_code(names, frames, torch.from_numpy(labels))
    assert decision.step.tolist() == step.tolist()
    assert len(set(step.tolist())) > 3
    assert torch.allclose(loss, expected, atol=1e-6)
    for layer, gradient in ((model["cell1"].recurrent, by_recurrent), (model["readout"], by_readout)):
        stored = layer.stored.grad
        assert torch.allclose(stored if stored.shape == gradient.shape else stored.T, gradient, atol=1e-6)


def test_sigmoid_evidence_is_judged_alike_early_and_in_full() -> None:
    torch.manual_seed(1)
    model = rc_lstm((5,), 3, hidden=8, evidence="sigmoid").eval()
    with torch.no_grad():
        model["readout"].stored.mul_(20)
    code = rv.SpikeTimes(torch.randint(0, 7, (60, 5)), 6, (5,))
    rule = rv.FirstSpike(0.8)
    check_rule(rule, model.evidence, 6)
    full = decide(evidence_trace(run_full(model, code), model.evidence), rule)
    early = rv.run_to_decision(model, code, rule).decision()
    assert early.step.tolist() == full.step.tolist()
    assert early.label.tolist() == full.label.tolist()
    assert full.tied.any() or len(set(full.step.tolist())) > 1


def test_sigmoids_are_swept_from_almost_nothing_to_one() -> None:
    zeros = np.zeros((2, 3))
    evidence = np.full((2, 3, 4), 0.01, np.float32)  # below 1/K in every class, which no softmax can be
    trace = rv.Trace(evidence, np.zeros(2, int), np.arange(2), zeros, zeros, zeros)
    sweep = threshold_sweep(trace, "sigmoid", 20)
    assert sweep["threshold"][0] < 0.01
    assert (sweep["mean_step"][0], sweep["mean_step"][-1]) == (0, 2)
