"""Layers of a graph that keep nothing: input of a checked size, convolutions and pools of any form."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rc_vs_snn.errors import InputError


def pair(value: Any) -> tuple[int, int]:
    """Return one number, or one per side, as one per side."""
    rows, columns = np.broadcast_to(np.ravel(value), (2,)).tolist()
    return int(rows), int(columns)


class GraphInput(nn.Module):
    """Flat channels in the shape in which a graph takes them.

    Args:
        shape: of one sample at a step.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(int(side) for side in shape)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, C)`` as ``(B, *shape)``.

        Raises:
            InputError: another number of channels.
        """
        if x.shape[1] != math.prod(self.shape):
            raise InputError(
                f"the graph takes {math.prod(self.shape)} channels a step, as {self.shape}, and the input "
                f"has {x.shape[1]}; choose another encoder"
            )
        if len(self.shape) != 3:
            return x.reshape(-1, *self.shape)
        return x.reshape(-1, *self.shape).contiguous(memory_format=torch.channels_last)


class GraphConv(nn.Conv2d):
    """A convolution of any stride, padding, dilation and number of groups, with a bias.

    Args:
        weight: ``(maps, channels a group, height, width)``.
        bias: ``(maps,)``.
        inputs: shape of its input, ``(channel, H, W)``.
        stride, padding, dilation: per side.
        groups: into how many its channels fall.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor,
        inputs: tuple[int, int, int],
        stride: tuple[int, int],
        padding: tuple[int, int],
        dilation: tuple[int, int],
        groups: int,
    ) -> None:
        maps, channels, height, width = weight.shape
        super().__init__(channels * groups, maps, (height, width), stride, padding, dilation, groups)
        self.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last))
        self.bias = nn.Parameter(bias)
        self.inputs = inputs

    def connections(self) -> Tensor:
        """Return how many synapses each input enters, ``(channel, H, W)``: fewer at the border."""
        x = torch.zeros(1, *self.inputs, requires_grad=True)
        with torch.enable_grad():
            reached = functional.conv2d(
                x, torch.ones_like(self.weight), None, self.stride, self.padding, self.dilation, self.groups
            )
            (counts,) = torch.autograd.grad(reached.sum(), x)
        return counts[0]


class SumPool(nn.Module):
    """The sum over windows of each map.

    Args:
        kernel, stride, padding: per side.
    """

    def __init__(self, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """Return the sums ``(B, map, H, W)``."""
        return functional.avg_pool2d(x, self.kernel, self.stride, self.padding, divisor_override=1)


class Scaled(nn.Module):
    """Every value times a number of its own.

    Args:
        scale: the numbers, of the shape of a sample.
    """

    scale: Tensor

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor) -> Tensor:
        """Return the products."""
        return x * self.scale
