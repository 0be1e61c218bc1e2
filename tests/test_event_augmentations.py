"""Augmentations of events: seeded, and nothing is moved to where no event can be."""

import numpy as np
import pytest

from rc_vs_snn import InputError, Samples
from rc_vs_snn.augmentations import EventDrop, EventShift, EventTime
from rc_vs_snn.contracts import Sensor
from rc_vs_snn.registry import augmentations

NAMES = ["event-drop", "event-shift", "event-time"]


def made(n_samples=20, n_events=200, layout=(2, 6, 9)):
    rng = np.random.default_rng(0)
    values = []
    for _ in range(n_samples):
        events = np.zeros(n_events, [("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", np.int8)])
        for name, size in (("x", 9), ("y", 6), ("p", 2), ("t", 50_000)):
            events[name] = rng.integers(0, size, n_events)
        values.append(np.sort(events, order="t"))
    return Samples(values, [0] * n_samples, range(n_samples), "events", 1, Sensor(layout=layout))


@pytest.mark.parametrize("name", NAMES)
def test_seeded_and_without_side_effects(name):
    samples, augment = made(), augmentations.build(name, {})
    before = [events.copy() for events in samples.values]
    first, again, other = (augment(samples, np.random.default_rng(seed)) for seed in (1, 1, 2))
    same = [np.array_equal(a, b) for a, b in zip(first.values, again.values, strict=True)]
    assert all(same)
    assert not all(np.array_equal(a, b) for a, b in zip(first.values, other.values, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, samples.values, strict=True))
    assert first.sensor == samples.sensor
    assert first.ids.tolist() == samples.ids.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_only_events_are_taken(name):
    images = Samples(np.zeros((1, 4, 4), np.uint8), [0], [0], "images", 1)
    with pytest.raises(InputError, match=f"'{name}' takes events, got images"):
        augmentations.build(name, {})(images, np.random.default_rng(0))


def test_a_share_of_the_events_is_dropped_recording_by_recording():
    left = [len(each) for each in EventDrop(0.5)(made(50), np.random.default_rng(0)).values]
    assert 0.7 < np.mean(left) / 200 < 0.8
    assert min(left) < 120 < 180 < max(left)
    assert [len(each) for each in EventDrop(0)(made(5), np.random.default_rng(0)).values] == [200] * 5
    with pytest.raises(InputError, match="most must be at least 0 and at most 1, got"):
        EventDrop(1.5)


def test_a_recording_is_shifted_as_a_whole_and_stays_on_the_sensor():
    samples = made()
    moved = EventShift(2)(samples, np.random.default_rng(0))
    offsets = set()
    for before, after in zip(samples.values, moved.values, strict=True):
        counts = np.zeros((6, 9), int)
        np.add.at(counts, (before["y"], before["x"]), 1)
        seen = np.zeros((6, 9), int)
        np.add.at(seen, (after["y"], after["x"]), 1)
        fits = [
            (dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)
            if (seen == shifted(counts, dy, dx)).all()
        ]  # fmt: skip
        assert len(fits) == 1
        offsets.add(fits[0])
    assert len(offsets) > 8


def shifted(counts, dy, dx):
    wide = np.pad(counts, 2)
    return wide[2 - dy : 8 - dy, 2 - dx : 11 - dx]


def test_a_sensor_of_one_dimension_is_shifted_along_it():
    line = made(layout=(2, 9))
    moved = EventShift(3)(line, np.random.default_rng(0))
    assert all(set(after["x"].tolist()) <= set(range(9)) for after in moved.values)
    assert any(len(after) < 200 for after in moved.values)
    with pytest.raises(InputError, match="needs the sensor's size"):
        EventShift(3)(made(layout=None), np.random.default_rng(0))


def test_times_are_shifted_together_and_jittered_one_by_one():
    samples = made()
    moved = EventTime(shift_us=5_000, jitter_us=0)(samples, np.random.default_rng(0))
    shifts = []
    for before, after in zip(samples.values, moved.values, strict=True):
        by = after["t"] - before["t"][len(before) - len(after) :]
        assert np.ptp(by) <= 1
        assert after["t"].min() >= 0
        shifts.append(int(by[0]))
    assert min(shifts) < -2_000
    assert max(shifts) > 2_000
    still = EventTime(shift_us=0, jitter_us=100)(samples, np.random.default_rng(0))
    jitter = np.concatenate(
        [a["t"][-150:] - b["t"][-150:] for a, b in zip(still.values, samples.values, strict=True)]
    )
    assert 90 < jitter.std() < 110
    with pytest.raises(InputError, match="jitter_us must be at least 0"):
        EventTime(jitter_us=-1)
