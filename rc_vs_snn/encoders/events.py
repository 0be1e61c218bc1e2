"""Event recordings in fixed time windows."""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args
from weakref import WeakKeyDictionary

import numpy as np
import torch

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples, Unread
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.protocol import require_kind
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry import encoders

TimeUnit = Literal["us", "ms", "s"]

SHARE_TOLD = 0.01
"""The share of lost events, or of recordings of which nothing is left, above which a warning says so."""

_MICROSECONDS: dict[str, int] = {"us": 1, "ms": 1_000, "s": 1_000_000}
_LATEST_US = 2**61  # so that the difference of two times fits in 64 bits
_OPTION_OF = {"x": "width", "y": "height", "p": "polarities"}


@encoders.register("events")
@dataclass(frozen=True)
class Events:
    """Counts of a sensor's events per pixel, polarity and time window of fixed width.

    ``step = (t - start) // dt_us``; events before the start or after the last window are dropped. A
    step means the same time in every recording, so decision times can be compared. Times that are no
    whole numbers are taken to the nearest microsecond; the order of events has no meaning.

    How much of a set of samples is dropped is counted when the first of it is encoded: more than 1 %
    is said in a warning, everything is an error. A single recording may well be empty.

    Attributes:
        n_steps: number of time steps T.
        dt_us: width of a window in microseconds. The default 10 windows of 10 ms lie within
            N-MNIST's first saccade (105 ms).
        height: rows of the sensor (34: N-MNIST). 1: a one-dimensional sensor; y may then be absent.
        width: columns of the sensor.
        polarities: number of polarities; an event's p lies in ``[0, polarities)``. Of 2, p may be
            Boolean, or -1 and 1. 1: p is not looked at and may be absent.
        align_first: False: windows start at t = 0; True: at each recording's first event.
        time_unit: unit of t, "us", "ms" or "s".

    Raises:
        InputError: a field out of range.

    Source: equal to Tonic's ``ToFrame(time_window=dt, start_time=0, end_time=T*dt)``. We depart from
    its more common ``n_time_bins=T``, which stretches every recording to T windows of its own width.
    """

    n_steps: int = 10
    dt_us: int = 10_000
    height: int = 34
    width: int = 34
    polarities: int = 2
    align_first: bool = False
    time_unit: TimeUnit = "us"

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        for name in ("dt_us", "height", "width", "polarities"):
            check_whole(getattr(self, name), name, 1)
        if self.time_unit not in get_args(TimeUnit):
            hint = did_you_mean(str(self.time_unit), get_args(TimeUnit))
            raise InputError(f"there is no time_unit {self.time_unit!r}; {hint}")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode events as counts of layout ``(polarities, height, width)``; ``seed`` is not used.

        Raises:
            InputError: the samples are no events; none of the events of the set they were selected from
                lies within the windows; its times look like seconds (fractions, all within one window); or an
                event is impossible: its time is not finite, or its place is not whole or outside the sensor.
        """
        samples = require_kind(samples, "events", "events")
        self._examine(samples)
        layout = (self.polarities, self.height, self.width)
        n_channels = self.polarities * self.height * self.width
        counts = np.zeros((self.n_steps, len(samples), n_channels), np.int32)
        # One recording at a time: one bincount over a whole batch would need 8 bytes per cell.
        for row, events in enumerate(samples.values):
            cells = self._cells(events, int(samples.ids[row]))
            binned = np.bincount(cells, minlength=self.n_steps * n_channels)
            counts[:, row] = binned.reshape(self.n_steps, n_channels)
        return Frames(torch.from_numpy(counts), layout)

    def dropped(self, samples: Samples) -> np.ndarray:
        """Return how many events of each recording lie before and after the T windows, ``(N, 2)``.

        Raises:
            InputError: a time that is not finite, or larger than 64 bits hold.
        """
        counts = np.zeros((len(samples), 2), np.int64)
        for row, events in enumerate(samples.values):
            step = self._steps(events, int(samples.ids[row]))
            counts[row] = np.count_nonzero(step < 0), np.count_nonzero(step >= self.n_steps)
        return counts

    def _cells(self, events: np.ndarray, sample_id: int) -> np.ndarray:
        """Return the flat index (step, polarity, row, column) of every event within the T windows."""
        step = self._steps(events, sample_id)
        x, y, p = (self._places(events, name, sample_id) for name in ("x", "y", "p"))
        within = (step >= 0) & (step < self.n_steps)
        cells = ((step * self.polarities + p) * self.height + y) * self.width + x
        return cells[within]

    def _steps(self, events: np.ndarray, sample_id: int) -> np.ndarray:
        """Return the window of every event, below 0 or from T on for those outside."""
        times, unit = events["t"], _MICROSECONDS[self.time_unit]
        if not len(times):
            return np.zeros(0, np.int64)
        latest = max(abs(times.min().item()), abs(times.max().item()))  # NaN if there is one
        if not latest <= _LATEST_US // unit:
            row = int(np.argmax(~(np.abs(times.astype(np.float64)) <= _LATEST_US // unit)))
            raise InputError(
                f"sample {sample_id} has an event at t={times[row]}, which is no time in {self.time_unit}; "
                "clean the data, or set the encoder's time_unit"
            )
        if times.dtype.kind == "f":
            times = np.rint(times.astype(np.float64) * unit).astype(np.int64)
        else:
            times = times.astype(np.int64)
            times *= unit
        if self.align_first:
            times -= times.min()
        return times // self.dt_us

    def _places(self, events: np.ndarray, name: str, sample_id: int) -> np.ndarray | int:
        """Return every event's index along one axis of the sensor; 0 for all where there is no such axis."""
        option = _OPTION_OF[name]
        size = getattr(self, option)
        is_there = name in (events.dtype.names or ())
        if size == 1 and (name == "p" or not is_there):
            return 0
        if not is_there:
            raise InputError(
                f"sample {sample_id} has no field {name}; for a sensor without it, set the encoder's "
                f"{option}=1"
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
                f"(now {self.height}, {self.width}, {self.polarities})"
            )
        return place.astype(np.int64)

    def _examine(self, samples: Samples) -> None:
        """Look once at all samples of a set: refuse what loses everything, warn about what loses much.

        Of a set that is read batch by batch, look at its first batch.
        """
        whole = samples.whole or samples
        seen = _EXAMINED.setdefault(whole, set())
        if self in seen:
            return
        if isinstance(whole.values, Unread):
            whole = samples
        sizes = np.array([len(events) for events in whole.values], np.int64)
        dropped = self.dropped(whole)
        self._check_span(whole)
        lost = dropped.sum(axis=1)
        silent = (lost == sizes) & (sizes > 0)
        total = sizes.sum()
        if lost.sum() > SHARE_TOLD * total or silent.sum() > SHARE_TOLD * len(whole):
            told = self._tell(whole, sizes, dropped, silent)
            if lost.sum() == total:
                raise InputError(told)
            _warn_once(told)
        seen.add(self)

    def _check_span(self, whole: Samples) -> None:
        """Refuse or warn about times that all lie within one window: they are in another unit."""
        times = [events["t"] for events in whole.values if len(events)]
        low = min((float(part.min()) for part in times), default=0)
        span = max((float(part.max()) for part in times), default=0) - low
        if self.n_steps == 1 or not 0 < span < self.dt_us / _MICROSECONDS[self.time_unit]:
            return
        told = f"all events lie within {span:g} {self.time_unit}, less than one window of {self.dt_us:,} us"
        if self.time_unit == "us" and any((part != np.rint(part)).any() for part in times):
            raise InputError(
                f"{told}, and their times are no whole numbers; set the encoder's time_unit='s' (or 'ms'), "
                "or round the times if they are in us"
            )
        _warn_once(f"{told}; lower the encoder's dt_us, or set its time_unit")

    def _tell(self, whole: Samples, sizes: np.ndarray, dropped: np.ndarray, silent: np.ndarray) -> str:
        total, (before, after) = int(sizes.sum()), dropped.sum(axis=0).tolist()
        message = (
            f"{before + after:,} of {total:,} events ({(before + after) / total:.1%}) in "
            f"{np.count_nonzero(dropped.sum(axis=1)):,} of {len(whole):,} recordings are dropped: {before:,} "
            f"lie before and {after:,} after the {self.n_steps} windows of {self.dt_us:,} us"
        )
        for what, rows in (("nothing is left of", silent), ("there is no event at all in", sizes == 0)):
            if rows.any():
                first = int(whole.ids[rows.argmax()])
                message += f"; {what} {rows.sum():,} recordings (first: sample {first})"
        return (
            f"{message}; to keep more, raise the encoder's n_steps or dt_us, set align_first=true where "
            f"clocks do not start at 0, or time_unit where times are not in {self.time_unit}"
        )


@lru_cache(maxsize=1024)
def _warn_once(text: str) -> None:
    # Every run of a comparison loads the set anew, and what Python remembers of warnings is often reset.
    warnings.warn(text, stacklevel=4)  # whoever calls the encoder


_EXAMINED: WeakKeyDictionary[Samples, set[Events]] = WeakKeyDictionary()
