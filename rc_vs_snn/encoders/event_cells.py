"""Where a recording's events lie: in which time window, and where on the sensor."""

from typing import Literal

import numpy as np

from rc_vs_snn.contracts import Samples
from rc_vs_snn.errors import InputError

TimeUnit = Literal["us", "ms", "s"]
Shape = tuple[int, int, int]

MICROSECONDS: dict[str, int] = {"us": 1, "ms": 1_000, "s": 1_000_000}
_LATEST_US = 2**61  # so that the difference of two times fits in 64 bits
_OPTIONS = ("polarities", "height", "width")


def sensor_shape(samples: Samples, given: tuple[int | None, ...]) -> tuple[Shape, bool]:
    """Return a sensor's (polarities, height, width), and whether it has but one dimension.

    Args:
        samples: events, whose sensor may tell its layout.
        given: polarities, height and width as the encoder was told; None: it was not.

    Raises:
        InputError: neither tells a size, or the two do not agree.
    """
    told = samples.sensor.layout
    if told is None:
        missing = [name for name, size in zip(_OPTIONS, given, strict=True) if size is None]
        if missing:
            raise InputError(
                f"these samples do not tell their sensor's size; set the encoder's {', '.join(missing)}, or "
                "give the samples sensor=Sensor(layout=(polarities, height, width))"
            )
        return given, False  # type: ignore[return-value]
    if len(told) not in (2, 3):
        raise InputError(
            "the layout of a sensor of events is (polarities, height, width), or (polarities, channels) of "
            f"one dimension, got {told}"
        )
    shape: Shape = (told[0], told[1] if len(told) == 3 else 1, told[-1])
    for name, size, own in zip(_OPTIONS, given, shape, strict=True):
        if size not in (None, own):
            raise InputError(
                f"the encoder's {name}={size}, but the samples' sensor has {own} (layout {told}); leave the "
                "option out, as the samples tell it"
            )
    return shape, len(told) == 2


def windows(events: np.ndarray, dt_us: int, unit: TimeUnit, align_first: bool, sample_id: int) -> np.ndarray:
    """Return the time window of every event, also below 0 and above the last, int64.

    Args:
        events: one recording.
        dt_us: width of a window, microseconds.
        unit: of the times.
        align_first: whether windows start at the first event, not at 0.
        sample_id: names the recording in an error.

    Raises:
        InputError: a time that is not finite, or larger than 64 bits hold.
    """
    times, factor = events["t"], MICROSECONDS[unit]
    if not len(times):
        return np.zeros(0, np.int64)
    latest = max(abs(times.min().item()), abs(times.max().item()))  # NaN if there is one
    if not latest <= _LATEST_US // factor:
        row = int(np.argmax(~(np.abs(times.astype(np.float64)) <= _LATEST_US // factor)))
        raise InputError(
            f"sample {sample_id} has an event at t={times[row]}, which is no time in {unit}; "
            "clean the data, or set the encoder's time_unit"
        )
    if times.dtype.kind == "f":
        times = np.rint(times.astype(np.float64) * factor).astype(np.int64)
    else:
        times = times.astype(np.int64)
        times *= factor
    if align_first:
        times -= times.min()
    return times // dt_us


def places(events: np.ndarray, name: str, shape: Shape, sample_id: int) -> np.ndarray | int:
    """Return every event's index along one axis of the sensor; 0 for all where there is no such axis.

    Args:
        events: one recording.
        name: "p", "y" or "x".
        shape: (polarities, height, width).
        sample_id: names the recording in an error.

    Raises:
        InputError: the field is missing, or a place is not whole or outside the sensor.
    """
    axis = "pyx".index(name)
    size = shape[axis]
    is_there = name in (events.dtype.names or ())
    if size == 1 and (name == "p" or not is_there):
        return 0
    if not is_there:
        raise InputError(
            f"sample {sample_id} has no field {name}; for a sensor without it, set the encoder's "
            f"{_OPTIONS[axis]}=1"
        )
    place = events[name]
    if not len(place):
        return 0
    if name == "p" and size == 2 and (place == -1).any() and not (place == 0).any():
        place = np.where(place == -1, 0, place)
    is_whole = place.dtype.kind != "f" or bool((place == np.rint(place)).all())  # NaN is not
    if not is_whole or place.min() < 0 or place.max() >= size:
        row = int(np.argmax(~np.isin(place, np.arange(size))))
        raise InputError(
            f"sample {sample_id} has an event at {name}={events[name][row]}, which is none of "
            f"0..{size - 1}; set the encoder's height, width and polarities to the sensor's "
            f"(now {shape[1]}, {shape[2]}, {shape[0]})"
        )
    return place.astype(np.int64)
