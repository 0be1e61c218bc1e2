"""What the compiled runs of both families share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from rc_vs_snn.models.sparse import Spikes


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows at the steps at which they were undecided, step by step, and where each decided.

    Unless pairs were kept, only ``decided`` and ``chosen`` mean anything.

    Attributes:
        mask: dropout's factor on each row's hidden outputs, ``(rows, H)``, of no rows for none.
        kept: what the family's backward pass reads besides.
        row: row of each pair, ``(slots,)``.
        before: the same row's pair at the step before, -1 at step 0, ``(slots,)``.
        bounds: first pair of each step, and the end, ``(T + 1,)``.
        decided: step of each row's decision, ``(rows,)``.
        last: the pair of each row's decision, ``(rows,)``.
        chosen: the readout there, ``(rows, K)``.
        start: where each pair's input spikes begin, ``(slots + 1,)``.
        channel: input spikes.
        readouts: of every pair, ``(slots, K)``.
    """

    mask: np.ndarray
    kept: tuple[Any, ...]
    row: np.ndarray
    before: np.ndarray
    bounds: np.ndarray
    decided: np.ndarray
    last: np.ndarray
    chosen: np.ndarray
    start: np.ndarray
    channel: np.ndarray
    readouts: np.ndarray

    def spikes(self) -> Spikes:
        """Return the input spikes of every pair."""
        return entries(self.start, self.channel, int(self.bounds[-1]))


def entries(start: np.ndarray, channel: np.ndarray, pairs: int, value: np.ndarray | None = None) -> Spikes:
    """Return the spikes of the first ``pairs`` pairs."""
    count = int(start[pairs])
    return Spikes(
        start[: pairs + 1], channel[:count], np.ones(count, np.float32) if value is None else value[:count]
    )


def mask_of(state: tuple[Tensor, ...], at: int) -> np.ndarray:
    """Return the dropout mask in an initial state of three parts, or a mask of no rows."""
    return state[at].numpy() if len(state) == 3 else np.zeros((0, state[0].shape[1]), np.float32)
