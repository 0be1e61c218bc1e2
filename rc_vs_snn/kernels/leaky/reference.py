"""Leaky integrate-and-fire neurons as snnTorch defines them, in NumPy: what cell and run are held against.

    S  = 1 if U > threshold, else 0           spikes of the step before
    U' = decay U + I - S threshold            reset "subtract"
    U' = decay U (1 - S) + I                  reset "zero"
    U' = decay U + I                          reset "none"
    U' = (decay U + I) (1 - S)                reset "clear", which snnTorch's ``RLeaky`` calls "zero"

Source: Eshraghian et al. 2023, arXiv 2109.12894 (snnTorch ``Leaky``).
"""

import numpy as np


def step(
    current: np.ndarray, membrane: np.ndarray, decay: np.ndarray, threshold: np.ndarray, reset: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the spikes and the new membranes, ``(B, n)`` each.

    Args:
        current: input ``(B, n)``.
        membrane: potentials at the step before ``(B, n)``.
        decay: per step ``(n,)``, clamped to [0, 1].
        threshold: firing threshold ``(n,)``.
        reset: "subtract", "zero", "none" or "clear".
    """
    fired = membrane > threshold
    kept = np.where(fired & (reset == "zero"), 0, membrane)
    new = np.clip(decay, 0, 1) * kept + current - np.where(fired & (reset == "subtract"), threshold, 0)
    new = np.where(fired & (reset == "clear"), 0, new)
    return (new > threshold).astype(current.dtype), new
