"""The spiking net against a five-line loop, and snnTorch's known traps."""

import copy
import gc
import weakref

import pytest
import snntorch as snn
import torch

from rc_vs_snn import InputError
from rc_vs_snn.models import RankSNN


def run(model, x):
    state = model.initial_state(x.shape[1], "cpu")
    readouts = []
    for step in range(len(x)):
        readout, state = model.step(x[step], state)
        readouts.append(readout)
    return torch.stack(readouts)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_equals_a_five_line_lif_loop(reset):
    torch.manual_seed(2)
    model = RankSNN((6,), 3, hidden=20, reset=reset, decay=0.8, threshold=0.7, gain=3.0)
    x = (torch.rand(9, 4, 6) < 0.5).float()
    v, u, expected, n_spikes = torch.zeros(4, 20), torch.zeros(4, 3), [], 0
    for step in range(9):
        fired = (v > 0.7).float()
        v = 0.8 * (v * (1 - fired) if reset == "zero" else v) + model["synapses1"](x[step])
        v = v - 0.7 * fired if reset == "subtract" else v
        u = 0.8 * u + model["readout"]((v > 0.7).float())
        expected.append(u)
        n_spikes += int((v > 0.7).sum())
    assert 50 < n_spikes < 500  # the loop is about spikes, not silence
    torch.testing.assert_close(run(model, x), torch.stack(expected))


def test_synaptic_neuron_equals_its_loop():
    torch.manual_seed(3)
    model = RankSNN((6,), 3, hidden=20, neuron="synaptic", decay=0.8, synaptic_decay=0.6, gain=3.0)
    x = (torch.rand(9, 4, 6) < 0.5).float()
    i, v, u, expected = torch.zeros(4, 20), torch.zeros(4, 20), torch.zeros(4, 3), []
    for step in range(9):
        fired = (v > 1.0).float()
        i = 0.6 * i + model["synapses1"](x[step])
        v = 0.8 * v + i - fired
        u = 0.8 * u + model["readout"]((v > 1.0).float())
        expected.append(u)
    torch.testing.assert_close(run(model, x), torch.stack(expected))


def test_a_batch_does_not_go_on_from_the_last_one():
    torch.manual_seed(4)
    model = RankSNN((6,), 3, hidden=8, gain=3.0)
    x = torch.ones(3, 2, 6)
    first = run(model, x)
    run(model, torch.rand(5, 2, 6))
    torch.testing.assert_close(run(model, x), first, rtol=0, atol=0)


def test_networks_are_freed_and_copyable():
    """snnTorch lists every neuron on a class and keeps the last state on the module."""
    model = RankSNN((6,), 3, hidden=8)
    n_listed = len(snn.SpikingNeuron.instances)
    run(model, torch.ones(3, 2, 6)).sum().backward()
    copy.deepcopy(model)  # fails where a tensor with a graph is left on the module
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    assert len(snn.SpikingNeuron.instances) == n_listed


def test_operations_by_hand():
    """C = 3, H = 4, K = 2: each input spike costs 4, each hidden spike 2 accumulates; no multiplications."""
    model = RankSNN((3,), 2, hidden=4, decay=0.5, learn_decay=False)
    with torch.no_grad():
        model["synapses1"].weight.copy_(torch.tensor([[2.0, 0, 0], [0, 2, 0], [0, 0, 2], [0, 0, 0]]))
        model["synapses1"].bias.zero_()
    x = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    before = model.initial_state(2, "cpu")
    _, after = model.step(x, before)
    cost = model.operations(x, before, after)
    assert cost.acs.tolist() == [2 * 4 + 2 * 2, 0]  # two input spikes make two hidden neurons fire
    assert cost.macs.tolist() == [0, 0]
    assert cost.leaks.tolist() == [4 + 2] * 2  # every membrane decays, whatever arrives


def test_learned_decay_and_threshold_are_per_neuron_parameters():
    names = dict(RankSNN((3,), 2, hidden=4, learn_decay=True, learn_threshold=True).named_parameters())
    assert names["layers.neurons1.neuron.beta"].shape == (4,)
    assert names["layers.neurons1.neuron.threshold"].shape == (4,)
    fixed = dict(RankSNN((3,), 2, hidden=4, learn_decay=False).named_parameters())
    assert not [name for name in fixed if "beta" in name or "threshold" in name or "decay" in name]


@pytest.mark.parametrize("spike_grad", ["fast-sigmoid", "atan", "sigmoid", "triangular", "straight-through"])
def test_every_surrogate_gradient_reaches_the_input_weights(spike_grad):
    torch.manual_seed(5)
    model = RankSNN((6,), 3, hidden=8, spike_grad=spike_grad, gain=3.0)
    run(model, torch.ones(4, 2, 6)).sum().backward()
    assert model["synapses1"].stored.grad.abs().sum() > 0


@pytest.mark.parametrize(
    "options", [{"decay": 1.5}, {"synaptic_decay": -0.1}, {"threshold": 0.0}, {"slope": 0.0}, {"gain": -1.0}]
)
def test_constants_out_of_range_are_refused(options):
    with pytest.raises(InputError, match=next(iter(options))):
        RankSNN((3,), 2, **options)
