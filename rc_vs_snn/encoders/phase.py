"""Weighted-phase code: an intensity's bits, most significant first."""

from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.images import ROUNDING, encode_pixels, flat_pixels
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders


@encoders.register("phase")
@dataclass(frozen=True)
class Phase:
    """The bits of a pixel's intensity, one per step, most significant first, over and over.

    The intensity is quantised to ``period`` bits (8 bits: the 8-bit pixel itself). Bit k comes in
    phase ``k = step mod period`` as a spike whose value is its weight ``2^-(k+1)``, so a full period
    sums to the quantised intensity ``q / 2^period``.

    Attributes:
        n_steps: number of time steps T. Below ``period``, only the leading bits are seen.
        period: number of phases, which is the number of bits, 1 to 16.
        weighted: True: a spike's value is its weight; False: it is 1, and the phase alone tells the weight.

    Raises:
        InputError: a field out of range.

    Source: Kim et al. 2018, "Deep neural networks with weighted spikes" (period 8). We depart in
    offering spikes of value 1, for networks whose input is binary.
    """

    n_steps: int = 10
    period: int = 8
    weighted: bool = True

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        if type(self.period) is not int or not 1 <= self.period <= 16:
            raise InputError(f"period must be a whole number of bits from 1 to 16, got {self.period!r}")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode images; deterministic, so ``seed`` is not used."""
        pixels, layout = flat_pixels(samples, "phase")
        return Frames(torch.from_numpy(encode_pixels(self, pixels)), layout)

    def code(self, intensity: np.ndarray) -> np.ndarray:
        """Return the spikes of each intensity in [0, 1], ``(T, ...)``."""
        n_levels = 2**self.period
        level = np.minimum(np.floor((intensity + ROUNDING) * n_levels), n_levels - 1).astype(np.int64)
        phase = np.arange(self.n_steps) % self.period
        phase = phase.reshape(-1, *(1,) * intensity.ndim)  # (T, 1, ...)
        bits = (level >> (self.period - 1 - phase)) & 1  # (T, ...)
        if not self.weighted:
            return bits.astype(np.uint8)
        return (bits * 0.5 ** (phase + 1)).astype(np.float32)
