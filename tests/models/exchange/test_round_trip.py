"""A network that was written as a graph and read again is that network, to the bit."""

import nir
import numpy as np
import pytest
import torch
from exchange_nets import NETS, net, readouts, spikes

from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.decision.stream import Decider
from rc_vs_snn.errors import InputError
from rc_vs_snn.models import ConvRankSNN, rc_lstm
from rc_vs_snn.models.exchange import from_nir, to_nir
from rc_vs_snn.models.exchange.constants import decay_of, time_constant


def written(model, folder, change=lambda graph: None, **options):
    path = folder / "net.nir"
    graph = to_nir(model, **options)
    change(graph)
    nir.write(path, graph)
    return path


@pytest.mark.parametrize("leaky", ["LIF", "CubaLIF"])
@pytest.mark.parametrize("name", NETS)
def test_weights_constants_and_readouts_come_back_to_the_bit(name, leaky, tmp_path):
    model = net(name)
    again = from_nir(written(model, tmp_path, leaky=leaky))
    before, after = model.state_dict(), again.state_dict()
    assert before.keys() == after.keys()
    assert [key for key in before if not torch.equal(before[key], after[key])] == []
    assert again.evidence == model.evidence
    frames = spikes(model)
    own = readouts(model, frames)
    assert own.abs().max() > 0
    assert torch.equal(own, readouts(again, frames))


def test_it_trains_on_with_the_surrogate_it_had(tmp_path):
    model = net("recurrent leaky, subtract")
    again = from_nir(written(model, tmp_path))
    for each in (model, again):
        each.train()
        state = each.initial_state(5, "cpu")
        readout, state = each.step(spikes(model)[0], state)
        (readout + each.step(spikes(model)[1], state)[0]).square().sum().backward()
    own, other = (dict(each.named_parameters()) for each in (model, again))
    assert own["layers.synapses1.stored"].grad.abs().max() > 0
    assert {key for key in own if own[key].requires_grad} == {
        key for key in other if other[key].requires_grad
    }
    for key in ("synapses1.stored", "neurons1.neuron.beta", "neurons1.neuron.recurrent.stored"):
        assert torch.allclose(own[f"layers.{key}"].grad, other[f"layers.{key}"].grad, atol=1e-6)


def test_a_stream_is_decided_as_by_the_network_itself(tmp_path):
    model = net("leaky, zero, two layers")
    again = from_nir(written(model, tmp_path))
    frames = spikes(model)[:, 0]
    own, other = (Decider(each, FirstSpike(0.3), 7) for each in (model, again))
    for frame in frames:
        arrived = np.flatnonzero(frame.numpy())
        decisions = own.push(arrived), other.push(arrived)
        assert decisions[0] == decisions[1]
        if decisions[0] is not None:
            break
    assert decisions[0] is not None


def test_time_constants_keep_a_decay_to_the_bit():
    rng = np.random.default_rng(0)
    decays = np.concatenate([rng.random(10_000, dtype=np.float32), np.float32([0, 2**-29, 0.5, 1])])
    again = decay_of(time_constant(decays, 1e-4), 1e-4)
    assert np.array_equal(again[decays >= 2**-29], decays[decays >= 2**-29])
    assert time_constant(np.float32([0.9, -1]), 1e-4).round(9).tolist() == [
        1e-3,
        1e-4,
    ]  # dt / (1 - d); clipped


def test_weights_that_somebody_changed_are_what_he_wrote(tmp_path):
    model = net("conv, batch norm, hidden")

    def doubled(graph):
        graph.nodes["readout"].weight *= 2
        graph.nodes["spiking_conv1"].weight *= 2
        graph.nodes["neurons1"].v_threshold += 1

    again = from_nir(written(model, tmp_path, doubled))
    assert torch.equal(again["readout"].weight, 2 * model["readout"].weight)
    norm, weight = model["spiking_norm1"], model["spiking_conv1"].weight
    scale = 2 * norm.weight / (norm.running_var + 1e-5).sqrt()
    assert torch.allclose(again["spiking_conv1"].weight, scale[:, None, None, None] * weight, rtol=1e-6)
    assert again["neurons1"].neuron.threshold.tolist() == [2.0] * 4


def test_a_decay_that_somebody_changed_is_what_he_wrote(tmp_path):
    def slower(graph):
        node = graph.nodes["neurons1"]
        node.tau[:], node.r[:] = 1e-3, 10.0

    again = from_nir(written(net("leaky, subtract"), tmp_path, slower))
    assert again["neurons1"].neuron.beta.tolist() == [pytest.approx(0.9)] * 16


def test_a_change_that_our_layer_cannot_hold_is_refused(tmp_path):
    def resting(graph):
        graph.nodes["neurons1"].v_leak += 0.5

    with pytest.raises(InputError, match=r"node 'neurons1' has v_leak other than 0"):
        from_nir(written(net("leaky, subtract"), tmp_path, resting))


@pytest.mark.parametrize(
    ("model", "layer"),
    [
        (lambda: rc_lstm((20,), 4, hidden=8), "cell1"),
        (lambda: ConvRankSNN((1, 8, 8), 4, maps=4, analogue_stages=1), "relu1"),
    ],
)
def test_what_is_no_spiking_layer_is_named(model, layer):
    with pytest.raises(InputError, match=f"layer '{layer}'.*has no form in NIR"):
        to_nir(model())


def test_a_graph_holds_folded_weights_and_one_constant_a_neuron():
    model = net("conv, batch norm, hidden")
    graph = to_nir(model)
    node = graph.nodes["spiking_conv1"]
    frames = spikes(model)[0].reshape(-1, 1, 8, 8)
    with torch.no_grad():
        wanted = model["spiking_norm1"](model["spiking_conv1"](frames), True)
    found = torch.nn.functional.conv2d(frames, *map(torch.tensor, (node.weight, node.bias)), 2, 2)
    assert torch.allclose(found, wanted, atol=1e-6)
    assert graph.nodes["neurons1"].tau.shape == (4, 4, 4)
    assert np.isinf(graph.nodes["output_neurons"].v_threshold).all()
