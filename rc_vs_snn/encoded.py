"""Encoded samples: what an encoder makes and a model reads, in two final forms with one interface.

Both forms carry ``n_steps`` (T), ``layout`` (the channels' shape, such as ``(28, 28)``) and hand out
one time step as float through ``at(step)``; nothing of size T·B·C is built unless the code needs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.checks import as_array, as_rows, check_layout, check_whole
from rc_vs_snn.errors import InputError

MOST_STEPS = 2**31 - 2
"""Steps are held in 32 bits, and one more number stands for "never"."""


def check_n_steps(n_steps: int) -> None:
    """Raise InputError unless ``n_steps`` is a whole number (NumPy's too) of at least 1 that steps hold."""
    check_whole(n_steps, "n_steps", 1, MOST_STEPS)


def _as_tensor(values: np.ndarray | Tensor) -> Tensor:
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


def _pick(values: Tensor, axis: int, rows: Tensor | np.ndarray | Sequence[int]) -> Tensor:
    chosen = rows if isinstance(rows, Tensor) else as_rows(rows)
    try:
        return values[:, chosen] if axis else values[chosen]
    except IndexError as error:
        raise InputError(f"there are {values.shape[axis]} samples to select from: {error}") from error


@dataclass(frozen=True, eq=False)
class SpikeTimes:
    """At most one spike per channel, stored as the step it comes at.

    Attributes:
        steps: ``(B, C)`` integers in ``[0, n_steps]``; the value ``n_steps`` means the channel
            never spikes. Narrowed on construction (uint8 for up to 255 steps).
        n_steps: number of time steps T.
        layout: shape of the channels, ``prod(layout) == C``.
        hold: False for a one-shot code (input 1 at the spike's step only); True for a step code
            (input 1 from the spike's step on).

    Raises:
        InputError: on a non-integer or two-dimensional mismatch, or a step outside the range.
    """

    steps: Tensor
    n_steps: int
    layout: tuple[int, ...]
    hold: bool = False

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        steps = _as_tensor(self.steps)
        if steps.ndim != 2 or steps.is_floating_point() or steps.dtype == torch.bool:
            raise InputError(
                f"spike steps must be integers of shape (batch, channel), got {steps.dtype} "
                f"{tuple(steps.shape)}"
            )
        check_layout(self.layout, steps.shape[1])
        if steps.numel() and (int(steps.min()) < 0 or int(steps.max()) > self.n_steps):
            raise InputError(
                f"spike steps must lie in 0..{self.n_steps} ({self.n_steps} = never), got "
                f"{int(steps.min())}..{int(steps.max())}"
            )
        narrow = torch.uint8 if self.n_steps <= 255 else torch.int16 if self.n_steps < 2**15 else torch.int32
        object.__setattr__(self, "steps", steps.to(narrow))

    @property
    def analogue(self) -> bool:
        """Whether inputs are real numbers: never."""
        return False

    @property
    def never(self) -> int:
        """The step that stands for "no spike": T."""
        return self.n_steps

    @property
    def n_channels(self) -> int:
        """Number of channels C."""
        return self.steps.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the code lies."""
        return self.steps.device

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.steps.nbytes

    def __len__(self) -> int:
        return self.steps.shape[0]

    def at(self, step: int) -> Tensor:
        """Return the input at ``step``, ``(B, C)`` float."""
        active = self.steps <= step if self.hold else self.steps == step
        return active.to(torch.get_default_dtype())  # (B, C)

    def events_until(self, step: int) -> Tensor:
        """Return the number of input spikes per sample in steps 0..``step`` inclusive, ``(B,)``."""
        if not self.hold:
            return (self.steps <= step).sum(1)
        on_for = (step + 1 - self.steps.to(torch.int64)).clamp_min(0)
        return on_for.sum(1)

    def select(self, rows: Tensor | np.ndarray | Sequence[int]) -> "SpikeTimes":
        """Return the samples at ``rows`` (indices or a mask); InputError where there are none."""
        return self._with(_pick(self.steps, 0, rows))

    def to(self, device: torch.device | str) -> "SpikeTimes":
        """Return the same code on ``device``."""
        return self._with(self.steps.to(device))

    def _with(self, steps: Tensor) -> "SpikeTimes":
        # Rows of a checked code need no second check: this runs in the inner loop.
        other = object.__new__(SpikeTimes)
        object.__setattr__(other, "steps", steps)
        object.__setattr__(other, "n_steps", self.n_steps)
        object.__setattr__(other, "layout", self.layout)
        object.__setattr__(other, "hold", self.hold)
        return other


@dataclass(frozen=True, eq=False)
class Frames:
    """Any input over time, stored whole: multi-spike trains, event counts, analogue signals.

    Attributes:
        values: ``(T, B, C)``; integers are narrowed to the smallest type that holds them,
            floats are kept as float32.
        layout: shape of the channels, ``prod(layout) == C``.

    Raises:
        InputError: on a wrong number of axes, T = 0, NaN or infinity.
    """

    values: Tensor
    layout: tuple[int, ...]

    def __post_init__(self) -> None:
        values = _as_tensor(self.values)
        if values.ndim != 3:
            raise InputError(f"frames must have shape (time, batch, channel), got {tuple(values.shape)}")
        check_n_steps(values.shape[0])
        check_layout(self.layout, values.shape[2])
        if values.is_floating_point():
            values, given = values.to(torch.float32), values
            if not bool(torch.isfinite(values).all()):
                raise InputError(
                    "frames hold NaN or infinity, or numbers too large for 32 bits (largest: "
                    f"{float(given.abs().max()):g}); check the encoder and its input"
                )
        else:
            values = _narrow(values)
        object.__setattr__(self, "values", values)

    @property
    def analogue(self) -> bool:
        """Whether inputs are real numbers, and not counts of spikes."""
        return self.values.is_floating_point()

    @property
    def n_steps(self) -> int:
        """Number of time steps T."""
        return self.values.shape[0]

    @property
    def n_channels(self) -> int:
        """Number of channels C."""
        return self.values.shape[2]

    @property
    def device(self) -> torch.device:
        """Where the code lies."""
        return self.values.device

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.values.nbytes

    def __len__(self) -> int:
        return self.values.shape[1]

    def at(self, step: int) -> Tensor:
        """Return the input at ``step``, ``(B, C)`` float."""
        return self.values[step].to(torch.get_default_dtype())

    def events_until(self, step: int) -> Tensor:
        """Return the number of input events per sample in steps 0..``step`` inclusive, ``(B,)``.

        A count of n is n events; an analogue value other than 0 is one.
        """
        seen = self.values[: step + 1]
        counts = (seen != 0) if seen.is_floating_point() else seen.abs()
        return counts.sum(dim=(0, 2), dtype=torch.int64)

    def select(self, rows: Tensor | np.ndarray | Sequence[int]) -> "Frames":
        """Return the samples at ``rows`` (indices or a mask); InputError where there are none."""
        return self._with(_pick(self.values, 1, rows))

    def to(self, device: torch.device | str) -> "Frames":
        """Return the same code on ``device``."""
        return self._with(self.values.to(device))

    def _with(self, values: Tensor) -> "Frames":
        other = object.__new__(Frames)
        object.__setattr__(other, "values", values)
        object.__setattr__(other, "layout", self.layout)
        return other


def _narrow(values: Tensor) -> Tensor:
    """Return integers in the smallest of uint8, int8, int16 and int32 that holds them."""
    if values.dtype == torch.bool or not values.numel():
        return values.to(torch.uint8)
    low, high = int(values.min()), int(values.max())
    for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32):
        info = torch.iinfo(dtype)
        if info.min <= low and high <= info.max:
            return values.to(dtype)
    raise InputError(f"frames hold whole numbers from {low} to {high}; counts must fit in 32 bits")


Encoded = SpikeTimes | Frames
