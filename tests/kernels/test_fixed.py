"""Neurons in whole numbers: by hand, and the compiled cell against the reference."""

import numpy as np
import pytest
import torch

from rc_vs_snn.kernels.fixed.cell import advance, exact_type
from rc_vs_snn.kernels.fixed.reference import Arithmetic, divided, saturated, shifted, step


def by_cell(sums, membrane, shift, decay, threshold, reset, arithmetic, current=None, current_decay=None):
    """Return what ``reference.step`` returns, computed by the cell."""
    ints = [torch.tensor(np.asarray(each), dtype=torch.int32) for each in (shift, decay, threshold)]
    constants = (*ints, torch.tensor([] if current_decay is None else current_decay, dtype=torch.int32))
    old = None if current is None else torch.tensor(current, dtype=torch.int32)
    sums = torch.tensor(sums, dtype=torch.float64)
    new, after = advance(sums, torch.tensor(membrane, dtype=torch.int32), old, constants, reset, arithmetic)
    return new.numpy(), None if after is None else after.numpy()


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [("nearest", [-2, -2, -1, -1, 0, 1, 1, 2, 2]), ("zero", [-1, -1, -1, 0, 0, 0, 1, 1, 1])],
)
def test_division_rounds_by_hand(rounding, expected):
    values = np.array([-7, -6, -5, -2, 0, 2, 5, 6, 7])  # of fours: -1.75, -1.5, -1.25, -0.5, ...
    assert divided(values, 2, rounding).tolist() == expected
    assert divided(values, 0, rounding).tolist() == values.tolist()


def test_shifts_by_hand():
    assert shifted(np.array([3, -3]), np.array([2, 2]), "nearest").tolist() == [12, -12]
    assert shifted(np.array([3, -3, 5]), np.array([-1, -1, -3]), "nearest").tolist() == [2, -2, 1]
    assert shifted(np.array([3, -3, 5]), np.array([-1, -1, -3]), "zero").tolist() == [1, -1, 0]


def test_saturation_by_hand():
    assert saturated(np.array([-129, -128, 127, 128]), 8).tolist() == [-128, -128, 127, 127]


@pytest.mark.parametrize("run", [lambda *given: step(*given)[:2], by_cell], ids=["reference", "cell"])
@pytest.mark.parametrize(
    ("reset", "expected"),
    [
        # Membranes 100, -100, 127, 5 and threshold 50; a decay of 3/4 leaves 75, -75, 95 (of 95.25) and 4 (of
        # 3.75); 20, -120, 60 and 1 arrive. The first and third have fired.
        ("subtract", [45, -128, 105, 5]),
        ("zero", [20, -128, 60, 5]),
        ("clear", [0, -128, 0, 5]),
        ("none", [95, -128, 127, 5]),
    ],
)
def test_a_step_by_hand(run, reset, expected):
    sums, membrane = np.array([[10, -60, 30, 1]]), np.array([[100, -100, 127, 5]])
    shift, decay, threshold = np.array([1, 1, 1, 0]), np.full(4, 3), np.full(4, 50)
    new, _ = run(sums, membrane, shift, decay, threshold, reset, Arithmetic(8, 2, "nearest"))
    assert new.tolist() == [expected]


@pytest.mark.parametrize("run", [step, by_cell], ids=["reference", "cell"])
def test_a_synaptic_current_decays_clips_and_arrives(run):
    # Current 100 at a decay of 1/2 leaves 50, and 90 arrives: 140 clips to 127; the membrane takes 127 - 6.
    arithmetic = Arithmetic(8, 1, "zero")
    given = (np.array([[90]]), np.array([[-13]]), np.array([0]), np.array([1]), np.array([99]), "subtract")
    found = run(*given, arithmetic, np.array([[100]]), np.array([1]))
    assert (found[0].tolist(), found[1].tolist()) == ([[121]], [[127]])


def test_rounding_towards_zero_loses_what_nearest_keeps_for_ever():
    membrane = np.array([[3]])
    given = (np.array([0]), np.array([3]), np.array([99]), "none")  # decay 3/4
    for rounding, expected in (("nearest", [2, 2, 2]), ("zero", [2, 1, 0])):
        value, found = membrane, []
        for _ in range(3):
            value = step(np.zeros((1, 1)), value, *given, Arithmetic(8, 2, rounding))[0]
            found.append(int(value[0, 0]))
        assert found == expected


@pytest.mark.parametrize("reset", ["subtract", "zero", "clear", "none"])
@pytest.mark.parametrize("rounding", ["nearest", "zero"])
@pytest.mark.parametrize("bits", [4, 8, 16, 24])
def test_the_cell_is_the_reference(reset, rounding, bits):
    draws, rows, n = np.random.default_rng(bits), 20, 5
    most, arithmetic = 1 << (bits - 1), Arithmetic(bits, 12, rounding)
    sums, membrane, current = (draws.integers(-reach, most, (rows, n)) for reach in (most, most, most))
    shift, threshold = draws.integers(-6, 4, n), draws.integers(1, most, n)
    decay, current_decay = draws.integers(0, 4097, (2, n))
    for with_current in ((), (current, current_decay)):
        new, arriving, _ = step(sums, membrane, shift, decay, threshold, reset, arithmetic, *with_current)
        found, after = by_cell(sums, membrane, shift, decay, threshold, reset, arithmetic, *with_current)
        np.testing.assert_array_equal(found, new)
        if with_current:
            np.testing.assert_array_equal(after, arriving)


def test_sums_are_taken_in_a_type_that_holds_them():
    cpu = torch.device("cpu")
    assert exact_type(2**24 - 1, cpu) == torch.float32
    assert exact_type(2**24, cpu) == torch.float64
    assert exact_type(1, torch.device("meta")) == torch.float64
