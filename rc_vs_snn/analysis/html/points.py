"""The operating points of a label, and who was decided how at each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.records import DECISIONS, TRACE

MEASURES = (
    "mean_step", "accuracy", "accuracy_decided", "coverage", "forced", "tied", "acs", "macs", "leaks",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Judged:
    """What one run decided at one operating point, ``(N,)`` each.

    Attributes:
        threshold: the constant threshold; NaN at the rule that was run.
        ids: of the samples.
        truth: the true classes.
        label: the decided ones.
        step: 0-based decision steps.
        decided: False where the decision was forced.
        evidence: of the decided class at that step.
        n_classes: K.
    """

    threshold: float
    ids: np.ndarray
    truth: np.ndarray
    label: np.ndarray
    step: np.ndarray
    decided: np.ndarray
    evidence: np.ndarray
    n_classes: int

    @cached_property
    def confusion(self) -> np.ndarray:
        """Return how many samples of each true class got each label, ``(K, K)``, true classes down."""
        cells = self.truth.astype(np.int64) * self.n_classes + self.label
        return np.bincount(cells, minlength=self.n_classes**2).reshape(self.n_classes, self.n_classes)

    def hardest(self, n: int) -> np.ndarray:
        """Return ``n`` samples, wrong ones first, then by how late they were decided, then by evidence."""
        return np.lexsort((self.evidence, -self.step, self.label == self.truth))[:n]

    def earliest(self, n: int) -> np.ndarray:
        """Return ``n`` samples by how early they were decided, then by evidence, the largest first."""
        return np.lexsort((-self.evidence, self.step))[:n]


@dataclass(frozen=True, eq=False)
class LabelPoints:
    """All operating points of one label.

    Attributes:
        group: the label's runs.
        traced: those that hold a trace; only they have points beside the rule's.
        chosen: indices of the sweep's thresholds that are shown.
    """

    group: Group
    traced: tuple[FinishedRun, ...]
    chosen: np.ndarray

    @cached_property
    def table(self) -> Table:
        """Return one row per threshold, then that of the rule that was run, means over seeds.

        Columns: ``series``, ``threshold``, those of ``MEASURES``, each with its half width. The points of a
        sweep are means over the runs that hold a trace.
        """
        rule = self.group.operating_point(MEASURES).tagged(series=OPERATING)
        if not self.traced:
            return stack([Table({**rule.columns, "threshold": np.full(1, np.nan)})])
        sweep = Group(self.group.label, self.traced).sweep().rows(self.chosen)
        return stack([sweep.tagged(series=SWEEP), rule])

    @property
    def step_ms(self) -> float | None:
        """Return how long a step lasts in milliseconds of input, where that is known."""
        return self.traced[0].trace.step_ms if self.traced else None

    def judged(self, run: FinishedRun) -> list[Judged | None]:
        """Return what one run decided at each row of the table; None where its records do not tell."""
        rule = judged_by_rule(run) if stored(run, DECISIONS) else None
        if run not in self.traced:
            n_points = len(self.chosen) if self.traced else 0
            return [*[None] * n_points, rule]
        return [*(judged_at(run, float(run.sweep["threshold"][at])) for at in self.chosen), rule]


def label_points(groups: Sequence[Group], n_points: int) -> list[LabelPoints]:
    """Return the operating points of every label.

    Args:
        groups: the runs compared.
        n_points: how many thresholds of the sweep to show at most.
    """
    found = []
    for group in groups:
        traced = tuple(run for run in group.runs if stored(run, TRACE))
        n = len(traced[0].sweep) if traced else 0
        spread = np.linspace(0, n - 1, min(n_points, n)).round().astype(np.int64)
        found.append(LabelPoints(group, traced, spread))
    return found


def stored(run: FinishedRun, name: str) -> bool:
    """Return whether a run folder holds a file; published copies lack some."""
    return (run.record.folder / name).is_file()


def judged_at(run: FinishedRun, threshold: float) -> Judged:
    """Return what a run decides at a constant threshold, from its trace."""
    trace = run.trace
    decision = decide(trace.evidence, FirstSpike(threshold), trace.lengths)
    return Judged(
        threshold, trace.ids, trace.labels, decision.label, decision.step, decision.decided,
        decision.evidence, trace.evidence.shape[2],
    )  # fmt: skip


def judged_by_rule(run: FinishedRun) -> Judged:
    """Return what a run decided by the rule that it was run with, from its stored decisions."""
    found = run.record.decisions()
    n_classes = int(max(found["true_label"].max(), found["label"].max())) + 1
    if stored(run, TRACE):
        n_classes = run.trace.evidence.shape[2]
    return Judged(
        float("nan"), found["id"], found["true_label"], found["label"], found["step"], found["decided"],
        found["evidence"], n_classes,
    )  # fmt: skip
