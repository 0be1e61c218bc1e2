"""Raw samples, before encoding: in memory, or read when they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from rc_vs_snn.checks import (
    as_array,
    as_integers,
    as_recordings,
    as_rows,
    as_signals,
    check_numbers,
    check_whole,
)
from rc_vs_snn.contracts.unread import Unread, is_unread
from rc_vs_snn.errors import InputError, did_you_mean

SampleKind = Literal["images", "signals", "events"]
SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")


@dataclass(frozen=True)
class Sensor:
    """What samples were recorded with, for the encoders and models that need to know.

    Attributes:
        layout: shape of its channels: of an event camera (polarity, height, width), of a one-dimensional
            sensor (polarity, channel); None where it is not known.
        rate_hz: samples per second of signals; None where they have no such time.
        channels: names of the channels, such as electrodes, or of none.
    """

    layout: tuple[int, ...] | None = None
    rate_hz: float | None = None
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rate_hz is not None and not 0 < self.rate_hz < float("inf"):
            raise InputError(f"rate_hz must be a number of samples per second above 0, got {self.rate_hz!r}")
        if self.layout is not None and not all(type(size) is int and size > 0 for size in self.layout):
            raise InputError(f"a sensor's layout is a shape such as (2, 34, 34), got {self.layout!r}")


@dataclass(frozen=True, eq=False)
class Samples:
    """A labelled set of raw samples, before encoding.

    Lists, and tensors in a CPU's memory, are taken as arrays. A memory-mapped or HDF5 array, and any other
    object that has a length and hands out sample i as ``values[i]``, is read batch by batch (`read`).

    Attributes:
        values: images ``(N, H, W)`` or ``(N, channel, H, W)``, uint8 0-255 or float in [0, 1];
            signals ``(N, length, channel)``, or N of ``(length, channel)`` each if lengths differ; or
            events, an object array of N one-dimensional structured arrays with the fields t (microseconds,
            if the encoder is not told another unit) and x, and y and p where the sensor has them, in any
            order.
        labels: class index per sample, ``(N,)``, in ``[0, n_classes)``.
        ids: a stable, unique, non-negative identity per sample, ``(N,)``. Stochastic encoders and
            records use it, so it must not depend on the split's order.
        kind: "images", "signals" or "events".
        n_classes: number of classes K.
        sensor: what they were recorded with.
        whole: the set that `select` took these samples from; None: they are all of it.

    Raises:
        InputError: on a wrong kind, shape or dtype, NaN, a label out of range or a repeated id.
    """

    values: Any  # np.ndarray, or Unread
    labels: np.ndarray
    ids: np.ndarray
    kind: SampleKind
    n_classes: int
    sensor: Sensor = Sensor()
    whole: "Samples | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in get_args(SampleKind):
            hint = did_you_mean(str(self.kind), get_args(SampleKind))
            raise InputError(f"there is no kind of samples {self.kind!r}; {hint}")
        check_whole(self.n_classes, "n_classes", 1)
        values = Unread(self.values) if is_unread(self.values) else _checked(self.values, self.kind)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "labels", as_integers(self.labels, "labels"))
        object.__setattr__(self, "ids", as_integers(self.ids, "ids"))
        if not len(values) == len(self.labels) == len(self.ids):
            raise InputError(
                f"values, labels and ids must have one entry per sample, got {len(values)}, "
                f"{len(self.labels)} and {len(self.ids)}"
            )
        outside = (self.labels < 0) | (self.labels >= self.n_classes)
        if outside.any():
            raise InputError(
                f"label {int(self.labels[outside][0])} of sample {int(self.ids[outside][0])} is outside "
                f"0..{self.n_classes - 1}; check the label file or n_classes"
            )
        if len(np.unique(self.ids)) != len(self.ids) or (len(self.ids) and self.ids.min() < 0):
            raise InputError("ids must be unique and non-negative")

    def __len__(self) -> int:
        return len(self.labels)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "whole": None}  # a few samples that are pickled do not take all others along

    def select(self, rows: np.ndarray | Sequence[int] | slice) -> "Samples":
        """Return the samples at ``rows`` (indices, a mask or a slice), in that order.

        Raises:
            InputError: rows that are not there, or are no rows.
        """
        # Rows of a checked set need no second check: this runs once per training batch.
        chosen = object.__new__(Samples)
        rows = as_rows(rows)
        try:
            for name, value in vars(self).items():
                picked = value[rows] if isinstance(value, np.ndarray | Unread) else value
                object.__setattr__(chosen, name, picked)
        except IndexError as error:
            raise InputError(f"there are {len(self)} samples to select from: {error}") from error
        object.__setattr__(chosen, "whole", self if self.whole is None else self.whole)
        return chosen

    def read(self) -> "Samples":
        """Return the same samples in memory.

        Raises:
            InputError: one that is none, by its place.
        """
        if not isinstance(self.values, Unread):
            return self
        found = object.__new__(Samples)
        found.__dict__.update(vars(self), values=_checked(self.values.read(), self.kind))
        return found

    def intensities(self) -> np.ndarray:
        """Return images as float32 in [0, 1], ``(N, ...)``.

        Raises:
            InputError: the samples are not images.
        """
        if self.kind != "images":
            raise InputError(f"this encoder takes images, got {self.kind}; `list encoders` names others")
        values = self.read().values
        if values.dtype == np.uint8:
            return values.astype(np.float32) / np.float32(255)
        return values.astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class Splits:
    """A dataset: three disjoint splits by name and the class names.

    Attributes:
        train, valid, test: thresholds, early stopping and model choice see ``valid``; ``test`` is
            read once, at the end of an experiment.
        class_names: K names, in label order.

    Raises:
        InputError: a split is empty (of events: silent throughout), a sample is in two, or the number of
            classes is not that of the names.
    """

    train: Samples
    valid: Samples
    test: Samples
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in SPLITS:
            split: Samples = getattr(self, name)
            if len(split) == 0:
                raise InputError(f"the {name} split is empty")
            in_memory = not isinstance(split.values, Unread)
            if split.kind == "events" and in_memory and not any(map(len, split.values)):
                raise InputError(f"none of the {len(split)} recordings of the {name} split holds an event")
            if split.n_classes != len(self.class_names):
                raise InputError(
                    f"the {name} split has {split.n_classes} classes but {len(self.class_names)} are named"
                )
        ids = np.concatenate([self.train.ids, self.valid.ids, self.test.ids])
        if len(np.unique(ids)) != len(ids):
            raise InputError("a sample id is in more than one split; the splits must be disjoint")

    @property
    def n_classes(self) -> int:
        """Number of classes K."""
        return len(self.class_names)


def _checked(values: Any, kind: SampleKind) -> np.ndarray:
    """Return values of a kind as an array, of objects where samples differ in length."""
    if kind == "events":
        return as_recordings(values)
    if kind == "signals":
        values = as_signals(values)
        if isinstance(values, np.ndarray) and values.dtype == object and values.ndim == 1:
            return values
    array = as_array(values, kind)
    check_numbers(array, kind)
    return array
