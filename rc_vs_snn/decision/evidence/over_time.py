"""Evidence that remembers earlier steps: running sums, an answer that stays, the time itself."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from rc_vs_snn.decision.evidence.naming import named
from rc_vs_snn.decision.evidence.plain import ABOVE_0, SHARE
from rc_vs_snn.decision.evidence.protocol import Evidence, State
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.probabilities import softmax_of
from rc_vs_snn.registry import evidences


@evidences.register("cumulative")
@dataclass(frozen=True)
class Cumulative:
    """Another evidence, of all readouts up to the step.

    Attributes:
        pool: their "sum", whose confidence rises with the number of steps by itself, or their "mean".
        of: the evidence made of it, by name, such as "probability", "entropy" or "margin".
        summed: whether readouts are summed or the class probabilities of each (then with
            ``of = "membrane"``, since they are probabilities already).

    Raises:
        InputError: another pool, or an unknown evidence.

    Source: SEENN and DT-SNN (Li et al. 2023): "sum"; ED-sKWS (arXiv 2406.12726): probabilities.
    """

    pool: Literal["sum", "mean"] = "sum"
    of: str = "probability"
    summed: Literal["readout", "probability"] = "readout"

    def __post_init__(self) -> None:
        if self.pool not in ("sum", "mean") or self.summed not in ("readout", "probability"):
            raise InputError(
                "evidence 'cumulative': pool must be 'sum' or 'mean', and summed 'readout' or "
                f"'probability', got {self.pool!r} and {self.summed!r}"
            )
        _ = self.inner

    @cached_property
    def inner(self) -> Evidence:
        """The evidence made of the pooled readouts."""
        return named(self.of)

    @property
    def limits(self) -> tuple[float, float]:
        """See ``Evidence``."""
        return self.inner.limits

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """See ``Evidence``."""
        given = readout if self.summed == "readout" else softmax_of(readout)
        if state is None:
            total, count, before = given, np.ones((len(given), 1), given.dtype), None
        else:
            total, count, before = state[0] + given, state[1] + 1, state[2]
        evidence, after = self.inner.step(total if self.pool == "sum" else total / count, before)
        return evidence, (total, count, after)


@evidences.register("consecutive")
@dataclass(frozen=True)
class Consecutive:
    """For how many steps on end the answer has stayed the same, as a share of ``n``: 1 decides.

    Attributes:
        n: how many steps.
        of: the evidence whose best class is the answer, by name.
        least: what the answer's evidence must reach for a step to count.
        top: how many of the best classes, in their order, must stay.

    Raises:
        InputError: ``n`` or ``top`` below 1, or an unknown evidence.

    Source: ``consecutive_predictions`` of aeon's early classifiers; the order of the best classes: rank
    order (Thorpe).
    """

    n: int = 2
    of: str = "probability"
    least: float = 0.0
    top: int = 1
    limits = SHARE

    def __post_init__(self) -> None:
        if self.n < 1 or self.top < 1:
            raise InputError(
                f"evidence 'consecutive': n and top must be at least 1, got {self.n} and {self.top}"
            )
        _ = self.inner

    @cached_property
    def inner(self) -> Evidence:
        """The evidence whose best class is the answer."""
        return named(self.of)

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """See ``Evidence``."""
        last, before_count, before = (None, 0, None) if state is None else state
        found, after = self.inner.step(readout, before)
        best = np.argsort(-found, axis=1, kind="stable")[:, : self.top]
        top = np.take_along_axis(found, best[:, :1], 1)[:, 0]
        counts = top >= self.least
        stayed = 0 if last is None else np.where((best == last).all(1), before_count, 0)
        count = np.where(counts, stayed + 1, 0)
        evidence = np.full_like(found, -1)
        share = np.minimum(count / self.n, 1).astype(found.dtype)
        np.put_along_axis(evidence, best[:, :1], np.where(np.isnan(found).any(1), np.nan, share)[:, None], 1)
        return evidence, (best, count, after)


@evidences.register("elapsed")
@dataclass(frozen=True)
class Elapsed:
    """How many steps were read, for the class with the largest readout: decides at a fixed step."""

    limits = ABOVE_0

    def step(self, readout: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """See ``Evidence``."""
        count = np.ones((len(readout), 1), readout.dtype) if state is None else state + 1
        first = readout.argmax(1)[:, None]
        evidence = np.full_like(readout, -1)
        unknown = np.isnan(readout).any(1)[:, None]
        np.put_along_axis(evidence, first, np.where(unknown, np.nan, count).astype(readout.dtype), 1)
        return evidence, count
