"""A model can be pickled, copied and saved whole, and the copy decides the same."""

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
import torch

from rc_vs_snn.augmentations import NoAugmentation
from rc_vs_snn.config import Training
from rc_vs_snn.contracts import Samples
from rc_vs_snn.decision.batch import run_full, run_to_decision
from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.encoders import Latency
from rc_vs_snn.models.layers.snntorch_neuron import SpikeGrad
from rc_vs_snn.registry import models
from rc_vs_snn.training.loop import train
from rc_vs_snn.training.objectives import RankCoding
from rc_vs_snn.training.task import Task

RNG = np.random.default_rng(0)
SAMPLES = Samples(
    RNG.integers(0, 256, (24, 8, 8), dtype=np.uint8), np.arange(24) % 3, np.arange(24), "images", 3
)
ENCODER, RULE = Latency(n_steps=4), FirstSpike(0.4)
SMALL: dict[str, dict[str, Any]] = {name: {"hidden": 8} for name in models.names()}

CASES = [(name, options) for name, options in SMALL.items()]
CASES += [("rank-snn", {"hidden": 8, "spike_grad": grad}) for grad in get_args(SpikeGrad)]
CASES += [("rank-snn", {"hidden": 8, "neuron": "synaptic", "layers": 2, "dropout": 0.2})]
CASES += [("conv-rank-snn", {"hidden": 8, "analogue_stages": 2, "dropout": 0.1})]


def _saved(model: Any) -> Any:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


WAYS: list[Callable[[Any], Any]] = [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy, _saved]


def _trained(model: Any) -> None:
    task = Task(model, NoAugmentation(), ENCODER, RankCoding(), RULE, 0, torch.device("cpu"))
    train(task, SAMPLES, SAMPLES, Training(epochs=1, batch_size=12, ema_decay=0.5))


@pytest.mark.parametrize("trained", [False, True], ids=["new", "trained"])
@pytest.mark.parametrize("way", WAYS, ids=["pickle", "deepcopy", "torch.save"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CASES)])
def test_a_copy_decides_and_learns_the_same(name, options, way, trained) -> None:
    torch.manual_seed(0)
    model = models.build(name, options, layout=(8, 8), n_classes=3)
    if trained:
        _trained(model)
    copied = way(model)
    assert [name for name, _ in copied.named_parameters()] == [name for name, _ in model.named_parameters()]
    code = ENCODER(SAMPLES)
    for each in (model, copied):
        each.eval()
    with torch.no_grad():
        assert torch.equal(run_full(copied, code), run_full(model, code))
        ours, theirs = (run_to_decision(each, code, RULE) for each in (model, copied))
    assert torch.equal(ours.label, theirs.label)
    assert torch.equal(ours.step, theirs.step)
    for each in (model, copied):
        torch.manual_seed(1)
        _trained(each)
    weights = model.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in copied.state_dict().items())
