"""Integrate-and-fire neurons in whole numbers, in NumPy's int64: what ``cell.py`` is held against.

    I  = A 2^shift                                   A: the sum of weights of what arrives, and the bias
    C' = sat(current_decay C + I)                    neurons with a synaptic current; else C' = I
    U' = sat(decay U + C' - S threshold)             reset "subtract"
    U' = sat(decay (1 - S) U + C')                   reset "zero"
    U' = sat((decay U + C') (1 - S))                 reset "clear"
    U' = sat(decay U + C')                           reset "none"
    S' = 1 if U' > threshold, else 0

A decay is a whole number of 2^-decay_bits in 0..2^decay_bits. Its product, and a shift to the right, are
rounded to the "nearest" whole number, halves away from zero, or towards "zero", as Loihi rounds. ``sat``
clips to the width of a membrane, b bits of two's complement: -2^(b-1) .. 2^(b-1) - 1. Sums before are exact.

Source: Davies et al. 2018, Loihi (IEEE Micro 38(1)); its decay of 12 bits, rounded towards zero, and its
clipped membrane as nengo-loihi (``decay_int``) and Lava (``PyLifModelBitAcc``) have them. We depart from both
in the units, which are one power of two per layer, in the rounding that can be chosen, and in a current that
is clipped where Loihi's wraps around.
"""

from typing import Literal, NamedTuple

import numpy as np

Rounding = Literal["nearest", "zero"]
Reset = Literal["subtract", "zero", "clear", "none"]


class Arithmetic(NamedTuple):
    """How a layer's neurons compute.

    Attributes:
        membrane_bits: width of membranes and synaptic currents, sign included.
        decay_bits: of a decay's fraction.
        rounding: of decays and of shifts to the right.
    """

    membrane_bits: int = 16
    decay_bits: int = 12
    rounding: Rounding = "nearest"


def divided(values: np.ndarray, bits: np.ndarray | int, rounding: Rounding) -> np.ndarray:
    """Return ``values / 2^bits`` in whole numbers, rounded; ``bits`` are at least 0."""
    magnitude = np.abs(values)
    if rounding == "nearest":
        magnitude = magnitude + (np.left_shift(1, bits) >> 1)
    return np.sign(values) * (magnitude >> bits)


def shifted(values: np.ndarray, shift: np.ndarray | int, rounding: Rounding) -> np.ndarray:
    """Return ``values 2^shift``, rounded where that is a division."""
    left, right = np.maximum(shift, 0), np.maximum(np.negative(shift), 0)
    return divided(values * np.left_shift(1, left), right, rounding)


def saturated(values: np.ndarray, bits: int) -> np.ndarray:
    """Return values clipped to ``bits`` of two's complement."""
    return np.clip(values, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def step(
    sums: np.ndarray, membrane: np.ndarray, shift: np.ndarray, decay: np.ndarray, threshold: np.ndarray,
    reset: Reset, arithmetic: Arithmetic,
    current: np.ndarray | None = None, current_decay: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Return the new membranes, the new currents, and the spikes, ``(rows, n)`` of int64 each.

    Args:
        sums: A, whole numbers ``(rows, n)``.
        membrane: U of the step before ``(rows, n)``.
        shift: ``(n,)``; below 0 to the right.
        decay: in units of 2^-decay_bits ``(n,)``.
        threshold: in the membranes' unit ``(n,)``.
        reset: what a spike does a step later.
        arithmetic: see there.
        current: C of the step before ``(rows, n)``; None for neurons without one.
        current_decay: like ``decay``, with ``current``.
    """
    bits, rounding = arithmetic.decay_bits, arithmetic.rounding
    sums, membrane = sums.astype(np.int64), membrane.astype(np.int64)
    arriving = shifted(sums, shift, rounding)
    if current is not None and current_decay is not None:
        kept = divided(current.astype(np.int64) * current_decay, bits, rounding)
        arriving = saturated(kept + arriving, arithmetic.membrane_bits)
    fired = (membrane > threshold).astype(np.int64)
    left = divided(membrane * decay, bits, rounding)
    if reset == "subtract":
        new = left + arriving - fired * threshold
    elif reset == "zero":
        new = left * (1 - fired) + arriving
    else:
        new = (left + arriving) * (1 - fired if reset == "clear" else 1)
    new = saturated(new, arithmetic.membrane_bits)
    return new, arriving, (new > threshold).astype(np.int64)
