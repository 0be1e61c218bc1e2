"""Dropout whose mask is drawn once per sample and held over all time steps."""

from typing import NamedTuple

from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.cost import Operations, Signal


class DropoutState(NamedTuple):
    """The mask of 0 and 1 / (1 - dropout), ``(B, width)``; None at inference."""

    mask: Tensor | None


class Dropout(nn.Module):
    """Silences units in training, the same ones at every step.

    A mask drawn anew at every step would let each unit through sooner or later; a sequence decided
    after many steps would see hardly any dropout.

    Args:
        width: number of units.
        dropout: probability of a unit being dropped, in [0, 1).

    Raises:
        InputError: another probability.

    Source: Gal and Ghahramani 2016, arXiv 1512.05287 (one mask per sequence).
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise InputError(f"dropout must lie in [0, 1), got {dropout:g}")
        self.width, self.dropout = width, dropout

    @property
    def only_in_training(self) -> str:
        """What makes its decisions unrepeatable in training mode, "" for nothing."""
        return "dropout is random" if self.dropout else ""

    def initial_state(self, batch: int, like: Tensor) -> DropoutState:
        """Draw the masks from torch's generator; see ``Layer``."""
        if not self.training or not self.dropout:
            return DropoutState(None)
        kept = like.new_empty(batch, self.width)
        return DropoutState(kept.bernoulli_(1 - self.dropout) / (1 - self.dropout))

    def step(self, x: Tensor, state: DropoutState, step: int) -> tuple[Tensor, DropoutState]:
        """See ``Layer``."""
        return x if state.mask is None else x * state.mask, state

    def operations(
        self, x: Signal, before: DropoutState, after: DropoutState, step: int
    ) -> tuple[Operations | None, Signal]:
        """See ``Layer``; a spike that is let through is one spike."""
        mask = before.mask
        return None, x if mask is None else x.then(lambda: x.values * (mask > 0), x.analogue)
