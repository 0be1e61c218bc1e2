import numpy as np
import pytest

from rc_vs_snn.contracts import Samples, Sensor
from rc_vs_snn.encoders import Population
from rc_vs_snn.errors import InputError

# 4 neurons over [0, 2]: spacing 1, centres -0.5, 0.5, 1.5, 2.5; beta 1: sigma 1.
FOUR = {"neurons": 4, "low": 0.0, "high": 2.0, "beta": 1.0}


def test_hand_worked_latencies(signals):
    # At 0.5 the excitations are exp(-1/2) = 0.607, 1, 0.607, exp(-2) = 0.135: of 10 substeps 3, 0, 3 and 8.
    code = Population(10, **FOUR, substeps=10)(signals(np.full((1, 1, 1), 0.5)))
    assert code.layout == (1, 4)
    assert [code.values[:, 0, neuron].tolist().index(1) for neuron in range(4)] == [3, 0, 3, 8]
    assert int(code.values.sum()) == 4


def test_the_least_excited_stay_silent(signals):
    code = Population(10, **FOUR, substeps=10, silent_below=0.2)(signals(np.full((1, 1, 1), 0.5)))
    assert code.values.sum(dim=0)[0].tolist() == [1, 1, 1, 0]


def test_without_substeps_every_excited_neuron_spikes_at_once(signals):
    # Above 0.5 are, at 0: neurons 1 and 2 (0.88 each); at 2: neurons 3 and 4.
    code = Population(2, **FOUR, silent_below=0.5)(signals(np.array([0.0, 2.0])[None, :, None]))
    assert code.values[:, 0].tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]


def test_every_window_of_each_signal_has_its_substeps():
    values = np.empty(2, object)
    values[:] = [np.array([[0.5], [0.5], [0.5]]), np.array([[0.5]])]
    samples = Samples(values, [0, 0], [0, 1], "signals", 1, Sensor(rate_hz=10.0))
    code = Population(8, **FOUR, substeps=4, window=2)(samples)
    assert code.lengths.tolist() == [8, 4]
    assert code.step_ms == 50.0  # two samples of 100 ms in four steps
    assert code.values.sum(dim=(0, 2)).tolist() == [8, 4]


def test_far_outside_the_range_nobody_spikes(signals):
    assert Population(1)(signals(np.full((1, 1, 1), 50.0))).values.sum() == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"neurons": 2}, "neurons must be a whole number of at least 3"),
        ({"low": 1.0}, "low must be below high"),
        ({"high": float("inf")}, "low must be below high"),
        ({"beta": 0.0}, "beta must be above 0"),
        ({"silent_below": 1.0}, r"silent_below must lie in \[0, 1\)"),
        ({"substeps": 3}, "n_steps=10 must be a multiple of substeps=3"),
        ({"window": -1}, "window"),
    ],
)
def test_unusable_options(options, says):
    with pytest.raises(InputError, match=says):
        Population(**options)
