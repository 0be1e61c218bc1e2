"""Event recordings in fixed time windows."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.event_cells import Shape, TimeUnit, places, sensor_shape, windows
from rc_vs_snn.encoders.event_losses import examine
from rc_vs_snn.encoders.protocol import require_kind
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry import encoders


@encoders.register("events")
@dataclass(frozen=True)
class Events:
    """Counts of a sensor's events per pixel, polarity and time window of fixed width.

    ``step = (t - start) // dt_us``; events before the start or after the last window are dropped. A
    step means the same time in every recording, so decision times can be compared, and are told in
    milliseconds, too. Times that are no whole numbers are taken to the nearest microsecond; the order
    of events has no meaning.

    How much of a set of samples is dropped is counted when the first of it is encoded: more than 1 %
    is said in a warning, everything is an error. A single recording may well be empty.

    Attributes:
        n_steps: number of time steps T.
        dt_us: width of a window in microseconds. The default 10 windows of 10 ms lie within
            N-MNIST's first saccade (105 ms).
        height: rows of the sensor. None: as the samples tell. 1: a one-dimensional sensor; y may then
            be absent.
        width: columns of the sensor, or None.
        polarities: number of polarities, or None; an event's p lies in ``[0, polarities)``. Of 2, p may
            be Boolean, or -1 and 1. 1: p is not looked at and may be absent.
        align_first: False: windows start at t = 0; True: at each recording's first event.
        time_unit: unit of t, "us", "ms" or "s".
        pool: side of the squares of pixels (or number of neighbours, in one dimension) whose events are
            counted together. Where the sensor's sides are no multiple of it, the last are narrower.
        most: counts are clipped to it; 1: whether there was any event. None: not clipped.
        own_length: False: a recording lasts all T steps; True: to the window of its last event (T at
            most; one step if it has none), so what has ended is forced to be decided there.

    Raises:
        InputError: a field out of range.

    Source: equal to Tonic's ``ToFrame(time_window=dt, start_time=0, end_time=T*dt)``. We depart from
    its more common ``n_time_bins=T``, which stretches every recording to T windows of its own width.
    """

    n_steps: int = 10
    dt_us: int = 10_000
    height: int | None = None
    width: int | None = None
    polarities: int | None = None
    align_first: bool = False
    time_unit: TimeUnit = "us"
    pool: int = 1
    most: int | None = None
    own_length: bool = False

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        for name in ("dt_us", "height", "width", "polarities", "pool", "most"):
            if getattr(self, name) is not None or name in ("dt_us", "pool"):
                check_whole(getattr(self, name), name, 1)
        if self.time_unit not in get_args(TimeUnit):
            hint = did_you_mean(str(self.time_unit), get_args(TimeUnit))
            raise InputError(f"there is no time_unit {self.time_unit!r}; {hint}")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode events as counts; ``seed`` is not used.

        Returns:
            Counts of layout ``(polarities, height, width)``, or ``(polarities, channels)`` where the
            samples' sensor has one dimension, after pooling.

        Raises:
            InputError: the samples are no events; nobody tells the sensor's size; none of the events of the
                set they were selected from lies within the windows; its times look like seconds (fractions,
                all within one window); or an event is impossible: its time is not finite, or its place is not
                whole or outside the sensor.
        """
        samples, shape, is_flat = self._ready(samples)
        pooled = self._pooled(shape)
        n_channels = math.prod(pooled)
        few = self.most is not None and self.most <= 255
        counts = np.zeros((self.n_steps, len(samples), n_channels), np.uint8 if few else np.int32)
        lengths = np.full(len(samples), self.n_steps)
        # One recording at a time: one bincount over a whole batch would need 8 bytes per cell.
        for row, events in enumerate(samples.values):
            cells, lengths[row] = self._cells(events, shape, int(samples.ids[row]))
            binned = np.bincount(cells, minlength=self.n_steps * n_channels)
            if self.most is not None:
                np.minimum(binned, self.most, out=binned)
            counts[:, row] = binned.reshape(self.n_steps, n_channels)
        layout = (pooled[0], pooled[2]) if is_flat else pooled
        return Frames(
            torch.from_numpy(counts), layout, lengths=torch.from_numpy(lengths), step_ms=self.dt_us / 1_000
        )

    def pushes(self, samples: Samples) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
        """Yield, of each recording, what to push into a ``Decider`` at each of its steps, without frames.

        Yields:
            Channels ``(n,)``, ascending, and their counts ``(n,)``, for every step of a recording. One of
            its own length that is undecided after them is ended by ``Decider.finish``.

        Raises:
            InputError: as when they are encoded.
        """
        samples, shape, _ = self._ready(samples)
        n_channels = math.prod(self._pooled(shape))
        for row, events in enumerate(samples.values):
            cells, length = self._cells(events, shape, int(samples.ids[row]))
            found, counts = np.unique(cells, return_counts=True)
            if self.most is not None:
                counts = np.minimum(counts, self.most)
            bounds = np.searchsorted(found, np.arange(length + 1) * n_channels)
            yield [
                (found[low:high] - step * n_channels, counts[low:high])
                for step, (low, high) in enumerate(itertools.pairwise(bounds.tolist()))
            ]

    def dropped(self, samples: Samples) -> np.ndarray:
        """Return how many events of each recording lie before and after the T windows, ``(N, 2)``.

        Raises:
            InputError: a time that is not finite, or larger than 64 bits hold.
        """
        counts = np.zeros((len(samples), 2), np.int64)
        for row, events in enumerate(samples.read().values):
            step = self._steps(events, int(samples.ids[row]))
            counts[row] = np.count_nonzero(step < 0), np.count_nonzero(step >= self.n_steps)
        return counts

    def _ready(self, samples: Samples) -> tuple[Samples, Shape, bool]:
        """Return samples in memory, and their sensor's shape and whether it has but one dimension."""
        samples = require_kind(samples, "events", "events")
        shape, is_flat = sensor_shape(samples, (self.polarities, self.height, self.width))
        examine(self, samples)
        return samples, shape, is_flat

    def _pooled(self, shape: Shape) -> Shape:
        return shape[0], -(-shape[1] // self.pool), -(-shape[2] // self.pool)

    def _steps(self, events: np.ndarray, sample_id: int) -> np.ndarray:
        return windows(events, self.dt_us, self.time_unit, self.align_first, sample_id)

    def _cells(self, events: np.ndarray, shape: Shape, sample_id: int) -> tuple[np.ndarray, int]:
        """Return every event's flat index (step, polarity, row, column), if within T steps, and T_i."""
        step = self._steps(events, sample_id)
        x, y, p = (places(events, name, shape, sample_id) for name in ("x", "y", "p"))
        if self.pool > 1:
            x, y = x // self.pool, y // self.pool
        _, height, width = self._pooled(shape)
        within = (step >= 0) & (step < self.n_steps)
        cells = ((step * shape[0] + p) * height + y) * width + x
        length = min(int(step.max(initial=0)) + 1, self.n_steps) if self.own_length else self.n_steps
        return cells[within], length
