"""Event recordings in fixed time windows."""

from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.protocol import require_kind
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders


@encoders.register("events")
@dataclass(frozen=True)
class Events:
    """Counts of a sensor's events per pixel, polarity and time window of fixed width.

    ``step = (t - start) // dt_us``; events before the start or after the last window are dropped. A
    step means the same time in every recording, so decision times can be compared.

    Attributes:
        n_steps: number of time steps T.
        dt_us: width of a window in microseconds. The default 10 windows of 10 ms lie within
            N-MNIST's first saccade (105 ms).
        height: rows of the sensor (34: N-MNIST).
        width: columns of the sensor.
        polarities: number of polarities; an event's p lies in ``[0, polarities)``.
        align_first: False: windows start at t = 0; True: at each recording's first event.

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

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        for name in ("dt_us", "height", "width", "polarities"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} must be a whole number of at least 1, got {value!r}")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode events as counts of layout ``(polarities, height, width)``; ``seed`` is not used.

        Raises:
            InputError: the samples are no events, or an event lies outside the sensor.
        """
        require_kind(samples, "events", "events")
        layout = (self.polarities, self.height, self.width)
        n_channels = self.polarities * self.height * self.width
        counts = np.zeros((self.n_steps, len(samples), n_channels), np.int32)
        # One recording at a time: one bincount over a whole batch would need 8 bytes per cell.
        for row, events in enumerate(samples.values):
            cells = self._cells(events, int(samples.ids[row]))
            binned = np.bincount(cells, minlength=self.n_steps * n_channels)
            counts[:, row] = binned.reshape(self.n_steps, n_channels)
        return Frames(torch.from_numpy(counts), layout)

    def _cells(self, events: np.ndarray, sample_id: int) -> np.ndarray:
        """Return the flat index (step, polarity, row, column) of every event within the T windows."""
        t, x, y, p = (events[name].astype(np.int64) for name in ("t", "x", "y", "p"))
        for name, value, size in (("x", x, self.width), ("y", y, self.height), ("p", p, self.polarities)):
            outside = (value < 0) | (value >= size)
            if outside.any():
                raise InputError(
                    f"sample {sample_id} has an event at {name}={value[outside][0]}, outside 0..{size - 1}; "
                    f"set the encoder's height, width and polarities to the sensor's "
                    f"(now {self.height}, {self.width}, {self.polarities})"
                )
        start = t.min(initial=np.iinfo(np.int64).max) if self.align_first else 0
        step = (t - start) // self.dt_us
        within = (step >= 0) & (step < self.n_steps)
        cells = ((step * self.polarities + p) * self.height + y) * self.width + x
        return cells[within]
