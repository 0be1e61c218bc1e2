"""One step of neurons in whole numbers in one pass over memory; equal to ``reference.py`` in every number.

Sums of weights are exact in floats as long as they stay below the size of their significand, and products of
floats are what processors are fast at: so ``sums`` holds whole numbers as floats, and what the neurons keep
is int32.
"""

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.kernels.compiling import compiled
from rc_vs_snn.kernels.fixed.reference import Arithmetic, Reset

RESETS: tuple[Reset, ...] = ("subtract", "zero", "clear", "none")
SUBTRACT, ZERO, CLEAR = 0, 1, 2
EXACT = {torch.float32: 2**24, torch.float64: 2**53}
"""Up to which size each type holds every whole number."""


def exact_type(largest: float, device: torch.device) -> torch.dtype:
    """Return the type in which sums of whole numbers up to ``largest`` are exact.

    Elsewhere than on the CPU a float32 product may be computed in fewer bits.
    """
    small = largest < EXACT[torch.float32] and device.type == "cpu"
    return torch.float32 if small else torch.float64


def advance(
    sums: Tensor, membrane: Tensor, current: Tensor | None, constants: tuple[Tensor, Tensor, Tensor, Tensor],
    reset: Reset, arithmetic: Arithmetic,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Return the new membranes and currents, int32 ``(B, ..., n)``; computed on the CPU, wherever they lie.

    Args:
        sums: whole numbers, float ``(B, ..., n)``.
        membrane: int32 of the step before, likewise.
        current: likewise, or None.
        constants: shift, decay, threshold and current decay, int32 ``(n,)``; the last of no entry for none.
        reset: see ``reference.step``.
        arithmetic: see there.
    """
    width = sums.shape[-1]
    old = [part.cpu().reshape(-1, width).numpy() for part in (sums, membrane)]
    before = np.zeros((0, width), np.int32) if current is None else current.cpu().reshape(-1, width).numpy()
    new = np.empty_like(old[1])
    after = np.empty_like(before)
    _advance(
        *old, before, *(each.cpu().numpy() for each in constants), RESETS.index(reset),
        arithmetic.membrane_bits, arithmetic.decay_bits, arithmetic.rounding == "nearest", new, after,
    )  # fmt: skip
    kept = torch.from_numpy(new).to(sums.device).view(membrane.shape)
    return kept, None if current is None else torch.from_numpy(after).to(sums.device).view(membrane.shape)


@compiled()
def _divided(value, bits, nearest):  # type: ignore[no-untyped-def]
    magnitude = abs(value)
    if nearest and bits > 0:
        magnitude += np.int64(1) << (bits - 1)
    magnitude >>= bits
    return magnitude if value >= 0 else -magnitude


@compiled()
def _advance(  # type: ignore[no-untyped-def]
    sums, membrane, current, shift, decay, threshold, current_decay, reset, membrane_bits, decay_bits,
    nearest, new, new_current,
):  # fmt: skip
    least, most = -(np.int64(1) << (membrane_bits - 1)), (np.int64(1) << (membrane_bits - 1)) - 1
    for row in range(len(new)):
        for n in range(new.shape[1]):
            arriving, by = np.int64(sums[row, n]), np.int64(shift[n])
            arriving = arriving << by if by >= 0 else _divided(arriving, -by, nearest)
            if len(current):
                arriving += _divided(np.int64(current[row, n]) * current_decay[n], decay_bits, nearest)
                arriving = min(max(arriving, least), most)
                new_current[row, n] = arriving
            before = np.int64(membrane[row, n])
            fired = before > threshold[n]
            value = _divided(before * decay[n], decay_bits, nearest)
            if fired and reset == ZERO:
                value = np.int64(0)
            value += arriving
            if fired and reset == SUBTRACT:
                value -= threshold[n]
            elif fired and reset == CLEAR:
                value = np.int64(0)
            new[row, n] = min(max(value, least), most)
