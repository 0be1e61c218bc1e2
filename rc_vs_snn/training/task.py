"""What stays the same over a training."""

from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn import seeds
from rc_vs_snn.contracts import Decision, Samples, Unread
from rc_vs_snn.decision.rules import Rule
from rc_vs_snn.encoded import Encoded, Frames, SpikeTimes
from rc_vs_snn.encoders.protocol import Encoder
from rc_vs_snn.errors import InputError, blamed
from rc_vs_snn.training.ahead import one_ahead
from rc_vs_snn.training.objectives import Objective, objective_after

Augmentation = Callable[[Samples, np.random.Generator], Samples]


@dataclass(frozen=True, eq=False)
class Task:
    """What stays the same over a training: the parts that meet in every batch.

    Attributes:
        model: the classifier, an ``nn.Module`` with the ``Model`` interface.
        augmentation: changes training samples before they are encoded.
        encoder: samples to code.
        objective: the loss.
        rule: the first-spike rule.
        seed: base seed of the run.
        device: where the model lies.
    """

    model: Any
    augmentation: Augmentation
    encoder: Encoder
    objective: Objective
    rule: Rule
    seed: int
    device: torch.device

    def batches(
        self, samples: Samples, rows: np.ndarray, batch_size: int, role: str, *, augment: bool = False
    ) -> Iterator[tuple[Encoded, Tensor]]:
        """Yield ``(encoded batch, labels)`` over ``rows`` in their order."""
        encoding_seed = seeds.seed_for(self.seed, "encoding", role)
        draws = seeds.generator_for(self.seed, "augmentation", role)
        chosen = (samples.select(rows[at : at + batch_size]) for at in range(0, len(rows), batch_size))
        # What lies in memory needs no reading, and a thread would only cost.
        parts = one_ahead(Samples.read, chosen) if isinstance(samples.values, Unread) else chosen
        for part in parts:
            if augment:
                part = self._augmented(part, draws)
            labels = torch.from_numpy(part.labels).to(self.device)
            yield self._encoded(part, encoding_seed).to(self.device), labels

    def loss(
        self, encoded: Encoded, labels: Tensor, rule: Rule, done: float = 0.0
    ) -> tuple[Tensor, Decision]:
        """Return a batch's loss and decisions once the share ``done`` of the training is over.

        Raises:
            InputError: the objective returns anything else.
        """
        found: Any = objective_after(self.objective, done)(self.model, encoded, labels, rule)
        whole = isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], Decision)
        if not whole or not isinstance(found[0], Tensor) or found[0].ndim or not found[0].requires_grad:
            raise InputError(
                f"objective {self.objective!r} returned {_told(found)}; it returns the loss, a scalar tensor "
                "with gradient, and the Decision"
            )
        return found

    def _augmented(self, part: Samples, draws: np.random.Generator) -> Samples:
        with blamed(f"augmentation {self.augmentation!r}"):
            changed: Any = self.augmentation(part, draws)
        if not isinstance(changed, Samples) or len(changed) != len(part):
            raise InputError(
                f"augmentation {self.augmentation!r} returned {_told(changed)} for {len(part)} samples; it "
                "returns Samples, as many"
            )
        return changed

    def _encoded(self, part: Samples, seed: int) -> Encoded:
        with blamed(f"encoder {self.encoder!r}"):
            code: Any = self.encoder(part, seed)
        if not isinstance(code, SpikeTimes | Frames) or len(code) != len(part):
            raise InputError(
                f"encoder {self.encoder!r} returned {_told(code)} for {len(part)} samples; it returns "
                "SpikeTimes or Frames of rc_vs_snn.encoded, one row per sample"
            )
        return code


def judging_task(model: Any, encoder: Encoder, rule: Rule, seed: int, device: torch.device) -> Task:
    """Return the task of a model that is judged, and not trained: nothing is augmented, there is no loss."""
    return Task(model, _unchanged, encoder, None, rule, seed, device)  # type: ignore[arg-type]


def _unchanged(samples: Samples, generator: np.random.Generator) -> Samples:
    return samples


def _told(value: Any) -> str:
    kind = type(value).__name__
    return f"{kind} of {len(value)}" if isinstance(value, Sized) else kind
