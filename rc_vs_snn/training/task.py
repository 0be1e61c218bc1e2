"""What stays the same over a training."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn import seeds
from rc_vs_snn.contracts import Samples, Unread
from rc_vs_snn.decision.rules import Rule
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.encoders.protocol import Encoder
from rc_vs_snn.training.ahead import one_ahead
from rc_vs_snn.training.objectives import Objective

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
                part = self.augmentation(part, draws)
            labels = torch.from_numpy(part.labels).to(self.device)
            yield self.encoder(part, encoding_seed).to(self.device), labels
