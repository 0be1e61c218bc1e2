"""Rank-coded spiking network built from snnTorch neurons.

Hidden layers of leaky (or synaptic) integrate-and-fire neurons feed one output neuron per class.
The output neurons' membrane potentials are the evidence: the first to reach the rule's threshold
is the first output spike, and it decides. Nothing comes after that spike, so output neurons never
reset, and a stored membrane trace can be judged at any threshold.

Source: Eshraghian et al. 2023 (snnTorch); first-spike decision: Jeffares et al., arXiv 2110.02865.
"""

import math
from collections.abc import Callable, Sequence
from typing import Literal, cast

import snntorch as snn
import torch
from snntorch import surrogate
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.deferred import linear
from rc_vs_snn.models.dropout import check_dropout, held_mask
from rc_vs_snn.models.interface import State, synaptic_operations
from rc_vs_snn.models.lif import ATAN, FAST_SIGMOID, LeakyStep
from rc_vs_snn.models.recurrent import check_sizes
from rc_vs_snn.models.sparse import fan_out_major
from rc_vs_snn.registry import models
from rc_vs_snn.rules import EvidenceKind

SpikeGrad = Literal["fast-sigmoid", "atan", "sigmoid", "triangular", "straight-through"]
_SPIKE_GRADS: dict[SpikeGrad, Callable[[float], Callable[[Tensor], Tensor]]] = {
    "fast-sigmoid": lambda slope: surrogate.fast_sigmoid(slope),
    "atan": lambda slope: surrogate.atan(slope),
    "sigmoid": lambda slope: surrogate.sigmoid(slope),
    "triangular": lambda slope: surrogate.triangular(slope),
    "straight-through": lambda slope: surrogate.straight_through_estimator(),
}
_FUSED: dict[SpikeGrad, int] = {"fast-sigmoid": FAST_SIGMOID, "atan": ATAN}


