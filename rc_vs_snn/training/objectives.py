"""What training minimises. Each objective takes a batch and returns its loss and the rule's decisions."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from rc_vs_snn.contracts import Decision
from rc_vs_snn.decision.batch import run_full, run_to_decision
from rc_vs_snn.decision.evidence import evidence_trace
from rc_vs_snn.decision.rules import Rule, decide
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.errors import InputError
from rc_vs_snn.models.interface import Model
from rc_vs_snn.registry import objectives


class Objective(Protocol):
    """Loss of one batch."""

    def __call__(self, model: Model, encoded: Encoded, labels: Tensor, rule: Rule) -> tuple[Tensor, Decision]:
        """Return the loss (a scalar with gradient) and the decisions under ``rule``.

        Args:
            model: the classifier.
            encoded: a batch of B samples.
            labels: true classes, ``(B,)``.
            rule: the first-spike rule.
        """
        ...


def output_entropy(readout: Tensor) -> Tensor:
    """Return the entropy in nats of softmax(readout), ``(B,)``."""
    log_p = readout.log_softmax(1)
    return -(log_p.exp() * log_p).sum(1)


@objectives.register("rank-coding")
@dataclass(frozen=True)
class RankCoding:
    """Cross-entropy at the decision step minus beta times the output entropy there (the paper's).

    loss = mean over rows of CE(readout at the decision, label) - beta · H(softmax(readout))
           + auxiliary · mean over steps' undecided rows of CE(readout at that step, label)

    Attributes:
        beta: weight of the entropy term; above 0 rewards hesitation, so decisions come later.
        auxiliary: weight of the cross-entropy at the steps before the decision (0 in the paper).
        on_sigmoid: take the cross-entropy of the readout's sigmoids in place of its own, as the authors'
            sample code does: such a loss cannot fall below 1.46 for ten classes.

    Source: Jeffares et al., arXiv 2110.02865, section 2.
    """

    beta: float = 0.0
    auxiliary: float = 0.0
    on_sigmoid: bool = False

    def __post_init__(self) -> None:
        if self.auxiliary < 0:
            raise InputError(f"objective 'rank-coding': auxiliary must not be negative, got {self.auxiliary}")

    def __call__(self, model: Model, encoded: Encoded, labels: Tensor, rule: Rule) -> tuple[Tensor, Decision]:
        """Return loss and decisions; see ``Objective``."""
        early: list[Tensor] = []

        def logits(readout: Tensor) -> Tensor:
            return readout.sigmoid() if self.on_sigmoid else readout

        def observe(step: int, rows: Tensor, readout: Tensor) -> None:
            early.append(functional.cross_entropy(logits(readout), labels[rows], reduction="sum"))

        outcome = run_to_decision(model, encoded, rule, observe if self.auxiliary else None)
        loss = functional.cross_entropy(logits(outcome.readout), labels)
        if self.beta:
            loss = loss - self.beta * output_entropy(outcome.readout).mean()
        if self.auxiliary:
            loss = loss + self.auxiliary * torch.stack(early).sum() / (outcome.step + 1).sum()
        return loss, outcome.decision()


@objectives.register("last-step")
@dataclass(frozen=True)
class LastStep:
    """Cross-entropy at the last step only: the paper's control without rank-coded training.

    Source: Jeffares et al., arXiv 2110.02865.
    """

    def __call__(self, model: Model, encoded: Encoded, labels: Tensor, rule: Rule) -> tuple[Tensor, Decision]:
        """Return loss and decisions; see ``Objective``."""
        readouts = run_full(model, encoded)  # (T, B, K)
        loss = functional.cross_entropy(readouts[-1], labels)  # each sample's own last
        return loss, _decided(readouts, model, encoded, rule)


@objectives.register("every-step")
@dataclass(frozen=True)
class EveryStep:
    """Cross-entropy averaged over all steps of all samples: the usual way to train for early inference."""

    def __call__(self, model: Model, encoded: Encoded, labels: Tensor, rule: Rule) -> tuple[Tensor, Decision]:
        """Return loss and decisions; see ``Objective``."""
        readouts = run_full(model, encoded)  # (T, B, K)
        n_steps, batch, n_classes = readouts.shape
        pairs, wanted = readouts.reshape(n_steps * batch, n_classes), labels.repeat(n_steps)
        if encoded.lengths is not None:
            within = torch.arange(n_steps, device=labels.device)[:, None] < encoded.lengths  # (T, B)
            pairs, wanted = pairs[within.flatten()], wanted[within.flatten()]
        return functional.cross_entropy(pairs, wanted), _decided(readouts, model, encoded, rule)


def _decided(readouts: Tensor, model: Model, encoded: Encoded, rule: Rule) -> Decision:
    lengths = None if encoded.lengths is None else encoded.lengths.cpu().numpy()
    return decide(evidence_trace(readouts, model.evidence), rule, lengths)
