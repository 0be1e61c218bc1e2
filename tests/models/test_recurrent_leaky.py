"""Recurrent layers of leaky neurons against snnTorch's own, their cost by hand, and published settings."""

import copy
import math

import pytest
import snntorch as snn
import torch

from rc_vs_snn import FirstSpike, Frames, InputError, SpikeTimes, run_to_decision
from rc_vs_snn.models import RecurrentRankSNN
from rc_vs_snn.models.layers import RecurrentLeaky, RecurrentSynaptic
from rc_vs_snn.models.layers.snntorch_neuron import Spiking

WIDTH, STEPS, BATCH = 9, 8, 5


def layer_and_reference(kind, reset, spike_grad):
    """Return our layer and snnTorch's neuron with its weights (and a bias of 0)."""
    torch.manual_seed(3)
    options = Spiking(0.8, spike_grad, 3.0, reset, 0.7, learn_decay=True, learn_threshold=True)
    if kind == "leaky":
        ours, make, others = RecurrentLeaky(WIDTH, options, gain=3.0), snn.RLeaky, {}
    else:
        ours = RecurrentSynaptic(WIDTH, options, gain=3.0, synaptic_decay=0.6)
        others = {"alpha": torch.full((WIDTH,), 0.6), "learn_alpha": True}
        make = snn.RSynaptic
    surrogate = {"fast-sigmoid": snn.surrogate.fast_sigmoid, "triangular": snn.surrogate.triangular}
    theirs = make(
        beta=torch.full((WIDTH,), 0.8), threshold=torch.full((WIDTH,), 0.7), learn_beta=True,
        learn_threshold=True, linear_features=WIDTH, reset_mechanism=reset,
        spike_grad=surrogate[spike_grad](3.0), **others,
    )  # fmt: skip
    with torch.no_grad():
        theirs.recurrent.weight.copy_(ours.recurrent.weight)
        theirs.recurrent.bias.zero_()
        for decay in (ours.neuron.beta, theirs.beta):  # beyond the clamp's ends, too
            decay.copy_(torch.linspace(-0.1, 1.1, WIDTH))
    return ours, theirs


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("kind", ["leaky", "synaptic"])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("spike_grad", ["fast-sigmoid", "triangular"])
def test_a_step_is_snntorchs_in_value_and_gradient(kind, reset, spike_grad, grad):
    ours, theirs = layer_and_reference(kind, reset, spike_grad)
    x = (2 * torch.randn(STEPS, BATCH, WIDTH)).requires_grad_()
    weights = torch.randn(STEPS, BATCH, WIDTH)

    def run_ours():
        state, found = ours.initial_state(BATCH, torch.zeros(0)), []
        for step in range(STEPS):
            spikes, state = ours.step(x[step], state, step)
            found.append((spikes, state.membrane))
        return found

    def run_theirs():
        state, found = [torch.zeros(BATCH, WIDTH)] * (2 if kind == "leaky" else 3), []
        for step in range(STEPS):
            state = theirs(x[step], *state)
            found.append((state[0], state[-1].clone()))
        return found

    with torch.set_grad_enabled(grad):
        mine, expected = run_ours(), run_theirs()
    for step in range(STEPS):
        torch.testing.assert_close(mine[step][0], expected[step][0], rtol=0, atol=0)
        torch.testing.assert_close(mine[step][1], expected[step][1], rtol=1e-4, atol=1e-5)
    rate = torch.stack([spikes for spikes, _ in mine]).mean()
    assert 0.1 < rate < 0.9  # the test is about spikes that come back, not silence
    if not grad:
        return
    wanted = []
    for found, layer, recurrent in ((mine, ours.neuron, ours.recurrent.stored),
                                    (expected, theirs, theirs.recurrent.weight)):  # fmt: skip
        loss = sum((w * (s + u)).sum() for w, (s, u) in zip(weights, found, strict=True))
        wanted.append(torch.autograd.grad(loss, [x, layer.beta, layer.threshold, recurrent]))
    wanted[0] = (*wanted[0][:3], wanted[0][3].t())  # ours lie by source
    for got, want in zip(*wanted, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)


