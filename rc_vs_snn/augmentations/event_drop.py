"""Random loss of events."""

from dataclasses import dataclass

import numpy as np

from rc_vs_snn.augmentations.recordings import check_range, each_recording
from rc_vs_snn.contracts import Samples
from rc_vs_snn.registry import augmentations


@augmentations.register("event-drop")
@dataclass(frozen=True)
class EventDrop:
    """Drop each event with a probability that is drawn for its recording.

    Attributes:
        most: largest probability, in [0, 1]; each recording's is uniform in [0, most].

    Raises:
        InputError: a field out of range, or samples that are no events.

    Source: Gu et al. 2021, "EventDrop: data augmentation for event-based learning", IJCAI.
    """

    most: float = 0.3

    def __post_init__(self) -> None:
        check_range(self.most, "most", 1)

    def __call__(self, samples: Samples, generator: np.random.Generator) -> Samples:
        """Return samples with fewer events."""

        def thinned(events: np.ndarray) -> np.ndarray:
            return events[generator.random(len(events)) >= generator.uniform(0, self.most)]

        return each_recording(samples, "event-drop", thinned)
