"""Random places of events."""

from dataclasses import dataclass

import numpy as np

from rc_vs_snn.augmentations.recordings import each_recording
from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import augmentations


@augmentations.register("event-shift")
@dataclass(frozen=True)
class EventShift:
    """Shift each recording over the sensor; events that leave it are dropped.

    Attributes:
        pixels: largest shift along x, and along y where the sensor has rows; uniform either way.

    Raises:
        InputError: a shift that is no whole number, or samples that are no events or do not tell their
            sensor.
    """

    pixels: int = 2

    def __post_init__(self) -> None:
        check_whole(self.pixels, "pixels", 0)

    def __call__(self, samples: Samples, generator: np.random.Generator) -> Samples:
        """Return samples at other places."""
        layout = samples.sensor.layout
        if layout is None and samples.kind == "events":
            raise InputError(
                "augmentation 'event-shift' needs the sensor's size; give the samples "
                "sensor=Sensor(layout=(polarities, height, width))"
            )

        def shifted(events: np.ndarray) -> np.ndarray:
            changed, inside = events.copy(), np.ones(len(events), np.bool_)
            for name, size in zip(("x", "y"), (layout or ())[:0:-1], strict=False):
                by = int(generator.integers(-self.pixels, self.pixels, endpoint=True))
                place = events[name].astype(np.int64) + by
                inside &= (place >= 0) & (place < size)
                changed[name] = np.where(inside, place, 0)
            return changed[inside]

        return each_recording(samples, "event-shift", shifted)
