"""Dropout whose mask is drawn once per sample and held over all time steps."""

import torch
from torch import Tensor

from rc_vs_snn.errors import InputError


def check_dropout(dropout: float) -> None:
    """Raise InputError unless the drop probability lies in [0, 1)."""
    if not 0 <= dropout < 1:
        raise InputError(f"dropout must lie in [0, 1), got {dropout:g}")


def held_mask(like: Tensor, width: int, dropout: float) -> Tensor:
    """Draw a mask from torch's generator, to be carried in the state.

    A mask drawn anew at every step would let each unit through sooner or later; a sequence decided
    after many steps would see hardly any dropout.

    Args:
        like: gives batch size, device and dtype, ``(B, ...)``.
        width: number of units.
        dropout: probability of a unit being dropped, in [0, 1).

    Returns:
        ``(B, width)`` of 0 and 1 / (1 - dropout).

    Source: Gal and Ghahramani 2016, arXiv 1512.05287 (one mask per sequence).
    """
    return torch.empty(len(like), width, device=like.device, dtype=like.dtype).bernoulli_(1 - dropout) / (
        1 - dropout
    )
