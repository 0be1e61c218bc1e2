"""The one interface of every model."""

from typing import Protocol

import torch
from torch import Tensor

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.models.state import State


class Model(Protocol):
    """A temporal classifier whose state is passed in and returned, never kept on the module.

    What else it may offer, and others look for: ``n_channels``, the number of inputs C; ``operations``,
    what a step costs (``cost.py``; without it a cost is "not counted"); ``run``, a compiled run to the
    decision, and ``one_sample``, a compiled step of one sample (see ``Stack``).

    Attributes:
        evidence: what the first-spike rule compares with its threshold: "probability" (softmax of
            the readout), "sigmoid" (each class's own) or "membrane" (the readout is the output
            neurons' membrane potential).
    """

    evidence: EvidenceKind

    def initial_state(self, batch: int, device: torch.device | str) -> State:
        """Return the state before step 0: a nest of tensors with the batch first."""
        ...

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance one time step.

        Args:
            x: input at this step, ``(B, C)``.
            state: what the last step (or ``initial_state``) returned.

        Returns:
            The readout ``(B, K)`` (logits or membrane potentials) and the new state.
        """
        ...
