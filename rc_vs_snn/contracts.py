"""Plain values that cross the boundaries of the toolkit. No torch here: analysis reads these too.

Axes: ``time, batch, channel`` (T, B, C) and ``class`` (K). A step index is 0-based and called ``step``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from rc_vs_snn.checks import as_array, as_integers, as_recordings, as_rows, check_numbers, check_whole
from rc_vs_snn.errors import InputError, did_you_mean

SampleKind = Literal["images", "signals", "events"]
EvidenceKind = Literal["probability", "sigmoid", "membrane"]
SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Samples:
    """A labelled set of raw samples, before encoding.

    Lists, and tensors in a CPU's memory, are taken as arrays.

    Attributes:
        values: images ``(N, H, W)`` or ``(N, channel, H, W)``, uint8 0-255 or float in [0, 1];
            signals ``(N, length, channel)``; or events, an object array of N one-dimensional
            structured arrays with the fields t (microseconds, if the encoder is not told another
            unit) and x, and y and p where the sensor has them, in any order.
        labels: class index per sample, ``(N,)``, in ``[0, n_classes)``.
        ids: a stable, unique, non-negative identity per sample, ``(N,)``. Stochastic encoders and
            records use it, so it must not depend on the split's order.
        kind: "images", "signals" or "events".
        n_classes: number of classes K.
        whole: the set that `select` took these samples from; None: they are all of it.

    Raises:
        InputError: on a wrong kind, shape or dtype, NaN, a label out of range or a repeated id.
    """

    values: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    kind: SampleKind
    n_classes: int
    whole: "Samples | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in get_args(SampleKind):
            hint = did_you_mean(str(self.kind), get_args(SampleKind))
            raise InputError(f"there is no kind of samples {self.kind!r}; {hint}")
        check_whole(self.n_classes, "n_classes", 1)
        is_events = self.kind == "events"
        values = as_recordings(self.values) if is_events else as_array(self.values, self.kind)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "labels", as_integers(self.labels, "labels"))
        object.__setattr__(self, "ids", as_integers(self.ids, "ids"))
        if not is_events:
            check_numbers(values, self.kind)
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
                picked = value[rows] if isinstance(value, np.ndarray) else value
                object.__setattr__(chosen, name, picked)
        except IndexError as error:
            raise InputError(f"there are {len(self)} samples to select from: {error}") from error
        object.__setattr__(chosen, "whole", self if self.whole is None else self.whole)
        return chosen

    def intensities(self) -> np.ndarray:
        """Return images as float32 in [0, 1], ``(N, ...)``.

        Raises:
            InputError: the samples are not images.
        """
        if self.kind != "images":
            raise InputError(f"this encoder takes images, got {self.kind}; `list encoders` names others")
        if self.values.dtype == np.uint8:
            return self.values.astype(np.float32) / np.float32(255)
        return self.values.astype(np.float32, copy=False)


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
            if split.kind == "events" and not any(map(len, split.values)):
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


@dataclass(frozen=True, eq=False)
class Decision:
    """What was decided and when, one entry per sample, ``(N,)`` each.

    Attributes:
        label: the decided class.
        step: 0-based step of the decision.
        decided: True where an output spike decided; False where none came by the last step and the
            largest evidence at the last step was taken (a *forced* decision).
        tied: True where several classes spiked at the decision step.
        evidence: the decided class's evidence at that step.
    """

    label: np.ndarray
    step: np.ndarray
    decided: np.ndarray
    tied: np.ndarray
    evidence: np.ndarray

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True, eq=False)
class Trace:
    """Everything a trained model said about a split: enough to judge it again at any threshold.

    Attributes:
        evidence: ``(N, T, K)`` float32, class probabilities or membrane potentials at every step; from a
            sample's own last step on, what it is there.
        labels: true class, ``(N,)``.
        ids: sample ids, ``(N,)``.
        acs: accumulates (synaptic operations caused by spikes) from step 0 to each step inclusive,
            ``(N, T)``; NaN where the model does not count its operations.
        macs: multiply-accumulates (caused by real-valued inputs) up to each step, ``(N, T)``; likewise.
        input_events: input spikes up to each step, ``(N, T)``.
        leaks: leak multiplications (of states by their decay) up to each step, ``(N, T)``; NaN where they
            are not counted, as in traces written before they were.
        lengths: each sample's own number of steps, ``(N,)`` in 1..T; all have T where it is left out.
            Costs and events stand still after it.
        step_ms: how many milliseconds of input a step stands for; None where the data have no such time.
    """

    evidence: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    acs: np.ndarray
    macs: np.ndarray
    input_events: np.ndarray
    leaks: np.ndarray = field(default_factory=lambda: np.empty(0))
    lengths: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    step_ms: float | None = None

    def __post_init__(self) -> None:
        if self.evidence.ndim != 3:
            raise InputError(f"evidence must have shape (sample, time, class), got {self.evidence.shape}")
        n_samples, n_steps, _ = self.evidence.shape
        if self.step_ms is not None:
            object.__setattr__(self, "step_ms", float(self.step_ms))
        if not self.leaks.size:
            object.__setattr__(self, "leaks", np.full((n_samples, n_steps), np.nan))
        if not self.lengths.size:
            object.__setattr__(self, "lengths", np.full(n_samples, n_steps))
        for name in ("labels", "ids", "lengths"):
            if getattr(self, name).shape != (n_samples,):
                raise InputError(f"trace {name} must have shape ({n_samples},)")
        for name in ("acs", "macs", "input_events", "leaks"):
            if getattr(self, name).shape != (n_samples, n_steps):
                raise InputError(f"trace {name} must have shape ({n_samples}, {n_steps})")

    @property
    def n_steps(self) -> int:
        """Number of time steps T."""
        return self.evidence.shape[1]

    def __len__(self) -> int:
        return self.evidence.shape[0]
