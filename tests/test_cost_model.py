"""The cost model against instruments: hooks on every layer of a run, and spikingjelly's counter."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from rc_vs_snn import FirstSpike, SpikeTimes, decide, run_to_decision
from rc_vs_snn.decision import evidence_trace, iterate
from rc_vs_snn.models import compiled, deferred
from rc_vs_snn.registry import models

N_STEPS, LAYOUT, K = 6, (8, 8), 4
DECAY = 0.9


OPTIONS = {
    "rc-lstm": {"hidden": 12, "layers": 2},
    "rank-snn": {"hidden": 24, "gain": 6.0, "decay": DECAY, "learn_decay": False, "reset": "zero"},
    "conv-rank-snn": {"maps": 3, "hidden": 24, "gain": 6.0},
}


def build(name):
    torch.manual_seed(1)
    return models.build(name, OPTIONS[name], layout=LAYOUT, n_classes=K).eval()


@pytest.fixture
def encoded():
    generator = torch.Generator().manual_seed(0)
    steps = torch.randint(0, 2 * N_STEPS, (12, 64), generator=generator).clamp_max(N_STEPS)
    return SpikeTimes(steps, N_STEPS, LAYOUT)


@pytest.fixture
def layers_called_as_modules(monkeypatch):
    """Let every linear layer run as a module, for hooks to see it; compiled loops have none."""
    monkeypatch.setattr(compiled, "run_of", lambda *_: None)
    monkeypatch.setattr(sys.modules["rc_vs_snn.models.rc_lstm"], "by_rows", lambda _: False)
    ours = deferred.linear
    for name, module in list(sys.modules.items()):
        if name.startswith("rc_vs_snn.models.") and getattr(module, "linear", None) is ours:
            monkeypatch.setattr(module, "linear", lambda layer, x, *, spikes=False: layer(x))


def rule_for(model, encoded):
    """A threshold that spreads the decisions over the steps."""
    with torch.no_grad():
        readouts = torch.stack([step[0] for step in iterate(model, encoded)])
    trace = evidence_trace(readouts, model.evidence)
    rules = [FirstSpike(float(level)) for level in np.quantile(trace.max(2), np.linspace(0.1, 0.9, 33))]
    return max(rules, key=lambda rule: len(set(decide(trace, rule).step)))


def counted_by_model(model, encoded, rule):
    """Return ``(acs, macs)`` up to each sample's decision."""
    with torch.no_grad():
        steps = run_to_decision(model, encoded, rule).step
        parts = [model.operations(x, before, after) for _, x, before, after in iterate(model, encoded)]
    until = torch.arange(N_STEPS)[:, None] <= steps
    return [(torch.stack([part[kind] for part in parts]) * until).sum(0) for kind in (0, 1)]


def fan_out(layer):
    if isinstance(layer, nn.Conv2d):  # away from the border, as documented
        return layer.out_channels * np.prod(layer.kernel_size) / np.prod(layer.stride)
    return layer.out_features


class Instrument:
    """Counts the nonzero inputs of every layer, times its fan-out, while a model runs."""

    def __init__(self, model):
        self.acs = self.macs = self.exact = 0.0
        self.seen = set()
        self.layers = [each for each in model.modules() if isinstance(each, nn.Linear | nn.Conv2d)]
        for layer in self.layers:
            layer.register_forward_hook(self._count)

    def _count(self, layer, inputs, output):
        (x,) = inputs
        active = x != 0
        whole = active & (x == x.round())
        self.acs += float(whole.sum()) * fan_out(layer)
        self.macs += float((active & ~whole).sum()) * fan_out(layer)
        self.seen.add(layer)
        if isinstance(layer, nn.Conv2d):
            ones = torch.ones_like(layer.weight)
            reached = nn.functional.conv2d(active.float(), ones, None, layer.stride, layer.padding)
            self.exact += float(reached.sum())
        else:
            self.exact += float(active.sum()) * fan_out(layer)


@pytest.mark.parametrize("name", OPTIONS)
def test_operations_equal_an_instrumented_run(name, encoded, layers_called_as_modules):
    model = build(name)
    rule = rule_for(model, encoded)
    acs, macs = counted_by_model(model, encoded, rule)
    instrument = Instrument(model)
    steps = set()
    for row in range(len(encoded)):
        instrument.acs = instrument.macs = instrument.exact = 0.0
        with torch.no_grad():
            steps.add(int(run_to_decision(model, encoded.select([row]), rule).step))
        assert instrument.acs == pytest.approx(acs[row].item(), rel=1e-6)
        assert instrument.macs == pytest.approx(macs[row].item(), rel=1e-6)
        # Border inputs of a convolution have fewer synapses than the model counts.
        total = instrument.acs + instrument.macs
        if name == "conv-rank-snn":
            assert 0.6 * total < instrument.exact < total
        else:
            assert instrument.exact == total
    assert instrument.seen == set(instrument.layers)
    assert len(steps) > 2, "the decisions must fall at different steps for this test to mean anything"
    assert acs.sum() > 0
    assert (macs.sum() > 0) == (name == "rc-lstm")


def test_operations_equal_spikingjellys_counter(encoded):
    """On spikingjelly's own neurons: its counter sees products only, which our kernels do not call."""
    counters = pytest.importorskip(
        "spikingjelly.activation_based.op_counter", reason="spikingjelly is not installed (the bench extra)"
    )
    from spikingjelly.activation_based import neuron

    model = build("rank-snn")
    rule = rule_for(model, encoded)
    acs, _ = counted_by_model(model, encoded, rule)
    with torch.no_grad():
        steps = run_to_decision(model, encoded, rule).step
    for row in range(len(encoded)):
        hidden = neuron.LIFNode(tau=1 / (1 - DECAY), decay_input=False, v_reset=0.0)
        counter = counters.SynOpCounter()
        with torch.no_grad(), counters.DispatchCounterMode([counter]):
            for step in range(int(steps[row]) + 1):
                model.readout(hidden(model.synapses[0](encoded.select([row]).at(step))))
        assert counter.get_total() == acs[row].item()
