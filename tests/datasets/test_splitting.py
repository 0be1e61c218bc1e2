import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rc_vs_snn.datasets.splitting import stratified_order, train_valid_rows
from rc_vs_snn.errors import InputError


def rng(seed=0):
    return np.random.default_rng(seed)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 99), st.data())
def test_every_prefix_holds_each_class_in_proportion(labels, seed, data):
    labels = np.array(labels)
    order = stratified_order(labels, rng(seed))
    assert sorted(order) == list(range(len(labels)))
    cut = data.draw(st.integers(0, len(labels)))
    for label in range(5):
        expected = cut * (labels == label).mean()
        # Half a sample by the class's own rounding; the four others' moves the cut by up to 1.5 more.
        assert abs((labels[order[:cut]] == label).sum() - expected) <= 2


def test_balanced_classes_are_cut_evenly():
    labels = np.repeat(np.arange(10), 20)
    order = stratified_order(labels, rng())
    assert np.bincount(labels[order[:50]]).tolist() == [5] * 10


def test_the_order_follows_the_generator_only():
    labels = np.arange(100) % 7
    assert (stratified_order(labels, rng(1)) == stratified_order(labels, rng(1))).all()
    assert (stratified_order(labels, rng(1)) != stratified_order(labels, rng(2))).any()


def test_fewer_training_rows_are_a_subset_and_leave_valid_alone():
    labels = np.arange(200) % 10
    train, valid = train_valid_rows(labels, 20, None, rng())
    few, same = train_valid_rows(labels, 20, 50, rng())
    assert (valid == same).all()
    assert len(few) == 50
    assert set(few) < set(train)
    assert sorted([*train, *valid]) == list(range(200))
    assert np.bincount(labels[few]).tolist() == [5] * 10


@pytest.mark.parametrize(
    ("n_valid", "n_train", "message"),
    [
        (0, None, r"n_valid \(10 training samples\) must be .* at least 1 and at most 9, got 0"),
        (10, None, "got 10"),
        (2, 9, r"n_train \(10 training samples less 2 .*at most 8, got 9"),
        (2, 0, "got 0"),
        (2, -1, "got -1"),
    ],
)
def test_sizes_that_do_not_fit(n_valid, n_train, message):
    with pytest.raises(InputError, match=message):
        train_valid_rows(np.zeros(10, dtype=int), n_valid, n_train, rng())
