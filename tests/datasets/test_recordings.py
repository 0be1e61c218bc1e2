"""Recordings of any form: what their fields, times, polarities and labels are taken for."""

import numpy as np
import pytest

from rc_vs_snn.datasets.recordings import Understand, as_classes, plain_label
from rc_vs_snn.errors import InputError


def recording(**fields):
    columns = {name: np.asarray(values) for name, values in fields.items()}
    events = np.zeros(len(columns["t"]), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        events[name] = values
    return events


def test_fields_may_come_in_any_order_and_type():
    given = recording(
        p=[True, False], y=np.array([1, 2], np.uint8), t=[5.0, 7.0], x=np.array([3, 0], np.int16)
    )
    events, fault = Understand((2, 3, 4), "us")(given)
    assert fault == ""
    assert events.tolist() == [(5, 3, 1, 1), (7, 0, 0, 2)]
    assert events.dtype.names == ("t", "x", "p", "y")


@pytest.mark.parametrize("polarity", [[0, 1, 1], [-1, 1, 1], [False, True, True], [-1.0, 1.0, 1.0]])
def test_polarities_in_each_of_their_forms(polarity):
    events, fault = Understand((2, 4), "us")(recording(t=[1, 2, 3], x=[0, 1, 2], p=polarity))
    assert fault == ""
    assert events["p"].tolist() == [0, 1, 1]


def test_one_polarity_needs_no_field_and_looks_at_none():
    assert Understand((1, 4), "us")(recording(t=[1], x=[3], p=[7]))[0]["p"].tolist() == [0]
    assert Understand((1, 4), "us")(recording(t=[1], x=[3]))[1] == ""
    with pytest.raises(InputError, match=r"has no field p, .*set the dataset's layout=\[1, 4\]"):
        Understand((2, 4), "us")(recording(t=[1], x=[3]))
    with pytest.raises(InputError, match=r"has no field y, .*set the dataset's layout=\[2, 4\]"):
        Understand((2, 3, 4), "us")(recording(t=[1], x=[3], p=[0]))
    with pytest.raises(InputError, match="none called x"):
        Understand((2, 4), "us")(recording(t=[1], y=[3]))


@pytest.mark.parametrize(
    ("unit", "times", "expected"),
    [
        ("us", [10, 20], [10, 20]),
        ("us", [10.4, 20_000.0], [10, 20_000]),
        ("ms", [1, 2.5], [1_000, 2_500]),
        ("s", np.array([0.5, 1.25], np.float16), [500_000, 1_250_000]),
        ("us", np.array([2, 3], np.uint64), [2, 3]),
    ],
)
def test_times_become_microseconds(unit, times, expected):
    events, fault = Understand((1, 4), unit)(recording(t=times, x=[0, 0]))
    assert (events["t"].tolist(), fault) == (expected, "")


def test_seconds_that_are_told_as_microseconds_are_refused():
    with pytest.raises(InputError, match=r"times from 0\.1 to 1\.3 with fractions, .*time_unit='s'"):
        Understand((1, 4), "us")(recording(t=[0.1, 1.3], x=[0, 0]))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"t": np.zeros(0, int), "x": np.zeros(0, int)}, "empty"),
        ({"t": [3, 2], "x": [0, 0]}, "unsorted"),
        ({"t": [1, 2], "x": [0, 4]}, "out of range"),
        ({"t": [1, 2], "x": [0, -1]}, "out of range"),
        ({"t": [1, 2], "x": [0, 0.5]}, "out of range"),
        ({"t": [1, 2], "x": [0, np.nan]}, "out of range"),
        ({"t": [1, np.nan], "x": [0, 0]}, "out of range"),
        ({"t": [1, np.inf], "x": [0, 0]}, "out of range"),
        ({"t": np.array([1, 2**63 + 5], np.uint64), "x": [0, 0]}, "out of range"),
    ],
)
def test_what_is_wrong_with_a_recording(fields, fault):
    assert Understand((1, 4), "us")(recording(**fields))[1] == fault


def test_without_a_known_sensor_no_place_is_out_of_range():
    events, fault = Understand(None, "us")(recording(t=[1], x=[900], y=[700], p=[-1]))
    assert (events.tolist(), fault) == ([(1, 900, 700, 0)], "")


def test_frames_are_no_events():
    for value in (np.zeros((3, 2, 4, 4)), np.zeros((2, 3)), [1, 2], None):
        with pytest.raises(InputError, match="no events with the fields t, x, y, p"):
            Understand((2, 4), "us")(value)


@pytest.mark.parametrize(
    ("labels", "names", "expected", "found"),
    [
        ([0, 2, 1], (), [0, 2, 1], ("0", "1", "2")),
        ([1, 3, 2], (), [0, 2, 1], ("1", "2", "3")),
        ([1, 3, 2], ("a", "b", "c"), [0, 2, 1], ("a", "b", "c")),  # from 1
        ([1, 0], ("a", "b", "c"), [1, 0], ("a", "b", "c")),
        (["cat", "ant"], (), [1, 0], ("ant", "cat")),
        (["cat", "ant"], ("cat", "bee", "ant"), [0, 2], ("cat", "bee", "ant")),
    ],
)
def test_labels_from_0_from_1_and_as_texts(labels, names, expected, found):
    classes, known = as_classes(labels, names)
    assert (classes.tolist(), known) == (expected, found)


def test_labels_that_are_none():
    with pytest.raises(InputError, match=r"labels lie in 0\.\.3, but 3 classes are named"):
        as_classes([0, 3], ("a", "b", "c"))
    with pytest.raises(InputError, match="numbers and texts"):
        as_classes([0, "a"])
    for target in ({"bbox": 1}, None, np.zeros(3), 0.5):
        with pytest.raises(InputError, match="not a class"):
            plain_label(target)
    assert [plain_label(each) for each in (b"a", np.int64(3), np.array([2]), 4.0)] == ["a", 3, 2, 4]
