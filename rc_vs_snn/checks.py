"""What raw values must be before they are made a code of. No torch here."""

import math
from typing import Any

import numpy as np

from rc_vs_snn.errors import InputError

EVENT_FIELDS = ("t", "x", "y", "p")
NEEDED_FIELDS = ("t", "x")
A_RECORDING = (
    "a recording is a one-dimensional structured array with the fields t and x and, where the sensor has "
    "them, y and p, as Tonic returns"
)


def check_whole(value: Any, name: str, low: int, high: int | None = None) -> None:
    """Raise InputError unless ``value`` is a whole number (NumPy's too) from ``low`` to ``high``.

    Args:
        value: what was given.
        name: what an error calls it.
        low: the smallest that is allowed.
        high: the largest; None: no bound.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        bound = "" if high is None else f" and at most {high}"
        raise InputError(f"{name} must be a whole number of at least {low}{bound}, got {value!r}")


def as_array(values: Any, what: str) -> np.ndarray:
    """Return an array as it is, and lists or tensors (in a CPU's memory, without gradient) as an array.

    Raises:
        InputError: ragged lists, tensors that NumPy cannot read, or values that are masked out.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InputError(f"{what} are masked in {np.ma.count_masked(values)} places; fill or drop these")
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{what} cannot be read as a NumPy array ({str(error).splitlines()[0]}); of a tensor, pass "
            "tensor.detach().cpu().numpy()"
        ) from error


def as_integers(values: Any, what: str) -> np.ndarray:
    """Return ``values`` as int64, ``(N,)``.

    Raises:
        InputError: another shape or type, NaN among them, or a number that does not fit.
    """
    array = as_array(values, what)
    if array.ndim == 1 and not len(array):
        return np.zeros(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(
            f"{what} must be a one-dimensional integer array, got {array.dtype} of shape {array.shape}"
            f"{_why_not_whole(array)}"
        )
    if array.dtype.kind == "u" and array.max() > np.iinfo(np.int64).max:
        raise InputError(f"{what} hold {array.max()}, which does not fit in 64 bits with a sign")
    return array.astype(np.int64, copy=False)


def _why_not_whole(array: np.ndarray) -> str:
    if array.ndim != 1 or array.dtype.kind != "f":
        return ""
    strange = ~np.isfinite(array) | (array != np.rint(array))
    if strange.any():
        return f"; entry {strange.argmax()} is {array[strange.argmax()]:g}"
    return "; convert them with .astype(int)"


def as_rows(rows: Any) -> np.ndarray | slice:
    """Return indices or a mask as an array ``(n,)``, a slice as it is.

    Raises:
        InputError: another shape or type.
    """
    if isinstance(rows, slice):
        return rows
    rows = as_array(rows, "rows")
    if not rows.size:
        rows = rows.astype(np.int64)  # an empty list is one of floats to NumPy
    if rows.ndim != 1 or rows.dtype.kind not in "biu":
        raise InputError(
            f"rows must be indices or a mask of shape (n,), got {rows.dtype} of shape {rows.shape}"
        )
    return rows


def check_layout(layout: Any, n_channels: int) -> None:
    """Raise InputError unless ``layout`` is a shape, a tuple of whole numbers, of ``n_channels`` channels."""
    if not isinstance(layout, tuple | list) or not all(isinstance(size, int | np.integer) for size in layout):
        raise InputError(f"layout must be a tuple of whole numbers such as (28, 28), got {layout!r}")
    if math.prod(layout) != n_channels or min(layout, default=0) < 0:
        raise InputError(f"layout {tuple(layout)} does not hold {n_channels} channels")


def check_numbers(values: np.ndarray, kind: str) -> None:
    """Raise InputError unless ``values`` are images or signals that can be encoded."""
    if kind == "images" and values.ndim not in (3, 4):
        raise InputError(f"images must have shape (N, H, W) or (N, channel, H, W), got {values.shape}")
    if kind == "signals" and values.ndim != 3:
        raise InputError(f"signals must have shape (N, length, channel), got {values.shape}")
    if 0 in values.shape[1:]:
        raise InputError(f"a sample of {kind} must hold at least one number, got the shape {values.shape}")
    if values.dtype.kind not in "biuf":  # an object array may hold None, which no code can tell from silence
        raise InputError(f"{kind} must be an array of numbers, got {values.dtype}")
    if values.dtype.kind == "f":
        bad = ~np.isfinite(values.reshape(len(values), math.prod(values.shape[1:]))).all(axis=1)
        if bad.any():
            raise InputError(
                f"{int(bad.sum())} of {len(values)} samples hold NaN or infinity (first: row "
                f"{int(bad.argmax())}); clean the data before encoding"
            )
        if kind == "images" and len(values) and (values.min() < 0 or values.max() > 1):
            raise InputError(
                f"float images must lie in [0, 1], got [{values.min():g}, {values.max():g}]; "
                "divide by the maximum of the sensor, or pass uint8"
            )
    elif kind == "images" and values.dtype != np.uint8:
        raise InputError(f"images must be uint8 (0-255) or float in [0, 1], got {values.dtype}")


def as_recordings(values: Any) -> np.ndarray:
    """Return recordings of events, given as an object array or any sequence, as an object array ``(N,)``.

    Raises:
        InputError: one is no one-dimensional structured array, lacks t or x, or has a field without numbers.
    """
    if getattr(getattr(values, "dtype", None), "names", None) and values.ndim < 2:
        raise InputError("events must be a sequence of recordings; put a single one into a list")
    if not isinstance(values, np.ndarray) or values.dtype != object or values.ndim != 1:
        try:
            listed = list(values)
        except TypeError as error:
            raise InputError(
                f"events must be a sequence of recordings, got {type(values).__name__}; {A_RECORDING}"
            ) from error
        values = np.empty(len(listed), dtype=object)
        for row, events in enumerate(listed):
            values[row] = events
    for row, events in enumerate(values):
        _check_recording(events, row)
    return values


def _check_recording(events: Any, row: int) -> None:
    if not isinstance(events, np.ndarray) or events.ndim != 1 or events.dtype.names is None:
        kind = type(events).__name__
        if isinstance(events, np.ndarray):
            kind = f"a {events.ndim}-dimensional array {'with' if events.dtype.names else 'without'} fields"
        raise InputError(f"event sample {row} is {kind}; {A_RECORDING}")
    missing = [name for name in NEEDED_FIELDS if name not in events.dtype.names]
    if missing:
        raise InputError(f"event sample {row} lacks the fields {missing}; {A_RECORDING}")
    for name in EVENT_FIELDS:
        held = events.dtype[name] if name in events.dtype.names else np.dtype(int)
        if held.kind not in ("biuf" if name == "p" else "iuf"):
            raise InputError(
                f"the field {name} of event sample {row} is of {held}, no numbers; {A_RECORDING}"
            )
