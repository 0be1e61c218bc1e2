"""mel-delta: thresholds crossed by each band, up and down."""

import numpy as np
import pytest

from rc_vs_snn import InputError, Samples
from rc_vs_snn.contracts import Sensor
from rc_vs_snn.encoders import LogMel, MelDelta


def test_crossings_by_hand():
    # From -90 dB in thresholds of 10: up 2 (to -70), nothing (-74 is less than one away), up 1 (-58 is 1.2
    # away; the reference moves to -60), down 3 (-90).
    levels = np.array([[-70], [-74], [-58], [-90]], np.float32)
    assert MelDelta(threshold_db=10.0)._crossings(levels).tolist() == [[2, 0], [0, 0], [1, 0], [0, 3]]


def test_the_level_is_what_the_crossings_sum_to_within_one_threshold():
    signal = np.random.default_rng(0).normal(0, 0.1, (2000, 1)) * np.linspace(0, 1, 2000)[:, None]
    samples = Samples([signal], [0], [0], "signals", 1, Sensor(rate_hz=8000))
    code, mel = MelDelta(n_steps=25), LogMel(n_steps=25, centre_db=0.0, unit_db=1.0)
    counts = code(samples)
    assert (counts.layout, counts.step_ms) == ((1, 32, 2), 10)
    net = counts.values[:, 0].reshape(25, 32, 2).long()
    told = -90 + 6 * (net[..., 0] - net[..., 1]).cumsum(0)
    assert (told - mel(samples).values[:, 0]).abs().max() <= 6.001


@pytest.mark.parametrize("threshold_db", [0.0, -1.0, float("nan")])
def test_a_threshold_that_is_none_is_refused(threshold_db):
    with pytest.raises(InputError, match="threshold_db must be a number of decibels above 0"):
        MelDelta(threshold_db=threshold_db)
