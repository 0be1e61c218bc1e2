"""Any recordings at all: counted as a dictionary counts them, or refused; nothing else happens."""

import math
import re
import warnings
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import Events
from rc_vs_snn.encoders import event_losses as module
from rc_vs_snn.errors import InputError

N_EXAMPLES = 800
MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000}
TYPES = {
    "t": ("i8", "u8", "i4", "f8", "f4"),
    "x": ("i8", "u1", "i2", "f8", "f4"),
    "y": ("i8", "u2", "i1", "f8"),
    "p": ("i8", "i1", "?", "u1", "f4"),
}
NO_TIMES = (math.nan, math.inf, -math.inf, 1e30, 2**63, -(2**62))
NO_PLACES = (-1, -2, 4, 200, 0.5, math.nan, math.inf)


def rarely(draw: Any) -> bool:
    return draw(st.integers(0, 59)) == 41  # hypothesis loves the ends of a range


@st.composite
def recordings(draw: Any, unit: str, sizes: dict[str, int]) -> np.ndarray:
    """One recording: fields in any order and of any type, most values possible, some not."""
    names = [name for name in "txyp" if not (rarely(draw) or (sizes.get(name) == 1 and draw(st.booleans())))]
    names = draw(st.permutations(names))
    types = {name: draw(st.sampled_from(TYPES[name])) for name in names}
    events = np.zeros(draw(st.integers(0, 6)), [(name, types[name]) for name in names])
    signed = draw(st.booleans())  # polarities -1 and 1
    offset = draw(st.sampled_from([0, 0, 0, 1_000, 2**40]))
    for name in names:
        for row in range(len(events)):
            value: Any
            if name == "t":
                value = draw(st.integers(-3, 60)) + offset
                if types[name] != "f8" or draw(st.booleans()):
                    value = value / MICROSECONDS[unit] if types[name][0] == "f" else value
                else:
                    value = value + draw(st.sampled_from([0.25, 0.5, 0.75, 19.5]))
            else:
                value = draw(st.integers(0, sizes[name] - 1))
                value = 2 * value - 1 if name == "p" and signed and sizes["p"] == 2 else value
            if draw(st.integers(0, 399)) == 41:
                value = draw(st.sampled_from(NO_TIMES if name == "t" else NO_PLACES))
            with np.errstate(all="ignore"):
                try:
                    events[name][row] = value
                except (OverflowError, ValueError):  # a value that the type cannot hold is not in the file
                    events[name][row] = 0
    return events


@st.composite
def cases(draw: Any) -> tuple[Events, list[np.ndarray]]:
    sizes = {"x": draw(st.integers(1, 4)), "y": draw(st.integers(1, 3)), "p": draw(st.integers(1, 3))}
    unit = draw(st.sampled_from(["us", "us", "ms", "s"]))
    encoder = Events(
        n_steps=draw(st.integers(1, 4)),
        dt_us=draw(st.sampled_from([1, 7, 20, 20_000])),
        height=sizes["y"],
        width=sizes["x"],
        polarities=sizes["p"],
        align_first=draw(st.booleans()),
        time_unit=unit,
    )
    return encoder, draw(st.lists(recordings(unit, sizes), min_size=1, max_size=4))


def counted(encoder: Events, given: list[np.ndarray]) -> tuple[Counter, list[int]] | None:
    """Count every event by (step, recording, channel), in exact numbers; None: something is impossible."""
    counts: Counter = Counter()
    dropped, stamps = [], []
    sizes = {"x": encoder.width, "y": encoder.height, "p": encoder.polarities}
    for row, events in enumerate(given):
        names = events.dtype.names
        if "t" not in names or "x" not in names:
            return None
        if any(name not in names and size > 1 for name, size in sizes.items()):
            return None
        listed = [{name: event[name].item() for name in names} for event in events]
        if not all(math.isfinite(event["t"]) and abs(event["t"]) < 2**61 / 10**6 for event in listed):
            return None
        stamps += [Fraction(event["t"]) for event in listed]
        times = [round(Fraction(event["t"]) * MICROSECONDS[encoder.time_unit]) for event in listed]
        start = min(times, default=0) if encoder.align_first else 0
        dropped.append(0)
        two_signs = sizes["p"] == 2 and "p" in names and 0 not in {event["p"] for event in listed}
        for event, time in zip(listed, times, strict=True):
            channel = 0
            for name in "pyx":
                place = event[name] if name in names and not (name == "p" and sizes["p"] == 1) else 0
                place = 0 if name == "p" and two_signs and place == -1 else place
                if place not in range(sizes[name]):
                    return None
                channel = channel * sizes[name] + int(place)
            step = (time - start) // encoder.dt_us
            if 0 <= step < encoder.n_steps:
                counts[step, row, channel] += 1
            else:
                dropped[-1] += 1
    if stamps and sum(dropped) == len(stamps):
        return None
    span = max(stamps, default=Fraction()) - min(stamps, default=Fraction())
    if encoder.time_unit == "us" and encoder.n_steps > 1 and 0 < span < encoder.dt_us:
        return None if any(stamp.denominator > 1 for stamp in stamps) else (counts, dropped)
    return counts, dropped


@settings(max_examples=N_EXAMPLES)
@given(cases())
def test_any_recordings_are_counted_or_refused(case: tuple[Events, list[np.ndarray]]) -> None:
    encoder, listed = case
    before = [events.copy() for events in listed]
    expected = counted(encoder, listed)
    module._warn_once.cache_clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if expected is None:
            with pytest.raises(InputError, match=r"\A.+\Z"):  # one line
                encoder(Samples(listed, [0] * len(listed), range(len(listed)), "events", 1))
            return
        samples = Samples(listed, [0] * len(listed), range(len(listed)), "events", 1)
        code = encoder(samples).values.numpy()
    counts, dropped = expected
    places = [tuple(place.tolist()) for place in np.argwhere(code)]
    assert {place: int(code[place]) for place in places} == counts
    assert encoder.dropped(samples).sum(axis=1).tolist() == dropped
    told = [re.match(r"([\d,]+) of ([\d,]+) events", str(entry.message)) for entry in caught]
    stated = [tuple(int(number.replace(",", "")) for number in match.groups()) for match in told if match]
    total = sum(map(len, listed))
    assert stated == (
        [(sum(dropped), total)] if sum(dropped) > 0.01 * total else []
    )  # of so few, one is more
    assert all(entry.category is UserWarning for entry in caught)
    assert all((a == b).all() for a, b in zip(before, listed, strict=True))
