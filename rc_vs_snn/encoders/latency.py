"""The paper's temporal code."""

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


@encoders.register("latency")
@dataclass(frozen=True)
class Latency:
    """One spike per pixel, the brighter the sooner: T equal intensity bins (the paper's code).

    Attributes:
        n_steps: number of time steps T.
        background: "clip": a pixel of intensity exactly 0 never spikes; "spike": it spikes at the
            last step, as in the authors' sample code.

    Raises:
        InputError: a field out of range.

    Source: Jeffares et al., ICLR 2022, arXiv 2110.02865 (temporally encoded MNIST). We depart in
    the default: an average MNIST image would spend four of five spikes on its background.
    """

    n_steps: int = 10
    background: Background = "clip"

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        check_background(self.background)

    def __call__(self, samples: Samples, seed: int = 0) -> SpikeTimes:
        """Encode images; deterministic, so ``seed`` is not used."""
        pixels, layout = flat_pixels(samples, "latency")
        return SpikeTimes(torch.from_numpy(encode_pixels(self, pixels)), self.n_steps, layout)

    def code(self, intensity: np.ndarray) -> np.ndarray:
        """Return the spike step of each intensity in [0, 1]."""
        return latency_steps(intensity, self.n_steps, self.background)
