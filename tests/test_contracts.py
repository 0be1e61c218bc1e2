"""Samples and splits refuse what would make a result wrong."""

import pickle

import numpy as np
import pytest
import torch

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


FIELDS = [("t", int), ("x", int), ("y", int), ("p", int)]


@pytest.mark.parametrize(
    ("recording", "says"),
    [
        (np.zeros(3, FIELDS[1:]), r"lacks the fields \['t'\]"),
        (np.zeros(3, FIELDS[2:]), r"lacks the fields \['t', 'x'\]"),
        (np.zeros((3, 2), FIELDS), "sample 0 is a 2-dimensional array with fields"),
        (np.zeros((), FIELDS), "sample 0 is a 0-dimensional array with fields"),
        (np.zeros((3, 4)), "sample 0 is a 2-dimensional array without fields"),
        (None, "sample 0 is NoneType"),
        ([(0, 1, 1, 0)], "sample 0 is list"),
        (np.zeros(3, [("t", object), *FIELDS[1:]]), "the field t of event sample 0 is of object, no numbers"),
        (np.zeros(3, [("t", "U5"), *FIELDS[1:]]), "the field t of event sample 0 is of <U5"),
        (np.zeros(3, [("t", "M8[us]"), *FIELDS[1:]]), "the field t of event sample 0 is of datetime64"),
        (np.zeros(3, [("t", complex), *FIELDS[1:]]), "the field t of event sample 0 is of complex128"),
        (np.zeros(3, [("t", int, (2,)), *FIELDS[1:]]), "the field t of event sample 0 is of"),
    ],
)
def test_a_recording_is_a_list_of_events(recording, says):
    values = np.empty(1, dtype=object)
    values[0] = recording
    with pytest.raises(InputError, match=says):
        Samples(values, [0], [0], "events", 1)


def test_recordings_may_come_in_a_list():
    samples = Samples([np.zeros(3, FIELDS), np.zeros(2, FIELDS[:2])], [0, 0], [0, 1], "events", 1)
    assert [len(events) for events in samples.values] == [3, 2]
    with pytest.raises(InputError, match="put a single one into a list"):
        Samples(np.zeros(3, FIELDS), [0, 0, 0], [0, 1, 2], "events", 1)
    with pytest.raises(InputError, match="a sequence of recordings, got NoneType"):
        Samples(None, [], [], "events", 1)


def test_a_split_without_any_event_is_refused():
    one, two = (
        Samples([np.zeros(size, FIELDS), np.zeros(0, FIELDS)], [0, 0], [first, first + 1], "events", 1)
        for first, size in ((0, 3), (2, 0))
    )
    Splits(
        one,
        Samples(one.values, one.labels, [4, 5], "events", 1),
        Samples(one.values, [0, 0], [6, 7], "events", 1),
        ("a",),
    )
    with pytest.raises(InputError, match="none of the 2 recordings of the valid split holds an event"):
        Splits(one, two, one, ("a",))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"kind": "image"},
            "'image'; did you mean 'images'\\? allowed: events, images, signals",
        ),
        ({"kind": None}, "no kind of samples None"),
        ({"kind": np.array([1, 2])}, "no kind of samples array"),
        ({"n_classes": 0}, "n_classes must be a whole number of at least 1, got 0"),
        ({"n_classes": "2"}, "n_classes must be a whole number"),
        ({"n_classes": np.nan}, "n_classes must be a whole number"),
        ({"labels": [0, np.nan]}, "labels must be .* integer array, got float64 .*; entry 1 is nan"),
        ({"labels": [0.5, 1]}, "labels must be .*; entry 0 is 0.5"),
        ({"labels": [0.0, 1.0]}, r"labels must be .*; convert them with .astype\(int\)"),
        ({"labels": [True, False]}, "labels must be a one-dimensional integer array, got bool"),
        (
            {"labels": np.array([0, 2**64 - 1], np.uint64)},
            "labels hold 18446744073709551615",
        ),
        ({"labels": [[0], [0, 1]]}, "labels cannot be read as a NumPy array"),
        ({"labels": np.int64(3)}, r"labels must be .* of shape \(\)"),
        ({"labels": np.eye(2, dtype=int)}, r"labels must be .* of shape \(2, 2\)"),
        ({"ids": np.array([0, 2**64 - 1], np.uint64)}, "ids hold 18446744073709551615"),
        ({"values": None}, r"images must have shape .* got \(\)"),
        ({"values": np.float64(3)}, r"images must have shape .* got \(\)"),
        ({"values": [[[0.0, 1.0]], [[1.0]]]}, "images cannot be read as a NumPy array"),
        ({"values": np.ma.masked_array(np.zeros((2, 2, 2)), True)}, "images are masked in 8 places"),
        ({"values": np.zeros((2, 2, 2), bool)}, "images must be uint8 .* got bool"),
        ({"values": np.zeros((2, 0, 2))}, "at least one number"),
        (
            {"values": torch.zeros(2, 2, 2, requires_grad=True)},
            r"tensor.detach\(\).cpu\(\).numpy\(\)",
        ),
        ({"values": torch.zeros(2, 2, 2, dtype=torch.bfloat16)}, r"images cannot .* BFloat16"),
    ],
)
def test_what_cannot_be_samples_is_named(change, says):
    given = {"values": np.zeros((2, 2, 2)), "labels": [0, 1], "ids": [0, 1], "kind": "images", "n_classes": 2}
    with pytest.raises(InputError, match=says):
        Samples(**given | change)


def test_tensors_and_lists_are_taken_as_arrays():
    samples = Samples(torch.full((2, 1, 2), 0.5), torch.tensor([0, 1]), [3, 4], "images", 2)
    assert isinstance(samples.values, np.ndarray)
    assert samples.values.tolist() == [[[0.5, 0.5]], [[0.5, 0.5]]]
    assert samples.labels.tolist() == [0, 1]
    assert len(Samples(np.zeros((0, 20, 1)), [], [], "signals", 2)) == 0


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


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([True], "3 samples to select from: boolean index"),
        ([3], "3 samples to select from: index 3"),
        ([0.5], "rows must be indices or a mask of shape .* got float64"),
        (1, r"rows must be indices or a mask .* of shape \(\)"),
        (None, "rows must be indices"),
    ],
)
def test_rows_that_are_not_there(rows, says):
    with pytest.raises(InputError, match=says):
        images().select(rows)


def test_a_selection_knows_the_set_it_was_taken_from():
    all_of_it = images()
    picked = all_of_it.select([2, 0]).select([True, False])
    assert all_of_it.whole is None
    assert picked.whole is all_of_it
    assert picked.ids.tolist() == [2]
    alone = pickle.loads(pickle.dumps(picked))
    assert alone.whole is None
    assert alone.ids.tolist() == [2]
    assert len(all_of_it.select([])) == 0


@pytest.mark.parametrize("kind", ["images", "signals"])
def test_what_is_no_number_is_not_encoded_as_silence(kind):
    values = np.array([[[0.5], [None]]], object)
    with pytest.raises(InputError, match="must be an array of numbers"):
        Samples(values, [0], [0], kind, 1)
