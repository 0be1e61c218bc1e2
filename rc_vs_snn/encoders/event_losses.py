"""What the windows of an encoder leave out of a set of recordings: counted once, told or refused."""

import warnings
from functools import lru_cache
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np

from rc_vs_snn.contracts import Samples, Unread
from rc_vs_snn.encoders.event_cells import MICROSECONDS, TimeUnit
from rc_vs_snn.errors import InputError

SHARE_TOLD = 0.01
"""The share of lost events, or of recordings of which nothing is left, above which a warning says so."""

N_LOOKED_AT = 64
"""Of a set that is read batch by batch so many recordings are looked at, its first."""


class Windows(Protocol):
    """What an encoder of events tells of its windows."""

    @property
    def n_steps(self) -> int: ...  # noqa: D102
    @property
    def dt_us(self) -> int: ...  # noqa: D102
    @property
    def time_unit(self) -> TimeUnit: ...  # noqa: D102
    def dropped(self, samples: Samples) -> np.ndarray: ...  # noqa: D102


def examine(encoder: Windows, samples: Samples) -> None:
    """Look once at all samples of a set: refuse what loses everything, warn about what loses much.

    Args:
        encoder: what they are to be encoded by.
        samples: some of the set.

    Raises:
        InputError: no event lies within the windows, or the times are in another unit.
    """
    whole = samples.whole or samples
    seen = _EXAMINED.setdefault(whole, set())
    if encoder in seen:
        return
    looked_at = whole.select(slice(0, N_LOOKED_AT)).read() if isinstance(whole.values, Unread) else whole
    sizes = np.array([len(events) for events in looked_at.values], np.int64)
    dropped = encoder.dropped(looked_at)
    _check_span(encoder, looked_at)
    lost = dropped.sum(axis=1)
    silent = (lost == sizes) & (sizes > 0)
    total = sizes.sum()
    if lost.sum() > SHARE_TOLD * total or silent.sum() > SHARE_TOLD * len(looked_at):
        told = _tell(encoder, looked_at, sizes, dropped, silent)
        if lost.sum() == total:
            raise InputError(told)
        _warn_once(told)
    seen.add(encoder)


def _check_span(encoder: Windows, looked_at: Samples) -> None:
    """Refuse or warn about times that all lie within one window: they are in another unit."""
    times = [events["t"] for events in looked_at.values if len(events)]
    low = min((float(part.min()) for part in times), default=0)
    span = max((float(part.max()) for part in times), default=0) - low
    if encoder.n_steps == 1 or not 0 < span < encoder.dt_us / MICROSECONDS[encoder.time_unit]:
        return
    told = f"all events lie within {span:g} {encoder.time_unit}, less than one window of {encoder.dt_us:,} us"
    if encoder.time_unit == "us" and any((part != np.rint(part)).any() for part in times):
        raise InputError(
            f"{told}, and their times are no whole numbers; set the encoder's time_unit='s' (or 'ms'), "
            "or round the times if they are in us"
        )
    _warn_once(f"{told}; lower the encoder's dt_us, or set its time_unit")


def _tell(
    encoder: Windows, looked_at: Samples, sizes: np.ndarray, dropped: np.ndarray, silent: np.ndarray
) -> str:
    total, (before, after) = int(sizes.sum()), dropped.sum(axis=0).tolist()
    message = (
        f"{before + after:,} of {total:,} events ({(before + after) / total:.1%}) in "
        f"{np.count_nonzero(dropped.sum(axis=1)):,} of {len(looked_at):,} recordings are dropped: {before:,} "
        f"lie before and {after:,} after the {encoder.n_steps} windows of {encoder.dt_us:,} us"
    )
    for what, rows in (("nothing is left of", silent), ("there is no event at all in", sizes == 0)):
        if rows.any():
            first = int(looked_at.ids[rows.argmax()])
            message += f"; {what} {rows.sum():,} recordings (first: sample {first})"
    return (
        f"{message}; to keep more, raise the encoder's n_steps or dt_us, set align_first=true where "
        f"clocks do not start at 0, or time_unit where times are not in {encoder.time_unit}"
    )


@lru_cache(maxsize=1024)
def _warn_once(text: str) -> None:
    # Every run of a comparison loads the set anew, and what Python remembers of warnings is often reset.
    warnings.warn(text, stacklevel=4)  # whoever calls the encoder


_EXAMINED: WeakKeyDictionary[Samples, set[Windows]] = WeakKeyDictionary()
