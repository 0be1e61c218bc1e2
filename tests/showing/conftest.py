"""Two small nets on the embedded digits, trained for one epoch: enough to have decisions, right and wrong."""

import pytest

import rc_vs_snn as rv

CPU = rv.Execution(device="cpu")
MODELS = {
    "RC-LSTM": ({"name": "rc-lstm", "hidden": 16}, 0.6),
    "rank-SNN": ({"name": "rank-snn", "hidden": 32, "gain": 2.0}, 2.0),
}


def train(folder, label="RC-LSTM", **changes):
    model, threshold = MODELS[label]
    table = {
        "label": label,
        "dataset": {"name": "digits"},
        "encoder": {"name": "latency", "n_steps": 6},
        "model": model,
        "rule": {"name": "first-spike", "threshold": threshold},
        "objective": {"name": "rank-coding"},
        "training": {"epochs": 1, "batch_size": 64, "learning_rate": 4e-3},
        **changes,
    }
    return rv.run(rv.RunConfig.from_table(table), folder, CPU)


@pytest.fixture(scope="session")
def lstm_run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "rc-lstm-seed0")


@pytest.fixture(scope="session")
def snn_run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "rank-snn-seed0", "rank-SNN")


@pytest.fixture
def quick_run(tmp_path):
    """Train a small net of another configuration."""
    return lambda name, **changes: train(tmp_path / name, **changes)
