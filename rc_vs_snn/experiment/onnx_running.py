"""Running the step of an ONNX file over encoded samples, and comparing what it says with a model of ours."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rc_vs_snn.contracts import Decision
from rc_vs_snn.decision.batch import run_full
from rc_vs_snn.decision.evidence import evidence_of_trace, read_by
from rc_vs_snn.decision.reading import evidence_trace
from rc_vs_snn.decision.rules import Rule, decide, thresholds_of
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.errors import InputError
from rc_vs_snn.models.interface import Model
from rc_vs_snn.models.onnx_step import EVIDENCE, INPUT

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

TOLERANCE = 1e-4
"""How far evidence may be off, of its size where that is above 1: sums are rounded in another order."""
MOST_BEYOND = 0.01
"""Share of samples in which it may be further off: where rounding moved a hidden spike."""


@dataclass(frozen=True)
class Difference:
    """A sample that is decided otherwise.

    Attributes:
        row: which one.
        ours, theirs: label and step.
        evidence: our largest evidence at the earlier of the two steps, and that of the file.
        threshold: what was in force there.
    """

    row: int
    ours: tuple[int, int]
    theirs: tuple[int, int]
    evidence: tuple[float, float]
    threshold: float


@dataclass(frozen=True)
class Agreement:
    """What a file says beside what the model says.

    Attributes:
        ours: the model's decisions.
        different: the samples that are decided otherwise, by label or step.
        largest: largest difference of evidence up to our decision.
        beyond: samples in which it is above the tolerance.
    """

    ours: Decision
    different: list[Difference]
    largest: float
    beyond: int

    @property
    def n(self) -> int:
        """How many samples were compared."""
        return len(self.ours.label)

    def require(self, label: str) -> None:
        """Raise InputError unless the file says what the model says.

        Args:
            label: the model's name.
        """
        if self.beyond > MOST_BEYOND * self.n:
            raise InputError(
                f"{label}: in onnxruntime the evidence of {self.beyond} of {self.n} samples is further off "
                f"than {TOLERANCE:g} (largest difference {self.largest:.2g}), so nothing was written; a step "
                "must depend on its input and on the tensors in its state alone, not on a number in it"
            )

    def __str__(self) -> str:
        equal = self.n - len(self.different)
        return (
            f"{equal} of {self.n} samples decided alike (label and step); largest difference of evidence "
            f"{self.largest:.2g}"
        )


def joined(parts: Sequence[Agreement]) -> Agreement:
    """Return what several batches came to, in their order."""
    names = [field.name for field in fields(Decision)]
    ours = {name: np.concatenate([getattr(part.ours, name) for part in parts]) for name in names}
    starts = np.cumsum([0, *(part.n for part in parts)]).tolist()
    moved = [
        replace(each, row=each.row + start)
        for part, start in zip(parts, starts, strict=False)
        for each in part.different
    ]
    largest = max(part.largest for part in parts)
    return Agreement(Decision(**ours), moved, largest, sum(part.beyond for part in parts))


def compare(session: "InferenceSession", model: Model, rule: Rule, code: Encoded) -> Agreement:
    """Run samples through a file and through the model that it is of.

    Args:
        session: the file's step.
        model: the classifier, in eval mode on the CPU.
        rule: its rule.
        code: a batch of B samples.
    """
    evidence = read_by(rule, model.evidence)
    last = np.broadcast_to(np.asarray(code.last_steps()), len(code))
    with torch.no_grad():
        ours = evidence_trace(run_full(model, code), evidence, last + 1)
    readouts, theirs = trace_of(session, code)
    if theirs is None:
        theirs = evidence_of_trace(readouts, evidence, last + 1)
    theirs = _held(theirs, last)
    mine, its = (decide(each, rule, last + 1) for each in (ours, theirs))
    reached = np.arange(code.n_steps) <= mine.step[:, None]  # (B, T)
    off = np.where(reached[:, :, None], np.abs(ours - theirs), 0)
    beyond = (off > TOLERANCE * np.maximum(1, np.abs(ours))).any((1, 2))
    thresholds = thresholds_of(rule, code.n_steps)
    return Agreement(
        mine,
        [
            _difference(int(row), mine, its, ours, theirs, thresholds)
            for row in np.flatnonzero((mine.label != its.label) | (mine.step != its.step))
        ],
        float(off.max(initial=0)),
        int(beyond.sum()),
    )


def trace_of(session: "InferenceSession", code: Encoded) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the readouts of all samples at every step, ``(B, T, K)``, and the evidence where it is there."""
    names = [each.name for each in session.get_outputs()]
    parts: list[dict[str, Any]] = json.loads(session.get_modelmeta().custom_metadata_map["state"])
    state = {
        each["name"]: np.full((len(code), *each["shape"]), each["start"], each["dtype"]) for each in parts
    }
    readouts, evidence = [], []
    for step in range(code.n_steps):
        x = code.at(step).to("cpu", torch.float32).numpy()
        readout, *found = session.run(None, {INPUT: x, **state})
        readouts.append(readout)
        if EVIDENCE in names:
            evidence.append(found.pop(0))
        state = dict(zip(state, found, strict=True))
    return np.stack(readouts, 1), np.stack(evidence, 1) if evidence else None


def _held(trace: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return a trace that stands still behind each sample's last step."""
    reached = np.minimum(np.arange(trace.shape[1]), last[:, None])
    return np.take_along_axis(trace, reached[:, :, None], 1)


def _difference(
    row: int, mine: Decision, its: Decision, ours: np.ndarray, theirs: np.ndarray, thresholds: np.ndarray
) -> Difference:
    step = min(int(mine.step[row]), int(its.step[row]))
    return Difference(
        row,
        (int(mine.label[row]), int(mine.step[row])),
        (int(its.label[row]), int(its.step[row])),
        (float(ours[row, step].max()), float(theirs[row, step].max())),
        float(thresholds[step]),
    )
