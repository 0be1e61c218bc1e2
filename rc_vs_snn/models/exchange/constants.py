"""What a step does to a membrane, told as NIR tells it: time constants, of which a step is ``dt`` long.

NIR's neurons are continuous, ``tau U' = (v_leak - U) + r I``. In one Euler step of length dt

    U <- decay U + gain I + (1 - decay) v_leak,    decay = 1 - dt / tau,    gain = r dt / tau

so a decay d is written as tau = dt / (1 - d), and r = tau / dt lets a current of 1 raise the membrane by 1.
In float64 a float32 decay of at least 2^-29 comes back to the bit; a smaller one is kept beside it, as
metadata. A decay of 1, which has no time constant, is written as one of 2^40 steps: 1 in float32.

Source: Pedersen et al. 2024, arXiv 2311.14641 (NIR); that a step is 1e-4 s long is what snnTorch's and
SpikingJelly's readers assume.
"""

import numpy as np

DT = 1e-4
"""The length of a step in seconds, where nobody tells another."""

SLOWEST = 2.0**-40
"""The least share of a membrane that is lost in a step, as far as a time constant can tell."""


def time_constant(decay: np.ndarray, dt: float = DT) -> np.ndarray:
    """Return the time constants of decays, which are clipped to [0, 1] as they are when they are used."""
    lost = 1 - np.clip(np.asarray(decay, np.float64), 0, 1)
    return dt / np.maximum(lost, SLOWEST)


def decay_of(tau: np.ndarray, dt: float) -> np.ndarray:
    """Return what is left of a membrane after a step, float32."""
    return np.maximum(1 - dt / np.asarray(tau, np.float64), 0).astype(np.float32)


def gain_of(r: np.ndarray, tau: np.ndarray, dt: float) -> np.ndarray:
    """Return by how much a current of 1 raises a membrane in a step, float32."""
    return (np.asarray(r, np.float64) * (dt / np.asarray(tau, np.float64))).astype(np.float32)
