import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rc_vs_snn.contracts import Samples, Sensor
from rc_vs_snn.decision.batch import run_to_decision
from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.decision.stream import Decider
from rc_vs_snn.encoders import Events
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import models

Recordings = Callable[..., Samples]


def one_recording(fields: dict[str, Any]) -> Samples:
    """Return one recording with these fields, in their order and of their types."""
    columns = {name: np.asarray(values) for name, values in fields.items()}
    events = np.empty(len(columns["t"]), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        events[name] = values
    return Samples([events], [0], [0], "events", 1)


def test_hand_worked_counts(recordings: Recordings) -> None:
    # (t, x, y, p) on a sensor of 2 rows and 3 columns, windows of 10 us
    samples = recordings([(0, 2, 1, 0), (9, 2, 1, 0), (10, 0, 0, 1), (29, 1, 0, 1), (30, 0, 0, 0)], [])
    with pytest.warns(UserWarning, match=r"1 of 5 events \(20\.0%\)"):  # that at 30 us
        code = Events(3, dt_us=10, height=2, width=3, polarities=2)(samples)
    assert code.layout == (2, 2, 3)
    dense = code.values.reshape(3, 2, 2, 2, 3)  # (step, sample, polarity, row, column)
    assert int(dense[0, 0, 0, 1, 2]) == 2
    assert int(dense[1, 0, 1, 0, 0]) == 1
    assert int(dense[2, 0, 1, 0, 1]) == 1
    assert int(dense.sum()) == 4
    assert int(dense[:, 1].sum()) == 0


def test_windows_can_start_at_the_first_event(recordings: Recordings) -> None:
    samples = recordings([(1005, 0, 0, 0), (1014, 0, 0, 0), (1015, 0, 0, 0)], [(7, 0, 0, 0)], [])
    code = Events(2, dt_us=10, height=1, width=1, polarities=1, align_first=True)(samples)
    assert code.values[:, :, 0].tolist() == [[2, 1, 0], [1, 0, 0]]


def test_order_of_events_does_not_matter(recordings: Recordings) -> None:
    events = [(30, 1, 2, 1), (5, 0, 0, 0), (12, 2, 1, 1)]
    code = Events(4, dt_us=10, height=3, width=3, polarities=2)(recordings(events, events[::-1]))
    assert code.values[:, 0].tolist() == code.values[:, 1].tolist()


def test_events_before_zero_are_dropped_and_told(recordings: Recordings) -> None:
    with pytest.warns(
        UserWarning, match=r"1 of 2 events \(50\.0%\) in 1 of 1 recordings .* 1 lie before and 0 "
    ):
        assert (
            Events(2, dt_us=10, height=1, width=1, polarities=2)(
                recordings([(-1, 0, 0, 0), (11, 0, 0, 0)])
            ).values.sum()
            == 1
        )


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ((0, 3, 0, 0), r"x=3, which is none of 0\.\.2"),
        ((0, 0, 2, 0), r"y=2, which is none of 0\.\.1"),
        ((0, 0, -1, 0), r"y=-1, which is none of 0\.\.1"),
        ((0, 0, 0, 2), r"p=2, which is none of 0\.\.1"),
        ((0, 0, 0, -2), r"p=-2, which is none of 0\.\.1"),
        ((0, 0, 0, -1), r"p=-1, which is none of 0\.\.1"),  # beside an event at p=0
    ],
)
def test_events_outside_the_sensor(
    recordings: Recordings, event: tuple[int, int, int, int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Events(2, dt_us=10, height=2, width=3, polarities=2)(recordings([event, (11, 0, 0, 0)]))


@pytest.mark.parametrize("name", ["dt_us", "height", "width", "polarities", "pool", "most"])
def test_ranges(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be a whole number of at least 1"):
        Events(**{name: 0})
    assert getattr(Events(**{name: np.int64(3)}), name) == 3


def test_a_misspelt_unit_says_which_exist() -> None:
    with pytest.raises(InputError, match=r"there is no time_unit 'sec'; .*allowed: ms, s, us"):
        Events(time_unit="sec")  # type: ignore[arg-type]


def test_what_is_lost_is_counted_over_the_whole_set_and_said_once(recordings: Recordings) -> None:
    # windows from 0 to 20 us: the first recording loses 1 of 2, the second all, the third is empty
    samples = recordings([(5, 0, 0, 0), (20, 0, 0, 0)], [(99, 0, 0, 0)], [], [(7, 0, 0, 0), (19, 0, 0, 0)])
    encoder = Events(2, dt_us=10, height=1, width=1, polarities=2)
    assert encoder.dropped(samples).tolist() == [[0, 1], [0, 1], [0, 0], [0, 0]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoder(samples.select([3]))  # of which nothing is lost
        encoder(samples.select([0, 1]))
        encoder(samples)
    assert [str(entry.message) for entry in caught] == [
        "2 of 5 events (40.0%) in 2 of 4 recordings are dropped: 0 lie before and 2 after the 2 windows of "
        "10 us; nothing is left of 1 recordings (first: sample 1); there is no event at all in 1 recordings "
        "(first: sample 2); to keep more, raise the encoder's n_steps or dt_us, set align_first=true where "
        "clocks do not start at 0, or time_unit where times are not in us"
    ]


def test_a_share_of_one_percent_is_not_worth_a_warning(recordings: Recordings) -> None:
    hundred = recordings([(step, 0, 0, 0) for step in range(1, 101)])  # the last, at 100 us, is lost
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert int(Events(10, dt_us=10, height=1, width=1, polarities=2)(hundred).values.sum()) == 99


def test_a_set_of_which_nothing_is_left_is_refused(recordings: Recordings) -> None:
    other_clock = recordings([(10**9, 0, 0, 0), (10**9 + 15, 0, 0, 0)], [(10**9 + 5, 0, 0, 0)])
    with pytest.raises(InputError, match=r"3 of 3 events \(100\.0%\) in 2 of 2 .*align_first=true"):
        Events(2, dt_us=10, height=1, width=1, polarities=2)(other_clock.select([0]))
    code = Events(2, dt_us=10, height=1, width=1, align_first=True, polarities=2)(other_clock)
    assert code.values.sum(2).tolist() == [[1, 1], [1, 0]]


def test_silence_is_a_code(recordings: Recordings) -> None:
    assert Events(2, dt_us=10, height=1, width=1, polarities=2)(recordings([], [])).values.sum() == 0


@pytest.mark.parametrize(
    ("unit", "times"), [("s", [0.0, 0.29, 0.3]), ("ms", [0, 290, 300]), ("us", [0, 290_000, 3e5])]
)
def test_times_in_another_unit(unit: str, times: list[float]) -> None:
    # 0.29 s are 289,999.99999999994 us in floating point: to the nearest microsecond, and into window 29
    samples = one_recording({"t": times, "x": [0, 0, 0]})
    code = Events(31, height=1, width=1, polarities=1, time_unit=unit)(samples)  # type: ignore[arg-type]
    assert np.flatnonzero(code.values[:, 0, 0]).tolist() == [0, 29, 30]


def test_seconds_without_their_unit_are_refused() -> None:
    samples = one_recording({"t": [0.0, 0.29, 0.3], "x": [0, 0, 0]})
    with pytest.raises(InputError, match=r"within 0\.3 us, less than one window .*time_unit='s'"):
        Events(31, height=1, width=1, polarities=1)(samples)
    with pytest.warns(UserWarning, match="within 300 us, less than one window of 10,000 us; lower"):
        Events(31, height=1, width=1, polarities=1)(one_recording({"t": [0, 290, 300], "x": [0, 0, 0]}))


def test_a_sensor_of_one_dimension_as_of_tonics_spoken_digits() -> None:
    fields = {"t": np.array([0, 15, 15]), "x": np.array([2, 0, 0]), "p": np.array([1, 1, 1])}
    code = Events(2, dt_us=10, height=1, width=3, polarities=1)(one_recording(fields))
    assert code.layout == (1, 1, 3)
    assert code.values[:, 0].tolist() == [[0, 0, 1], [2, 0, 0]]
    with pytest.raises(InputError, match=r"sample 0 has no field y; .* set the encoder's height=1"):
        Events(2, dt_us=10, height=2, width=3, polarities=2)(one_recording(fields))
    del fields["p"]
    with pytest.raises(InputError, match=r"sample 0 has no field p; .* set the encoder's polarities=1"):
        Events(2, dt_us=10, height=1, width=3, polarities=2)(one_recording(fields))


@pytest.mark.parametrize("polarity", [[0, 1, 1], [-1, 1, 1], [False, True, True], [-1.0, 1.0, 1.0]])
def test_two_polarities_in_each_of_their_forms(polarity: list[float]) -> None:
    samples = one_recording(
        {"p": polarity, "x": [0, 0, 0], "t": [1, 2, 15]}
    )  # and in another order of fields
    code = Events(2, dt_us=10, height=1, width=1, polarities=2)(samples)
    assert code.values[:, 0].tolist() == [[1, 1], [0, 1]]


def test_another_negative_polarity_beside_minus_one_is_refused() -> None:
    samples = one_recording({"p": [-1, -2, 1], "x": [0, 0, 0], "t": [1, 2, 15]})
    with pytest.raises(InputError, match="p=-2, which is none of"):
        Events(2, dt_us=10, height=1, width=1, polarities=2)(samples)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("t", np.nan, "t=nan, which is no time in us"),
        ("t", np.inf, "t=inf, which is no time"),
        ("t", -np.inf, "t=-inf, which is no time"),
        ("t", np.uint64(2**63 + 5), "t=9223372036854775813, which is no time"),
        ("x", 0.5, r"x=0\.5, which is none of 0\.\.2"),
        ("x", np.nan, "x=nan, which is none of"),
        ("y", 1.9, r"y=1\.9, which is none of 0\.\.1"),
        ("p", 0.7, r"p=0\.7, which is none of 0\.\.1"),
    ],
)
def test_an_impossible_value_is_refused(name: str, value: float, message: str) -> None:
    fields = {"t": np.array([0, 15]), "x": np.array([0, 1]), "y": np.array([0, 1]), "p": np.array([0, 1])}
    fields[name] = np.array([value, fields[name][1]], dtype=type(value))
    with pytest.raises(InputError, match=message):
        Events(2, dt_us=10, height=2, width=3, polarities=2)(one_recording(fields))


@pytest.mark.filterwarnings("ignore:.* events .* are dropped")  # two saccades of three
def test_equals_tonic_on_real_recordings(nmnist_files: list[Path]) -> None:
    # Tonic is GPL; only the test needs it
    from tonic.datasets import NMNIST
    from tonic.io import read_mnist_file
    from tonic.transforms import ToFrame

    values = np.empty(len(nmnist_files), dtype=object)
    for row, path in enumerate(nmnist_files):
        values[row] = read_mnist_file(str(path), dtype=NMNIST.dtype)
    ids = np.arange(len(values))
    samples = Samples(values, ids, ids, "events", len(values), Sensor(layout=(2, 34, 34)))
    for n_steps, dt_us in ((10, 10_000), (7, 3_333), (40, 10_000)):
        to_frame = ToFrame(NMNIST.sensor_size, time_window=dt_us, start_time=0, end_time=n_steps * dt_us)
        code = Events(n_steps, dt_us)(samples)
        assert int(code.values.sum()) > 1000
        for row, events in enumerate(values):
            expected = to_frame(events)
            assert expected.shape == (n_steps, *code.layout)
            assert np.array_equal(code.values[:, row].numpy(), expected.reshape(n_steps, -1))


def at(layout: tuple[int, ...] | None, *given: list[tuple[int, int, int, int]]) -> Samples:
    """Return recordings (t, x, y, p) of a sensor."""
    values = []
    for events in given:
        values.append(np.zeros(len(events), [(name, np.int64) for name in "txyp"]))
        for row, event in enumerate(events):
            values[-1][row] = event
    ids = list(range(len(given)))
    return Samples(values, [0] * len(given), ids, "events", 1, Sensor(layout=layout))


def test_the_sensor_tells_its_size() -> None:
    samples = at((2, 3, 4), [(0, 3, 2, 1)])
    code = Events(2, dt_us=10)(samples)
    assert code.layout == (2, 3, 4)
    assert np.flatnonzero(code.values[0, 0]).tolist() == [23]
    assert Events(2, dt_us=10, height=3, width=4, polarities=2)(samples).layout == (2, 3, 4)
    with pytest.raises(InputError, match=r"width=5, but the samples' sensor has 4 .*leave the option out"):
        Events(2, width=5)(samples)
    with pytest.raises(
        InputError, match=r"do not tell .*set the encoder's height, width, or .*sensor=Sensor"
    ):
        Events(2, polarities=2)(at(None, [(0, 3, 2, 1)]))
    with pytest.raises(InputError, match=r"layout of a sensor of events is \(polarities, height, width\)"):
        Events(2)(at((2, 2, 3, 4), [(0, 0, 0, 0)]))


def test_a_sensor_of_one_dimension_tells_its_size() -> None:
    samples = at((2, 5), [(0, 4, 0, 1), (15, 1, 0, 0)])
    code = Events(2, dt_us=10)(samples)
    assert code.layout == (2, 5)
    assert [np.flatnonzero(step[0]).tolist() for step in code.values] == [[9], [1]]
    assert Events(2, dt_us=10, pool=2)(samples).layout == (2, 3)


def test_pooling_sums_squares_and_saturation_clips_the_sums() -> None:
    # 3 rows and 5 columns in squares of 2: 2 rows and 3 columns, the last ones narrower
    events = [(0, 0, 0, 0), (1, 1, 1, 0), (2, 1, 0, 0), (3, 4, 2, 0), (4, 2, 1, 0), (12, 3, 2, 0)]
    samples = at((1, 3, 5), events)
    code = Events(2, dt_us=10, pool=2)(samples)
    assert code.layout == (1, 2, 3)
    assert code.values[:, 0].tolist() == [[3, 1, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0]]
    clipped = [[2, 1, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0]]
    assert Events(2, dt_us=10, pool=2, most=2)(samples).values[:, 0].tolist() == clipped
    assert int(Events(2, dt_us=10, pool=2, most=1)(samples).values.max()) == 1


def test_steps_last_as_long_as_their_windows() -> None:
    assert Events(2, dt_us=2_500)(at((1, 1, 1), [(0, 0, 0, 0), (4_000, 0, 0, 0)])).step_ms == 2.5


def test_own_lengths_end_with_the_last_event() -> None:
    samples = at((1, 1, 1), [(0, 0, 0, 0), (19, 0, 0, 0)], [], [(5, 0, 0, 0)], [(0, 0, 0, 0), (29, 0, 0, 0)])
    assert Events(3, dt_us=10)(samples).lengths is None
    assert Events(3, dt_us=10, own_length=True)(samples).lengths.tolist() == [2, 1, 1, 3]
    with pytest.warns(UserWarning, match="1 of 5 events"):  # a recording that lasts longer is cut at T
        assert Events(2, dt_us=10, own_length=True)(samples).lengths.tolist() == [2, 1, 1, 2]


def test_a_set_that_is_read_batch_by_batch_is_judged_by_its_first_recordings() -> None:
    """One recording outside the windows says nothing about the set, wherever it is met."""
    listed = at((1, 1, 1), *[[(0, 0, 0, 0), (15, 0, 0, 0)]] * 30, [(10**6, 0, 0, 0)]).values.tolist()

    class Disk:
        def __len__(self) -> int:
            return len(listed)

        def __getitem__(self, row: int) -> np.ndarray:
            return listed[row]

    samples = Samples(Disk(), [0] * 31, range(31), "events", 1, Sensor(layout=(1, 1, 1)))
    with pytest.warns(UserWarning, match=r"1 of 61 events \(1\.6%\) in 1 of 31 recordings"):
        assert int(Events(2, dt_us=10)(samples.select([30])).values.sum()) == 0


@pytest.mark.parametrize("options", [{}, {"own_length": True}, {"pool": 2, "most": 1}])
@pytest.mark.parametrize("name", ["rc-lstm", "rank-snn"])
def test_pushes_without_frames_decide_as_the_batch_does(options: dict[str, Any], name: str) -> None:
    rng = np.random.default_rng(3)
    given = []
    for count in (40, 0, 7, 90, 25):
        t, p = np.sort(rng.integers(0, 60, count)), rng.integers(0, 2, count)
        given.append(list(zip(t, *rng.integers(0, 5, (2, count)), p, strict=True)))
    samples, encoder = at((2, 5, 5), *given), Events(6, dt_us=10, **options)
    code = encoder(samples)
    torch.manual_seed(0)
    model = models.build(name, {"hidden": 16}, layout=code.layout, n_classes=3).eval()
    rule = FirstSpike(0.4 if name == "rc-lstm" else 0.6)
    batch = run_to_decision(model, code, rule).decision()
    decider = Decider(model, rule, 6)
    seen = set()
    for row, steps in enumerate(encoder.pushes(samples)):
        decider.reset()
        answers = (decider.push(channels, counts) for channels, counts in steps)
        decided = next((answer for answer in answers if answer is not None), None) or decider.finish()
        assert (decided.label, decided.step, decided.decided) == (
            batch.label[row], batch.step[row], batch.decided[row],
        )  # fmt: skip
        assert decided.evidence == batch.evidence[row]
        seen.add(decided.step)
    assert len(seen) > 1
