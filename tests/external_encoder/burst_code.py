"""Burst code for rc_vs_snn."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.errors import InputError


@dataclass(frozen=True)
class Burst:
    """A burst of spikes per pixel: the brighter, the more spikes and the shorter the gaps.

    A pixel of intensity v > 0 spikes ``ceil(max_spikes * v)`` times from step 0 on, with a gap of
    ``ceil(T - (T - min_gap) * v)`` steps; spikes beyond the last step are lost.

    Attributes:
        n_steps: number of time steps T.
        max_spikes: spikes of a pixel of intensity 1.
        min_gap: steps between its spikes, at most T.

    Raises:
        InputError: a field out of range.

    Source: Guo et al. 2021, "Neural coding in spiking neural networks"; burst spikes in deep
    networks: Park et al. 2019, arXiv 1809.03142. We depart in rounding the gap up to whole steps.
    """

    n_steps: int = 10
    max_spikes: int = 5
    min_gap: int = 1

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        if self.max_spikes < 1 or not 1 <= self.min_gap <= self.n_steps:
            raise InputError(
                f"max_spikes must be at least 1 and min_gap in 1..{self.n_steps}, "
                f"got {self.max_spikes} and {self.min_gap}"
            )

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode images; deterministic, so ``seed`` is not used."""
        layout = samples.values.shape[1:]
        intensity = samples.intensities().reshape(len(samples), math.prod(layout))  # (B, C)
        n_spikes = np.ceil(self.max_spikes * intensity).astype(np.int64)
        gap = np.ceil(self.n_steps - (self.n_steps - self.min_gap) * intensity).astype(np.int64)
        step = np.arange(self.n_steps)[:, None, None]  # (T, 1, 1)
        spikes = (step % gap == 0) & (step // gap < n_spikes)  # (T, B, C)
        return Frames(torch.from_numpy(spikes), layout)
