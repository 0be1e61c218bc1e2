"""Graphs from elsewhere: what their neurons do, worked by hand, and which graphs are refused."""

from itertools import pairwise

import nir
import numpy as np
import pytest
import torch
from exchange_nets import readouts

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.exchange import from_nir
from rc_vs_snn.testing.models import check_steps

ONE = np.ones(1, np.float32)


def chain(*nodes, inputs=1, outputs=1):
    """Return a graph of nodes one after the other, as readers find it: sorted by name."""
    named = {"input": nir.Input({"input": np.array([inputs])})}
    named |= {f"n{number}": node for number, node in enumerate(nodes)}
    named["output"] = nir.Output({"output": np.array([outputs])})
    names = list(named)
    return nir.NIRGraph(dict(sorted(named.items())), list(pairwise(names)), type_check=False)


def synapse(weight=1.0):
    return nir.Linear(np.full((1, 1), weight, np.float32))


def lif(tau=2e-4, r=2.0, v_leak=0.0, v_threshold=1.0, v_reset=0.0):
    return nir.LIF(tau * ONE, r * ONE, v_leak * ONE, v_threshold * ONE, v_reset * ONE)


def steps(graph, inputs, **options):
    frames = torch.tensor(inputs).reshape(-1, 1, 1)
    return readouts(from_nir(graph, **options), frames).flatten().tolist()


def test_a_leaky_neuron_steps_as_its_equation_says():
    # decay 1 - dt / tau = 0.5, gain r dt / tau = 1: 0.75, 1.125 (fires, to 0), 0.5, 0.25 + 1 (fires)
    assert steps(chain(synapse(), lif()), [0.75, 0.75, 0.5, 1.0]) == [0, 1, 0, 1]
    # r = 1 halves the currents
    assert steps(chain(synapse(), lif(r=1.0)), [0.75, 0.75, 1.0, 2.0]) == [0, 0, 0, 1]
    # at the threshold it does not fire, above it does
    assert steps(chain(synapse(), lif()), [1.0]) == [0]


def test_where_a_spike_leaves_the_membrane():
    given = [1.5, 0.7, 0.7]
    assert steps(chain(synapse(), lif()), given) == [1, 0, 1]  # 0.7; 0.35 + 0.7
    assert steps(chain(synapse(), lif(v_reset=-0.4)), given) == [1, 0, 0]  # -0.2 + 0.7; 0.25 + 0.7
    # subtract leaves 0.5: 0.25 + 0.7; 0.475 + 0.7
    assert steps(chain(synapse(), lif()), [1.5, 0.8, 0.2], reset="subtract") == [1, 1, 0]
    assert steps(chain(synapse(), lif()), [1.5, 0.8, 0.2], reset="zero") == [1, 0, 0]


def test_a_reset_that_a_node_names_goes_before_the_one_asked_for():
    node = lif()
    node.metadata["reset"] = "subtract"
    assert steps(chain(synapse(), node), [1.5, 0.8, 0.2]) == [1, 1, 0]


def test_a_membrane_rests_at_its_leak_potential():
    # it starts at 2 and stays there: 0.5 * 2 + 0.5 * 2
    node = nir.LI(2e-4 * ONE, 2 * ONE, 2 * ONE)
    assert steps(chain(synapse(), node), [0.0, 1.0]) == [2.0, 3.0]


def test_a_synaptic_current_decays_apart():
    # C: 0.5 C + w_in dt / tau_syn I = 2 * 0.5 I; U: 0.75 U + 4 * 0.25 C
    node = nir.CubaLI(2e-4 * ONE, 4e-4 * ONE, 4 * ONE, 0 * ONE, 2 * ONE)
    assert steps(chain(synapse(), node), [1.0, 0.0]) == [1.0, 1.25]


def test_an_integrator_is_in_steps_where_r_is_1_and_else_in_seconds():
    assert steps(chain(synapse(), nir.I(ONE)), [1.0, 2.0]) == [1.0, 3.0]
    assert steps(chain(synapse(), nir.I(0.5e4 * ONE)), [1.0, 2.0]) == [0.5, 1.5]
    assert steps(chain(synapse(), nir.IF(ONE, ONE)), [0.6, 0.6, 0.6]) == [0, 1, 0]


def test_a_longer_step_decays_further():
    assert steps(chain(synapse(), lif()), [0.75, 0.75], dt=2e-4) == [1, 1]  # decay 0, gain 2


@pytest.mark.parametrize(("over", "wanted"), [("sum", [0, 1, 1, 2]), ("mean", [0, 0.5, 1 / 3, 0.5])])
def test_output_spikes_are_counted(over, wanted):
    found = steps(chain(synapse(), lif()), [0.75, 0.75, 0.5, 1.0], over=over)
    assert found == pytest.approx(wanted)


def recurrent(bias=0.0):
    graph = chain(synapse(), lif())
    graph.nodes["n1.back"] = nir.Affine(np.full((1, 1), -2, np.float32), bias * ONE)
    graph.edges += [("n1", "n1.back"), ("n1.back", "n1")]
    return graph


def test_recurrent_spikes_come_back_a_step_later_and_their_bias_at_once():
    # fires; 1.5 - 2; 0.5 * -0.5 + 1.5
    assert steps(recurrent(), [1.5, 1.5, 1.5]) == [1, 0, 1]
    assert steps(recurrent(bias=0.75), [0.5, 0.0]) == [1, 0]


