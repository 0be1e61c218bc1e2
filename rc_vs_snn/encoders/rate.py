"""Rate code: independent coin flips."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.images import encode_pixels, flat_pixels
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders
from rc_vs_snn.seeds import sample_generators


@encoders.register("rate")
@dataclass(frozen=True)
class Rate:
    """A pixel spikes at every step with a probability proportional to its intensity.

    ``P(spike) = min(1, gain * intensity)``, drawn anew at each step.

    Attributes:
        n_steps: number of time steps T.
        gain: spike probability per step of a pixel of intensity 1, above 0; values above 1 saturate.

    Raises:
        InputError: a field out of range.

    Source: the Bernoulli form of Poisson rate coding, as in snnTorch ``spikegen.rate``. We depart in
    drawing from one generator per sample, keyed by (seed, sample id): the code of a sample is the
    same in any batch, and a longer code begins with the shorter one.
    """

    n_steps: int = 10
    gain: float = 1.0

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        if not 0 < self.gain < math.inf:
            raise InputError(f"gain must be above 0, such as 1, got {self.gain}")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode images, drawing from generators keyed by ``(seed, sample id)``."""
        pixels, layout = flat_pixels(samples, "rate")
        probability = encode_pixels(self, pixels)  # (B, C)
        spikes = np.empty((self.n_steps, *pixels.shape), np.uint8)
        for row, generator in enumerate(sample_generators(seed, samples.ids)):
            draws = generator.random((self.n_steps, pixels.shape[1]), dtype=np.float32)
            np.less(draws, probability[row], out=spikes[:, row], casting="unsafe")
        return Frames(torch.from_numpy(spikes), layout)

    def code(self, intensity: np.ndarray) -> np.ndarray:
        """Return the spike probability per step of each intensity in [0, 1]."""
        return np.minimum(self.gain * intensity, 1).astype(np.float32)
