"""mel-latency: populations of neurons that spike sooner the nearer a level is to their centre."""

import numpy as np
import pytest

from rc_vs_snn import InputError, Samples
from rc_vs_snn.contracts import Sensor
from rc_vs_snn.encoders import MelLatency


def test_spike_times_by_hand():
    # Three fields at 0, 1/2 and 1, half a unit apart: responses exp(-d^2 / 2) at distance d in fields.
    # Level 1/2: 0.61, 1, 0.61; level 1: 0.14 (never), 0.61, 1. Substeps of a quarter: (1 - 0.61) * 4 = 1.57.
    code = MelLatency(fields=3, substeps=4, floor_db=-80.0)
    spikes = code._spikes(np.array([[-40], [0]], np.float32)).astype(int)
    assert spikes.tolist() == [
        [0, 1, 0], [1, 0, 1], [0, 0, 0], [0, 0, 0],
        [0, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0],
    ]  # fmt: skip


def test_a_neuron_spikes_at_most_once_a_frame_and_steps_are_substeps():
    signal = np.random.default_rng(0).normal(0, 0.1, (1500, 1))
    samples = Samples([signal], [0], [0], "signals", 1, Sensor(rate_hz=8000))
    code = MelLatency()(samples)  # 187.5 ms: frames end at 5, 25, ..., 205 ms
    assert (code.step_ms, code.layout, code.lengths.tolist()) == (5, (1, 32, 6), [44])
    per_frame = code.values[:, 0].reshape(50, 4, -1).sum(1)
    assert per_frame.max() == 1
    assert per_frame[:11].sum(1).min() >= 32  # every band is told by at least one neuron


def test_a_number_of_steps_within_a_frame_cuts_the_frame():
    signal = np.random.default_rng(0).normal(0, 0.1, (500, 1))
    samples = Samples([signal], [0], [0], "signals", 1, Sensor(rate_hz=8000))
    with pytest.warns(UserWarning, match="1 of 1 recordings are cut"):
        cut = MelLatency(n_steps=6)(samples)
    assert cut.values[:, 0].equal(MelLatency()(samples).values[:6, 0])


@pytest.mark.parametrize("options", [{"fields": 1}, {"substeps": 0}, {"least": 0.0}, {"least": 1.0}])
def test_wrong_fields_are_refused(options):
    with pytest.raises(InputError, match=next(iter(options))):
        MelLatency(**options)
