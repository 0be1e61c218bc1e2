"""Rank-order code: only the order of brightness matters."""

from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import SpikeTimes, check_n_steps
from rc_vs_snn.encoders.images import flat_pixels, step_dtype
from rc_vs_snn.registry import encoders


@encoders.register("rank-order")
@dataclass(frozen=True)
class RankOrder:
    """One spike per lit pixel in order of brightness, equally many at every step.

    The pixel of rank r (0 = brightest) among n lit ones spikes at step ``floor(r * T / n)``; equally
    bright pixels keep the order of their index. Pixels of intensity 0 never spike.

    Attributes:
        n_steps: number of time steps T.

    Raises:
        InputError: a field out of range.

    Source: Thorpe and Gautrais 1998, "Rank order coding". We depart in grouping the ranks into T
    bins of equal count (to within one), so that T does not depend on the number of lit pixels.
    """

    n_steps: int = 10

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)

    def __call__(self, samples: Samples, seed: int = 0) -> SpikeTimes:
        """Encode images; deterministic, so ``seed`` is not used."""
        pixels, layout = flat_pixels(samples, "rank-order")
        darkness = 255 - pixels if pixels.dtype == np.uint8 else -pixels
        order = np.argsort(darkness, axis=1, kind="stable")  # (B, C): lit pixels first
        n_lit = np.count_nonzero(pixels, axis=1)[:, None]
        rank = np.arange(pixels.shape[1])
        by_rank = np.where(rank < n_lit, rank * self.n_steps // np.maximum(n_lit, 1), self.n_steps)
        steps = np.empty(pixels.shape, step_dtype(self.n_steps))
        np.put_along_axis(steps, order, by_rank.astype(steps.dtype), axis=1)
        return SpikeTimes(torch.from_numpy(steps), self.n_steps, layout)
