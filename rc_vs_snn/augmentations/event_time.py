"""Random times of events."""

from dataclasses import dataclass

import numpy as np

from rc_vs_snn.augmentations.recordings import check_range, each_recording
from rc_vs_snn.contracts import Samples
from rc_vs_snn.registry import augmentations


@augmentations.register("event-time")
@dataclass(frozen=True)
class EventTime:
    """Move each recording in time, and each of its events by a little more.

    Events that are moved before t = 0 are dropped, as they lie before the first window.

    Attributes:
        shift_us: largest shift of a recording, in microseconds; uniform either way.
        jitter_us: standard deviation of an event's own shift.

    Raises:
        InputError: a field below 0, or samples that are no events.
    """

    shift_us: float = 5_000.0
    jitter_us: float = 1_000.0

    def __post_init__(self) -> None:
        check_range(self.shift_us, "shift_us")
        check_range(self.jitter_us, "jitter_us")

    def __call__(self, samples: Samples, generator: np.random.Generator) -> Samples:
        """Return samples with other times."""

        def moved(events: np.ndarray) -> np.ndarray:
            shift = generator.uniform(-self.shift_us, self.shift_us)
            times = events["t"] + shift + generator.normal(0, self.jitter_us, len(events))
            if events.dtype["t"].kind != "f":
                times = np.rint(times)
            changed = events.copy()[times >= 0]
            changed["t"] = times[times >= 0]
            return changed

        return each_recording(samples, "event-time", moved)
