"""The cost model against instruments: hooks on every layer of a run, and spikingjelly's counter."""

import numpy as np
import pytest
import torch
from torch import nn

from rc_vs_snn import FirstSpike, SpikeTimes, decide, run_to_decision
from rc_vs_snn.decision.batch import iterate
from rc_vs_snn.decision.reading import evidence_trace
from rc_vs_snn.kernels.synapses import Synapses
from rc_vs_snn.models import Stack
from rc_vs_snn.models.cost import counter_of
from rc_vs_snn.registry import models

N_STEPS, LAYOUT, K = 6, (8, 8), 4
DECAY = 0.9


OPTIONS = {
    "rc-lstm": {"hidden": 12, "layers": 2},
    "rank-snn": {"hidden": 24, "gain": 6.0, "decay": DECAY, "learn_decay": False, "reset": "zero"},
    "recurrent-rank-snn": {"hidden": 24, "layers": 2, "gain": 4.0, "recurrent_gain": 2.0},
    "conv-rank-snn": {"maps": 3, "hidden": 24, "gain": 6.0},
    "conv-rc-lstm": {"maps": 3, "hidden": 12, "readout_decay": 0.5},
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
    """Let every layer run as a module, for hooks to see it; whole runs have none."""
    monkeypatch.setattr(Stack, "run", lambda *_: None)


def rule_for(model, encoded):
    """A threshold that spreads the decisions over the steps."""
    with torch.no_grad():
        readouts = torch.stack([each.readout for each in iterate(model, encoded)])
    trace = evidence_trace(readouts, model.evidence)
    rules = [FirstSpike(float(level)) for level in np.quantile(trace.max(2), np.linspace(0.1, 0.9, 33))]
    return max(rules, key=lambda rule: len(set(decide(trace, rule).step)))


def counted_by_model(model, encoded, rule):
    """Return ``(acs, macs)`` up to each sample's decision."""
    with torch.no_grad():
        steps = run_to_decision(model, encoded, rule).step
        parts = [model.operations(each.x, each.before, each.after) for each in iterate(model, encoded)]
    until = torch.arange(N_STEPS)[:, None] <= steps
    return [(torch.stack([getattr(part, kind) for part in parts]) * until).sum(0) for kind in ("acs", "macs")]


def connections(layer, x):
    """How many synapses each input of ``x`` enters, in its shape."""
    if isinstance(layer, Synapses):
        return torch.full_like(x, layer.n_outputs)
    ones = torch.ones_like(x, requires_grad=True)
    kernel = torch.ones_like(layer.weight)
    with torch.enable_grad():
        reached = nn.functional.conv2d(ones, kernel, None, layer.stride, layer.padding).sum()
    return torch.autograd.grad(reached, ones)[0]


class Instrument:
    """Counts what enters the synapses of every layer, spikes and real numbers, while a model runs."""

    def __init__(self, model):
        self.acs = self.macs = 0.0
        self.seen = set()
        self.layers = [each for each in model.modules() if isinstance(each, Synapses | nn.Conv2d)]
        for layer in self.layers:
            layer.register_forward_hook(self._count)

    def _count(self, layer, inputs, output):
        (x,) = inputs
        entered = connections(layer, x)
        if bool((x == x.round()).all()):
            self.acs += float((x * entered).sum())
        else:
            self.macs += float(entered.sum())
        self.seen.add(layer)


@pytest.mark.parametrize("name", OPTIONS)
def test_operations_equal_an_instrumented_run(name, encoded, layers_called_as_modules):
    model = build(name)
    rule = rule_for(model, encoded)
    acs, macs = counted_by_model(model, encoded, rule)
    instrument = Instrument(model)
    steps = set()
    for row in range(len(encoded)):
        instrument.acs = instrument.macs = 0.0
        with torch.no_grad():
            steps.add(int(run_to_decision(model, encoded.select([row]), rule).step))
        assert instrument.acs == pytest.approx(acs[row].item(), rel=1e-6)
        assert instrument.macs == pytest.approx(macs[row].item(), rel=1e-6)
    assert instrument.seen == set(instrument.layers)
    assert len(steps) > 2, "the decisions must fall at different steps for this test to mean anything"
    assert acs.sum() > 0
    assert (macs.sum() > 0) == (name in ("rc-lstm", "conv-rc-lstm"))


class Counting:
    """A model from outside: what its ``operations`` returns is told at construction."""

    def __init__(self, **found):
        if found:
            self.operations = lambda x, before, after: found["pair"]


def test_what_a_model_does_not_count_is_nan_and_never_0():
    x = torch.ones(3, 4)
    assert counter_of(Counting(), analogue=False) is None
    counted = counter_of(Counting(pair=(torch.ones(3), torch.zeros(3))), analogue=True)(x, (), ())
    assert counted.acs.tolist() == [1, 1, 1]
    assert counted.leaks.isnan().all()


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
    synapses, readout = nn.Linear(64, 24), nn.Linear(24, K)
    synapses.load_state_dict(model["synapses1"].state_dict())
    readout.load_state_dict(model["readout"].state_dict())
    for row in range(len(encoded)):
        hidden = neuron.LIFNode(tau=1 / (1 - DECAY), decay_input=False, v_reset=0.0)
        counter = counters.SynOpCounter()
        with torch.no_grad(), counters.DispatchCounterMode([counter]):
            for step in range(int(steps[row]) + 1):
                readout(hidden(synapses(encoded.select([row]).at(step))))
        assert counter.get_total() == acs[row].item()
