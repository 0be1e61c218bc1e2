"""What a whole run reads: spike times or frames, and how long each row is."""

import itertools
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from torch import Tensor

from rc_vs_snn.kernels import pairs
from rc_vs_snn.kernels.compiling import compiled
from rc_vs_snn.kernels.pairs import copy

Array = TypeVar("Array", Tensor, np.ndarray)


class Given(NamedTuple, Generic[Array]):
    """The input of B rows, tensors, or arrays where a loop reads them.

    Attributes:
        times: step of each channel's spike ``(B, C)``; of no rows where there are frames.
        frames: inputs ``(T, B, C)`` float32; of no steps where there are times.
        hold: whether a channel stays on after its spike.
        lengths: number of steps of each row ``(B,)``, 64 bits.
    """

    times: Array
    frames: Array
    hold: bool
    lengths: Array


def in_parts(given: Given[Tensor], mask: Tensor) -> Iterator[tuple[Given[np.ndarray], np.ndarray]]:
    """Yield what is given and the dropout mask of at most ``ROWS`` rows at a time, as arrays."""
    times, frames, lengths, factors = (
        each.contiguous().numpy() for each in (given.times, given.frames, given.lengths, mask)
    )
    for begin, end in itertools.pairwise([*range(0, len(lengths), pairs.ROWS), len(lengths)]):
        rows = slice(begin, end)
        some = Given(times[rows], np.ascontiguousarray(frames[:, rows]), given.hold, lengths[rows])
        yield some, factors[rows]


@compiled(error_model="numpy")
def frame_of(frames, step, alive):  # type: ignore[no-untyped-def]
    """Return the inputs at a step of the rows that are alive, ``(alive, C)``."""
    x = np.empty((len(alive), frames.shape[2]), np.float32)
    for at in range(len(alive)):
        copy(frames[step, alive[at]], x[at])
    return x
