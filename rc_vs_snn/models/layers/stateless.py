"""Layers that keep nothing between steps and have no synapses."""

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from rc_vs_snn.models.cost import Operations, Signal


class Stateless(nn.Module):
    """A function of one step's input, which costs nothing."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return the output ``(B, ...)``."""

    def initial_state(self, batch: int, like: Tensor) -> None:
        """See ``Layer``."""
        return None

    def step(self, x: Tensor, state: None, step: int) -> tuple[Tensor, None]:
        """See ``Layer``."""
        return self(x), None

    def operations(self, x: Signal, before: None, after: None, step: int) -> tuple[Operations | None, Signal]:
        """See ``Layer``."""
        return None, x.then(lambda: self(x.values), x.analogue)


class Images(Stateless):
    """Flat channels as images, ``(B, C)`` to ``(B, channel, H, W)``, channels last in memory (for CPUs).

    Args:
        shape: ``(channel, H, W)``.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """See ``Stateless``."""
        return x.reshape(-1, *self.shape).contiguous(memory_format=torch.channels_last)


class Rectify(Stateless):
    """Negative values become 0."""

    def forward(self, x: Tensor) -> Tensor:
        """See ``Stateless``."""
        return functional.relu(x)


class Flatten(Stateless):
    """Feature maps become one axis, ``(B, ...)`` to ``(B, n)``."""

    def forward(self, x: Tensor) -> Tensor:
        """See ``Stateless``."""
        return x.flatten(1)