class SpikingLayer(nn.Module):
    """One snnTorch neuron layer with its state passed in and out.

    Args:
        neuron: a ``snntorch.Leaky`` (state: membrane) or ``snntorch.Synaptic`` (state: current, membrane),
            with decay and threshold given per entry of the last axis.
        shape: shape of the layer, ``(neuron,)`` or ``(H, W, map)``.
        spike_grad: name of the neuron's surrogate gradient.
        slope: its steepness.
    """

    def __init__(
        self, neuron: snn.SpikingNeuron, shape: tuple[int, ...], spike_grad: SpikeGrad, slope: float
    ) -> None:
        super().__init__()
        self.neuron = neuron
        self.shape = shape
        self.slope = slope
        self.n_states = 2 if isinstance(neuron, snn.Synaptic) else 1
        self.surrogate = _FUSED.get(spike_grad) if isinstance(neuron, snn.Leaky) else None
        self.reset = snn.SpikingNeuron.reset_dict[neuron.reset_mechanism]
        # snnTorch appends every neuron to a class-level list (for hidden-state resets, which we do
        # not use): left there, no network of the process would ever be freed.
        snn.SpikingNeuron.instances.remove(neuron)

    def forward(self, current: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the spikes ``(B, *shape)`` and the new state (the membrane last)."""
        if self.surrogate is not None and state[-1].dtype == torch.float32 and current.device.type == "cpu":
            spikes, membrane = LeakyStep.apply(
                current.float(), state[0], self.neuron.beta, self.neuron.threshold,
                self.reset, self.surrogate, self.slope,
            )  # fmt: skip
            return spikes, (membrane,)
        spikes, *new = self.neuron(current, *state)
        self._forget()
        return spikes, tuple(new)

    def spikes(self, state: State) -> Tensor:
        """Return the spikes that the step which returned ``state`` emitted, ``(B, *shape)``."""
        return (state[-1] > self.neuron.threshold).to(state[-1].dtype)

    def _forget(self) -> None:
        # snnTorch keeps the last state on the module; drop it so that no graph outlives its batch.
        for name in ("mem", "syn")[: self.n_states]:
            setattr(self.neuron, name, torch.zeros(0, device=self.neuron.threshold.device))
        self.neuron.reset = None


@models.register("rank-snn")
class RankSNN(nn.Module):
    """Spiking network of snnTorch neurons; the first output spike decides (membrane potential as evidence).

    Args:
        layout: shape of the input channels.
        n_classes: number of classes K.
        hidden: spiking neurons per hidden layer.
        layers: number of hidden layers.
        neuron: "leaky" (one exponential decay) or "synaptic" (current and membrane decay).
        decay: initial membrane decay per step of hidden and output neurons, in [0, 1].
        synaptic_decay: initial decay of the synaptic current per step ("synaptic" only).
        learn_decay: whether decays are trained, one per neuron.
        threshold: firing threshold of hidden neurons.
        learn_threshold: whether hidden thresholds are trained, one per neuron.
        reset: what a hidden spike does to its membrane: "subtract" the threshold, or "zero" it.
        spike_grad: surrogate gradient by name.
        slope: steepness of the surrogate gradient (snnTorch's ``slope`` or ``alpha``).
        evidence: "membrane" (a real output spike decides) or "softmax" over the membranes.
        gain: factor on the usual initial weights; above 1 lets few input spikes make a neuron fire.
        dropout: probability of silencing a hidden neuron in training, held over time steps.

    Raises:
        InputError: a size, decay, threshold or slope out of range.
    """

    def __init__(
        self,
        layout: tuple[int, ...],
        n_classes: int,
        hidden: int = 512,
        layers: int = 1,
        neuron: Literal["leaky", "synaptic"] = "leaky",
        decay: float = 0.9,
        synaptic_decay: float = 0.5,
        learn_decay: bool = True,
        threshold: float = 1.0,
        learn_threshold: bool = False,
        reset: Literal["subtract", "zero"] = "subtract",
        spike_grad: SpikeGrad = "fast-sigmoid",
        slope: float = 10.0,
        evidence: Literal["membrane", "softmax"] = "membrane",
        gain: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes(hidden, layers)
        check_dropout(dropout)
        _check_neuron(decay, synaptic_decay, threshold, slope, gain)
        self.dropout = dropout
        self.evidence: EvidenceKind = evidence_kind(evidence)

        def spiking() -> SpikingLayer:
            return leaky_layer(
                (hidden,), decay, spike_grad, slope, reset=reset, threshold=threshold,
                learn_decay=learn_decay, learn_threshold=learn_threshold,
                synaptic_decay=synaptic_decay if neuron == "synaptic" else None,
            )  # fmt: skip

        widths = [math.prod(layout)] + [hidden] * layers
        self.synapses = nn.ModuleList(fan_out_major(nn.Linear(widths[i], hidden)) for i in range(layers))
        self.neurons = nn.ModuleList(spiking() for _ in range(layers))
        self.readout = nn.Linear(hidden, n_classes)
        self.output = leaky_layer(
            (n_classes,), decay, spike_grad, slope, reset="none", learn_decay=learn_decay
        )
        with torch.no_grad():
            for synapse in self._synapses():
                synapse.weight.mul_(gain)

    def initial_state(self, batch: int, device: torch.device | str) -> State:
        """Return zero membranes (and currents), ``(B, width)`` (and dropout masks in training)."""
        state: State = ()
        for layer in [*self._hidden(), self.output]:
            zeros = torch.zeros(batch, *layer.shape, device=device, dtype=self.readout.weight.dtype)
            state += (zeros,) * layer.n_states
            if self._drops() and layer is not self.output:
                state += (held_mask(zeros, layer.shape[0], self.dropout),)
        return state

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance one time step; see ``Model.step``. The readout is the output membranes, ``(B, K)``."""
        new: State = ()
        for synapse, layer in zip(self._synapses(), self._hidden(), strict=True):
            part, state = state[: layer.n_states], state[layer.n_states :]
            x, part = layer(linear(synapse, x, spikes=True), part)
            new += part
            if self._drops():
                mask, *rest = state
                state = tuple(rest)
                x = x * mask
                new += (mask,)
        _, (membrane,) = self.output(linear(self.readout, x), state)
        return membrane, (*new, membrane)

    def _drops(self) -> bool:
        return self.training and self.dropout > 0

    def operations(self, x: Tensor, before: State, after: State) -> tuple[Tensor, Tensor]:
        """Count synaptic operations: every spike costs its fan-out."""
        acs, macs = x.new_zeros(len(x)), x.new_zeros(len(x))
        hidden = self._hidden()
        fan_outs = [*(layer.shape[0] for layer in hidden), self.output.shape[0]]
        at = 0
        for index, fan_out in enumerate(fan_outs):
            layer_acs, layer_macs = synaptic_operations(x, fan_out)
            acs, macs = acs + layer_acs, macs + layer_macs
            if index < len(hidden):
                layer = hidden[index]
                x = layer.spikes(after[at : at + layer.n_states])
                at += layer.n_states
        return acs, macs

    def _synapses(self) -> Sequence[nn.Linear]:
        return cast(Sequence[nn.Linear], self.synapses)

    def _hidden(self) -> Sequence[SpikingLayer]:
        return cast(Sequence[SpikingLayer], self.neurons)


def evidence_kind(evidence: Literal["membrane", "softmax"]) -> EvidenceKind:
    """Return what the rule reads: the output membranes, or the class probabilities they stand for."""
    return "probability" if evidence == "softmax" else "membrane"


def leaky_layer(
    shape: tuple[int, ...],
    decay: float,
    spike_grad: SpikeGrad,
    slope: float,
    *,
    reset: Literal["subtract", "zero", "none"] = "subtract",
    threshold: float = 1.0,
    learn_decay: bool = True,
    learn_threshold: bool = False,
    synaptic_decay: float | None = None,
) -> SpikingLayer:
    """Return one layer of snnTorch neurons with a decay and threshold per neuron, or per feature map.

    Args:
        shape: ``(neuron,)`` or ``(H, W, map)``.
        decay: initial membrane decay per step.
        spike_grad: surrogate gradient by name.
        slope: steepness of the surrogate gradient.
        reset: what a spike does to the membrane.
        threshold: firing threshold.
        learn_decay: whether decays are trained.
        learn_threshold: whether thresholds are trained.
        synaptic_decay: initial decay of the synaptic current; None for neurons without one.
    """
    one_each = shape[-1:]
    shared = {
        "beta": torch.full(one_each, decay),
        "learn_beta": learn_decay,
        "threshold": torch.full(one_each, threshold),
        "learn_threshold": learn_threshold,
        "reset_mechanism": reset,
        "spike_grad": _same_dtype(_SPIKE_GRADS[spike_grad](slope)),
    }
    if synaptic_decay is None:
        return SpikingLayer(snn.Leaky(**shared), shape, spike_grad, slope)
    current = torch.full(one_each, synaptic_decay)
    neuron = snn.Synaptic(alpha=current, learn_alpha=learn_decay, **shared)
    return SpikingLayer(neuron, shape, spike_grad, slope)


def _same_dtype(surrogate_gradient: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return the surrogate with spikes in the membrane's dtype: snnTorch's are always float32."""
    return lambda shifted: surrogate_gradient(shifted).to(shifted.dtype)


def _check_neuron(decay: float, synaptic_decay: float, threshold: float, slope: float, gain: float) -> None:
    faults = [
        f"{name} must lie in [0, 1], got {value:g}"
        for name, value in (("decay", decay), ("synaptic_decay", synaptic_decay))
        if not 0 <= value <= 1
    ]
    faults += [
        f"{name} must be above 0, got {value:g}"
        for name, value in (("threshold", threshold), ("slope", slope), ("gain", gain))
        if not value > 0
    ]
    if faults:
        raise InputError("model 'rank-snn': " + "; ".join(faults))
