"""Convolutions, and the front-end made of them that both families share.

Four convolutions: 5x5 with stride 2 to m feature maps, 3x3 to m, 3x3 with stride 2 to 2m, 3x3 to 2m.
So 28x28 pixels become 2m maps of 7x7. Or six: 3x3 to m/2 maps and 3x3 with stride 2 to m stand in for
the first, and a last one, 3x3 with stride 2, leaves 2m maps of 4x4. What follows each convolution is
the family's: a normalised ReLU, or spiking neurons. Strides in place of pooling keep the spiking
variant to synapses and neurons, and its membranes few.

An input with one long side is convolved over that side: bands of a sound are ``(n_mels,)``, ``(1, n_mels)``
or, with two signs, ``(1, n_mels, 2)``. Across a side shorter than the number of convolutions a kernel is no
wider than what it can reach, 2 side - 1: 1 across one row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.layers.norm import Norm, normalisation

Shape = tuple[int, int, int]
Depth = Literal[4, 6]


@dataclass(frozen=True)
class Stage:
    """One convolution: where it stands and what it does.

    Attributes:
        inputs: shape of its input, ``(channel, H, W)``.
        maps: number of output feature maps.
        kernel: height and width of the kernel, odd.
        stride: 1, or 2 to halve both sides (rounded up).
    """

    inputs: Shape
    maps: int
    kernel: tuple[int, int]
    stride: int

    @property
    def outputs(self) -> Shape:
        """Return the shape of the output, ``(map, H, W)``."""
        _, height, width = self.inputs
        return (self.maps, -(-height // self.stride), -(-width // self.stride))

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros on either side of the input: a kernel stands at every ``stride``-th place."""
        height, width = self.kernel
        return (height // 2, width // 2)

    def connections(self) -> Tensor:
        """Return how many synapses each input enters, ``(channel, H, W)``: fewer at the border."""
        left = [
            whole - ((half - 1) * self.stride - 2 * (kernel // 2) + kernel)
            for whole, half, kernel in zip(self.inputs[1:], self.outputs[1:], self.kernel, strict=True)
        ]
        reached = functional.conv_transpose2d(
            torch.ones(1, *self.outputs[1:]),
            torch.ones(1, 1, *self.kernel),
            stride=self.stride,
            padding=self.padding,
            output_padding=left,
        )  # (1, H, W): how many outputs of a map each input reaches
        return (self.maps * reached).expand(self.inputs)


def stages(layout: tuple[int, ...], maps: int, depth: Depth = 4) -> list[Stage]:
    """Return the stages for a layout with one or two sides to convolve over.

    Args:
        layout: ``(length,)``, ``(H, W)`` or ``(channel, H, W)``.
        maps: feature maps m of the convolutions at half the resolution; those below have twice as many.
        depth: number of convolutions, 4 or 6.

    Raises:
        InputError: the input has other axes or is too small to be halved, or there is no such depth.
    """
    if len(layout) not in (1, 2, 3):
        raise InputError(
            f"a convolutional model needs (length,), (H, W) or (channel, H, W), got the layout {layout}"
        )
    if depth not in (4, 6):
        raise InputError(f"depth must be 4 or 6 convolutions, got {depth}")
    fewest = 1 if depth == 4 else 2  # of six convolutions the first has half as many
    if maps < fewest or min(layout) < 1 or max(layout[-2:]) < depth:
        raise InputError(
            f"with {depth} convolutions maps must be at least {fewest} and one side of the input at least "
            f"{depth}, got maps={maps}, layout {layout}"
        )
    middle = [(maps, 3, 1), (2 * maps, 3, 2), (2 * maps, 3, 1)]
    if depth == 4:
        plan = [(maps, 5, 2), *middle]
    else:
        plan = [(maps // 2, 3, 1), (maps, 3, 2), *middle, (2 * maps, 3, 2)]
    shape: Shape = (1, 1, 1, *layout)[-3:]  # type: ignore[assignment]
    short = [side < depth for side in shape[1:]]
    found = []
    for count, widest, stride in plan:
        height, width = (
            min(widest, 2 * side - 1) if is_short else widest
            for side, is_short in zip(shape[1:], short, strict=True)
        )
        stage = Stage(shape, count, (height, width), stride)
        found.append(stage)
        shape = stage.outputs
    return found


class Images(nn.Module):
    """Flat channels as images, ``(B, C)`` to ``(B, channel, H, W)``, channels last in memory (for CPUs).

    Args:
        shape: ``(channel, H, W)``.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """Return the images."""
        return x.reshape(-1, *self.shape).contiguous(memory_format=torch.channels_last)


class Conv(nn.Conv2d):
    """A convolution without bias (a normalisation that follows has one), weights channels last in memory.

    Args:
        stage: where it stands and what it does.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.inputs[0], stage.maps, stage.kernel, stage.stride, stage.padding, bias=False)
        self.weight.data = self.weight.data.contiguous(memory_format=torch.channels_last)
        self.stage = stage

    def connections(self) -> Tensor:
        """Return how many synapses each input enters, ``(channel, H, W)``: fewer at the border."""
        return self.stage.connections()


def front_end(
    parts: Sequence[Stage], norm: Norm, prefix: str = ""
) -> tuple[dict[str, Conv], dict[str, nn.Module], list[list[str]]]:
    """Return convolutions and normalisations by name, and each stage's names in the order of the layers."""
    names = [(f"{prefix}conv{number}", f"{prefix}norm{number}") for number in range(1, len(parts) + 1)]
    convolutions = {conv: Conv(stage) for (conv, _), stage in zip(names, parts, strict=True)}
    norms = {name: normalisation(norm, stage.maps) for (_, name), stage in zip(names, parts, strict=True)}
    return convolutions, norms, [list(pair) for pair in names]


def analogue_layers(parts: Sequence[Stage], norm: Norm) -> tuple[dict[str, nn.Module], list[str]]:
    """Return the layers of normalised ReLUs, and their names in the order in which they are passed."""
    convolutions, norms, order = front_end(parts, norm)
    relus: dict[str, nn.Module] = {f"relu{number}": nn.ReLU() for number in range(1, len(parts) + 1)}
    named = [[*names, relu] for names, relu in zip(order, relus, strict=True)]
    return {**convolutions, **norms, **relus}, [name for names in named for name in names]
