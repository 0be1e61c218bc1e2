"""The two forms of a code, by hand."""

import numpy as np
import pytest
import torch

from rc_vs_snn import Frames, InputError, SpikeTimes

STEPS = torch.tensor([[0, 2, 3], [1, 1, 0]])  # T = 3: the 3 means never


def test_a_one_shot_code_is_on_at_its_step_only():
    code = SpikeTimes(STEPS, 3, (3,))
    assert code.at(0).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert code.at(1).tolist() == [[0, 0, 0], [1, 1, 0]]
    assert code.at(2).tolist() == [[0, 1, 0], [0, 0, 0]]
    assert [code.events_at(step).tolist() for step in range(3)] == [[1, 1], [0, 2], [1, 0]]


def test_a_step_code_stays_on_and_counts_every_step():
    code = SpikeTimes(STEPS, 3, (3,), hold=True)
    assert code.at(2).tolist() == [[1, 1, 0], [1, 1, 1]]
    # Sample 0: channel 0 is on for 3 steps, channel 1 for 1; sample 1: 2 + 2 + 3.
    assert [code.events_at(step).tolist() for step in range(3)] == [[1, 1], [1, 3], [2, 3]]


@pytest.mark.parametrize("hold", [False, True])
def test_events_at_a_step_are_the_sum_of_its_frame(hold):
    steps = torch.from_numpy(np.random.default_rng(0).integers(0, 8, (5, 11)))
    code = SpikeTimes(steps, 7, (11,), hold=hold)
    for step in range(7):
        assert code.events_at(step).tolist() == code.at(step).sum(1).tolist()


def test_spike_times_cost_a_byte_per_channel():
    assert SpikeTimes(torch.zeros(100, 784, dtype=torch.int64), 20, (28, 28)).nbytes == 78_400
    assert SpikeTimes(torch.zeros(1, 2, dtype=torch.int64), 300, (2,)).steps.dtype == torch.int16


def test_select_keeps_order_and_form():
    code = SpikeTimes(STEPS, 3, (3,), hold=True).select(torch.tensor([1, 0, 1]))
    assert len(code) == 3
    assert code.hold
    assert code.steps.tolist() == [[1, 1, 0], [0, 2, 3], [1, 1, 0]]
    frames = Frames(torch.arange(12).reshape(2, 3, 2), (2,)).select(torch.tensor([False, True, True]))
    assert frames.values.tolist() == [[[2, 3], [4, 5]], [[8, 9], [10, 11]]]


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(0, 255, torch.uint8), (-1, 100, torch.int8), (0, 256, torch.int16), (0, 70_000, torch.int32)],
)
def test_frames_hold_integers_in_the_smallest_type(low, high, dtype):
    frames = Frames(torch.tensor([low, high]).reshape(1, 1, 2), (2,))
    assert frames.values.dtype == dtype
    assert frames.at(0).tolist() == [[low, high]]
    assert frames.at(0).dtype == torch.float32


def test_events_of_frames_are_counts_and_analogue_values_are_one_each():
    assert Frames(torch.tensor([[[2, 0, -1]], [[0, 3, 0]]]), (3,)).events_at(0).tolist() == [3]
    assert Frames(torch.tensor([[[0.5, 0.0, 0.1]]]), (3,)).events_at(0).tolist() == [2]


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: SpikeTimes(STEPS, 0, (3,)), "n_steps"),
        (lambda: SpikeTimes(STEPS, True, (3,)), "n_steps"),
        (lambda: SpikeTimes(STEPS, 2, (3,)), r"0\.\.2"),
        (lambda: SpikeTimes(STEPS - 1, 3, (3,)), r"-1\.\."),
        (lambda: SpikeTimes(STEPS.float(), 3, (3,)), "integers"),
        (lambda: SpikeTimes(STEPS, 3, (2,)), "layout"),
        (lambda: Frames(torch.zeros(2, 3), (3,)), "time, batch, channel"),
        (lambda: Frames(torch.zeros(0, 1, 3), (3,)), "n_steps"),
        (lambda: Frames(torch.tensor([[[float("nan")]]]), (1,)), "NaN"),
    ],
)
def test_what_is_no_code_is_refused(build, says):
    with pytest.raises(InputError, match=says):
        build()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.full((1, 1, 1), 2**40), "must fit in 32 bits"),
        (np.full((1, 1, 1), -(2**40)), "must fit in 32 bits"),
        (np.full((1, 1, 1), 1e39), "too large for 32 bits"),
        (np.full((1, 1, 1), np.iinfo(np.uint64).max), "64 bits"),
        (np.array([[[None]]], object), "made of numbers"),
        (np.array([[["x"]]]), "made of numbers"),
    ],
)
def test_frames_refuse_numbers_that_they_cannot_hold(values, says):
    with pytest.raises(InputError, match=says):
        Frames(values, (1,))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int64, np.float16, np.float64, bool])
def test_frames_keep_every_number_of_every_type(dtype):
    values = np.array([[[0, 1]]], dtype)
    assert Frames(values, (2,)).at(0).tolist() == [[0, 1]]
    wide = np.array([[[2**31 - 1]]])
    assert int(Frames(wide, (1,)).values[0, 0, 0]) == 2**31 - 1


def test_a_mask_is_no_list_of_steps():
    with pytest.raises(InputError, match="must be integers"):
        SpikeTimes(torch.ones(1, 2, dtype=torch.bool), 3, (2,))


@pytest.mark.parametrize("n_steps", [2**31 - 1, 2**40])
def test_more_steps_than_can_be_held_are_refused(n_steps):
    with pytest.raises(InputError, match="n_steps must be a whole number"):
        SpikeTimes(torch.zeros(1, 2, dtype=torch.int64), n_steps, (2,))


def test_whole_numbers_of_numpy_are_whole_numbers():
    code = SpikeTimes(torch.zeros(1, 2, dtype=torch.int64), np.int64(3), (2,))
    assert code.at(0).tolist() == [[1, 1]]


CODES = (SpikeTimes(STEPS, 3, (3,)), Frames(np.zeros((4, 2, 3)), (3,)))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([True], "2 samples to select from"),
        (np.array([2]), "2 samples to select from"),
        (np.array([0.5]), "rows must be indices or a mask"),
        (torch.tensor([0.5]), "2 samples to select from"),
        (1, "rows must be indices or a mask"),
    ],
)
def test_rows_that_are_not_there_are_refused(code, rows, says):
    with pytest.raises(InputError, match=says):
        code.select(rows)


@pytest.mark.parametrize("code", CODES)
def test_rows_may_be_a_list_a_mask_or_none_at_all(code):
    assert len(code.select([])) == 0
    assert len(code.select([True, False])) == 1
    assert len(code.select(torch.tensor([1, 0, 1]))) == 3


@pytest.mark.parametrize("layout", [(3.0,), 3, None, ("3",), (-1, -3), (3, 0)])
def test_a_layout_that_is_none_is_refused(layout):
    with pytest.raises(InputError, match="layout"):
        SpikeTimes(STEPS, 3, layout)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (torch.zeros(2, 3, dtype=torch.complex128), "complex128"),
        ([[1, 2, 3], [1]], "cannot be read as a NumPy array"),
        (np.ma.masked_array(np.zeros((2, 3), int), True), "masked in 6 places"),
    ],
)
def test_values_that_are_no_numbers_are_refused(values, says):
    with pytest.raises(InputError, match=says):
        SpikeTimes(values, 3, (3,))
