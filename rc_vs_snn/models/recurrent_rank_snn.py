"""Recurrent rank-coded spiking network: snnTorch neurons whose spikes come back to them a step later.

    S = neurons(W x + b + V S)    layers/recurrent_leaky.py has the equations
    U' = decay U + R S + d        one output neuron per class: its membrane potential is the evidence

The output neuron whose potential is the first to reach the rule's threshold emits the first output spike,
and it decides. With the neuron "synaptic", reset "zero", a fast sigmoid's slope and the decays
exp(-step / tau) of current and membrane, the hidden layer is that of the Braille reading paper; its output
neurons count spikes over the whole recording, where ours decide at the first.

Source: Eshraghian et al. 2023 (snnTorch ``RLeaky``, ``RSynaptic``); Müller-Cleve et al. 2022, arXiv
2205.15864 (Braille reading); first-spike decision: Jeffares et al., arXiv 2110.02865.
"""

import math
from typing import Literal

from torch import nn

from rc_vs_snn.models.compiled import LEAKY_NET, LEAKY_NET_OF_MANY, Compiled
from rc_vs_snn.models.layers import Dropout, Linear, Readout, RecurrentLeaky, RecurrentSynaptic
from rc_vs_snn.models.layers.snntorch_neuron import FUSED, Reset, SpikeGrad, Spiking
from rc_vs_snn.models.rank_snn import check_neuron, evidence_kind, scaled
from rc_vs_snn.models.stack import Stack, check_sizes
from rc_vs_snn.registry import models


@models.register("recurrent-rank-snn")
class RecurrentRankSNN(Stack):
    """Recurrent spiking network of snnTorch neurons; the first output spike decides (membrane as evidence).

    Args:
        layout: shape of the input channels.
        n_classes: number of classes K.
        hidden: spiking neurons per hidden layer.
        layers: number of hidden layers, each recurrent.
        neuron: "leaky" (one exponential decay) or "synaptic" (current and membrane decay; not compiled).
        decay: initial membrane decay per step of hidden and output neurons, in [0, 1].
        synaptic_decay: initial decay of the synaptic current per step ("synaptic" only).
        learn_decay: whether decays are trained, one per neuron.
        threshold: firing threshold of hidden neurons.
        learn_threshold: whether hidden thresholds are trained, one per neuron.
        reset: what a hidden spike does to its membrane a step later: "subtract" the threshold, or "zero" it
            with all that arrives at that step.
        spike_grad: surrogate gradient by name.
        slope: steepness of the surrogate gradient (snnTorch's ``slope`` or ``alpha``).
        evidence: "membrane" (a real output spike decides) or "softmax" over the membranes.
        gain: factor on the usual initial weights of the synapses from layer to layer; above 1 lets few
            input spikes make a neuron fire.
        recurrent_gain: factor on the usual initial weights of the recurrent synapses.
        dropout: probability of silencing a hidden neuron towards the next layer in training, held over
            time steps.

    Raises:
        InputError: a size, decay, threshold, slope or gain out of range.
    """

    def __init__(
        self,
        layout: tuple[int, ...],
        n_classes: int,
        hidden: int = 256,
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
        recurrent_gain: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        check_sizes(hidden, layers)
        check_neuron(
            "recurrent-rank-snn", decay, synaptic_decay, threshold=threshold, slope=slope, gain=gain,
            recurrent_gain=recurrent_gain,
        )  # fmt: skip
        options = Spiking(decay, spike_grad, slope, reset, threshold, learn_decay, learn_threshold)
        parts: dict[str, nn.Module] = {}
        for number in range(1, layers + 1):
            width = math.prod(layout) if number == 1 else hidden
            parts[f"synapses{number}"] = scaled(Linear(width, hidden, sparse=True, by_source=True), gain)
            parts[f"neurons{number}"] = (
                RecurrentLeaky(hidden, options, recurrent_gain)
                if neuron == "leaky"
                else RecurrentSynaptic(hidden, options, recurrent_gain, synaptic_decay)
            )
            parts[f"dropout{number}"] = Dropout(hidden, dropout)
        parts["readout"] = Linear(hidden, n_classes)
        parts["output"] = Readout(n_classes, decay, learn_decay=learn_decay)
        known = type(self) is RecurrentRankSNN and neuron == "leaky" and spike_grad in FUSED
        compiled = (LEAKY_NET if layers == 1 else LEAKY_NET_OF_MANY) if known else Compiled()
        super().__init__(parts, layout=layout, evidence=evidence_kind(evidence), compiled=compiled)
