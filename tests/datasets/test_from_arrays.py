import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn import InputError
from rc_vs_snn.testing import check_dataset

RNG = np.random.default_rng(0)
LABELS = [row % 3 for row in range(60)]
MIXED = [RNG.normal(size=(3 + row % 4, 2)) for row in range(60)]


def test_signals_of_different_lengths_are_divided_by_class():
    splits = rv.splits_from_arrays(MIXED, LABELS, rate_hz=50.0, channels=("left", "right"))
    check_dataset(splits, lambda: rv.splits_from_arrays(MIXED, LABELS))
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (43, 5, 12)
    assert np.bincount(splits.test.labels).tolist() == [4, 4, 4]
    assert splits.class_names == ("0", "1", "2")
    for part in (splits.train, splits.valid, splits.test):
        assert part.sensor.rate_hz == 50.0
        assert part.sensor.channels == ("left", "right")
        for value, label, sample_id in zip(part.values, part.labels, part.ids, strict=True):
            assert value.tolist() == MIXED[sample_id].tolist()
            assert label == LABELS[sample_id]


def test_another_seed_draws_other_splits():
    one, same = (rv.splits_from_arrays(MIXED, LABELS) for _ in range(2))
    other = rv.splits_from_arrays(MIXED, LABELS, split_seed=1)
    assert one.test.ids.tolist() == same.test.ids.tolist() != other.test.ids.tolist()


def test_splits_given():
    train, test = (MIXED[:40], LABELS[:40]), (MIXED[40:], LABELS[40:])
    drawn = rv.splits_from_arrays(train=train, test=test, valid_share=0.25)
    assert (len(drawn.train), len(drawn.valid), len(drawn.test)) == (30, 10, 20)
    assert drawn.test.ids.tolist() == list(range(40, 60))
    given = rv.splits_from_arrays(
        train=(MIXED[:30], LABELS[:30]), valid=(MIXED[30:40], LABELS[30:40]), test=test
    )
    assert given.valid.ids.tolist() == list(range(30, 40))
    assert given.valid.labels.tolist() == LABELS[30:40]


def test_labels_may_be_names():
    names = ["walk", "run", "rest"]
    words = [names[label] for label in LABELS]
    by_alphabet = rv.splits_from_arrays(MIXED, words)
    assert by_alphabet.class_names == ("rest", "run", "walk")
    in_order = rv.splits_from_arrays(MIXED, words, class_names=names)
    assert in_order.class_names == ("walk", "run", "rest")
    for splits in (by_alphabet, in_order):
        found = [splits.class_names[label] for label in splits.test.labels]
        assert found == [words[sample_id] for sample_id in splits.test.ids]


def test_indices_need_not_be_dense_unless_they_are_named():
    labels = [3 if label else 7 for label in LABELS]
    assert rv.splits_from_arrays(MIXED, labels).class_names == ("3", "7")
    with pytest.raises(InputError, match=r"label 3 of sample 1 is outside 0\.\.1"):
        rv.splits_from_arrays(MIXED, [3 if label else 0 for label in LABELS], class_names=("a", "b"))


def test_signals_of_one_channel_need_no_channel_axis():
    assert rv.splits_from_arrays(np.zeros((60, 8)), LABELS).train.values.shape == (43, 8, 1)
    listed = rv.splits_from_arrays([np.zeros(3 + row % 2) for row in range(60)], LABELS)
    assert {value.shape for value in listed.train.values} == {(3, 1), (4, 1)}


def test_images_and_events():
    images = rv.splits_from_arrays(np.zeros((60, 4, 5), np.uint8), LABELS, kind="images")
    assert images.train.values.shape == (43, 4, 5)
    event = np.dtype([("t", int), ("x", int), ("y", int), ("p", int)])
    events = rv.splits_from_arrays([np.ones(5, event)] * 60, LABELS, kind="events", layout=(2, 34, 34))
    assert events.train.sensor.layout == (2, 34, 34)
    assert len(events.train.values[0]) == 5


def test_a_mapped_file_stays_unread(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((60, 8, 2)))
    splits = rv.splits_from_arrays(np.load(tmp_path / "x.npy", mmap_mode="r"), LABELS)
    assert not isinstance(splits.train.values, np.ndarray)
    assert splits.train.select([0]).read().values.shape == (1, 8, 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "give values and labels, or train="),
        ({"values": MIXED}, "give values and labels, or train="),
        ({"values": MIXED, "labels": LABELS, "test": (MIXED, LABELS)}, "give values and labels, or train="),
        ({"train": (MIXED, LABELS)}, "give values and labels, or train="),
        ({"train": MIXED, "test": (MIXED, LABELS)}, r"train must be a pair \(values, labels\)"),
        ({"values": MIXED, "labels": LABELS[:-1]}, "values, labels and ids must have one entry per sample"),
        ({"values": MIXED, "labels": [0.5] * 60}, "one class index or name per sample, got float64"),
        (
            {"values": MIXED, "labels": ["a", "b", "c"] * 20, "class_names": ("a", "b")},
            "label .*'c'.* is none",
        ),
        (
            {"values": MIXED, "labels": LABELS, "test_share": 0.0},
            "test_share=0.0 of 60 samples leaves a split",
        ),
        ({"values": MIXED, "labels": LABELS, "valid_share": 1.5}, "valid_share=1.5 of 48 samples leaves"),
        ({"values": MIXED, "labels": LABELS, "rate_hz": -1.0}, "rate_hz must be"),
        ({"values": MIXED, "labels": LABELS, "kind": "sounds"}, "there is no kind of samples 'sounds'"),
    ],
)
def test_what_is_no_corpus(options, says):
    with pytest.raises(InputError, match=says):
        rv.splits_from_arrays(**options)
