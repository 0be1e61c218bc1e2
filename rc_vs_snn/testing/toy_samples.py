"""Small samples of every kind, for encoders to be tried on."""

import numpy as np

from rc_vs_snn.contracts import SampleKind, Samples, Sensor

_EVENT = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])


def are_mixed(samples: Samples) -> bool:
    """Return whether samples are signals in memory that differ in length."""
    return samples.kind == "signals" and getattr(getattr(samples.values, "dtype", None), "kind", "") == "O"


def toy_samples(kind: SampleKind) -> list[Samples]:
    """Return small random sets of a kind, of six samples each."""
    rng = np.random.default_rng(0)
    labels, ids = np.arange(6) % 3, np.arange(6) * 7 + 11
    if kind == "images":
        images = rng.integers(0, 256, (6, 8, 8), dtype=np.uint8) * rng.integers(
            0, 2, (6, 8, 8), dtype=np.uint8
        )
        as_float = (images[:, None] / 255).astype(np.float32)
        return [Samples(images, labels, ids, kind, 3), Samples(as_float, labels, ids, kind, 3)]
    if kind == "signals":
        walks = rng.normal(size=(6, 128, 3)).cumsum(axis=1).astype(np.float32)
        mixed = np.empty(6, dtype=object)
        mixed[:] = [walk[:length] for walk, length in zip(walks, (40, 1, 128, 7, 100, 13), strict=True)]
        sensor = Sensor(rate_hz=8000.0)
        return [Samples(values, labels, ids, kind, 3, sensor) for values in (walks, mixed)]
    recordings = np.empty(6, dtype=object)
    for row, n_events in enumerate([50, 0, 1, 200, 80, 120]):
        events = np.zeros(n_events, _EVENT)
        for name, stop in (("x", 8), ("y", 8), ("p", 2), ("t", 100_000)):
            events[name] = rng.integers(0, stop, n_events)
        recordings[row] = np.sort(events, order="t")
    return [Samples(recordings, labels, ids, kind, 3, Sensor(layout=(2, 8, 8)))]


def filled(samples: Samples, full: bool) -> Samples:
    """Return two samples without content: dark (or fully bright) images, flat signals, no events."""
    few = samples.select(slice(0, 2))
    if samples.kind == "events":
        values = np.empty(len(few), dtype=object)
        for row, events in enumerate(few.values):
            values[row] = events[:0]
    elif are_mixed(few):
        values = few.values.copy()
        values[:] = [np.full_like(signal, full) for signal in few.values]
    else:
        one = 255 if few.values.dtype == np.uint8 else 1
        values = np.full_like(few.values, one if full else 0)
    return Samples(values, few.labels, few.ids, few.kind, few.n_classes, few.sensor)
