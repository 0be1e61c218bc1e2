"""The ``.ts`` files of the UEA and UCR archives of time series.

Read here and not by a library: aeon's reader (1.6.0) needs pandas and an older Numba than ours, turns
labels into lower case, and drops the signs of values that have time stamps. The files that it ships with
classes are read alike by both.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rc_vs_snn.errors import InputError

_MISSING = ("?", "nan")


@dataclass(frozen=True)
class TimeSeriesFile:
    """What a file holds.

    Attributes:
        series: one ``(length, channel)`` float64 array per case; NaN where a value is missing. Steps at the
            end at which every channel is missing are no part of it.
        labels: class label of each case, as text.
        classes: the labels in the header's order.
    """

    series: list[np.ndarray]
    labels: list[str]
    classes: tuple[str, ...]


def read_ts(path: Path) -> TimeSeriesFile:
    """Return the content of a ``.ts`` file.

    Raises:
        InputError: by file and line, whatever is no labelled time series.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text ({error})") from error
    classes, n_channels, first = _header(path, lines)
    series, labels = [], []
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        *channels, label = line.split(":")
        label = label.strip()
        if label not in classes:
            raise InputError(
                f"{where}: the class label {label!r} is none of the header's {', '.join(classes)}"
            )
        n_channels = n_channels or len(channels)
        if len(channels) != n_channels or not channels:
            raise InputError(
                f"{where}: {len(channels)} channels where there should be {n_channels or 'some'}"
            )
        series.append(_case(where, channels))
        labels.append(label)
    if not series:
        raise InputError(f"{path} holds no time series after @data")
    return TimeSeriesFile(series, labels, classes)


def _header(path: Path, lines: list[str]) -> tuple[tuple[str, ...], int, int]:
    """Return the classes, the number of channels (0: not stated) and where the data begin."""
    classes: tuple[str, ...] = ()
    n_channels = 0
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0][0] in "#%":
            continue
        key, values = words[0].lower(), words[1:]
        value = values[0].lower() if values else ""
        where = f"{path}, line {number}"
        if not key.startswith("@"):
            raise InputError(f"{where}: expected @data before the first time series; is this a .ts file?")
        if key == "@data":
            if not classes:
                raise InputError(f"{path} states no classes: '@classLabel true' and their names are needed")
            return classes, n_channels, number
        if key == "@timestamps" and value == "true":
            raise InputError(f"{where}: series with time stamps are not read; resample them to one rate")
        if key == "@targetlabel" and value == "true":
            raise InputError(
                f"{where}: a target is to be predicted, there are no classes; this is regression"
            )
        if key == "@classlabel":
            if value != "true" or len(values) < 2:
                raise InputError(f"{where}: '@classLabel true' and the names of the classes are needed")
            classes = tuple(values[1:])
            if len(set(classes)) != len(classes):
                raise InputError(f"{where}: a class is named twice")
        if key in ("@dimensions", "@dimension"):
            n_channels = _count(where, key, value)
        if key == "@univariate" and value == "true":
            n_channels = 1
    raise InputError(f"{path} has no line @data; is it a whole .ts file?")


def _count(where: str, key: str, value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise InputError(f"{where}: {key} must be a whole number of at least 1, got {value!r}")
    return int(value)


def _case(where: str, channels: list[str]) -> np.ndarray:
    """Return one case, ``(length, channel)``."""
    columns = [[_number(where, text) for text in channel.split(",")] for channel in channels]
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise InputError(f"{where}: channels of different lengths ({min(lengths)} to {max(lengths)})")
    values = np.array(columns).T
    there = ~np.isnan(values).all(axis=1)
    if not there.any():
        raise InputError(f"{where}: not one value is given")
    return values[: len(values) - int(there[::-1].argmax())]


def _number(where: str, text: str) -> float:
    text = text.strip()
    if text.lower() in _MISSING:
        return np.nan
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{where}: {text!r} is no number (missing values are written ?)") from None
    if not np.isfinite(value):
        raise InputError(f"{where}: {text!r} is not finite")
    return value
