"""Samples and splits refuse what would make a result wrong."""

import numpy as np
import pytest

from rc_vs_snn import InputError, Samples, Splits


def images(n=3, labels=None, ids=None, values=None, n_classes=2):
    values = np.zeros((n, 2, 2), np.uint8) if values is None else values
    labels = np.zeros(n, int) if labels is None else np.asarray(labels)
    ids = np.arange(n) if ids is None else np.asarray(ids)
    return Samples(values, labels, ids, "images", n_classes)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: images(labels=[0, 1, 2]), "label 2 of sample 2 is outside 0..1"),
        (lambda: images(labels=[0, -1, 0]), "label -1"),
        (lambda: images(labels=[0.0, 1.0, 0.0]), "integer"),
        (lambda: images(ids=[0, 0, 1]), "unique"),
        (lambda: images(ids=[0, -2, 1]), "non-negative"),
        (lambda: images(labels=[0, 1]), "one entry per sample"),
        (lambda: images(values=np.zeros((3, 4), np.uint8)), "shape"),
        (lambda: images(values=np.zeros((3, 2, 2), np.int64)), "uint8"),
        (lambda: images(values=np.full((3, 2, 2), 2.0)), r"\[0, 1\]"),
        (lambda: images(values=np.full((3, 2, 2), np.nan)), "NaN"),
        (lambda: Samples(np.full((1, 4, 1), np.inf), np.array([0]), np.array([0]), "signals", 1), "infinity"),
        (lambda: Samples(np.zeros((1, 4)), np.array([0]), np.array([0]), "signals", 1), "signals must"),
    ],
)
def test_faulty_samples_are_refused(build, says):
    with pytest.raises(InputError, match=says):
        build()


def test_events_need_their_fields():
    events = np.empty(1, dtype=object)
    events[0] = np.zeros(3, dtype=[("t", int), ("x", int), ("y", int)])
    with pytest.raises(InputError, match=r"lacks the fields \['p'\]"):
        Samples(events, np.array([0]), np.array([0]), "events", 1)


def test_splits_must_be_disjoint_and_filled():
    one, two, three = (images(ids=[i, i + 1, i + 2]) for i in (0, 10, 20))
    Splits(one, two, three, ("a", "b"))
    with pytest.raises(InputError, match="disjoint"):
        Splits(one, one, three, ("a", "b"))
    with pytest.raises(InputError, match="valid split is empty"):
        Splits(one, two.select(slice(0, 0)), three, ("a", "b"))
    with pytest.raises(InputError, match="2 classes but 3 are named"):
        Splits(one, two, three, ("a", "b", "c"))


def test_select_takes_rows_in_order():
    picked = images(labels=[0, 1, 1], ids=[5, 6, 7]).select([2, 0])
    assert picked.labels.tolist() == [1, 0]
    assert picked.ids.tolist() == [7, 5]


@pytest.mark.parametrize("kind", ["images", "signals"])
def test_what_is_no_number_is_not_encoded_as_silence(kind):
    values = np.array([[[0.5], [None]]], object)
    with pytest.raises(InputError, match="must be an array of numbers"):
        Samples(values, [0], [0], kind, 1)
