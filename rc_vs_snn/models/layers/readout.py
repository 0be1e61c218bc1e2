"""Output neurons that integrate, decay and never fire: what they hold is the readout.

    U' = decay U + I

Nothing comes after the first output spike, so output neurons never reset, and a stored membrane trace can
be judged at any threshold.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rc_vs_snn.kernels.leaky.cell import integrator
from rc_vs_snn.models.cost import Operations, Signal


class ReadoutState(NamedTuple):
    """Membrane potentials (or accumulated logits) of the classes, ``(B, K)``."""

    membrane: Tensor


class Readout(nn.Module):
    """One integrator per class: currents in, membrane potentials out.

    Args:
        n_classes: number of classes K.
        decay: share of the potential that is left a step later, in [0, 1].
        learn_decay: whether it is trained, one per class; else it is no part of a checkpoint.
    """

    decay: Tensor

    def __init__(self, n_classes: int, decay: float, *, learn_decay: bool = True) -> None:
        super().__init__()
        value = torch.full((n_classes,), decay)
        if learn_decay:
            self.decay = nn.Parameter(value)
        else:
            self.register_buffer("decay", value, persistent=False)

    def initial_state(self, batch: int, like: Tensor) -> ReadoutState:
        """Return zeros; see ``Layer``."""
        return ReadoutState(like.new_zeros(batch, len(self.decay)))

    def step(self, x: Tensor, state: ReadoutState, step: int) -> tuple[Tensor, ReadoutState]:
        """See ``Layer``."""
        membrane = integrator(x, state.membrane, self.decay)
        return membrane, ReadoutState(membrane)

    def operations(
        self, x: Signal, before: ReadoutState, after: ReadoutState, step: int
    ) -> tuple[Operations, Signal]:
        """See ``Layer``."""
        return x.leaking(len(self.decay)), x.then(lambda: after.membrane, analogue=True)
