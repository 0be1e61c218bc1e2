"""log-mel: levels in dB through a fixed scale."""

import numpy as np
import pytest

from rc_vs_snn import InputError, Samples
from rc_vs_snn.contracts import Sensor
from rc_vs_snn.encoders import LogMel


def test_levels_are_scaled_by_constants_and_steps_last_a_hop():
    silence = Samples([np.zeros((200, 1))], [0], [0], "signals", 1, Sensor(rate_hz=8000))
    code = LogMel(n_steps=5, floor_db=-80.0, centre_db=-50.0, unit_db=10.0)(silence)
    assert (code.step_ms, code.layout, code.n_steps, code.lengths.tolist()) == (10, (1, 32), 5, [3])
    np.testing.assert_allclose(code.values[:3], -3, atol=1e-5)
    assert code.analogue


def test_channels_are_apart():
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, 400, 1))
    sensor = Sensor(rate_hz=8000)
    both = LogMel()(Samples([np.hstack([left, right])], [0], [0], "signals", 1, sensor))
    each = LogMel()(Samples([left, right], [0, 0], [0, 1], "signals", 1, sensor))
    assert both.layout == (2, 32)
    np.testing.assert_allclose(both.values[:, 0, :32], each.values[:, 0], atol=1e-5)
    np.testing.assert_allclose(both.values[:, 0, 32:], each.values[:, 1], atol=1e-5)


@pytest.mark.parametrize("options", [{"unit_db": 0.0}, {"centre_db": float("inf")}])
def test_a_scale_that_is_none_is_refused(options):
    with pytest.raises(InputError, match="unit_db decibels above 0"):
        LogMel(**options)


def test_a_step_shows_earlier_frames_beside_its_own_and_silence_before_the_beginning():
    signal = np.random.default_rng(0).normal(0, 0.1, (400, 1))
    samples = Samples([signal], [0], [0], "signals", 1, Sensor(rate_hz=8000))
    alone, beside = LogMel(n_steps=5)(samples), LogMel(n_steps=5, past=2)(samples)
    assert beside.layout == (3, 32)
    shown = beside.values[:, 0].reshape(5, 3, 32)
    silence = (-90 - -55) / 15
    np.testing.assert_allclose(shown[0, :2], silence, rtol=1e-6)
    assert shown[:, 2].equal(alone.values[:, 0])
    assert shown[2:, 0].equal(alone.values[:-2, 0])
    with pytest.raises(InputError, match="past must be a whole number"):
        LogMel(past=-1)