def test_a_graph_in_a_graph_is_opened():
    inner = chain(synapse(), lif())
    outer = chain(synapse(2.0), inner, synapse())
    assert steps(outer, [0.375, 0.375, 0.25, 0.5]) == [0, 1, 0, 1]


def image_graph(**changes):
    sides = {"stride": np.array([2, 1]), "padding": np.array([1, 0]), "dilation": np.array([1, 1])} | changes
    weight, bias = np.ones((4, 1, 3, 2), np.float32), np.ones(4, np.float32)
    conv = nir.Conv2d((6, 5), weight, **sides, groups=2, bias=bias)
    pool = nir.SumPool2d(np.array([1, 2]), np.array([1, 2]), np.array([0, 0]))
    mean = nir.AvgPool2d(np.array([3, 1]), np.array([3, 1]), np.array([0, 0]))
    scale = nir.Scale(np.full((4, 1, 2), 0.5, np.float32))
    flat = nir.Flatten({"input": np.array([4, 1, 2])}, 0, -1)
    graph = chain(conv, pool, mean, scale, flat, nir.Linear(np.ones((3, 8), np.float32)), outputs=3)
    graph.nodes["input"] = nir.Input({"input": np.array([2, 6, 5])})
    return graph


def test_convolutions_and_pools_are_torch_s():
    x = torch.rand(2, 2, 6, 5)
    conv = torch.nn.functional.conv2d(x, torch.ones(4, 1, 3, 2), torch.ones(4), (2, 1), (1, 0), groups=2)
    pooled = conv.unflatten(3, (2, 2)).sum(4).mean(2)  # (B, 4, 2)
    wanted = 0.5 * pooled.flatten(1).sum(1, keepdim=True).expand(2, 3)
    model = from_nir(image_graph(), over="sum")
    found = readouts(model, x.flatten(1)[None])
    assert torch.allclose(found[0], wanted, rtol=1e-5)
    check_steps(model, torch.rand(3, 4, 60), 3)


def test_each_input_of_a_convolution_is_counted_at_the_synapses_it_enters():
    (conv,) = (layer for name, layer in from_nir(image_graph(), over="sum").passed() if name == "n0")
    x = torch.zeros(1, 2, 6, 5)
    x[0, 1, 0, 0] = 1  # at the corner: one of two columns, and of rows -1, 1, 3 the first alone
    with torch.no_grad():
        reached = conv(x) - conv(torch.zeros_like(x))
    assert conv.connections()[1, 0, 0] == reached.count_nonzero() == 2


def refused(graph, **options):
    with pytest.raises(InputError) as caught:
        from_nir(graph, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nodes_and_connections_that_cannot_be_expressed_are_named():
    assert "node 'n1' is a Delay" in refused(chain(synapse(), nir.Delay(ONE)))
    assert "node 'n0' has the padding 'same'" in refused(image_graph(padding="same", stride=np.array([1, 1])))
    forked = chain(synapse(), lif())
    forked.edges.append(("n0", "output"))
    assert "node 'n0' leads to" in refused(forked)
    looped = chain(synapse(), lif(), synapse())
    looped.edges.append(("n2", "n0"))
    assert "node 'n0' is reached from 'input', 'n2'" in refused(looped)
    twice = recurrent()
    twice.nodes["more"] = synapse()
    twice.edges += [("n1", "more"), ("more", "n1")]
    assert "node 'n1' has two sets of recurrent synapses" in refused(twice)
    aside = chain(synapse(), lif())
    aside.nodes["aside"] = lif()
    assert "node 'aside' does not lie between" in refused(aside)
    unknown = chain(synapse(), lif())
    unknown.edges.append(("n1", "nobody"))
    assert "names node 'nobody'" in refused(unknown)


def test_graphs_that_do_not_fit_are_refused():
    wide = nir.LIF(*(np.ones(3, np.float32) for _ in range(5)))
    assert "node 'n1' has tau of shape (3,), and its input is (1,)" in refused(chain(synapse(), wide))
    assert "node 'n0' has weights of shape (1, 1) (out, in), and its input is (2,)" in refused(
        chain(synapse(), lif(), inputs=2)
    )
    assert "shorter than a step" in refused(chain(synapse(), lif(tau=1e-5)))
    assert "node 'n0' holds a weight that is no finite number" in refused(chain(synapse(np.nan), lif()))
    assert "node 'n1' holds a tau that is no finite number" in refused(chain(synapse(), lif(tau=np.inf)))
    assert "holds no synapses" in refused(chain(lif()))
    assert "dt must be" in refused(chain(synapse(), lif()), dt=-1)
    nowhere = chain(synapse(), lif())
    nowhere.nodes["input"].input_type = {"input": None}
    assert "node 'input' does not say what shape" in refused(nowhere)
    assert "got dict" in refused({})


def test_files_that_are_no_graphs_are_refused(tmp_path):
    path = tmp_path / "net.nir"
    assert "there is no such file" in refused(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\nbut not for long")
    assert "is no NIR graph that can be read" in refused(path)
    nir.write(path, chain(synapse(), lif()))
    whole = path.read_bytes()
    for size in range(0, len(whole), len(whole) // 7):
        path.write_bytes(whole[:size])
        assert str(path) in refused(path)
    nir.write(path, lif())
    assert "is no NIR graph" in refused(path)


def test_without_nir_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    with pytest.raises(InputError, match=r"rc_vs_snn\[nir\]"):
        from_nir("any.nir")
