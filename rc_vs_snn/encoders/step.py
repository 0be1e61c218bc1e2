"""The step code: latency without forgetting."""

from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import SpikeTimes, check_n_steps
from rc_vs_snn.encoders.images import (
    Background,
    check_background,
    encode_pixels,
    flat_pixels,
    latency_steps,
)
from rc_vs_snn.registry import encoders


@encoders.register("step")
@dataclass(frozen=True)
class StepCode:
    """A pixel switches on at its latency step and stays on: nothing seen is lost again.

    Attributes:
        n_steps: number of time steps T.
        background: "clip": a pixel of intensity exactly 0 never switches on; "spike": it does at
            the last step.

    Raises:
        InputError: a field out of range.

    Source: the bins of Jeffares et al., ICLR 2022, arXiv 2110.02865. We depart in holding the
    input: at step t the pixels brighter than 1 - (t+1)/T are in view, so a model need not remember it.
    """

    n_steps: int = 10
    background: Background = "clip"

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        check_background(self.background)

    def __call__(self, samples: Samples, seed: int = 0) -> SpikeTimes:
        """Encode images; deterministic, so ``seed`` is not used."""
        pixels, layout = flat_pixels(samples, "step")
        return SpikeTimes(torch.from_numpy(encode_pixels(self, pixels)), self.n_steps, layout, hold=True)

    def code(self, intensity: np.ndarray) -> np.ndarray:
        """Return the step at which each intensity in [0, 1] switches on."""
        return latency_steps(intensity, self.n_steps, self.background)
