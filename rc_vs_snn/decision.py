"""Running a model until it decides: early exit that drops decided rows, and the full pass.

``run_to_decision`` and ``rules.decide`` on a full trace give the same decisions; the first computes
only what is needed. It is differentiable: a backward pass runs only through the steps before each
row's decision.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.contracts import Decision
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.models import tail
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
    rows = torch.arange(len(encoded), device=encoded.device)
    state = model.initial_state(len(encoded), encoded.device)
    parts: list[_Part] = []
    thresholds = [rule.threshold_at(step, encoded.n_steps) for step in range(encoded.n_steps)]
    short = tail.supports_tail(model, encoded)
    with deferred_gradients():
        for step in range(encoded.n_steps):
            if short and 0 < len(rows) <= tail.MOST_ROWS:
                ended = tail.run_tail(model, encoded, state, step, np.array(thresholds, np.float32))
                if observe is not None:
                    for at, (begin, end) in enumerate(itertools.pairwise(ended.bounds), step):
                        if end > begin:
                            observe(at, rows[ended.row[begin:end]], ended.readouts[begin:end])
                parts.append(_Part(rows, ended.step, ended.readouts[ended.last], ended.spikes))
                break
            readout, state = model.step(encoded.at(step), state)
            if observe is not None:
                observe(step, rows, readout)
            spikes = _spikes(readout, model.evidence, thresholds[step])
            leaving = spikes.any(1) if step < encoded.n_steps - 1 else torch.ones_like(spikes[:, 0])
            n_leaving = int(leaving.sum())
            if n_leaving == len(rows):
                parts.append(_Part(rows, step, readout, spikes))
                break
            if n_leaving:
                out, stay = leaving.nonzero().squeeze(1), (~leaving).nonzero().squeeze(1)
                parts.append(_Part(rows[out], step, readout[out], spikes[out]))
                rows, encoded = rows[stay], encoded.select(stay)
                state = tuple(part[stay] for part in state)
    return _reassemble(parts, model.evidence)


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows that decided at one step."""

    rows: Tensor
    step: int | Tensor
    readout: Tensor  # (rows, K)
    spikes: Tensor  # (rows, K)


def _spikes(readout: Tensor, kind: EvidenceKind, threshold: float) -> Tensor:
    return evidence_of(readout.detach(), kind) >= threshold


def _reassemble(parts: list[_Part], kind: EvidenceKind) -> Outcome:
    back = torch.cat([part.rows for part in parts]).argsort()
    step = torch.cat(
        [
            part.step if isinstance(part.step, Tensor) else torch.full_like(part.rows, part.step)
            for part in parts
        ]
    )[back]
    readout = torch.cat([part.readout for part in parts])[back]
    n_spikes = torch.cat([part.spikes for part in parts])[back].sum(1)
    evidence = evidence_of(readout.detach(), kind)
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
