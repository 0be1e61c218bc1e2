import numpy as np
import pytest

from rc_vs_snn.datasets.noisy_sign import noise_std, noisy_sign
from rc_vs_snn.errors import InputError

SMALL = {"n_train": 400, "n_valid": 100, "n_test": 200}


def test_form():
    splits = noisy_sign(**SMALL)
    assert splits.train.values.shape == (400, 40, 1)
    assert splits.train.values.dtype == np.float32
    assert splits.train.kind == "signals"
    assert splits.class_names == ("negative", "positive")
    assert set(splits.train.labels) == {0, 1}


def test_without_noise_a_sequence_is_its_sign():
    split = noisy_sign(**SMALL, noise_min=0.0, noise_max=0.0).train
    expected = np.where(split.labels == 1, 0.05, -0.05).astype(np.float32)
    assert (split.values == expected[:, None, None]).all()


def test_mean_and_noise_are_as_stated():
    split = noisy_sign(**SMALL, length=2000).test
    std = noise_std(split.ids)
    sign = np.where(split.labels == 1, 1, -1)
    mean = split.values[:, :, 0].mean(axis=1)
    assert np.abs(sign * mean - 0.05).max() < 5 * 0.25 / np.sqrt(2000)
    assert np.abs(split.values[:, :, 0].std(axis=1) / std - 1).max() < 0.08
    assert 0.05 <= std.min() < 0.06
    assert 0.24 < std.max() <= 0.25


def test_a_sample_does_not_depend_on_the_sizes():
    small, large = noisy_sign(**SMALL), noisy_sign(n_train=500, n_valid=50, n_test=300)
    assert (large.train.values[:400] == small.train.values).all()
    assert (large.test.values[:200] == small.test.values).all()
    assert (large.test.ids[:200] == small.test.ids).all()


def test_another_seed_gives_other_data():
    first, same, other = noisy_sign(**SMALL), noisy_sign(**SMALL), noisy_sign(**SMALL, data_seed=1)
    assert (first.valid.values == same.valid.values).all()
    assert (first.valid.values != other.valid.values).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "length must be a whole number of at least 1, got 0"),
        ({"noise_min": 0.3}, "noise_min <= noise_max, got 0.3 and 0.25"),
        ({"n_test": 0}, "n_test must be a whole number of at least 1 and at most 1000000, got 0"),
        ({"n_train": 1_000_001}, "got 1000001"),
        ({"n_train": 2.5}, "n_train must be a whole number"),
        ({"length": 2.5}, "length must be a whole number"),
        ({"signal": float("nan")}, "signal must be finite, got nan"),
        ({"noise_max": float("inf")}, "noise_max, got 0.05 and inf"),
    ],
)
def test_unusable_options(options, message):
    with pytest.raises(InputError, match=message):
        noisy_sign(**SMALL | options)