def test_a_recurrent_spike_costs_its_fan_out_by_hand():
    """C = 3, H = 4, K = 2; at step 0 the two neurons that hear the input fire, and cost 4 each at step 1."""
    model = RecurrentRankSNN((3,), 2, hidden=4, decay=0.5, learn_decay=False)
    with torch.no_grad():
        model["synapses1"].weight.copy_(torch.tensor([[2.0, 0, 0], [0, 2, 0], [0, 0, 2], [0, 0, 0]]))
        model["synapses1"].bias.zero_()
        model["neurons1"].recurrent.weight.zero_()
        model["neurons1"].recurrent.weight[3, 0] = 2.0  # neuron 0 makes neuron 3 fire a step later
    x = torch.tensor([[[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    state, costs = model.initial_state(2, "cpu"), []
    for step in range(2):
        before = state
        _, state = model.step(x[step], before)
        costs.append(model.operations(x[step], before, state))
    assert costs[0].acs.tolist() == [2 * 4 + 2 * 2, 0]
    assert state.layers["neurons1"].spikes[0].tolist() == [0, 0, 0, 1]
    assert costs[1].acs.tolist() == [2 * 4 + 1 * 2, 0]
    assert [cost.macs.tolist() for cost in costs] == [[0, 0]] * 2
    assert costs[1].leaks.tolist() == [4 + 2] * 2


def test_synaptic_currents_leak_too():
    model = RecurrentRankSNN((3,), 2, hidden=4, neuron="synaptic")
    before = model.initial_state(1, "cpu")
    _, after = model.step(torch.ones(1, 3), before)
    assert model.operations(torch.ones(1, 3), before, after).leaks.tolist() == [2 * 4 + 2]


def test_the_braille_papers_hidden_layer_can_be_written_down():
    """syn = a syn + W x + V s; mem = (b mem + syn)(1 - s): threshold 1, bins of 5 ms, tau 60 ms."""
    torch.manual_seed(0)
    a, b = math.exp(-5 / 6), math.exp(-5 / 60)
    model = RecurrentRankSNN(
        (24,), 28, hidden=450, neuron="synaptic", reset="zero", decay=b, synaptic_decay=a, learn_decay=False,
        slope=5.0, gain=4.0, recurrent_gain=2.0,
    )  # fmt: skip
    x = (torch.rand(12, 2, 24) < 0.4).float()
    w, v = model["synapses1"], model["neurons1"].recurrent.weight.detach()
    s, syn, mem = torch.zeros(3, 2, 450)
    state, rate = model.initial_state(2, "cpu"), 0.0
    for step in range(12):
        syn = a * syn + w(x[step]) + s @ v.t()
        mem = (b * mem + syn) * (1 - s)
        s = (mem > 1).float()
        _, state = model.step(x[step], state)
        torch.testing.assert_close(state.layers["neurons1"].membrane, mem, rtol=1e-4, atol=1e-4)
        rate += float(s.mean()) / 12
    assert rate > 0.01


def test_streams_of_frames_and_spikes_and_batches_agree_with_dropout_off():
    torch.manual_seed(1)
    model = RecurrentRankSNN((6,), 3, hidden=20, gain=3.0, recurrent_gain=2.0, dropout=0.4).eval()
    frames = Frames(torch.randn(7, 9, 6), (6,), lengths=torch.tensor([7, 1, 3, 5, 7, 2, 6, 7, 4]))
    spikes = SpikeTimes(torch.randint(0, 8, (9, 6)), 7, (6,), lengths=frames.lengths)
    for encoded in (frames, spikes):
        with torch.no_grad():
            whole = run_to_decision(model, encoded, FirstSpike(0.4))
        double = copy.deepcopy(model).double()
        with torch.no_grad():
            stepped = run_to_decision(double, encoded, FirstSpike(0.4))
        assert torch.equal(whole.step, stepped.step)
        torch.testing.assert_close(whole.readout, stepped.readout.float(), rtol=1e-4, atol=1e-5)


def test_networks_leave_nothing_in_snntorchs_list():
    n_listed = len(snn.SpikingNeuron.instances)
    model = RecurrentRankSNN((3,), 2, hidden=4, neuron="synaptic", layers=2)
    state = model.initial_state(2, "cpu")
    _, state = model.step(torch.ones(2, 3), state)
    model.step(torch.ones(2, 3), state)[0].sum().backward()
    copy.deepcopy(model)  # fails where a tensor with a graph is left on the module
    assert len(snn.SpikingNeuron.instances) == n_listed


@pytest.mark.parametrize("options", [{"decay": 1.5}, {"synaptic_decay": -0.1}, {"recurrent_gain": 0.0}])
def test_constants_out_of_range_are_refused(options):
    with pytest.raises(InputError, match=f"'recurrent-rank-snn': {next(iter(options))}"):
        RecurrentRankSNN((3,), 2, **options)
