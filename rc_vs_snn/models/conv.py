"""The convolutional front-end that both families share.

Four convolutions: 5x5 with stride 2 to m feature maps, 3x3 to m, 3x3 with stride 2 to 2m, 3x3 to 2m.
So 28x28 pixels become 2m maps of 7x7. Or six: 3x3 to m/2 maps and 3x3 with stride 2 to m stand in for
the first, and a last one, 3x3 with stride 2, leaves 2m maps of 4x4. What follows each convolution is
the family's: a normalised ReLU, or spiking neurons. Strides in place of pooling keep the spiking
variant to synapses and neurons, and its membranes few.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.interface import synaptic_operations
from rc_vs_snn.models.norm import Norm, normalisation

Shape = tuple[int, int, int]
Depth = Literal[4, 6]


@dataclass(frozen=True)
class Stage:
    """One convolution: where it stands and what it does.

    Attributes:
        inputs: shape of its input, ``(channel, H, W)``.
        maps: number of output feature maps.
        kernel: side of the square kernel.
        stride: 1, or 2 to halve both sides (rounded up).
    """

    inputs: Shape
    maps: int
    kernel: int
    stride: int

    @property
    def outputs(self) -> Shape:
        """Return the shape of the output, ``(map, H, W)``."""
        _, height, width = self.inputs
        return (self.maps, -(-height // self.stride), -(-width // self.stride))

    @property
    def fan_out(self) -> float:
        """Return the synapses of an input away from the border."""
        return self.maps * self.kernel**2 / self.stride**2


def stages(layout: tuple[int, ...], maps: int, depth: Depth = 4) -> list[Stage]:
    """Return the stages for an image layout.

    Args:
        layout: ``(H, W)`` or ``(channel, H, W)``.
        maps: feature maps m of the convolutions at half the resolution; those below have twice as many.
        depth: number of convolutions, 4 or 6.

    Raises:
        InputError: the input is no image or too small to be halved, or there is no such depth.
    """
    if len(layout) not in (2, 3):
        raise InputError(f"a convolutional model needs (H, W) or (channel, H, W), got the layout {layout}")
    if depth not in (4, 6):
        raise InputError(f"depth must be 4 or 6 convolutions, got {depth}")
    fewest = 1 if depth == 4 else 2  # of six convolutions the first has half as many
    if maps < fewest or min(layout[-2:]) < depth:
        raise InputError(
            f"with {depth} convolutions maps must be at least {fewest} and images at least "
            f"{depth}x{depth}, got maps={maps}, layout {layout}"
        )
    middle = [(maps, 3, 1), (2 * maps, 3, 2), (2 * maps, 3, 1)]
    if depth == 4:
        plan = [(maps, 5, 2), *middle]
    else:
        plan = [(maps // 2, 3, 1), (maps, 3, 2), *middle, (2 * maps, 3, 2)]
    shape: Shape = (1, *layout) if len(layout) == 2 else layout  # type: ignore[assignment]
    found = []
    for count, kernel, stride in plan:
        stage = Stage(shape, count, kernel, stride)
        found.append(stage)
        shape = stage.outputs
    return found


def as_images(x: Tensor, shape: Shape) -> Tensor:
    """Return flat channels as images, ``(B, channel, H, W)``, channels last in memory (quicker on CPUs)."""
    return x.reshape(-1, *shape).contiguous(memory_format=torch.channels_last)


def convolution(stage: Stage, *, bias: bool = True) -> nn.Conv2d:
    """Return the stage's convolution, its weights laid out channels last."""
    layer = nn.Conv2d(
        stage.inputs[0], stage.maps, stage.kernel, stage.stride, padding=stage.kernel // 2, bias=bias
    )
    layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    return layer


def convolution_operations(x: Tensor, stage: Stage) -> tuple[Tensor, Tensor]:
    """Count the synaptic operations of one convolution, ``(acs, macs)``, each ``(B,)``.

    Inputs at the border have fewer synapses and are counted as if they had all. Inputs that are 0
    cost nothing, as on event-driven hardware.
    """
    return synaptic_operations(x.flatten(1), stage.fan_out)


class AnalogueBlock(nn.Module):
    """The stages with normalised ReLUs: real-valued features of one time step.

    Args:
        parts: the stages to build.
        norm: see ``normalisation``.
    """

    def __init__(self, parts: Sequence[Stage], norm: Norm) -> None:
        super().__init__()
        self.stages = list(parts)
        self.convolutions = nn.ModuleList(convolution(stage, bias=False) for stage in self.stages)
        self.norms = nn.ModuleList(normalisation(norm, stage.maps) for stage in self.stages)

    def forward(self, x: Tensor, first: bool) -> Tensor:
        """Return the features of images ``(B, channel, H, W)``; ``first``: whether this is step 0."""
        for index in range(len(self.stages)):
            x = self._stage(x, index, first)
        return x

    def operations(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``(acs, macs, features)`` of one step, the counts ``(B,)``."""
        acs, macs = x.new_zeros(len(x)), x.new_zeros(len(x))
        for index, stage in enumerate(self.stages):
            stage_acs, stage_macs = convolution_operations(x, stage)
            acs, macs = acs + stage_acs, macs + stage_macs
            x = self._stage(x, index, first=False)
        return acs, macs, x

    def _stage(self, x: Tensor, index: int, first: bool) -> Tensor:
        layers = cast(Sequence[Callable[[Tensor], Tensor]], self.convolutions)
        norms = cast(Sequence[Callable[[Tensor, bool], Tensor]], self.norms)
        return functional.relu(norms[index](layers[index](x), first))
