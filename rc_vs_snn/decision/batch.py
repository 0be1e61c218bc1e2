"""Running a model until it decides: early exit that drops decided rows, and the full pass.

A row that is undecided at its own last step is forced there and leaves like the others. ``run_to_decision``
and ``rules.decide`` on a full trace give the same decisions; the first computes only what is needed. It is
differentiable: a backward pass runs only through the steps before each row's decision.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.contracts import Decision
from rc_vs_snn.decision.evidence import Evidence, named, read_by
from rc_vs_snn.decision.reading import Reader, evidence_of
from rc_vs_snn.decision.rules import Rule, thresholds_of
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.errors import DivergedError
from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.pairs import WholeRun
from rc_vs_snn.kernels.rule import n_spikes, verdict_of_tensors
from rc_vs_snn.kernels.synapses import deferred_gradients
from rc_vs_snn.models.interface import Model
from rc_vs_snn.models.state import State, select

Observer = Callable[[int, Tensor, Tensor], None]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Decisions of one batch, with what training needs to differentiate through them.

    Attributes:
        label, step, decided, tied, evidence: as in ``Decision``, tensors ``(B,)``.
        readout: logits or membrane potentials at each row's decision step, ``(B, K)``, with gradient.
    """

    label: Tensor
    step: Tensor
    decided: Tensor
    tied: Tensor
    evidence: Tensor
    readout: Tensor

    def decision(self) -> Decision:
        """Return the decisions as plain arrays."""
        names = ("label", "step", "decided", "tied", "evidence")
        return Decision(**{name: getattr(self, name).cpu().numpy() for name in names})


def run_to_decision(model: Model, encoded: Encoded, rule: Rule, observe: Observer | None = None) -> Outcome:
    """Advance a batch step by step; a row leaves when a class's evidence reaches the threshold, or it ends.

    Args:
        model: the classifier, on the device of ``encoded``.
        encoded: a batch of B samples.
        rule: the threshold over time, compared with its own evidence or else the model's.
        observe: called at every step with ``(step, rows, readout)``: the rows (indices into the
            batch) still undecided before the step, and their readout ``(rows, K)``.

    Returns:
        One decision per row, in the order of the batch.

    Raises:
        DivergedError: NaN in the evidence of a decision.

    Source: Jeffares et al., arXiv 2110.02865, section 2 (backward from the first spike only).
    """
    thresholds = thresholds_of(rule, encoded.n_steps)
    evidence = read_by(rule, model.evidence)
    compiled = evidence == named(model.evidence)  # compiled runs know the models' own evidence
    whole = _whole_run(model, encoded, thresholds, observe) if compiled else None
    if whole is not None:
        return _outcome(*whole, evidence_of(whole[1], evidence), thresholds)
    return _outcome(*_step_by_step(model, encoded, thresholds, evidence, observe), thresholds)


def _whole_run(
    model: Model, encoded: Encoded, thresholds: np.ndarray, observe: Observer | None
) -> tuple[Tensor, Tensor] | None:
    """Return what ``_step_by_step`` does, computed in compiled loops; None where there are none."""
    run: Callable[[Encoded, np.ndarray], WholeRun | None] | None = getattr(model, "run", None)
    if run is None or (observe is not None and backend.at_inference()):
        return None  # at inference a run keeps nothing to observe
    found = run(encoded, thresholds.astype(np.float32))
    if found is None:
        return None
    if observe is not None:
        for each in found.every_step:
            observe(*each)
    return found.step, found.readout


def _step_by_step(
    model: Model, encoded: Encoded, thresholds: np.ndarray, evidence: Evidence, observe: Observer | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return step, readout and evidence of every row's decision, by the model's own ``step``."""
    rows = torch.arange(len(encoded), device=encoded.device)
    state = model.initial_state(len(encoded), encoded.device)
    read = Reader(evidence)
    decided: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []  # rows, step, readout, evidence
    with deferred_gradients():
        for step, threshold in enumerate(thresholds.tolist()):
            readout, state = model.step(encoded.at(step), state)
            if observe is not None:
                observe(step, rows, readout)
            found = read(readout)
            leaving = n_spikes(found, threshold) > 0
            leaving |= encoded.ending(step)
            n_leaving = int(leaving.sum())
            if n_leaving == len(rows):
                decided.append((rows, torch.full_like(rows, step), readout, found))
                break
            if n_leaving:
                out, stay = leaving.nonzero().squeeze(1), (~leaving).nonzero().squeeze(1)
                decided.append((rows[out], torch.full_like(out, step), readout[out], found[out]))
                read.keep(stay)
                rows, encoded, state = rows[stay], encoded.select(stay), select(state, stay)
    left, *parts = (torch.cat(part) for part in zip(*decided, strict=True))
    back = left.argsort()
    steps, readouts, found = (part[back] for part in parts)
    return steps, readouts, found


def _outcome(step: Tensor, readout: Tensor, evidence: Tensor, thresholds: np.ndarray) -> Outcome:
    in_force = torch.from_numpy(thresholds).to(evidence)[step]
    spikes = n_spikes(evidence, in_force[:, None])
    label, best = verdict_of_tensors(evidence)
    if bool(best.isnan().any()):
        raise DivergedError(
            f"evidence is NaN in {int(best.isnan().sum())} of {len(best)} rows: the model diverged; lower "
            "training.learning_rate or training.clip_norm"
        )
    return Outcome(label, step, spikes > 0, spikes > 1, best, readout)


def run_full(model: Model, encoded: Encoded) -> Tensor:
    """Return the readout at every step, ``(T, B, K)``, with gradient: nothing exits early.

    A sample that has ended keeps the readout of its own last step.
    """
    with deferred_gradients():
        return at_every_step(((each.rows, each.readout) for each in iterate(model, encoded)), encoded)


def at_every_step(values: Iterable[tuple[Tensor, Tensor]], encoded: Encoded) -> Tensor:
    """Return ``(T, B, ...)`` from ``(rows, value)`` of each step; a row that has ended keeps its last."""
    found: list[Tensor] = []
    for rows, value in values:
        found.append(value if len(rows) == len(encoded) else found[-1].index_copy(0, rows, value))
    return torch.stack([*found, *[found[-1]] * (encoded.n_steps - len(found))])


class Moment(NamedTuple):
    """One step of a full pass, of the rows that it reaches.

    Attributes:
        step: 0-based.
        rows: indices into the batch, ``(rows,)``.
        encoded: the code of these rows.
        x: their input, ``(rows, C)``.
        readout: ``(rows, K)``.
        before: state given to the model.
        after: state it returned.
    """

    step: int
    rows: Tensor
    encoded: Encoded
    x: Tensor
    readout: Tensor
    before: State
    after: State


def iterate(model: Model, encoded: Encoded) -> Iterator[Moment]:
    """Yield every step of a full pass; a row leaves after its own last step."""
    rows = torch.arange(len(encoded), device=encoded.device)
    state = model.initial_state(len(encoded), encoded.device)
    for step in range(encoded.n_steps):
        going = encoded.running(step)
        if going is not None:
            rows, encoded, state = rows[going], encoded.select(going), select(state, going)
            if not len(rows):
                return
        x = encoded.at(step)
        readout, after = model.step(x, state)
        yield Moment(step, rows, encoded, x, readout, state, after)
        state = after
