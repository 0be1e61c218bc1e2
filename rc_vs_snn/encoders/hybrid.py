"""Hybrid code: the analogue image, then one spike per pixel."""

from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.images import (
    Background,
    check_background,
    encode_pixels,
    flat_pixels,
    latency_steps,
)
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders


@encoders.register("hybrid")
@dataclass(frozen=True)
class Hybrid:
    """The analogue image at step 0, then one latency spike per pixel from step 1 on.

    Attributes:
        n_steps: number of time steps T, at least 2: one analogue and T - 1 of spikes.
        background: "clip": a pixel of intensity exactly 0 never spikes; "spike": at the last step.

    Raises:
        InputError: a field out of range.

    Source: Datta, Kundu and Beerel 2021, "Training energy-efficient deep spiking neural networks
    with single-spike hybrid input encoding", arXiv 2107.12374. We depart in the spikes' times: the
    T - 1 equal intensity bins of our latency code in place of theirs.
    """

    n_steps: int = 10
    background: Background = "clip"

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        check_background(self.background)
        if self.n_steps < 2:
            raise InputError("the hybrid code needs n_steps of at least 2: one analogue, one for the spikes")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode images; deterministic, so ``seed`` is not used."""
        pixels, layout = flat_pixels(samples, "hybrid")
        return Frames(torch.from_numpy(encode_pixels(self, pixels)), layout)

    def code(self, intensity: np.ndarray) -> np.ndarray:
        """Return the input of each intensity in [0, 1] over time, ``(T, ...)``."""
        spike_step = latency_steps(intensity, self.n_steps - 1, self.background)
        values = np.empty((self.n_steps, *intensity.shape), np.float32)
        values[0] = intensity
        for step in range(1, self.n_steps):
            values[step] = spike_step == step - 1
        return values
