"""The step of a model in onnxruntime says at every step what the model says."""

import dataclasses
import functools
import json
import sys

import numpy as np
import pytest
import torch
from torch import nn

from rc_vs_snn import registry
from rc_vs_snn.decision.batch import run_full
from rc_vs_snn.encoded import Frames
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.onnx_running import trace_of
from rc_vs_snn.models.adapters.onnx_file import session_of
from rc_vs_snn.models.onnx_step import step_graph

ONES = (6, 6)
SMALL = {
    "rc-lstm": {"hidden": 7},
    "rc-gru": {"hidden": 7},
    "rank-snn": {"hidden": 9, "gain": 4.0},
    "recurrent-rank-snn": {"hidden": 9, "gain": 4.0},
    "conv-rc-lstm": {"maps": 4, "hidden": 5},
    "conv-rank-snn": {"maps": 4, "hidden": 5, "analogue_stages": 3},
}
OTHERS = [
    ("rc-lstm", {"hidden": 7, "layers": 2, "dropout": 0.5, "evidence": "sigmoid"}),
    ("rank-snn", {"hidden": 9, "gain": 4.0, "layers": 2, "reset": "zero", "learn_threshold": True}),
    ("rank-snn", {"hidden": 9, "gain": 4.0, "neuron": "synaptic", "spike_grad": "sigmoid"}),
    ("recurrent-rank-snn", {"hidden": 9, "gain": 4.0, "reset": "zero"}),
    ("recurrent-rank-snn", {"hidden": 9, "gain": 4.0, "neuron": "synaptic", "reset": "zero"}),
    ("conv-rc-lstm", {"maps": 4, "hidden": 5, "norm": "batch", "readout_decay": 0.5}),
    ("conv-rank-snn", {"maps": 4, "hidden": 5, "gain": 8.0}),
    ("conv-rank-snn", {"maps": 4, "hidden": 0, "norm": "none", "readout_decay": 0.0, "gain": 8.0}),
]


def runnable(found):
    import onnx

    told = {"state": json.dumps([dataclasses.asdict(part) for part in found.state])}
    onnx.helper.set_model_props(found.graph, told)
    onnx.checker.check_model(found.graph)
    return session_of(found.graph.SerializeToString())


def code_of(n_rows, n_channels=36, n_steps=6):
    draws = np.random.default_rng(n_rows)
    return Frames(draws.integers(0, 2, (n_steps, n_rows, n_channels)), (n_channels,))


def check(model, found=None, n_channels=36, atol=2e-6):
    """One graph, batches of several sizes, every step."""
    session = runnable(found or step_graph(model, n_channels))
    for n_rows in (1, 2, 5):
        code = code_of(n_rows, n_channels)
        with torch.no_grad():
            ours = run_full(model, code).transpose(0, 1).numpy()
        theirs, evidence = trace_of(session, code)
        assert evidence is None
        np.testing.assert_allclose(theirs, ours, atol=atol)
    assert len(np.unique(theirs.round(5))) > 3  # it says something
    return session


def built(name, options):
    torch.manual_seed(1)
    model = registry.models.build(name, options, layout=ONES, n_classes=3)
    with torch.no_grad():  # trained decays and statistics are not what they begin with
        for key, value in model.state_dict().items():
            if key.endswith(("beta", "decay", "running_mean", "running_var")):
                value.add_(torch.rand_like(value) * 0.2)
    return model.eval()


@functools.cache
def small(name):
    model = built(name, SMALL[name])
    return model, step_graph(model, 36)


@pytest.mark.parametrize("name", SMALL)
def test_every_registered_model(name):
    check(*small(name))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), OTHERS, ids=str)
def test_other_neurons_and_options(name, options):
    check(built(name, options))


def test_no_model_is_forgotten():
    assert set(SMALL) == set(registry.models.names())


@dataclasses.dataclass(frozen=True)
class Nest:
    level: torch.Tensor
    past: dict
    count: int


