"""A stack of layers: state by name, one loop, and a layer from outside that trains in it."""

import math

import numpy as np
import pytest
import torch
from recurrent_leaky import RecurrentLeaky

import rc_vs_snn as rv
from rc_vs_snn.kernels import backend
from rc_vs_snn.models import ConvRankSNN, ConvRCLSTM, RankSNN, RecurrentRankSNN, Stack, rc_gru, rc_lstm
from rc_vs_snn.models.layers import Linear, Readout
from rc_vs_snn.models.state import mapped, select, tensors
from rc_vs_snn.testing import check_model

CPU = rv.Execution(device="cpu")


def recurrent_snn(layout, n_classes, hidden=64):
    """A rank-coded spiking net with recurrent synapses."""
    layers = {
        "synapses": Linear(math.prod(layout), hidden, sparse=True, by_source=True),
        "neurons": RecurrentLeaky(hidden),
        "readout": Linear(hidden, n_classes),
        "output": Readout(n_classes, 0.9),
    }
    with torch.no_grad():
        layers["synapses"].stored.mul_(3.0)
    return Stack(layers, layout=layout, evidence="probability")


def test_a_layer_from_outside_keeps_every_promise():
    check_model(lambda layout, n_classes: recurrent_snn(layout, n_classes, hidden=12))


def test_a_layer_from_outside_trains_in_a_stack_on_digits(tmp_path):
    digits = rv.load_preset("digits").with_training(epochs=25, learning_rate=5e-3)
    config = digits.add("recurrent", like="RC-LSTM", model=recurrent_snn).runs[-1]
    record = rv.run(config, tmp_path / "run", CPU)
    assert record.metrics["accuracy"] > 0.8
    assert record.metrics["coverage"] > 0.1
    assert record.metrics["acs"] > 0


MODELS = {
    "rc-lstm": lambda: rc_lstm((4, 4), 3, hidden=5, layers=2, dropout=0.2),
    "rc-gru": lambda: rc_gru((4, 4), 3, hidden=5),
    "rank-snn": lambda: RankSNN((4, 4), 3, hidden=5, layers=2, dropout=0.2),
    "synaptic": lambda: RankSNN((4, 4), 3, hidden=5, neuron="synaptic"),
    "recurrent-rank-snn": lambda: RecurrentRankSNN((4, 4), 3, hidden=5, layers=2, dropout=0.2),
    "recurrent synaptic": lambda: RecurrentRankSNN((4, 4), 3, hidden=5, neuron="synaptic"),
    "conv-rc-lstm": lambda: ConvRCLSTM((4, 4), 3, maps=2, hidden=5, readout_decay=0.5),
    "conv-rank-snn": lambda: ConvRankSNN((4, 4), 3, maps=2, hidden=5, dropout=0.2, analogue_stages=1),
}


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_an_empty_batch_steps_and_costs_nothing(name, train):
    model = MODELS[name]().train(train)
    state = model.initial_state(0, "cpu")
    for _ in range(2):
        x, before = torch.zeros(0, 16), state
        readout, state = model.step(x, before)
        assert readout.shape == (0, 3)
        assert model.operations(x, before, state).acs.shape == (0,)


@pytest.mark.parametrize("name", MODELS)
def test_the_state_knows_the_step_and_every_layer_by_name(name):
    model = MODELS[name]()
    state = model.initial_state(3, "cpu")
    for step in range(3):
        assert state.step == step
        assert set(state.layers) == {name for name in model.layers if hasattr(model[name], "step")}
        assert state.layers
        _, state = model.step(torch.ones(3, 16), state)


def test_rows_of_any_state_can_be_chosen():
    state = {"a": (torch.arange(3), None), "b": rv.Trace, "c": 7}
    chosen = select(state, torch.tensor([2, 0]))
    assert chosen["a"][0].tolist() == [2, 0]
    assert (chosen["a"][1], chosen["b"], chosen["c"]) == (None, rv.Trace, 7)
    assert [part.tolist() for part in tensors(mapped(state, lambda part: part + 1))] == [[1, 2, 3]]


def test_a_run_is_compiled_where_the_backend_says_so_and_gives_the_same(monkeypatch):
    torch.manual_seed(0)
    model = rc_lstm((6,), 3, hidden=5).eval()
    encoded = rv.SpikeTimes(torch.randint(0, 5, (9, 6)), 4, (6,))
    with torch.no_grad():
        compiled = rv.run_to_decision(model, encoded, rv.FirstSpike(0.4))
        monkeypatch.setattr(backend, "runs_whole", lambda *_: False)
        stepped = rv.run_to_decision(model, encoded, rv.FirstSpike(0.4))
    np.testing.assert_array_equal(compiled.decision().evidence, stepped.decision().evidence)
    np.testing.assert_array_equal(compiled.decision().step, stepped.decision().step)
