"""What whole runs of every family share: the pairs of a run, its way into autograd, and its result.

A pair is one row at one step at which it was still undecided. Pairs are numbered step by step.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rc_vs_snn.kernels.compiling import compiled
from rc_vs_snn.kernels.spikes import Spikes

# Rows that run together: enough for a product to use the caches, few enough for them to hold what is kept.
ROWS = 512


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows at the steps at which they were undecided, step by step, and where each decided.

    Unless pairs were kept, only ``decided`` and ``chosen`` mean anything.

    Attributes:
        mask: dropout's factor on each row's hidden outputs, ``(rows, H)``, of no rows for none.
        frames: the rows' inputs ``(T, rows, C)``, of no steps where they are spikes.
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
    frames: np.ndarray
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

    def inputs(self) -> Spikes | Tensor:
        """Return the input of every pair: its spikes, or frames ``(pairs, C)``."""
        if not len(self.frames):
            return entries(self.start, self.channel, int(self.bounds[-1]))
        step = np.repeat(np.arange(len(self.bounds) - 1), np.diff(self.bounds))
        return torch.from_numpy(self.frames[step, self.row[: len(step)]])


def entries(start: np.ndarray, channel: np.ndarray, pairs: int, value: np.ndarray | None = None) -> Spikes:
    """Return the spikes of the first ``pairs`` pairs."""
    count = int(start[pairs])
    return Spikes(
        start[: pairs + 1], channel[:count], np.ones(count, np.float32) if value is None else value[:count]
    )


def entries_of(start: np.ndarray, channel: np.ndarray, chosen: np.ndarray) -> Spikes:
    """Return the spikes of the pairs numbered ``chosen``, in that order."""
    begin, picked = _picked(start, channel, chosen)
    return Spikes(begin, picked, np.ones(len(picked), np.float32))


@compiled()
def _picked(start, channel, chosen):  # type: ignore[no-untyped-def]
    begin = np.zeros(len(chosen) + 1, np.int64)
    for to in range(len(chosen)):
        begin[to + 1] = begin[to] + start[chosen[to] + 1] - start[chosen[to]]
    found = np.empty(begin[-1], channel.dtype)
    for to in range(len(chosen)):
        copy(channel[start[chosen[to]] : start[chosen[to] + 1]], found[begin[to] : begin[to + 1]])
    return begin, found


@dataclass(frozen=True, eq=False)
class WholeRun:
    """A batch, run to its decisions.

    Attributes:
        step: each row's decision step, ``(B,)``.
        readout: the readout there, ``(B, K)``, with gradient where autograd records.
        every_step: ``(step, rows, readouts)`` of every step, where autograd records: the rows undecided
            before it and their readouts ``(rows, K)``.
    """

    step: Tensor
    readout: Tensor
    every_step: Iterable[tuple[int, Tensor, Tensor]] = ()


def decisions(parts: Sequence[Pairs]) -> tuple[Tensor, Tensor]:
    """Return decision step ``(B,)`` and readout there ``(B, K)`` of runs in parts."""
    step = np.concatenate([part.decided for part in parts])
    return torch.from_numpy(step), torch.from_numpy(np.concatenate([part.chosen for part in parts]))


class Room:
    """How many pairs the last kept run had: room to start the next with, for arrays that grow are copied."""

    pairs = 0


def differentiable(way_back: Callable[..., Any], parts: Sequence[Pairs], *weights: Tensor) -> WholeRun:
    """Return a kept run whose readouts pass their gradients to the weights.

    Args:
        way_back: ``(parts, gradients of their readouts, weights) -> gradients of the weights``.
        parts: the run.
        weights: what it was run with.
    """
    readouts = _Readouts.apply(way_back, parts, *weights)
    Room.pairs = max(int(part.bounds[-1]) for part in parts)
    step = torch.from_numpy(np.concatenate([part.decided for part in parts]))
    chosen = [each[torch.from_numpy(part.last)] for each, part in zip(readouts, parts, strict=True)]
    return WholeRun(step, torch.cat(chosen), _by_step(parts, readouts))


class _Readouts(torch.autograd.Function):
    """Hands out what a run computed; its backward is the way back through every pair."""

    @staticmethod
    def forward(ctx: Any, way_back: Any, parts: Sequence[Pairs], *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.way_back, ctx.parts = way_back, parts
        ctx.save_for_backward(*weights)
        return tuple(torch.from_numpy(part.readouts[: part.bounds[-1]]) for part in parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        contiguous = [gradient.contiguous() for gradient in gradients]
        return (None, None, *ctx.way_back(ctx.parts, contiguous, ctx.saved_tensors))


def _by_step(parts: Sequence[Pairs], readouts: Sequence[Tensor]) -> Iterator[tuple[int, Tensor, Tensor]]:
    first = np.cumsum([0, *(len(part.decided) for part in parts)])
    for step in range(max(int(part.decided.max()) for part in parts) + 1):
        bounds = [slice(part.bounds[step], part.bounds[step + 1]) for part in parts]
        rows = [base + part.row[at] for base, part, at in zip(first[:-1], parts, bounds, strict=True)]
        yield (
            step,
            torch.from_numpy(np.concatenate(rows)),
            torch.cat([each[at] for each, at in zip(readouts, bounds, strict=True)]),
        )


@compiled()
def copy(source, into):  # type: ignore[no-untyped-def]
    """Copy a row; an assignment of arrays would take numba seconds to compile."""
    for n in range(len(into)):
        into[n] = source[n]


@compiled()
def only(rows, wanted):  # type: ignore[no-untyped-def]
    """Return the rows that are wanted."""
    found, count = np.empty_like(rows), 0
    for at in range(len(rows)):
        found[count] = rows[at]
        count += wanted[at]
    return found[:count]


@compiled()
def grown(array, used, needed):  # type: ignore[no-untyped-def]
    """Return the array if it has ``needed`` rows, else one at least twice as long with those used."""
    if needed <= len(array):
        return array
    longer = np.empty((max(needed, 2 * len(array)),) + array.shape[1:], array.dtype)  # noqa: RUF005
    whole = used * (array.size // max(len(array), 1))
    copy(array.reshape(-1)[:whole], longer.reshape(-1)[:whole])
    return longer
