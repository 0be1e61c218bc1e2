"""Both families learn sounds of different lengths under each of the audio codes."""

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn import Samples
from rc_vs_snn.contracts import Sensor

CODES = {
    "log-mel": {"n_steps": 12, "hop_ms": 20.0, "n_mels": 16, "past": 1},
    "mel-delta": {"n_steps": 12, "hop_ms": 20.0, "n_mels": 16},
    "mel-latency": {"n_steps": 24, "hop_ms": 20.0, "n_mels": 16, "substeps": 2, "fields": 4},
}


class Tones:
    """A low or a high tone of 100 to 300 ms in noise, made when it is asked for."""

    def __init__(self, ids):
        self.ids = ids

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, row):
        draw = np.random.default_rng(self.ids[row])
        time = np.arange(draw.integers(800, 2400)) / 8000
        tone = np.sin(2 * np.pi * (1500 if self.ids[row] % 2 else 400) * time)
        return (0.2 * tone + draw.normal(0, 0.02, len(time))).astype(np.float32)[:, None]


def tones(root=None):
    parts = [np.arange(first, first + n) for first, n in ((0, 96), (1000, 32), (2000, 32))]
    splits = [Samples(Tones(ids), ids % 2, ids, "signals", 2, Sensor(rate_hz=8000)) for ids in parts]
    return rv.Splits(*splits, ("low", "high"))


@pytest.mark.filterwarnings("ignore:.*are cut at the last step")
@pytest.mark.parametrize("code", CODES)
def test_both_families_tell_two_tones_apart(tmp_path, code):
    table = {
        "dataset": {"name": "digits"},
        "encoder": {"name": code, **CODES[code]},
        "augmentation": {"name": "signals", "gain_db": 3.0, "shift": 0.1},
        "objective": {"name": "rank-coding", "auxiliary": 0.3},
        "rule": {"name": "first-spike", "threshold": 0.9},
        "training": {"epochs": 4, "batch_size": 16, "learning_rate": 1e-2},
        "models": [
            {"label": "lstm", "model": {"name": "rc-lstm", "hidden": 16}},
            {"label": "snn", "model": {"name": "rank-snn", "hidden": 64, "evidence": "softmax"}},
        ],
    }
    comparison = rv.Comparison.from_table({"name": "tones", **table}).with_dataset(tones)
    for record in rv.compare(comparison, out=tmp_path):
        decisions = record.decisions()
        labels = record.trace().labels
        assert (decisions["label"] == labels).mean() > 0.8
        assert record.metrics["mean_ms"] <= 300