class Theirs(nn.Module):
    """Somebody's model, whose state is a nest that starts at other numbers than 0."""

    evidence = "membrane"

    def __init__(self):
        super().__init__()
        self.weigh = nn.Linear(36, 3)

    def initial_state(self, batch, device):
        start = torch.tensor([0.5, -1, 2]).expand(batch, 3)
        return Nest(start, {"seen": (torch.ones(batch, dtype=torch.int64), torch.full((batch, 1), 3.0))}, 0)

    def step(self, x, state):
        seen, scale = state.past["seen"]
        level = 0.9 * state.level + self.weigh(x) * scale / seen[:, None]
        return level, Nest(level, {"seen": (seen + 1, scale)}, state.count + 1)


def test_a_model_of_somebody_else_and_its_nest():
    session = check(Theirs().eval())
    names = [each.name for each in session.get_inputs()]
    assert names == ["input", "state.level", "state.past.seen.0", "state.past.seen.1"]
    parts = {each["name"]: each for each in json.loads(session.get_modelmeta().custom_metadata_map["state"])}
    assert parts["state.level"]["start"] == [0.5, -1, 2]
    assert parts["state.past.seen.0"] == {
        "name": "state.past.seen.0", "shape": [], "dtype": "int64", "start": 1
    }  # fmt: skip


def test_names_are_readable_and_nothing_of_this_machine_is_in_it():
    model, found = small("rank-snn")
    assert [part.name for part in found.state] == ["state.neurons1.membrane", "state.output.membrane"]
    assert [each.name for each in found.graph.graph.output] == [
        "readout", "next.neurons1.membrane", "next.output.membrane"
    ]  # fmt: skip
    assert {each.type.tensor_type.shape.dim[0].dim_param for each in found.graph.graph.input} == {"batch"}
    assert b"site-packages" not in found.graph.SerializeToString()
    assert b".py" not in found.graph.SerializeToString()
    assert not model.training
    assert type(model["neurons1"].neuron.mem) is torch.Tensor  # the model itself was not traced


class Odd(nn.Module):
    evidence = "probability"

    def __init__(self, layer):
        super().__init__()
        self.weigh, self.layer = nn.Linear(4, 3), layer

    def initial_state(self, batch, device):
        return torch.zeros(batch, 3)

    def step(self, x, state):
        return self.layer(self.weigh(x)), state


class Branch(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Bessel(nn.Module):
    def forward(self, x):
        return torch.special.bessel_j0(x)


@pytest.mark.parametrize(
    ("layer", "told"),
    [(Branch(), "data-dependent"), (Bessel(), "No ONNX function")],
    ids=lambda each: str(each),
)
def test_a_layer_that_cannot_be_written_is_named_on_one_line(layer, told, capfd):
    kind = type(layer).__name__
    with pytest.raises(InputError, match=rf"^layer \({kind}\) cannot be written as ONNX: .*{told}") as caught:
        step_graph(Odd(layer), 4)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_what_is_no_module_and_what_raises():
    with pytest.raises(InputError, match="only a step of torch modules"):
        step_graph(object(), 4)
    with pytest.raises(InputError, match="Odd raised RuntimeError"):
        step_graph(Odd(nn.Linear(2, 3)), 4)


@pytest.mark.parametrize("name", ["onnx", "onnxruntime", "onnxscript"])
def test_a_missing_package_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        InputError, match=rf"install what is missing \({name}\): pip install 'rc_vs_snn\[onnx\]'"
    ):
        step_graph(Odd(nn.Identity()), 4)


class Uneven(Theirs):
    def initial_state(self, batch, device):
        return torch.arange(batch).float()[:, None].expand(batch, 3)

    def step(self, x, state):
        return state + self.weigh(x), state


def test_a_start_that_differs_from_sample_to_sample_is_no_metadata():
    with pytest.raises(InputError, match="differs from sample to sample"):
        step_graph(Uneven(), 36)
