"""What layers of snnTorch neurons share: how a neuron is made, and that it keeps nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import snntorch as snn
import torch
from snntorch import surrogate
from torch import Tensor, nn

from rc_vs_snn.kernels.leaky.cell import ATAN, FAST_SIGMOID
from rc_vs_snn.models.cost import Signal

SpikeGrad = Literal["fast-sigmoid", "atan", "sigmoid", "triangular", "straight-through"]
Reset = Literal["subtract", "zero"]

_SURROGATES: dict[SpikeGrad, Callable[[float], Callable[[Tensor], Tensor]]] = {
    "fast-sigmoid": lambda slope: surrogate.fast_sigmoid(slope),
    "atan": lambda slope: surrogate.atan(slope),
    "sigmoid": lambda slope: surrogate.sigmoid(slope),
    "triangular": lambda slope: surrogate.triangular(slope),
    "straight-through": lambda slope: surrogate.straight_through_estimator(),
}
FUSED: dict[SpikeGrad, int] = {"fast-sigmoid": FAST_SIGMOID, "atan": ATAN}
"""The surrogate gradients that ``kernels.leaky`` computes."""


@dataclass(frozen=True)
class Spiking:
    """What a layer of spiking neurons is made with.

    Attributes:
        decay: initial membrane decay per step.
        spike_grad: surrogate gradient by name.
        slope: its steepness.
        reset: what a spike does to the membrane: "subtract" the threshold, or "zero" it.
        threshold: firing threshold.
        learn_decay: whether decays are trained, one per neuron or feature map.
        learn_threshold: whether thresholds are trained, likewise.
    """

    decay: float = 0.9
    spike_grad: SpikeGrad = "fast-sigmoid"
    slope: float = 10.0
    reset: Reset = "subtract"
    threshold: float = 1.0
    learn_decay: bool = True
    learn_threshold: bool = False


DEFAULT = Spiking()


@dataclass(frozen=True)
class Surrogate:
    """A step function with a surrogate gradient, by name: snnTorch's are closures, which cannot be pickled.

    Attributes:
        name: which one.
        slope: its steepness.
    """

    name: SpikeGrad
    slope: float

    def __call__(self, shifted: Tensor) -> Tensor:
        """Return spikes in the dtype of the membrane less its threshold: snnTorch's are always float32."""
        return _SURROGATES[self.name](self.slope)(shifted).to(shifted.dtype)


class NeuronLayer(nn.Module):
    """Holds a layer's snnTorch neuron; its state is passed in and out.

    Args:
        make: ``snntorch.Leaky`` or another neuron that takes these options.
        shape: shape of the layer, ``(neuron,)`` or ``(map, H, W)``.
        options: see there.
        others: options of this neuron alone.
    """

    def __init__(
        self,
        make: Callable[..., snn.SpikingNeuron],
        shape: tuple[int, ...],
        options: Spiking,
        others: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.shape = shape
        self.neuron = make(
            beta=torch.full(shape[:1], options.decay),
            learn_beta=options.learn_decay,
            threshold=torch.full(shape[:1], options.threshold),
            learn_threshold=options.learn_threshold,
            reset_mechanism=options.reset,
            spike_grad=Surrogate(options.spike_grad, options.slope),
            **others,
        )
        self.reset = snn.SpikingNeuron.reset_dict[options.reset]
        # snnTorch appends every neuron to a class-level list (for hidden-state resets, which we do
        # not use): left there, no network of the process would ever be freed.
        snn.SpikingNeuron.instances.remove(self.neuron)

    def zeros(self, batch: int, like: Tensor) -> Tensor:
        """Return zero potentials or currents, features last, ``(B, neuron)`` or ``(B, H, W, map)``."""
        return like.new_zeros(batch, *self.shape[1:], self.shape[0])

    def fire(self, current: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return spikes and new state of snnTorch's neuron, which then forgets them."""
        found = self.neuron(current, *state)
        # snnTorch keeps the last state on the module; drop it so that no graph outlives its batch.
        for name in ("mem", "syn", "spk"):
            if hasattr(self.neuron, name):
                setattr(self.neuron, name, torch.zeros(0, device=self.neuron.threshold.device))
        self.neuron.reset = None
        return found

    def spikes(self, x: Signal, membrane: Tensor) -> Signal:
        """Return the spikes that left this membrane ``(B, ...)`` features last, in answer to ``x``."""
        fired = membrane > self.neuron.threshold
        return x.then(lambda: features_first(fired.to(membrane.dtype)), analogue=False)


def features_last(x: Tensor) -> Tensor:
    """Return ``(B, map, H, W)`` as ``(B, H, W, map)``, how membranes lie in memory; ``(B, n)`` as it is."""
    return x if x.ndim == 2 else x.movedim(1, -1)


def features_first(x: Tensor) -> Tensor:
    """Undo ``features_last``."""
    return x if x.ndim == 2 else x.movedim(-1, 1)
