"""Rank-coded spiking network built from snnTorch neurons.

    S = neurons(W x + b)          layers/leaky.py and layers/synaptic.py have the equations
    U' = decay U + V S + d        one output neuron per class: its membrane potential is the evidence

The output neuron whose potential is the first to reach the rule's threshold emits the first output spike,
and it decides.

Source: Eshraghian et al. 2023 (snnTorch); first-spike decision: Jeffares et al., arXiv 2110.02865.
"""

import math
from typing import Literal

import torch
from torch import nn

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.errors import InputError
from rc_vs_snn.models.compiled import LEAKY_NET, LEAKY_NET_OF_MANY, Compiled
from rc_vs_snn.models.layers import Dropout, Leaky, Linear, Readout, Synaptic
from rc_vs_snn.models.layers.snntorch_neuron import FUSED, Reset, SpikeGrad, Spiking
from rc_vs_snn.models.stack import Stack, check_sizes
from rc_vs_snn.registry import models


@models.register("rank-snn")
class RankSNN(Stack):
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
        reset: Reset = "subtract",
        spike_grad: SpikeGrad = "fast-sigmoid",
        slope: float = 10.0,
        evidence: Literal["membrane", "softmax"] = "membrane",
        gain: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        check_sizes(hidden, layers)
        check_neuron("rank-snn", decay, synaptic_decay, threshold=threshold, slope=slope, gain=gain)

        options = Spiking(decay, spike_grad, slope, reset, threshold, learn_decay, learn_threshold)
        parts: dict[str, nn.Module] = {}
        for number in range(1, layers + 1):
            width = math.prod(layout) if number == 1 else hidden
            parts[f"synapses{number}"] = scaled(Linear(width, hidden, sparse=True, by_source=True), gain)
            parts[f"neurons{number}"] = (
                Leaky((hidden,), options)
                if neuron == "leaky"
                else Synaptic((hidden,), options, synaptic_decay)
            )
            parts[f"dropout{number}"] = Dropout(hidden, dropout)
        parts["readout"] = Linear(hidden, n_classes)
        parts["output"] = Readout(n_classes, decay, learn_decay=learn_decay)
        own = type(self) is RankSNN and neuron == "leaky"  # a subclass may compute something else
        whole = own and layers == 1 and spike_grad in FUSED
        compiled = LEAKY_NET if whole else LEAKY_NET_OF_MANY if own else Compiled()
        super().__init__(parts, layout=layout, evidence=evidence_kind(evidence), compiled=compiled)


def evidence_kind(evidence: Literal["membrane", "softmax"]) -> EvidenceKind:
    """Return what the rule reads: the output membranes, or the class probabilities they stand for."""
    return "probability" if evidence == "softmax" else "membrane"


def scaled(synapses: Linear, gain: float) -> Linear:
    """Return the synapses with their weights multiplied by ``gain``."""
    with torch.no_grad():
        synapses.stored.mul_(gain)
    return synapses


def check_neuron(model: str, decay: float, synaptic_decay: float, **positive: float) -> None:
    """Raise InputError unless both decays lie in [0, 1] and all else is above 0."""
    faults = [
        f"{name} must lie in [0, 1], got {value:g}"
        for name, value in (("decay", decay), ("synaptic_decay", synaptic_decay))
        if not 0 <= value <= 1
    ]
    faults += [f"{name} must be above 0, got {value:g}" for name, value in positive.items() if not value > 0]
    if faults:
        raise InputError(f"model '{model}': " + "; ".join(faults))
