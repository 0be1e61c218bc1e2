"""What a perfect observer makes of the toy sequences, worked by hand."""

import numpy as np
import pytest

from rc_vs_snn import toys
from rc_vs_snn.datasets.noisy_sign import noisy_sign
from rc_vs_snn.datasets.spotting import spotting


def bits(*rows):
    return np.array([[int(bit) for bit in row] for row in rows], np.float32)[:, :, None]


def test_present_is_certain_at_the_end_of_the_run():
    assert toys.ideal_step(bits("11100000", "10101111"), run_length=3).tolist() == [2, 6]


def test_absent_is_certain_where_equal_bits_to_the_end_would_not_do():
    # 1 1 0 1 0 0: at step 3 a run of 1 and two steps left could still make 3; at step 4 one of 1 and one
    # left cannot. In 1 1 0 0 1 1 it is the same. In 1 1 0 1 1 0 the run of 2 at step 4 could,
    # only the last bit tells.
    assert toys.ideal_step(bits("110100", "110011", "110110"), run_length=3).tolist() == [4, 4, 5]


def test_the_ideal_step_is_the_first_at_which_every_ending_has_one_answer():
    length, run_length = 7, 3
    every = np.array([[number >> bit & 1 for bit in range(length)] for number in range(2**length)])
    answers = toys.run_end(every[:, :, None], run_length) < length
    for row, expected in zip(every, toys.ideal_step(every[:, :, None], run_length), strict=True):
        for step in range(length):
            alike = answers[(every[:, : step + 1] == row[: step + 1]).all(axis=1)]
            if len(set(alike.tolist())) == 1:
                break
        assert step == expected, row


@pytest.mark.parametrize(("corpus", "formula"), [(noisy_sign, toys.noisy_sign), (spotting, toys.spotting)])
def test_a_sequence_can_be_made_again_from_its_id(corpus, formula):
    test = corpus(n_train=1, n_valid=1, n_test=20, data_seed=3, length=12).test
    values, labels = formula(test.ids[::-1], data_seed=3, length=12)
    assert (values[::-1] == test.values).all()
    assert (labels[::-1] == test.labels).all()
