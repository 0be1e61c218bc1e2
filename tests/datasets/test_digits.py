import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

from rc_vs_snn.registry import datasets


@pytest.fixture(scope="module")
def splits():
    return datasets.build("digits", {}, root=None)


def test_sizes_and_form(splits):
    assert [len(split) for split in (splits.train, splits.valid, splits.test)] == [1078, 270, 449]
    assert splits.train.kind == "images"
    assert splits.train.values.shape[1:] == (8, 8)
    assert splits.train.values.dtype == np.uint8
    assert splits.class_names == tuple("0123456789")


def test_a_row_is_that_of_load_digits(splits):
    bunch = load_digits()
    for split in (splits.train, splits.valid, splits.test):
        assert (split.labels == bunch.target[split.ids]).all()
        assert np.abs(split.values / 255 - bunch.images[split.ids] / 16).max() <= 0.5 / 255
    assert splits.train.values.max() == 255  # 16 becomes full white


def test_every_class_has_its_share(splits):
    whole = np.bincount(load_digits().target)
    for split, share in ((splits.train, 1078 / 1797), (splits.valid, 270 / 1797), (splits.test, 449 / 1797)):
        assert np.abs(np.bincount(split.labels) - whole * share).max() <= 2


def test_the_split_is_the_published_one(splits):
    # Results are compared across versions and machines: this split must never drift.
    digest = hashlib.sha256(splits.test.ids.astype("<i8").tobytes()).hexdigest()
    assert digest[:16] == "d545e71594c4fae5"


def test_another_split_seed_gives_another_split(splits):
    other = datasets.build("digits", {"split_seed": 1}, root=None)
    assert set(other.test.ids) != set(splits.test.ids)
