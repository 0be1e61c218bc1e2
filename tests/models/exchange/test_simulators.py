"""Graphs in other simulators: what their readers lose is told, and put right they do what we do."""

import nir
import numpy as np
import pytest
import torch
from exchange_nets import NETS, net, readouts, spikes

from rc_vs_snn.errors import InputError
from rc_vs_snn.models import RankSNN
from rc_vs_snn.models.exchange import from_nir, to_nir
from rc_vs_snn.models.exchange.constants import DT
from rc_vs_snn.models.exchange.simulators import SIMULATORS, simulator

SHAPES = {"conv, batch norm, hidden": (1, 8, 8), "conv, six, no norm": (2, 8, 9)}
INTEGRATING = [name for name in NETS if name != "conv, one row, no integration"]


def run(simulation, frames, shape):
    """Return the membranes of the output neurons ``(T, B, K)``, and how often each layer fired."""
    seen = [each for _, each in simulation.run(frames.unflatten(2, shape))]
    (*_, output) = seen[0]
    counts = {name: sum(float(each[name][0].sum()) for each in seen) for name in seen[0]}
    return torch.stack([each[output][1] for each in seen]), counts


@pytest.mark.parametrize("leaky", ["LIF", "CubaLIF"])
@pytest.mark.parametrize("other", ["norse", "snntorch"])
@pytest.mark.parametrize("name", INTEGRATING)
def test_put_right_they_integrate_what_we_integrate(name, other, leaky):
    model = net(name)
    frames = spikes(model)
    simulation = simulator(other).put_right(to_nir(model, leaky=leaky), DT)
    membranes, counts = run(simulation, frames, SHAPES.get(name, (20,)))
    assert sum(counts.values()) > 0
    assert torch.allclose(membranes, readouts(model, frames), atol=2e-6)


def test_what_a_reader_loses_is_told():
    lost = {
        (name, reset): [each.what for each in simulator(name).losses(to_nir(RankSNN((20,), 4, reset=reset)))]
        for name in SIMULATORS
        for reset in ("zero", "subtract")
    }
    subtract = "the reset 'subtract' comes back as 'zero'"
    assert lost["snntorch", "zero"] == lost["spikingjelly", "zero"] == []
    assert lost["snntorch", "subtract"] == lost["spikingjelly", "subtract"] == [subtract]
    assert [what.split(":")[0] for what in lost["norse", "zero"]] == 2 * ["r is taken for 1"]
    assert subtract in lost["norse", "subtract"]
    told = simulator("spikingjelly").losses(to_nir(net("leaky, zero, two layers")))
    assert {each.node for each in told} == {"neurons1", "neurons2", "output_neurons"}


SEVERAL_DECAYS = "leaky, zero, two layers"


@pytest.mark.parametrize(
    ("other", "name", "leaky"),
    [
        ("norse", SEVERAL_DECAYS, "CubaLIF"),
        ("snntorch", SEVERAL_DECAYS, "LIF"),
        ("snntorch", SEVERAL_DECAYS, "CubaLIF"),
        ("spikingjelly", None, "LIF"),
        ("spikingjelly", None, "CubaLIF"),
    ],
)
def test_a_net_of_which_nothing_is_lost_is_read_as_it_is(other, name, leaky):
    torch.manual_seed(0)
    model = net(name) if name else RankSNN((20,), 4, hidden=16, reset="zero", gain=3.0).eval()
    graph = to_nir(model, leaky=leaky)
    assert simulator(other).losses(graph) == []
    membranes, counts = run(simulator(other).read(graph, DT), spikes(model), (20,))
    assert counts["neurons1"] > 0
    assert torch.allclose(membranes, readouts(model, spikes(model)), atol=2e-6)


def test_a_reader_that_does_not_take_a_graph_says_so_in_a_line():
    graph = to_nir(net("leaky, zero, two layers"))
    with pytest.raises(InputError, match=r"spikingjelly does not take the graph: nir.LIF.tau"):
        simulator("spikingjelly").read(graph, DT)
    with pytest.raises(InputError, match="there is no simulator 'nors'; did you mean 'norse'"):
        simulator("nors")


