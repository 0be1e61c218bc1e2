from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Smoothed:
    """Class probabilities as a running mean, so that one flicker decides nothing.

    Attributes:
        keep: the share of the past in the mean, in [0, 1).
    """

    keep: float = 0.5
    limits = (0.0, 1.0)

    def step(self, readout: np.ndarray, state: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        shares = np.exp(readout - readout.max(1, keepdims=True))  # (rows, K)
        shares /= shares.sum(1, keepdims=True)
        mean = shares if state is None else self.keep * state + (1 - self.keep) * shares
        return mean, mean
