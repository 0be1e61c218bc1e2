"""What evidence is: from readouts to what the rule compares with its threshold."""

from typing import Any, Protocol

import numpy as np

State = Any
"""What an evidence keeps between steps: None, an array whose rows come first, or a tuple of such."""


class Evidence(Protocol):
    """What the rule compares with its threshold, made of a model's readouts. NumPy in, NumPy out.

    It is causal in time, and a row gets what it gets alone: so a stored trace, a batch that drops decided
    rows and one sample at a time are judged alike.
    """

    @property
    def limits(self) -> tuple[float, float]:
        """Return between what thresholds lie: above the first, up to the second (which may be infinite)."""
        ...

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Return the evidence of one step and what the next step is to be given.

        Args:
            readout: logits or membrane potentials, ``(rows, K)`` float32 or float64. NaN must stay NaN.
            state: None at a sample's first step, then what the step before returned, of the rows that are
                left.

        Returns:
            The evidence ``(rows, K)`` in the type of the readout: the decided class is the one with the
            most, and it spikes where it reaches the threshold.
        """
        ...


def kept(state: State, rows: np.ndarray) -> State:
    """Return the state of the rows at ``rows`` (indices or a mask), in that order."""
    if isinstance(state, tuple):
        return tuple(kept(part, rows) for part in state)
    return None if state is None else state[rows]
