import warnings

import numpy as np
import pytest

from rc_vs_snn.contracts import Samples, Sensor
from rc_vs_snn.encoders import Raw
from rc_vs_snn.errors import InputError


def mixed(*signals, sensor=Sensor()):  # noqa: B008 - a frozen value
    values = np.empty(len(signals), object)
    values[:] = [np.asarray(signal, np.float32).reshape(len(signal), -1) for signal in signals]
    n = len(signals)
    return Samples(values, np.zeros(n, int), np.arange(n), "signals", 1, sensor)


def test_every_sample_is_a_step(signals):
    code = Raw(3)(signals(np.array([[[1.5, -2.0], [0.25, 0.0], [3.0, 4.0]]])))
    assert code.layout == (2,)
    assert code.values[:, 0].tolist() == [[1.5, -2.0], [0.25, 0.0], [3.0, 4.0]]
    assert code.lengths is None
    assert code.analogue


def test_a_window_is_its_mean_and_the_last_one_may_be_short(signals):
    code = Raw(3, window=2)(signals(np.array([1.0, 3.0, 5.0, 9.0, -4.0])[None, :, None]))
    assert code.values[:, 0, 0].tolist() == [2.0, 7.0, -4.0]


def test_each_signal_has_its_own_length():
    code = Raw(4, window=2)(mixed([1, 2, 3], [1], [1, 2, 3, 4, 5, 6, 7, 8]))
    assert code.lengths.tolist() == [2, 1, 4]
    assert code.values[:2, 0, 0].tolist() == [1.5, 3.0]
    assert code.values[:, 2, 0].tolist() == [1.5, 3.5, 5.5, 7.5]


def test_shorter_signals_of_one_length_have_their_own_steps_too(signals):
    assert Raw(5)(signals(np.zeros((2, 3, 1)))).lengths.tolist() == [3, 3]


def test_longer_ones_are_cut_and_told_once_per_set():
    samples = mixed([1, 2, 3], [1, 2], [5, 6, 7, 8, 9])
    with pytest.warns(
        UserWarning, match=r"2 of 3 signals are cut by encoder 'raw'.*up to 5 samples.*n_steps=2"
    ):
        code = Raw(2)(samples.select([1]))
    assert code.values[:, 0, 0].tolist() == [1, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Raw(2)(samples.select([2])).values[:, 0, 0].tolist() == [5, 6]


def test_a_step_has_a_duration_where_the_signals_have_a_rate():
    assert Raw(2)(mixed([1, 2])).step_ms is None
    assert Raw(2, window=5)(mixed([1, 2], sensor=Sensor(rate_hz=100.0))).step_ms == 50.0


def test_a_window_is_a_number_of_samples():
    with pytest.raises(InputError, match=r"window.*at least 1, got 0"):
        Raw(window=0)


def test_values_are_scaled(signals):
    assert Raw(2, scale=10.0)(signals(np.array([[[0.5], [-0.25]]]))).values[:, 0, 0].tolist() == [5.0, -2.5]
    with pytest.raises(InputError, match="scale must be above 0, got 0"):
        Raw(scale=0.0)
