"""Recordings of events from any reader, one by one: understood by their fields, faults named."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from rc_vs_snn.errors import InputError

Layout = tuple[int, ...]
TimeUnit = Literal["us", "ms", "s"]
Faulty = Literal["refuse", "skip", "keep"]
Read = Callable[[int], tuple[Any, Any]]
"""Recording i and its label, of whatever types."""

FAULTS = ("", "empty", "unsorted", "out of range", "unreadable")
"""What may be wrong with a recording; the first: nothing."""

_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000}
_SHORTEST_US = 1_000  # times with fractions that all lie within it are in seconds
_LATEST = 2.0**61


class Recordings:
    """A part of a corpus that is read when it is asked for: ``recordings[i]`` are the events of row i.

    Args:
        read: returns recording i and its label.
        rows: which i, in which order.
        labels: their label as ``read`` returns it, to be compared; None: not known beforehand.
        understand: turns what was read into events, and tells what is wrong with them.
        faulty: "keep": recordings that are empty or unsorted are handed out as they are; otherwise refused.
        name: what an error calls the corpus.
    """

    def __init__(
        self,
        read: Read,
        rows: np.ndarray,
        labels: Sequence[Any] | None,
        understand: "Understand",
        faulty: Faulty,
        name: str,
    ) -> None:
        self.read, self.rows, self.labels = read, rows, labels
        self.understand, self.faulty, self.name = understand, faulty, name

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> np.ndarray:
        """Return the events of ``row``.

        Raises:
            InputError: it is faulty, or its label is not what the corpus lists.
        """
        at = int(self.rows[row])
        where = f"recording {at} of {self.name}"
        try:
            value, target = self.read(at)
        except Exception as error:  # whatever a reader of files raises
            raise InputError(
                f"{where} cannot be read ({type(error).__name__}: {error}); fetch it again, or set the "
                "dataset's faulty='skip' to leave such out"
            ) from error
        if self.labels is not None and plain_label(target) != self.labels[row]:
            raise InputError(
                f"{where} has the label {plain_label(target)!r}, but the corpus lists {self.labels[row]!r}"
            )
        try:
            events, fault = self.understand(value)
        except InputError as error:
            raise InputError(f"{where} {error}") from error
        if fault and not (self.faulty == "keep" and fault in ("empty", "unsorted")):
            raise InputError(
                f"{where} is {fault}{self._ways_out(fault)}; set the dataset's faulty='skip' to leave it out"
            )
        return events

    def _ways_out(self, fault: str) -> str:
        if fault == "out of range":
            return f" (the sensor is {self.understand.layout}; set the dataset's layout if that is wrong)"
        return " (faulty='keep' takes it as it is)"


class Understand:
    """Turns recordings with fields in any order and of any type into events of our own.

    Args:
        layout: of the sensor, (polarity, height, width) or (polarity, channel); None: not known, so no place
            is out of range.
        unit: of the times.
    """

    def __init__(self, layout: Layout | None, unit: TimeUnit) -> None:
        self.layout, self.unit = layout, unit

    def __call__(self, value: Any) -> tuple[np.ndarray, str]:
        """Return events with the fields t (microseconds), x, y and p, and what is wrong ("": nothing).

        Polarities -1 and 1, and Booleans, become 0 and 1.

        Raises:
            InputError: no recording of such a sensor: the fields are others.
        """
        names = value.dtype.names if isinstance(value, np.ndarray) and value.ndim == 1 else None
        if names is None:
            shape = f" of shape {value.shape}" if isinstance(value, np.ndarray) else ""
            raise InputError(
                f"is {type(value).__name__}{shape} and no events with the fields t, x, y, p; leave windows "
                "to the encoder 'events' instead of a transform that makes frames"
            )
        sizes = self._sizes(names)
        events = np.zeros(len(value), [("t", np.int64), *((name, np.int32) for name in sizes)])
        whole = all(_is_whole(value[name]) for name in sizes if name in names)
        times, known = self._times(value["t"])
        if not (whole and known):
            return events[:0], "out of range"
        events["t"] = times
        for name, size in sizes.items():
            if name in names and size != 1:
                events[name] = _two_valued(value[name]) if name == "p" else value[name]
        if not len(events):
            return events, "empty"
        for name, size in sizes.items():
            if events[name].min() < 0 or (size is not None and events[name].max() >= size):
                return events, "out of range"
        return events, "unsorted" if (np.diff(events["t"]) < 0).any() else ""

    def _sizes(self, names: tuple[str, ...]) -> dict[str, int | None]:
        """Return the size of the sensor along each axis that it has."""
        missing = [name for name in ("t", "x") if name not in names]
        if missing:
            raise InputError(f"has the fields {', '.join(names)}, and none called {' or '.join(missing)}")
        if self.layout is None:
            return {name: None for name in ("x", "y", "p") if name in names}
        sizes: dict[str, int | None] = {"x": self.layout[-1], "p": self.layout[0]}
        if len(self.layout) == 3:
            sizes["y"] = self.layout[1]
        for name, size in sizes.items():
            if name not in names and size != 1:
                lost = [1, *self.layout[1:]] if name == "p" else [self.layout[0], self.layout[-1]]
                raise InputError(
                    f"has no field {name}, but the sensor is {self.layout}; set the dataset's layout={lost}"
                )
        return sizes

    def _times(self, times: np.ndarray) -> tuple[np.ndarray, bool]:
        """Return times in whole microseconds, and whether all of them are times."""
        factor = _MICROSECONDS[self.unit]
        if not len(times):
            return np.zeros(0, np.int64), True
        if times.dtype.kind == "f":
            exact = times.astype(np.float64)
            if not np.abs(exact).max() < _LATEST / factor:  # NaN is not
                return exact, False
            if self.unit == "us" and np.ptp(exact) < _SHORTEST_US and (exact != np.rint(exact)).any():
                raise InputError(
                    f"has times from {exact.min():g} to {exact.max():g} with fractions, which are no "
                    "microseconds; set the dataset's time_unit='s' (or 'ms')"
                )
            return np.rint(exact * factor).astype(np.int64), True
        if times.dtype.kind not in "iu":
            raise InputError(f"has times of {times.dtype}, which are no numbers")
        if times.max() > _LATEST / factor or times.min() < -_LATEST / factor:
            return times, False
        return times.astype(np.int64) * factor, True


def scan(read: Read, n_recordings: int, understand: Understand) -> tuple[list[Any], list[int]]:
    """Read all recordings once and return the label of each, and its fault's place in ``FAULTS``."""
    labels: list[Any] = []
    faults = []
    for at in range(n_recordings):
        try:
            value, target = read(at)
        except Exception:  # whatever a reader of files raises
            labels.append(None)
            faults.append(FAULTS.index("unreadable"))
            continue
        labels.append(plain_label(target))
        try:
            faults.append(FAULTS.index(understand(value)[1]))
        except InputError as error:
            raise InputError(f"recording {at} {error}") from error
    return labels, faults


