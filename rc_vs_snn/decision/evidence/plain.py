"""Evidence of one step alone: class probabilities, membrane potentials, and how far the best is ahead."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rc_vs_snn.decision.evidence.protocol import State
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.probabilities import certainty_of, sigmoid_of, softmax_of
from rc_vs_snn.registry import evidences

SHARE = (0.0, 1.0)
ABOVE_0 = (0.0, np.inf)


@evidences.register("probability")
@dataclass(frozen=True)
class Probability:
    """The softmax of the readout: a class spikes when it is probable enough.

    Source: Jeffares et al., arXiv 2110.02865.
    """

    limits = SHARE

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """See ``Evidence``."""
        return softmax_of(readout), None


@evidences.register("sigmoid")
@dataclass(frozen=True)
class Sigmoid:
    """Each class's own sigmoid, as in the sample code of Jeffares et al., arXiv 2110.02865."""

    limits = SHARE

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """See ``Evidence``."""
        return sigmoid_of(readout), None


@evidences.register("membrane")
@dataclass(frozen=True)
class Membrane:
    """The readout itself: an output neuron spikes when its membrane potential reaches the threshold."""

    limits = ABOVE_0

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """See ``Evidence``."""
        return readout, None


@evidences.register("margin")
@dataclass(frozen=True)
class Margin:
    """How far a class is ahead of the best of the others: top-1 minus top-2 for the best one.

    Attributes:
        of: whether class probabilities or the readouts themselves ("membrane") are compared.

    Raises:
        InputError: another ``of``.

    Source: margin sampling (Scheffer et al. 2001); as an exit, early-exit networks.
    """

    of: Literal["probability", "membrane"] = "probability"

    def __post_init__(self) -> None:
        if self.of not in ("probability", "membrane"):
            raise InputError(f"evidence 'margin': of must be 'probability' or 'membrane', got {self.of!r}")

    @property
    def limits(self) -> tuple[float, float]:
        """See ``Evidence``."""
        return SHARE if self.of == "probability" else ABOVE_0

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """See ``Evidence``."""
        values = softmax_of(readout) if self.of == "probability" else readout
        return (values if values.shape[1] == 1 else values - of_others(values, 1)), None


@evidences.register("entropy")
@dataclass(frozen=True)
class Entropy:
    """How sure the class probabilities are: 1 - H / ln K, for the best class; less than 0 for the others.

    Source: the exit of DT-SNN (Li et al. 2023) and SEENN (Li et al. 2023), there on cumulative logits.
    """

    limits = SHARE

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """See ``Evidence``."""
        certainty = certainty_of(readout)
        best = readout == readout.max(1, keepdims=True)
        return np.where(best, certainty, certainty - 1 - np.finfo(readout.dtype).eps), None


@evidences.register("exclusion")
@dataclass(frozen=True)
class Exclusion:
    """How improbable the other classes are: minus the probability of the likeliest of them.

    With a threshold -q a class spikes when the set of classes of probability above q holds at most ``size``,
    which is how a conformal set stops a network.

    Attributes:
        size: how many classes the set may hold.

    Raises:
        InputError: a size below 1.

    Source: Chen et al., SpikeCP (2023).
    """

    size: int = 1
    limits = (-1.0, 0.0)

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"evidence 'exclusion': size must be at least 1, got {self.size}")

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """See ``Evidence``."""
        probabilities = softmax_of(readout)
        if probabilities.shape[1] <= self.size:
            return np.where(np.isnan(probabilities), probabilities, 0), None
        return -of_others(probabilities, self.size), None


@evidences.register("gap")
@dataclass(frozen=True)
class Gap(Margin):
    """How far a class's readout is ahead of the largest of the others: ``margin`` of membranes.

    Source: the top-1 to top-2 gap of snncutoff (Wu et al.).
    """

    of: Literal["probability", "membrane"] = "membrane"


def of_others(values: np.ndarray, nth: int) -> np.ndarray:
    """Return, for every class, the ``nth`` largest value of the other classes, ``(rows, K)``.

    Args:
        values: ``(rows, K)``, of at least ``nth + 1`` classes.
        nth: 1 for the largest.
    """
    descending = -np.sort(-values, axis=1)  # NaN last
    at, below = descending[:, nth - 1, None], descending[:, nth, None]
    found = np.where(values >= at, below, at)
    return np.where(np.isnan(values).any(1, keepdims=True), np.asarray(np.nan, values.dtype), found)
