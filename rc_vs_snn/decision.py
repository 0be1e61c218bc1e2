"""Running a model until it decides: early exit that drops decided rows, and the full pass.

``run_to_decision`` and ``rules.decide`` on a full trace give the same decisions; the first computes
only what is needed. It is differentiable: a backward pass runs only through the steps before each
row's decision.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.contracts import Decision
from rc_vs_snn.encoded import Encoded, SpikeTimes
from rc_vs_snn.models import compiled
from rc_vs_snn.models.deferred import deferred_gradients
from rc_vs_snn.models.interface import Model, State, evidence_of
from rc_vs_snn.rules import EvidenceKind, Rule

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
    """Advance a batch step by step; a row leaves when a class's evidence reaches the threshold.

    Args:
        model: the classifier, on the device of ``encoded``.
        encoded: a batch of B samples.
        rule: the threshold over time.
        observe: called at every step with ``(step, rows, readout)``: the rows (indices into the
            batch) still undecided before the step, and their readout ``(rows, K)``.

    Returns:
        One decision per row, in the order of the batch.

    Source: Jeffares et al., arXiv 2110.02865, section 2 (backward from the first spike only).
    """
    thresholds = [rule.threshold_at(step, encoded.n_steps) for step in range(encoded.n_steps)]
    run = compiled.run_of(model, encoded)
    if run is None or (observe is not None and not torch.is_grad_enabled()):
        step, readout = _step_by_step(model, encoded, thresholds, observe)
    else:
        assert isinstance(encoded, SpikeTimes)
        step, readout = _run(run, encoded, thresholds, observe)
    return _outcome(step, readout, model.evidence, thresholds)


def _run(
    run: compiled.Run, encoded: SpikeTimes, thresholds: list[float], observe: Observer | None
) -> tuple[Tensor, Tensor]:
    """Return step and readout of every row's decision, computed in compiled loops."""
    in_force = np.array(thresholds, np.float32)
    if not torch.is_grad_enabled():
        return compiled.decide(run, encoded, in_force)
    with deferred_gradients():
        step, readout, every_step = compiled.decide_differentiable(run, encoded, in_force)
        if observe is not None:
            for each in every_step:
                observe(*each)
    return step, readout


def _step_by_step(
    model: Model, encoded: Encoded, thresholds: list[float], observe: Observer | None
) -> tuple[Tensor, Tensor]:
    """Return step and readout of every row's decision, by the model's own ``step``."""
    rows = torch.arange(len(encoded), device=encoded.device)
    state = model.initial_state(len(encoded), encoded.device)
    decided: list[tuple[Tensor, int, Tensor]] = []  # rows, step, readout
    with deferred_gradients():
        for step, threshold in enumerate(thresholds):
            readout, state = model.step(encoded.at(step), state)
            if observe is not None:
                observe(step, rows, readout)
            leaving = (evidence_of(readout.detach(), model.evidence) >= threshold).any(1)
            n_leaving = len(rows) if step == len(thresholds) - 1 else int(leaving.sum())
            if n_leaving == len(rows):
                decided.append((rows, step, readout))
                break
            if n_leaving:
                out, stay = leaving.nonzero().squeeze(1), (~leaving).nonzero().squeeze(1)
                decided.append((rows[out], step, readout[out]))
                rows, encoded = rows[stay], encoded.select(stay)
                state = tuple(part[stay] for part in state)
    back = torch.cat([rows for rows, _, _ in decided]).argsort()
    steps = torch.cat([torch.full_like(rows, step) for rows, step, _ in decided])[back]
    return steps, torch.cat([readout for _, _, readout in decided])[back]


def _outcome(step: Tensor, readout: Tensor, kind: EvidenceKind, thresholds: list[float]) -> Outcome:
    evidence = evidence_of(readout.detach(), kind)
    in_force = torch.tensor(thresholds, dtype=evidence.dtype, device=evidence.device)[step]
    n_spikes = (evidence >= in_force[:, None]).sum(1)
    best = evidence.amax(1, keepdim=True)
    # argmax breaks ties by an unspecified index; numbering the classes downwards makes it the lowest.
    countdown = torch.arange(evidence.shape[1], 0, -1, device=evidence.device)
    label = ((evidence == best) * countdown).argmax(1)
    return Outcome(label, step, n_spikes > 0, n_spikes > 1, best.squeeze(1), readout)


def run_full(model: Model, encoded: Encoded) -> Tensor:
    """Return the readout at every step, ``(T, B, K)``, with gradient: nothing exits early."""
    with deferred_gradients():
        return torch.stack([readout for readout, _, _, _ in iterate(model, encoded)])


def iterate(model: Model, encoded: Encoded) -> Iterator[tuple[Tensor, Tensor, State, State]]:
    """Yield ``(readout, input, state before, state after)`` of every step of a full pass."""
    state = model.initial_state(len(encoded), encoded.device)
    for step in range(encoded.n_steps):
        x = encoded.at(step)
        readout, after = model.step(x, state)
        yield readout, x, state, after
        state = after


def evidence_trace(readouts: Tensor, kind: EvidenceKind) -> np.ndarray:
    """Return the evidence of a full pass as the rule reads it, ``(B, T, K)``."""
    return evidence_of(readouts.detach(), kind).transpose(0, 1).cpu().numpy()
