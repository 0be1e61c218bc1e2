"""Plain values that cross the boundaries of the toolkit. No torch here: analysis reads these too.

Axes: ``time, batch, channel`` (T, B, C) and ``class`` (K). A step index is 0-based and called ``step``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rc_vs_snn.errors import InputError

SampleKind = Literal["images", "signals", "events"]
EvidenceKind = Literal["probability", "sigmoid", "membrane"]
SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")

EVENT_FIELDS = ("t", "x", "y", "p")


def _as_integers(values: np.ndarray, what: str) -> np.ndarray:
    values = np.asarray(values)
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        raise InputError(
            f"{what} must be a one-dimensional integer array, got {values.dtype} of shape {values.shape}"
        )
    return values.astype(np.int64, copy=False)


def _check_values(values: np.ndarray, kind: SampleKind) -> None:
    if kind == "events":
        for row, events in enumerate(values):
            missing = [name for name in EVENT_FIELDS if name not in (events.dtype.names or ())]
            if missing:
                raise InputError(
                    f"event sample {row} lacks the fields {missing}; a sample is a structured array "
                    f"with the fields {list(EVENT_FIELDS)} (t in microseconds), as Tonic returns"
                )
        return
    if kind == "images" and values.ndim not in (3, 4):
        raise InputError(f"images must have shape (N, H, W) or (N, channel, H, W), got {values.shape}")
    if kind == "signals" and values.ndim != 3:
        raise InputError(f"signals must have shape (N, length, channel), got {values.shape}")
    if values.dtype.kind not in "biuf":  # an object array may hold None, which no code can tell from silence
        raise InputError(f"{kind} must be an array of numbers, got {values.dtype}")
    if np.issubdtype(values.dtype, np.floating):
        bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
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


@dataclass(frozen=True, eq=False)
class Samples:
    """A labelled set of raw samples, before encoding.

    Attributes:
        values: images ``(N, H, W)`` or ``(N, channel, H, W)``, uint8 0-255 or float in [0, 1];
            signals ``(N, length, channel)``; or events, an object array of N structured arrays
            with the fields t (microseconds), x, y and p.
        labels: class index per sample, ``(N,)``, in ``[0, n_classes)``.
        ids: a stable, unique, non-negative identity per sample, ``(N,)``. Stochastic encoders and
            records use it, so it must not depend on the split's order.
        kind: "images", "signals" or "events".
        n_classes: number of classes K.

    Raises:
        InputError: on a wrong shape or dtype, NaN, a label out of range or a repeated id.
    """

    values: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    kind: SampleKind
    n_classes: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _as_integers(self.labels, "labels"))
        object.__setattr__(self, "ids", _as_integers(self.ids, "ids"))
        if not len(self.values) == len(self.labels) == len(self.ids):
            raise InputError(
                f"values, labels and ids must have one entry per sample, got {len(self.values)}, "
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
        _check_values(self.values, self.kind)

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: np.ndarray | Sequence[int] | slice) -> "Samples":
        """Return the samples at ``rows`` (indices, a mask or a slice), in that order."""
        # Rows of a checked set need no second check: this runs once per training batch.
        chosen = object.__new__(Samples)
        for name, value in vars(self).items():
            picked = value[rows] if isinstance(value, np.ndarray) else value
            object.__setattr__(chosen, name, picked)
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
        evidence: ``(N, T, K)`` float32, class probabilities or membrane potentials at every step.
        labels: true class, ``(N,)``.
        ids: sample ids, ``(N,)``.
        acs: accumulates (synaptic operations caused by spikes) from step 0 to each step inclusive,
            ``(N, T)``; NaN where the model does not count its operations.
        macs: multiply-accumulates (caused by real-valued inputs) up to each step, ``(N, T)``; likewise.
        input_events: input spikes up to each step, ``(N, T)``.
        leaks: leak multiplications (of states by their decay) up to each step, ``(N, T)``; NaN where they
            are not counted, as in traces written before they were.
    """

    evidence: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    acs: np.ndarray
    macs: np.ndarray
    input_events: np.ndarray
    leaks: np.ndarray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if self.evidence.ndim != 3:
            raise InputError(f"evidence must have shape (sample, time, class), got {self.evidence.shape}")
        n_samples, n_steps, _ = self.evidence.shape
        if not self.leaks.size:
            object.__setattr__(self, "leaks", np.full((n_samples, n_steps), np.nan))
        for name in ("labels", "ids"):
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
