"""One sample at a time against the batch, on MNIST: equal to the bit for both families and every code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import rc_vs_snn as rv
from rc_vs_snn import registry
from rc_vs_snn.config import RunConfig
from rc_vs_snn.experiment import load_weights
from rc_vs_snn.experiment.parts import assemble, load_splits

MODELS = Path(__file__).resolve().parents[2] / "models" / "mnist-fc"
OF_OTHERS = ("delta", "events", "log-mel", "mel-delta", "mel-latency", "population", "raw")
CODES = [name for name in registry.encoders.names() if name not in OF_OTHERS]  # codes of images
CPU = rv.Execution(device="cpu")


@pytest.fixture(scope="module")
def mnist(data_root):
    return load_splits(RunConfig.from_table(rv.read_record(MODELS / "rc-lstm").config), CPU)


def test_no_code_of_images_is_left_out():
    assert {"latency", "log-latency", "rank-order", "step", "rate", "phase", "hybrid", "direct"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("family", ["rc-lstm", "rank-snn"])
def test_a_decider_equals_run_to_decision_to_the_bit(family, code, mnist):
    record = rv.read_record(MODELS / family)
    config = RunConfig.from_table(record.config)
    n_steps = config.encoder.options["n_steps"]
    task = assemble(replace(config, encoder=rv.Part(code, {"n_steps": n_steps})), mnist, CPU)
    load_weights(task.model, record.folder / "weights.safetensors")
    task.model.eval()
    encoded = task.encoder(mnist.test.select(slice(0, 1000)), 0)
    with torch.no_grad():
        batch = rv.run_to_decision(task.model, encoded, task.rule).decision()
    decider = rv.Decider(task.model, task.rule, encoded.n_steps, hold=getattr(encoded, "hold", False))
    assert decider.event_driven
    one_by_one = decider.decide_all(encoded)
    for field in ("label", "step", "decided", "tied", "evidence"):
        np.testing.assert_array_equal(getattr(one_by_one, field), getattr(batch, field), field)