def recurrent_cuba(bias):
    """Return a graph like the NIR paper's Braille nets: 12 inputs, 20 recurrent neurons, 7 outputs."""
    rng = np.random.default_rng(0)

    def synapses(n_outputs, n_inputs, scale):
        weight = rng.normal(0, scale, (n_outputs, n_inputs)).astype(np.float32)
        bias_of = rng.normal(0, 0.5, n_outputs).astype(np.float32)
        return nir.Affine(weight, bias_of) if bias else nir.Linear(weight)

    def neurons(width, syn, mem):
        tau_syn, tau_mem = np.full(width, syn * DT), np.full(width, mem * DT)
        zeros, ones = np.zeros(width), np.ones(width)
        return nir.CubaLIF(tau_syn, tau_mem, tau_mem / DT, zeros, ones, zeros, tau_syn / DT)

    nodes = {
        "fc1": synapses(20, 12, 1.0), "fc2": synapses(7, 20, 0.7),
        "input": nir.Input({"input": np.array([12])}),
        "lif1.lif": neurons(20, 2.5, 8), "lif1.w_rec": synapses(20, 20, 0.5), "lif2": neurons(7, 2, 4),
        "output": nir.Output({"output": np.array([7])}),
    }  # fmt: skip
    edges = [
        ("lif1.w_rec", "lif1.lif"), ("lif2", "output"), ("fc2", "lif2"), ("input", "fc1"),
        ("lif1.lif", "lif1.w_rec"), ("fc1", "lif1.lif"), ("lif1.lif", "fc2"),
    ]  # fmt: skip
    return nir.NIRGraph(nodes, edges)


def fired(graph, simulation, frames):
    return [each["lif2"][0] for _, each in simulation.run(frames)]


@torch.no_grad()
def ours(graph, frames):
    model = from_nir(graph)
    state, found = model.initial_state(frames.shape[1], "cpu"), []
    for frame in frames:
        spikes_of_step, state = model.step(frame, state)
        found.append(spikes_of_step)
    return found


@pytest.mark.parametrize("other", ["norse", "spikingjelly"])
def test_a_recurrent_graph_from_elsewhere_fires_spike_for_spike_as_in_other_readers(other):
    frames = (torch.rand(40, 6, 12, generator=torch.Generator().manual_seed(0)) < 0.2).float()
    graph = recurrent_cuba(bias=False)
    own = ours(graph, frames)
    assert 0 < sum(float(each.sum()) for each in own) < 40 * 6 * 7
    theirs = fired(graph, simulator(other).read(graph, DT), frames)
    assert all(map(torch.equal, own, theirs))


@pytest.mark.parametrize("other", ["norse", "snntorch"])
def test_recurrent_synapses_have_their_bias_at_step_0_too(other):
    """norse's and SpikingJelly's readers leave recurrent synapses out at step 0."""
    frames = (torch.rand(40, 6, 12, generator=torch.Generator().manual_seed(0)) < 0.2).float()
    graph = recurrent_cuba(bias=True)
    own = ours(graph, frames)
    assert sum(float(each.sum()) for each in own) > 0
    assert all(map(torch.equal, own, fired(graph, simulator(other).put_right(graph, DT), frames)))


@pytest.mark.parametrize("other", ["norse", "snntorch"])
def test_subtracting_at_once(other):
    """snnTorch subtracts once more from what is still above the threshold: currents are small here."""
    nodes = [
        nir.Linear(np.eye(3, dtype=np.float32)),
        nir.LIF(*(np.full(3, each) for each in (4e-4, 4, 0, 1, 0))),
    ]
    nodes[1].metadata["reset"] = "subtract"
    graph = nir.NIRGraph(
        {"input": nir.Input({"input": np.array([3])}), "a": nodes[0], "lif2": nodes[1],
         "output": nir.Output({"output": np.array([3])})},
        [("input", "a"), ("a", "lif2"), ("lif2", "output")],
    )  # fmt: skip
    frames = 0.9 * torch.rand(30, 5, 3, generator=torch.Generator().manual_seed(0))
    own = ours(graph, frames)
    assert sum(float(each.sum()) for each in own) > 20
    assert all(map(torch.equal, own, fired(graph, simulator(other).put_right(graph, DT), frames)))
