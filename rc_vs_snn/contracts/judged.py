"""What was decided about samples, and all that a model said about them."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rc_vs_snn.display import MOST_ROWS, html_table, percent
from rc_vs_snn.errors import InputError

COLUMNS = ("label", "step", "decided", "tied", "evidence")


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

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the means, and the first samples."""
        n_samples, first = len(self), slice(MOST_ROWS)
        rows = zip(*(getattr(self, name)[first].tolist() for name in COLUMNS), strict=True)
        says = f"{n_samples:,} decisions"
        if n_samples:
            says += f", mean step {self.step.mean():.2f}, {percent(1 - self.decided.mean())} forced"
        shown = [[row, *values, f"{evidence:.4g}"] for row, (*values, evidence) in enumerate(rows)]
        return html_table(says, ["sample", *COLUMNS], shown, n_samples)


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about one sample, and when.

    Attributes:
        label: the decided class, 0-based.
        step: 0-based step of the decision.
        decided: True where an output spike decided, False where the last step forced the decision.
        tied: whether several classes reached the threshold at that step.
        evidence: the decided class's probability or membrane potential at that step.
    """

    label: int
    step: int
    decided: bool
    tied: bool
    evidence: float

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        shown = [self.label, self.step, self.decided, self.tied, f"{self.evidence:.4g}"]
        return html_table("1 decision", COLUMNS, [shown])


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
        readouts: what the evidence was made of, ``(N, T, K)``, so that any other evidence can be made of it;
            None in traces written before they were kept.
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
    readouts: np.ndarray | None = None

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
        if self.readouts is not None and self.readouts.shape != self.evidence.shape:
            raise InputError(f"trace readouts must have the evidence's shape {self.evidence.shape}")
        for name in ("labels", "ids", "lengths"):
            if getattr(self, name).shape != (n_samples,):
                raise InputError(f"trace {name} must have shape ({n_samples},)")
        for name in ("acs", "macs", "input_events", "leaks"):
            if getattr(self, name).shape != (n_samples, n_steps):
                raise InputError(f"trace {name} must have shape ({n_samples}, {n_steps})")

    def select(self, rows: np.ndarray | slice) -> "Trace":
        """Return the samples at ``rows`` (indices, a mask or a slice), in that order."""
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        chosen: dict[str, Any] = {name: value[rows] for name, value in arrays.items()}
        return replace(self, **chosen)

    @property
    def n_steps(self) -> int:
        """Number of time steps T."""
        return self.evidence.shape[1]

    def __len__(self) -> int:
        return self.evidence.shape[0]
