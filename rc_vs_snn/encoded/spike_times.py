"""At most one spike per channel: the form of latency, rank-order and step codes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rc_vs_snn.checks import check_layout
from rc_vs_snn.encoded.code import Code, Rows, as_tensor, check_n_steps, picked
from rc_vs_snn.errors import InputError


@dataclass(frozen=True, eq=False)
class SpikeTimes(Code):
    """At most one spike per channel, stored as the step it comes at.

    Attributes:
        steps: ``(B, C)`` integers in ``[0, n_steps]``; the value ``n_steps`` means the channel
            never spikes. Narrowed on construction (uint8 for up to 255 steps).
        n_steps: number of time steps T.
        layout: shape of the channels, ``prod(layout) == C``.
        hold: False for a one-shot code (input 1 at the spike's step only); True for a step code
            (input 1 from the spike's step on).
        lengths, step_ms: see ``Code``.

    Raises:
        InputError: on a non-integer or two-dimensional mismatch, or a step or length outside the range.
    """

    steps: Tensor
    n_steps: int
    layout: tuple[int, ...]
    hold: bool = False

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        steps = as_tensor(self.steps)
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
        self._check_time(len(steps))

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

    def events_at(self, step: int) -> Tensor:
        """Return the number of input spikes per sample at ``step``, ``(B,)``."""
        return (self.steps <= step if self.hold else self.steps == step).sum(1)

    def select(self, rows: Rows) -> "SpikeTimes":
        """Return the samples at ``rows`` (indices or a mask); InputError where there are none."""
        return self._with(steps=picked(self.steps, 0, rows), lengths=self._lengths_of(rows))

    def to(self, device: torch.device | str) -> "SpikeTimes":
        """Return the same code on ``device``."""
        return self._with(steps=self.steps.to(device), lengths=self._lengths_on(device))
