from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import Events
from rc_vs_snn.errors import InputError

Recordings = Callable[..., Samples]


def test_hand_worked_counts(recordings: Recordings) -> None:
    # (t, x, y, p) on a sensor of 2 rows and 3 columns, windows of 10 us
    samples = recordings([(0, 2, 1, 0), (9, 2, 1, 0), (10, 0, 0, 1), (29, 1, 0, 1), (30, 0, 0, 0)], [])
    code = Events(3, dt_us=10, height=2, width=3)(samples)
    assert code.layout == (2, 2, 3)
    dense = code.values.reshape(3, 2, 2, 2, 3)  # (step, sample, polarity, row, column)
    assert int(dense[0, 0, 0, 1, 2]) == 2
    assert int(dense[1, 0, 1, 0, 0]) == 1
    assert int(dense[2, 0, 1, 0, 1]) == 1
    assert int(dense.sum()) == 4  # the event at 30 us is beyond the last window
    assert int(dense[:, 1].sum()) == 0


def test_windows_can_start_at_the_first_event(recordings: Recordings) -> None:
    samples = recordings([(1005, 0, 0, 0), (1014, 0, 0, 0), (1015, 0, 0, 0)], [(7, 0, 0, 0)], [])
    code = Events(2, dt_us=10, height=1, width=1, polarities=1, align_first=True)(samples)
    assert code.values[:, :, 0].tolist() == [[2, 1, 0], [1, 0, 0]]


def test_order_of_events_does_not_matter(recordings: Recordings) -> None:
    events = [(30, 1, 2, 1), (5, 0, 0, 0), (12, 2, 1, 1)]
    code = Events(4, dt_us=10, height=3, width=3)(recordings(events, events[::-1]))
    assert code.values[:, 0].tolist() == code.values[:, 1].tolist()


def test_events_before_zero_are_dropped(recordings: Recordings) -> None:
    assert Events(2, dt_us=10, height=1, width=1)(recordings([(-1, 0, 0, 0)])).values.sum() == 0


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ((0, 3, 0, 0), r"x=3, outside 0\.\.2"),
        ((0, 0, 2, 0), r"y=2, outside 0\.\.1"),
        ((0, 0, 0, -1), r"p=-1, outside 0\.\.1"),
        ((999_999, 3, 0, 0), r"x=3, outside 0\.\.2"),
    ],
)
def test_events_outside_the_sensor(
    recordings: Recordings, event: tuple[int, int, int, int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Events(2, dt_us=10, height=2, width=3)(recordings([event]))


@pytest.mark.parametrize("name", ["dt_us", "height", "width", "polarities"])
def test_ranges(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be a whole number of at least 1"):
        Events(**{name: 0})


def test_equals_tonic_on_real_recordings(nmnist_files: list[Path]) -> None:
    # Tonic is GPL; only the test needs it
    from tonic.datasets import NMNIST
    from tonic.io import read_mnist_file
    from tonic.transforms import ToFrame

    values = np.empty(len(nmnist_files), dtype=object)
    for row, path in enumerate(nmnist_files):
        values[row] = read_mnist_file(str(path), dtype=NMNIST.dtype)
    samples = Samples(values, np.arange(len(values)), np.arange(len(values)), "events", len(values))
    for n_steps, dt_us in ((10, 10_000), (7, 3_333), (40, 10_000)):
        to_frame = ToFrame(NMNIST.sensor_size, time_window=dt_us, start_time=0, end_time=n_steps * dt_us)
        code = Events(n_steps, dt_us)(samples)
        assert int(code.values.sum()) > 1000
        for row, events in enumerate(values):
            expected = to_frame(events)
            assert expected.shape == (n_steps, *code.layout)
            assert np.array_equal(code.values[:, row].numpy(), expected.reshape(n_steps, -1))