def plain_label(target: Any) -> int | str:
    """Return a label as a whole number or a text.

    Raises:
        InputError: it is neither.
    """
    if isinstance(target, np.ndarray | np.generic) and target.size == 1:
        target = target.item()
    if isinstance(target, bytes):
        return target.decode()
    if isinstance(target, float) and target.is_integer():
        return int(target)
    if not isinstance(target, int | str):
        raise InputError(
            f"a recording's target is {type(target).__name__}, not a class (a whole number or a text); this "
            "corpus is not one of classification"
        )
    return target if isinstance(target, str) else int(target)


def as_classes(labels: Sequence[int | str], names: Sequence[str] = ()) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return class indices from 0, and the classes' names.

    Args:
        labels: numbers from 0, or from 1, or texts; of the whole corpus, or a class may be missed.
        names: of the classes, in the order of their numbers; none: the labels themselves are the names.

    Raises:
        InputError: a number that none of the named classes has, or numbers beside texts.
    """
    found = set(labels)
    if len({isinstance(label, str) for label in found}) > 1:
        raise InputError(f"labels are numbers and texts: {sorted(map(str, found))[:6]}")
    numbers = not any(isinstance(label, str) for label in found)
    if names and numbers:
        low, high = min(found), max(found)
        first = 0 if high < len(names) else 1  # type: ignore[operator]
        if low < first or high - first >= len(names):  # type: ignore[operator]
            raise InputError(f"labels lie in {low}..{high}, but {len(names)} classes are named")
        return np.array([int(label) - first for label in labels], np.int64), tuple(names)
    known = list(names) if names and found <= set(names) else sorted(found)
    place = {label: index for index, label in enumerate(known)}
    return np.array([place[label] for label in labels], np.int64), tuple(map(str, known))


def _is_whole(values: np.ndarray) -> bool:
    return values.dtype.kind in "biu" or bool((values == np.rint(values)).all())


def _two_valued(polarity: np.ndarray) -> np.ndarray:
    if polarity.dtype.kind in "if" and (polarity == -1).any() and not (polarity == 0).any():
        return np.where(polarity == -1, 0, polarity)
    return polarity
