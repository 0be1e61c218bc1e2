"""What both forms of a code share: own lengths, the time a step lasts, and how rows are taken."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.checks import as_array, as_rows, check_whole
from rc_vs_snn.errors import InputError

MOST_STEPS = 2**31 - 2
"""Steps are held in 32 bits, and one more number stands for "never"."""

Rows = Tensor | np.ndarray | Sequence[int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Code:
    """Lengths and time of B encoded samples.

    Attributes:
        lengths: each sample's own number of steps, ``(B,)`` whole numbers in 1..T; None where all have T.
            What lies behind a sample's length is never read.
        step_ms: how many milliseconds of input a step stands for; None where the data have no such time.
    """

    lengths: Tensor | None = None
    step_ms: float | None = None

    if TYPE_CHECKING:  # each form has it, as a field or of its values' shape

        @property
        def n_steps(self) -> int: ...  # noqa: D102

    def running(self, step: int) -> Tensor | None:
        """Return which samples have not ended before ``step``, a mask ``(B,)``; None where all run."""
        if self.lengths is None:
            return None
        going = self.lengths > step
        return None if bool(going.all()) else going

    def ending(self, step: int) -> Tensor | bool:
        """Return whether ``step`` is each sample's last, ``(B,)``, or of all alike."""
        return step == self.n_steps - 1 if self.lengths is None else self.lengths == step + 1

    def last_steps(self) -> Tensor | int:
        """Return each sample's last step, ``(B,)``, or that of all."""
        return self.n_steps - 1 if self.lengths is None else self.lengths - 1

    def _check_time(self, batch: int) -> None:
        if self.step_ms is not None and not 0 < self.step_ms < math.inf:
            raise InputError(f"step_ms must be a number of milliseconds above 0, got {self.step_ms!r}")
        if self.lengths is None:
            return
        lengths = as_tensor(self.lengths)
        if lengths.shape != (batch,) or lengths.is_floating_point() or lengths.dtype == torch.bool:
            raise InputError(
                f"lengths must be whole numbers, one for each of {batch} samples, got {lengths.dtype} of "
                f"shape {tuple(lengths.shape)}"
            )
        if batch and not 1 <= int(lengths.min()) <= int(lengths.max()) <= self.n_steps:
            raise InputError(
                f"lengths must lie in 1..{self.n_steps}, got {int(lengths.min())}..{int(lengths.max())}"
            )
        uniform = not batch or int(lengths.min()) == self.n_steps
        object.__setattr__(self, "lengths", None if uniform else lengths.to(torch.int64))

    def _with(self, **changed: Any) -> Self:
        # Rows of a checked code need no second check: this runs in the inner loop.
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, **changed)
        return other

    def _lengths_of(self, rows: Rows) -> Tensor | None:
        return None if self.lengths is None else picked(self.lengths, 0, rows)

    def _lengths_on(self, device: torch.device | str) -> Tensor | None:
        return None if self.lengths is None else self.lengths.to(device)


def check_n_steps(n_steps: int) -> None:
    """Raise InputError unless ``n_steps`` is a whole number (NumPy's too) of at least 1 that steps hold."""
    check_whole(n_steps, "n_steps", 1, MOST_STEPS)


def picked(values: Tensor, axis: int, rows: Rows) -> Tensor:
    """Return the samples at ``rows``, which lie along ``axis``; InputError where there are none."""
    chosen = rows if isinstance(rows, Tensor) else as_rows(rows)
    try:
        return values[:, chosen] if axis else values[chosen]
    except IndexError as error:
        raise InputError(f"there are {values.shape[axis]} samples to select from: {error}") from error


def as_tensor(values: np.ndarray | Tensor) -> Tensor:
    """Return numbers as a tensor of a type that torch computes with.

    Raises:
        InputError: not numbers, or larger than 64 bits hold.
    """
    if isinstance(values, Tensor):
        if values.is_complex():
            raise InputError(f"a code is made of numbers, got a tensor of {values.dtype}")
        return values
    values = as_array(values, "the values of a code")
    if values.dtype.kind not in "biuf":
        raise InputError(f"a code is made of numbers, got an array of {values.dtype}")
    if values.dtype.kind == "u" and values.dtype.itemsize > 1:  # types that torch computes little with
        if values.size and values.max() > np.iinfo(np.int64).max:
            raise InputError(f"a code holds {values.max()}, which does not fit in 64 bits with a sign")
        values = values.astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(values))
