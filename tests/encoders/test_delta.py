from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rc_vs_snn.contracts import Samples, Sensor
from rc_vs_snn.encoders import Delta
from rc_vs_snn.errors import InputError

Signals = Callable[[np.ndarray], Samples]


def test_hand_worked_crossings(signals: Signals) -> None:
    # spikes: ON at sample 1 and 2 (0.5, 1.0), none at 0.75, OFF at 4 (0.5) and 5 (0.0)
    values = np.array([0.0, 0.5, 1.0, 0.75, 0.5, 0.0])[None, :, None]
    code = Delta(3, threshold=0.5)(signals(values))
    assert code.layout == (1, 2)
    assert code.values[:, 0].tolist() == [[1, 0], [1, 0], [0, 2]]


def test_a_jump_makes_one_spike_per_threshold(signals: Signals) -> None:
    values = np.array([[[1.0, 0.0]], [[4.5, -2.0]]]).transpose(1, 0, 2)
    code = Delta(2, threshold=1.0)(signals(values))
    # channels in the order (signal 0: ON, OFF), (signal 1: ON, OFF)
    assert code.values[:, 0].tolist() == [[0, 0, 0, 0], [3, 0, 0, 2]]


def test_an_offset_does_not_spike(signals: Signals) -> None:
    assert Delta(4)(signals(np.full((1, 8, 2), 37.5))).values.sum() == 0


def test_rounding_does_not_eat_a_spike(signals: Signals) -> None:
    values = np.arange(11, dtype=np.float32)[None, :, None] * np.float32(0.1)
    assert int(Delta(1, threshold=0.1)(signals(values)).values[..., 0].sum()) == 10


def test_samples_are_dealt_to_steps_in_whole_numbers(signals: Signals) -> None:
    # 5 samples over 3 steps: starts floor(t * 5 / 3) = 0, 1, 3; every sample but the first spikes
    code = Delta(3, threshold=1.0)(signals(np.arange(5.0)[None, :, None]))
    assert code.values[:, 0, 0].tolist() == [0, 2, 2]


def _loop(signal: np.ndarray, threshold: float, n_steps: int) -> list[list[int]]:
    counts = [[0, 0] for _ in range(n_steps)]
    reference = signal[0]
    step = 0
    for index, value in enumerate(signal):
        while index >= (step + 1) * len(signal) // n_steps:
            step += 1
        while value - reference >= threshold:
            reference += threshold
            counts[step][0] += 1
        while reference - value >= threshold:
            reference -= threshold
            counts[step][1] += 1
    return counts


@settings(max_examples=30)
@given(
    walk=st.lists(st.integers(-40, 40), min_size=1, max_size=40),
    n_steps=st.integers(1, 40),
    threshold=st.sampled_from([0.125, 0.5, 1.0, 3.0]),
)
def test_equals_a_plain_loop(walk: list[int], n_steps: int, threshold: float) -> None:
    n_steps = min(n_steps, len(walk))
    signal = np.array(walk) / 8  # eighths: exact in floating point
    code = Delta(n_steps, threshold)(Samples(signal[None, :, None], [0], [0], "signals", 1))
    assert code.values[:, 0].tolist() == _loop(signal, threshold, n_steps)


@settings(max_examples=30)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.floats(0.01, 5))
def test_the_signal_can_be_rebuilt_to_within_a_threshold(signal: list[float], threshold: float) -> None:
    values = np.array(signal)
    code = Delta(len(signal), threshold)(Samples(values[None, :, None], [0], [0], "signals", 1))
    on, off = code.values[:, 0].double().numpy().T
    rebuilt = values[0] + threshold * np.cumsum(on - off)
    assert np.all(np.abs(rebuilt - values) <= threshold * (1 + 1e-2))


def test_more_steps_than_samples(signals: Signals) -> None:
    with pytest.raises(InputError, match=r"signals of 6 samples cannot fill n_steps=7.*at most 6"):
        Delta(7)(signals(np.zeros((2, 6, 1))))


@pytest.mark.parametrize("threshold", [0.0, -0.1, float("nan")])
def test_threshold_range(threshold: float) -> None:
    with pytest.raises(InputError, match="threshold must be above 0"):
        Delta(threshold=threshold)


def _mixed(*signals: list[float]) -> Samples:
    values = np.empty(len(signals), object)
    values[:] = [np.array(signal)[:, None] for signal in signals]
    return Samples(values, [0] * len(signals), range(len(signals)), "signals", 1)


def test_a_window_gives_each_signal_its_own_steps() -> None:
    code = Delta(3, threshold=1.0, window=2)(_mixed([0, 1, 2, 3, 5], [0, -1], [4]))
    assert code.lengths is not None
    assert code.lengths.tolist() == [3, 1, 1]
    assert code.values[:, 0].tolist() == [[1, 0], [2, 0], [2, 0]]
    assert code.values[:, 1:].sum(dim=0).tolist() == [[0, 1], [0, 0]]


def test_a_window_of_signals_of_one_length_is_the_dealt_code(signals: Signals) -> None:
    walk = np.random.default_rng(0).normal(size=(3, 12, 2)).cumsum(axis=1)
    dealt, windowed = Delta(4)(signals(walk)), Delta(4, window=3)(signals(walk))
    assert dealt.values.tolist() == windowed.values.tolist()


def test_different_lengths_need_a_window() -> None:
    with pytest.raises(InputError, match="for signals of different lengths set its window"):
        Delta(1)(_mixed([0.0], [0.0, 1.0]))


def test_longer_signals_are_cut_and_told() -> None:
    with pytest.warns(UserWarning, match="1 of 2 signals are cut by encoder 'delta'"):
        code = Delta(2, threshold=1.0, window=1)(_mixed([0, 1, 2, 3], [0]))
    assert code.values[:, 0].tolist() == [[0, 0], [1, 0]]


def test_hysteresis_holds_back_the_first_spike_of_a_turn(signals: Signals) -> None:
    # up by 1: ON; back by 1: below 1.5, nothing; back by 1.5: OFF, and from there on by whole thresholds
    values = np.array([0.0, 1.0, 0.0, -0.5, -1.0, 0.0, 1.0])[None, :, None]
    code = Delta(7, threshold=1.0, hysteresis=0.5)(signals(values))
    assert code.values[:, 0].tolist() == [[0, 0], [1, 0], [0, 0], [0, 1], [0, 1], [0, 0], [2, 0]]
    plain = Delta(7, threshold=1.0)(signals(values))
    assert plain.values[:, 0].tolist() == [[0, 0], [1, 0], [0, 1], [0, 0], [0, 1], [1, 0], [1, 0]]


@pytest.mark.parametrize("hysteresis", [-0.1, float("inf"), float("nan")])
def test_hysteresis_range(hysteresis: float) -> None:
    with pytest.raises(InputError, match="hysteresis must be at least 0"):
        Delta(hysteresis=hysteresis)


def test_a_step_has_a_duration_where_the_signals_have_a_rate() -> None:
    values = np.zeros((1, 40, 1))
    samples = Samples(values, [0], [0], "signals", 1, Sensor(rate_hz=200.0))
    assert Delta(10)(samples).step_ms == 20.0
    assert Delta(10, window=4)(samples).step_ms == 20.0
