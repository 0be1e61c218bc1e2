"""Any input over time, stored whole: the form of rate codes, event counts and signals."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rc_vs_snn.checks import check_layout
from rc_vs_snn.encoded.code import Code, Rows, as_tensor, check_n_steps, picked
from rc_vs_snn.errors import InputError


@dataclass(frozen=True, eq=False)
class Frames(Code):
    """Any input over time, stored whole: multi-spike trains, event counts, analogue signals.

    Attributes:
        values: ``(T, B, C)``; integers are narrowed to the smallest type that holds them,
            floats are kept as float32.
        layout: shape of the channels, ``prod(layout) == C``.
        lengths, step_ms: see ``Code``.

    Raises:
        InputError: on a wrong number of axes, T = 0, a length out of range, NaN or infinity in what is read.
    """

    values: Tensor
    layout: tuple[int, ...]

    def __post_init__(self) -> None:
        values = as_tensor(self.values)
        if values.ndim != 3:
            raise InputError(f"frames must have shape (time, batch, channel), got {tuple(values.shape)}")
        check_n_steps(values.shape[0])
        check_layout(self.layout, values.shape[2])
        object.__setattr__(self, "values", values)
        self._check_time(values.shape[1])
        if values.is_floating_point():
            values, given = values.to(torch.float32), values
            if not bool(torch.isfinite(self._read(values)).all()):
                raise InputError(
                    "frames hold NaN or infinity, or numbers too large for 32 bits (largest: "
                    f"{float(self._read(given).abs().max()):g}); check the encoder and its input"
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

    def events_at(self, step: int) -> Tensor:
        """Return the number of input events per sample at ``step``, ``(B,)``.

        A count of n is n events; an analogue value other than 0 is one.
        """
        seen = self.values[step]
        counts = (seen != 0) if seen.is_floating_point() else seen.abs()
        return counts.sum(dim=1, dtype=torch.int64)

    def select(self, rows: Rows) -> "Frames":
        """Return the samples at ``rows`` (indices or a mask); InputError where there are none."""
        return self._with(values=picked(self.values, 1, rows), lengths=self._lengths_of(rows))

    def to(self, device: torch.device | str) -> "Frames":
        """Return the same code on ``device``."""
        return self._with(values=self.values.to(device), lengths=self._lengths_on(device))

    def _read(self, values: Tensor) -> Tensor:
        """Return the values that lie within the samples' lengths."""
        if self.lengths is None:
            return values
        return values[torch.arange(self.n_steps, device=values.device)[:, None] < self.lengths]


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
