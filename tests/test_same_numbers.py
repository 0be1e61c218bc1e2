"""The numbers of an earlier commit, to the bit.

``same_numbers.json`` holds hashes that commit 75d61f0 made: decisions, traces and trained weights. (Up to
it they were those of adf91e7, before models became stacks of layers; then the latency bins changed.) Sums of
torch and of compiled loops differ between processors and versions, so elsewhere this is skipped; there the
kernels' own tests hold the arithmetic against its references.
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import llvmlite.binding
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import rc_vs_snn as rv
from rc_vs_snn.datasets.mnist import mnist
from rc_vs_snn.experiment.pretrained import judge_pretrained

ROOT = Path(__file__).resolve().parent.parent
STORED = json.loads(Path(__file__).with_name("same_numbers.json").read_text())
CPU = rv.Execution(device="cpu")


def platform():
    return {
        "processor": llvmlite.binding.get_host_cpu_name(),
        "torch": version("torch").partition("+")[0],
        "torch vectors": torch.backends.cpu.get_cpu_capability(),
        "numba": version("numba"),
        "numpy": version("numpy"),
        "snntorch": version("snntorch"),
    }


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform() != STORED["platform"], reason="hashes were made on another platform"),
]


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def hashes(record):
    """Return hashes of what a run said, decided and learned; weights whatever they are called."""
    trace, decisions = record.trace(), record.decisions()
    weights = load_file(record.folder / "weights.safetensors")
    unused = [key for key in weights if key.startswith("output.neuron.") and not key.endswith(".beta")]
    kept = sorted(sha(value) for key, value in weights.items() if value.ndim and key not in unused)
    names = ("label", "step", "decided", "tied", "evidence")
    return {
        "trace": sha(trace.evidence),
        "input_events": sha(trace.input_events),
        **{name: sha(decisions[name]) for name in names},
        "weights": sha(np.array(kept)),
    }


def first_images(root):
    """The first 500 images of MNIST for training, 500 for testing and 300 between."""
    full = mnist(root)
    sizes = ((full.train, 500), (full.valid, 300), (full.test, 500))
    return rv.Splits(*(split.select(slice(0, size)) for split, size in sizes), full.class_names)


def planned():
    """Return what is run, by name."""
    found = {}
    for seed in (0, 1):
        for config in rv.load_preset("digits").with_seeds(seed).planned():
            found[f"digits/{config.label}/{seed}"] = config
    for config in rv.load_preset("mnist-fc").with_training(epochs=2).planned():
        found[f"mnist-fc/{config.label}"] = config
    conv = rv.load_preset("mnist-conv").with_dataset(first_images)
    for config in conv.with_training(epochs=3, threshold_warmup=1, batch_size=64).planned():
        found[f"conv/{config.label}"] = config
    return found


PLANNED = planned()


@pytest.mark.parametrize("name", PLANNED)
def test_a_training_is_the_same_to_the_bit(name, tmp_path, request):
    if not name.startswith("digits"):
        request.getfixturevalue("data_root")
    assert hashes(rv.run(PLANNED[name], tmp_path / "run", CPU)) == STORED["trained"][name]


@pytest.mark.parametrize("name", STORED["shipped"])
def test_a_shipped_model_decides_the_same_ten_thousand(name, tmp_path, data_root):
    (record,) = judge_pretrained([ROOT / "models" / name], tmp_path, CPU)
    found = hashes(record)
    expected = STORED["shipped"][name]
    assert record.metrics["n_samples"] == 10_000
    assert {key: found[key] for key in expected} == expected
