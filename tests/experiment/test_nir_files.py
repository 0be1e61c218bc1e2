"""Shipped networks and the NIR paper's graphs, where their data are: decided elsewhere as here."""

import numpy as np
import pytest
import torch

import rc_vs_snn as rv
from rc_vs_snn.decision.evidence import Membrane
from rc_vs_snn.encoded import Frames
from rc_vs_snn.experiment.agreement import Compared, agreement, compare_steps
from rc_vs_snn.experiment.nir_files import export_nir
from rc_vs_snn.experiment.pretrained import default_folder
from rc_vs_snn.models.exchange import from_nir, read_graph, to_nir
from rc_vs_snn.models.exchange.constants import DT
from rc_vs_snn.models.exchange.simulators import simulator
from rc_vs_snn.models.rank_snn import RankSNN


@pytest.fixture
def graphs(data_root):
    folder = data_root / "nir_graphs"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


def spikes(n_channels, n_steps=60, n_rows=10):
    drawn = torch.rand(n_steps, n_rows, n_channels, generator=torch.Generator().manual_seed(0))
    return Frames((drawn < 0.1).to(torch.uint8), (n_channels,))


@pytest.mark.parametrize("other", ["norse", "snntorch"])
@pytest.mark.parametrize(
    ("name", "reset"),
    [
        ("lif_norse", "zero"),
        ("braille_noDelay_bias_zero", "zero"),
        ("braille_noDelay_noBias_subtract", "zero"),
    ],
)
def test_the_papers_graphs_fire_spike_for_spike_as_elsewhere(graphs, name, reset, other):
    graph = read_graph(graphs / f"{name}.nir")
    model = from_nir(graph, reset=reset)
    compared = Compared()
    compare_steps(compared, model, graph, spikes(model.n_channels), simulator(other).put_right(graph, DT))
    assert compared.ours > 0
    assert compared.equal_spikes == 1


@pytest.mark.slow
def test_the_papers_convolutional_graph_is_judged_on_events(graphs, data_root, tmp_path):
    model = from_nir(graphs / "cnn_sinabs.nir", over="sum")
    events = {"name": "events", "n_steps": 350, "dt_us": 1000}
    execution = rv.Execution(device="cpu", data_root=data_root)
    rule = {"name": "first-spike", "threshold": 20}
    record = rv.judge(model, {"name": "nmnist"}, events, rule=rule, out=tmp_path, execution=execution)
    trace = record.trace()
    assert (trace.readouts[:, -1].argmax(1) == trace.labels).mean() == 1
    assert record.metrics["accuracy"] == 0.99
    assert record.metrics["mean_step"] == pytest.approx(68.24)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist-fc/rank-snn", "mnist-conv/conv-rank-snn"])
def test_shipped_networks_decide_1000_images_in_two_other_simulators_as_here(name, data_root, tmp_path):
    record = rv.read_record(default_folder() / name)
    execution = rv.Execution(device="cpu", data_root=data_root)
    (found,) = export_nir([record], tmp_path, execution, check=("norse", "snntorch"))
    assert found.same
    assert found.n_samples == 1000
    put_right = [each.found for each in found.checked if each.how == "put right"]
    assert len(put_right) == 2
    for each in put_right:
        assert each.n_equal >= 999
        assert each.equal_spikes > 0.9999
        assert each.farthest < 1e-5  # where a spike differs, a membrane is at its threshold but for rounding


def test_a_decision_that_differs_is_told_with_its_reason():
    """snnTorch's reader resets to zero where the network subtracts."""
    torch.manual_seed(0)
    model = RankSNN((20,), 4, hidden=16, gain=6.0).eval()
    graph = to_nir(model)
    code = spikes(20, n_steps=8)
    compared = Compared()
    compare_steps(compared, from_nir(graph), graph, code, simulator("snntorch").read(graph, DT))
    found = agreement(compared, Membrane(), rv.FirstSpike(2.0), np.arange(10), np.full(10, 8))
    assert 0 < found.n_equal < 10
    assert 0 < found.equal_spikes < 1
    assert len(found.differences) == 10 - found.n_equal
    for each in found.differences:
        assert each.ours != each.theirs
        assert "neuron" in each.reason
        assert "of neurons1 fires at step" in each.reason
