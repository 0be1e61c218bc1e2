"""What the encoders of signals share: windows of samples, own lengths, and word of what is cut."""

import warnings
from weakref import WeakKeyDictionary

import numpy as np

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples, Unread

SHARE_TOLD = 0.01
"""The share of signals cut at T steps above which a warning says so."""


def check_window(window: int) -> None:
    """Raise InputError unless ``window`` is a number of samples."""
    check_whole(window, "window (signal samples per step)", 1)


def steps_of(samples: Samples, window: int, n_steps: int, name: str) -> np.ndarray:
    """Return how many windows each signal fills, at most T, ``(N,)``; the last one may be filled in part.

    How many signals of a set go on after T steps is counted when the first of it is encoded: more than 1 %
    are told in a warning.

    Args:
        samples: signals in memory.
        window: signal samples per window.
        n_steps: number of windows T at which longer signals are cut.
        name: the encoder's, for the warning.
    """
    whole = samples.whole or samples
    told = _TOLD.setdefault(whole, set())
    if (window, n_steps) not in told:
        counted = samples if isinstance(whole.values, Unread) else whole
        lengths = _lengths(counted.values)
        cut = lengths > window * n_steps
        if cut.sum() > SHARE_TOLD * len(counted):
            warnings.warn(
                f"{cut.sum():,} of {len(counted):,} signals are cut by encoder '{name}': they have up to "
                f"{lengths.max():,} samples, and n_steps={n_steps} steps of {window} hold "
                f"{n_steps * window:,}; raise n_steps or window to keep more",
                stacklevel=4,
            )
        told.add((window, n_steps))
    return np.minimum(-(-_lengths(samples.values) // window), n_steps)


def window_means(samples: Samples, window: int, n_steps: int, filled: np.ndarray) -> np.ndarray:
    """Return the mean of each window of samples, ``(T, N, C)`` float64; 0 behind a signal's own end.

    Args:
        samples: signals in memory.
        window: signal samples per window.
        n_steps: number of windows T.
        filled: what `steps_of` returned.
    """
    means = np.zeros((n_steps, len(samples), n_channels(samples)))
    for row, signal in enumerate(samples.values):  # one by one: a batch neighbour cannot change a sum
        starts = np.arange(filled[row]) * window
        kept = signal[: n_steps * window].astype(np.float64)
        counts = np.minimum(window, len(kept) - starts)
        sums = kept if window == 1 else np.add.reduceat(kept, starts, axis=0)
        means[: filled[row], row] = sums / counts[:, None]
    return means


def n_channels(samples: Samples) -> int:
    """Return the number of channels of signals; of an empty set with mixed lengths, that of all."""
    if samples.values.dtype != object:
        return int(samples.values.shape[2])
    first = samples if len(samples) else samples.whole
    return int(first.select(slice(0, 1)).read().values[0].shape[1]) if first is not None else 0


def step_ms(samples: Samples, window: float) -> float | None:
    """Return how long a window of samples lasts; None where the signals have no rate."""
    rate = samples.sensor.rate_hz
    return None if rate is None else 1000 * window / rate


def _lengths(values: np.ndarray) -> np.ndarray:
    if values.dtype != object:
        return np.full(len(values), values.shape[1])
    return np.array([len(signal) for signal in values], np.int64)


_TOLD: WeakKeyDictionary[Samples, set[tuple[int, int]]] = WeakKeyDictionary()
