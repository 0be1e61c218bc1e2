"""What the augmentations of events share."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rc_vs_snn.contracts import Samples
from rc_vs_snn.errors import InputError


def each_recording(samples: Samples, name: str, change: Callable[[np.ndarray], np.ndarray]) -> Samples:
    """Return samples with every recording changed.

    Args:
        samples: events.
        name: the augmentation's.
        change: a recording to another one; the given one is left as it is.

    Raises:
        InputError: the samples are no events.
    """
    if samples.kind != "events":
        raise InputError(f"augmentation '{name}' takes events, got {samples.kind}; choose 'none'")
    values = np.empty(len(samples), dtype=object)
    for row, events in enumerate(samples.read().values):
        values[row] = change(events)
    return replace(samples, values=values)


def check_range(value: float, name: str, most: float = float("inf")) -> None:
    """Raise InputError unless a number lies in 0..most."""
    if not 0 <= value <= most:
        bound = "" if most == float("inf") else f" and at most {most:g}"
        raise InputError(f"{name} must be at least 0{bound}, got {value!r}")
