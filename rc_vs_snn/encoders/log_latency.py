"""Latency of a charging RC circuit."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import SpikeTimes, check_n_steps
from rc_vs_snn.encoders.images import ROUNDING, encode_pixels, flat_pixels, step_dtype
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders


@encoders.register("log-latency")
@dataclass(frozen=True)
class LogLatency:
    """One spike per pixel when an RC circuit charged by its intensity reaches a threshold.

    ``t = tau * ln(v / (v - threshold))`` steps, rounded; no spike for ``v <= threshold``.

    Attributes:
        n_steps: number of time steps T.
        tau_steps: time constant in steps; spikes after the last step are lost. None scales the code
            so that the slowest spike, that of ``v = threshold + epsilon``, comes at the last step.
        threshold: intensity that charges the circuit just to the threshold, in (0, 1).
        epsilon: intensity above the threshold at which the spike time saturates. A larger one spreads
            the code: with 1e-7, 8-bit pixels fall into the first few steps.

    Raises:
        InputError: a field out of range.

    Source: snnTorch ``spikegen.latency`` (log mode, ``clip=True``). We depart in the normalisation:
    snnTorch's ``normalize=True`` divides by the slowest spike of the *batch*, so a sample's code
    depends on its neighbours. Ours divides by the slowest possible spike, so that one intensity has
    one step everywhere; the two agree on any batch with a pixel at or below the threshold, such as
    background. (Under either, tau cancels; hence None.) ``v == threshold`` does not spike here.
    """

    n_steps: int = 10
    tau_steps: float | None = None
    threshold: float = 0.01
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        if self.tau_steps is not None and not 0 < self.tau_steps < math.inf:
            raise InputError(
                f"tau_steps must be above 0, or left out to fit the code to T, got {self.tau_steps}"
            )
        if not 0 < self.threshold < 1:
            raise InputError(f"threshold must lie between 0 and 1 (both excluded), got {self.threshold}")
        if not ROUNDING <= self.epsilon < 1 - self.threshold:
            raise InputError(
                f"epsilon must lie in [{ROUNDING:g}, 1 - threshold), got {self.epsilon} "
                f"with threshold {self.threshold}"
            )

    def __call__(self, samples: Samples, seed: int = 0) -> SpikeTimes:
        """Encode images; deterministic, so ``seed`` is not used."""
        pixels, layout = flat_pixels(samples, "log-latency")
        return SpikeTimes(torch.from_numpy(encode_pixels(self, pixels)), self.n_steps, layout)

    def code(self, intensity: np.ndarray) -> np.ndarray:
        """Return the spike step of each intensity in [0, 1] (T = never)."""
        charge = np.maximum(intensity, self.threshold + self.epsilon)
        steps = np.rint(self._tau() * np.log(charge / (charge - self.threshold)))
        silent = (intensity <= self.threshold + ROUNDING) | (steps >= self.n_steps)
        return np.where(silent, self.n_steps, steps).astype(step_dtype(self.n_steps))

    def _tau(self) -> float:
        if self.tau_steps is not None:
            return self.tau_steps
        return (self.n_steps - 1) / math.log((self.threshold + self.epsilon) / self.epsilon)
