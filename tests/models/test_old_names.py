"""Weights stored before models were stacks of layers are those of today's layers."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from rc_vs_snn.models import ConvRankSNN, ConvRCLSTM, RankSNN, rc_gru, rc_lstm
from rc_vs_snn.models.old_names import renamed

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "models").rglob("weights.safetensors"))

# As a model of the commit before named them (``torch.save`` of its keys), without what neurons hold besides.
OLD = {
    "rc-lstm": (
        lambda: rc_lstm((3,), 2, hidden=4, layers=2),
        {"cells.0.input.weight": (16, 3), "cells.0.input.bias": (16,), "cells.0.recurrent.weight": (16, 4),
         "cells.1.input.weight": (16, 4), "cells.1.input.bias": (16,), "cells.1.recurrent.weight": (16, 4),
         "readout.weight": (2, 4), "readout.bias": (2,)},
    ),
    "rc-gru": (
        lambda: rc_gru((3,), 2, hidden=4),
        {"cells.0.input.weight": (12, 3), "cells.0.input.bias": (12,), "cells.0.recurrent.weight": (12, 4),
         "cells.0.recurrent.bias": (12,), "readout.weight": (2, 4), "readout.bias": (2,)},
    ),
    "rank-snn": (
        lambda: RankSNN((3,), 2, hidden=4),
        {"synapses.0.weight": (4, 3), "synapses.0.bias": (4,), "neurons.0.neuron.beta": (4,),
         "neurons.0.neuron.threshold": (4,), "neurons.0.neuron.graded_spikes_factor": (),
         "neurons.0.neuron.reset_mechanism_val": (), "readout.weight": (2, 4), "readout.bias": (2,),
         "output.neuron.beta": (2,), "output.neuron.threshold": (2,)},
    ),
    "conv-rank-snn": (
        lambda: ConvRankSNN((4, 4), 2, maps=2, hidden=4, norm="none", analogue_stages=3),
        {"analogue.convolutions.0.weight": (2, 1, 5, 5), "analogue.convolutions.1.weight": (2, 2, 3, 3),
         "analogue.convolutions.2.weight": (4, 2, 3, 3), "analogue.norms.0.bias": (2,),
         "analogue.norms.1.bias": (2,), "analogue.norms.2.bias": (4,), "convolutions.0.weight": (4, 4, 3, 3),
         "norms.0.bias": (4,), "neurons.0.neuron.beta": (4,), "synapse.weight": (4, 4),
         "hidden_norm.bias": (4,), "hidden.neuron.beta": (4,), "readout.weight": (2, 4), "readout.bias": (2,),
         "output.neuron.beta": (2,)},
    ),
    "conv-rc-lstm": (
        lambda: ConvRCLSTM((4, 4), 2, maps=2, hidden=4, norm="none", readout_decay=0.5),
        {"block.convolutions.3.weight": (4, 4, 3, 3), "block.norms.3.bias": (4,),
         "recurrent.cells.0.input.weight": (16, 4), "recurrent.readout.bias": (2,)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_every_old_name_finds_its_layer(name):
    build, shapes = OLD[name]
    model = build()
    stored = {key: torch.rand(shape) for key, shape in shapes.items()}
    today = renamed(stored, model.state_dict())
    dropped = 1 if "output.neuron.threshold" in shapes else 0
    assert len(today) == len(stored) - dropped
    loaded = model.load_state_dict(today, strict=False)
    assert not loaded.unexpected_keys
    if not name.startswith("conv"):
        assert not loaded.missing_keys
    for value in filter(lambda value: value.ndim, today.values()):  # nothing was lost on its way
        assert any(torch.equal(value, kept) for kept in model.state_dict().values())


def test_todays_names_stay():
    model = rc_lstm((3,), 2, hidden=4)
    assert renamed(model.state_dict(), model.state_dict()).keys() == model.state_dict().keys()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_shipped_weights_keep_every_number(path):
    stored = load_file(path)
    today = renamed(stored, {"layers.output.decay"})
    gone = [key for key in stored if key.startswith("output.neuron.") and not key.endswith(".beta")]
    assert len(today) == len(stored) - len(gone)
    assert all(key.startswith("layers.") for key in today)
