"""What training minimises. Each objective takes a batch and returns its loss and the rule's decisions."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from rc_vs_snn.contracts import Decision
from rc_vs_snn.decision.batch import run_full, run_to_decision
from rc_vs_snn.decision.evidence import read_by
from rc_vs_snn.decision.reading import evidence_trace
from rc_vs_snn.decision.rules import Rule, decide
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.errors import InputError
from rc_vs_snn.models.interface import Model
from rc_vs_snn.registry import objectives


class Objective(Protocol):
    """Loss of one batch.

    One that changes in the course of a training also has ``at(done)``, which returns the objective in force
    once the share ``done`` of all epochs is over.
    """

    def __call__(self, model: Model, encoded: Encoded, labels: Tensor, rule: Rule) -> tuple[Tensor, Decision]:
        """Return the loss (a scalar with gradient) and the decisions under ``rule``.

        Args:
            model: the classifier.
            encoded: a batch of B samples.
            labels: true classes, ``(B,)``.
            rule: the first-spike rule.
        """
        ...


def objective_after(objective: Objective, done: float) -> Objective:
    """Return what is minimised once the share ``done`` of a training is over."""
    at = getattr(objective, "at", None)
    return objective if at is None else at(done)


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
    """Cross-entropy averaged over all steps of all samples: the usual way to train for early inference.

    loss = (1 - mse) · mean over samples and their steps of CE(readout, label)
           + mse · mean over them and the classes of (readout - 1)²

    The second term holds the readouts of all steps near one level, so that no step's few large ones carry
    the others.

    Attributes:
        mse: weight of the second term, in [0, 1); 0 leaves the cross-entropy alone. The source takes 1e-3.

    Source: Deng et al. 2022, arXiv 2202.11946 (temporal efficient training, TET); with it the nets of Li et
    al. 2023, arXiv 2304.01230 (SEENN), are trained.
    """

    mse: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.mse < 1:
            raise InputError(f"objective 'every-step': mse must lie in [0, 1), got {self.mse}")

    def __call__(self, model: Model, encoded: Encoded, labels: Tensor, rule: Rule) -> tuple[Tensor, Decision]:
        """Return loss and decisions; see ``Objective``."""
        readouts = run_full(model, encoded)  # (T, B, K)
        within = _within(encoded)
        wanted = labels.expand(within.shape)
        loss = functional.cross_entropy(readouts[within], wanted[within])
        if self.mse:
            level = functional.mse_loss(readouts[within], torch.ones_like(readouts[within]))
            loss = (1 - self.mse) * loss + self.mse * level
        return loss, _decided(readouts, model, encoded, rule)


@objectives.register("cumulative")
@dataclass(frozen=True)
class Cumulative:
    """Cross-entropy of the running mean of class probabilities, averaged over all steps of all samples.

    loss = mean over samples and their steps t of -log(mean over i <= t of softmax(readout at i)[label])

    Early steps stay in every later mean, so they are trained to agree with it soon; the rule goes on reading
    the evidence of single steps. The source sums where we average: only so the sum is a distribution whose
    cross-entropy can reach 0.

    Source: Song et al. 2024, arXiv 2406.12726 (ED-sKWS, cumulative temporal loss).
    """

    def __call__(self, model: Model, encoded: Encoded, labels: Tensor, rule: Rule) -> tuple[Tensor, Decision]:
        """Return loss and decisions; see ``Objective``."""
        readouts = run_full(model, encoded)  # (T, B, K)
        wanted = labels.expand(readouts.shape[:2])[..., None]
        log_p = readouts.log_softmax(2).gather(2, wanted)[..., 0]  # (T, B)
        counted = torch.arange(1, len(log_p) + 1, device=log_p.device)[:, None]
        log_mean = log_p.logcumsumexp(0) - counted.log()
        return -log_mean[_within(encoded)].mean(), _decided(readouts, model, encoded, rule)


@objectives.register("aligned")
@dataclass(frozen=True)
class Aligned:
    """Every step labelled by an alignment, as a preparation; then rank coding.

    A sample is silent until the energy of its input has risen by ``rise`` of the way from its least to its
    most over the sample's own steps, and says its label from there on. Energy is the mean input of a step
    (such as a level in decibels), or the number of its spikes. While ``until`` of the training is not over:

    loss = mean over samples and their steps of CE(readout, label, or in silence all classes alike)

    Attributes:
        until: share of the epochs after which rank coding takes over, in [0, 1]; 1: never.
        rise: in (0, 1].
        silence: "uniform", or "mask" to leave silent steps out.
        beta: as in ``RankCoding``, after the switch.
        auxiliary: likewise.

    Source: Hu et al. 2020, arXiv 2005.00572 (pre-training RNN transducers with alignments lowers latency;
    theirs come from outside).
    """

    until: float = 0.3
    rise: float = 0.5
    silence: Literal["uniform", "mask"] = "uniform"
    beta: float = 0.0
    auxiliary: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.until <= 1 and 0 < self.rise <= 1):
            raise InputError(
                f"objective 'aligned': until must lie in [0, 1] and rise in (0, 1], got {self.until:g} and "
                f"{self.rise:g}"
            )
        self._then()  # which refuses what it cannot be

    def at(self, done: float) -> Objective:
        """Return the objective in force; see ``Objective``."""
        return self if done < self.until or self.until == 1 else self._then()

    def _then(self) -> RankCoding:
        return RankCoding(self.beta, self.auxiliary)

    def __call__(self, model: Model, encoded: Encoded, labels: Tensor, rule: Rule) -> tuple[Tensor, Decision]:
        """Return loss and decisions while preparing; see ``Objective``."""
        readouts = run_full(model, encoded)  # (T, B, K)
        spoken = spoken_steps(encoded, self.rise)
        wanted = functional.one_hot(labels, readouts.shape[2]).to(readouts.dtype)
        wanted = torch.where(spoken[..., None], wanted, 1 / readouts.shape[2])  # (T, B, K)
        read = spoken if self.silence == "mask" else _within(encoded)
        loss = functional.cross_entropy(readouts[read], wanted[read])
        return loss, _decided(readouts, model, encoded, rule)


def spoken_steps(encoded: Encoded, rise: float) -> Tensor:
    """Return which steps lie at or behind a sample's rise in energy and within its length, ``(T, B)``."""
    steps = range(encoded.n_steps)
    if encoded.analogue:
        energy = torch.stack([encoded.at(step).mean(1) for step in steps])
    else:
        energy = torch.stack([encoded.events_at(step) for step in steps]).to(torch.get_default_dtype())
    within = _within(encoded)
    least = energy.where(within, math.inf).amin(0)
    most = energy.where(within, -math.inf).amax(0)
    risen = (energy >= least + rise * (most - least)) & within
    return (risen.cumsum(0) > 0) & within


def _within(encoded: Encoded) -> Tensor:
    """Return which steps are within the samples' lengths, ``(T, B)``."""
    steps = torch.arange(encoded.n_steps, device=encoded.device)[:, None]
    lengths = encoded.lengths
    return (steps < (encoded.n_steps if lengths is None else lengths)).expand(-1, len(encoded))


def _decided(readouts: Tensor, model: Model, encoded: Encoded, rule: Rule) -> Decision:
    lengths = None if encoded.lengths is None else encoded.lengths.cpu().numpy()
    return decide(evidence_trace(readouts, read_by(rule, model.evidence), lengths), rule, lengths)
