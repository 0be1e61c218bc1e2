"""Convolutional rank-coded spiking networks: spiking throughout, or with analogue first stages."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.layers import Dropout, Leaky, Linear, Readout
from rc_vs_snn.models.layers.conv import Depth, Images, Stage, analogue_layers, front_end, stages
from rc_vs_snn.models.layers.norm import Norm, normalisation
from rc_vs_snn.models.layers.snntorch_neuron import Reset, SpikeGrad, Spiking
from rc_vs_snn.models.rank_snn import evidence_kind
from rc_vs_snn.models.stack import Stack
from rc_vs_snn.registry import models


@models.register("conv-rank-snn")
class ConvRankSNN(Stack):
    """Convolutions and perhaps a hidden layer of spiking neurons; the first output spike decides.

    With analogue stages it is a hybrid, to be named as such wherever it is compared: its first stages
    are the RC-LSTM's, normalised ReLUs that multiply.

    Args:
        layout: shape of the input channels, ``(length,)``, ``(H, W)`` or ``(channel, H, W)``.
        n_classes: number of classes K.
        maps: feature maps of the first two convolutions (the others have twice as many).
        hidden: spiking neurons of the hidden layer; 0: the last stage's spikes reach the output neurons.
        decay: initial membrane decay per step, in [0, 1]; trained, one per map or neuron.
        learn_decay: whether decays are trained; else they stay what they are.
        reset: what a spike does to its membrane: "subtract" the threshold, or "zero" it.
        spike_grad: surrogate gradient by name.
        slope: steepness of the surrogate gradient; normalised currents are about 1 wide, so a steep one
            would pass gradients through few neurons.
        gain: factor on the usual initial weights of spiking stages; above 1 lets few input spikes
            make a neuron fire.
        dropout: probability of silencing a hidden neuron in training, held over time steps.
        norm: normalisation of a stage's currents: "batch" (statistics of step 0; at inference part of the
            weights, so spiking neurons stay what they are) or "none" (a bias).
        evidence: "membrane" (a real output spike decides) or "softmax" over the membranes.
        analogue_stages: how many of the stages, from the first, are normalised ReLUs in place of
            spiking neurons. 0: spiking throughout.
        depth: number of convolutions, 4 or 6; see ``layers.conv``.
        readout_decay: share of the output membranes that is left a step later, in [0, 1], and not trained;
            0: the readout is each step's own logits, and nothing integrates over time. None: ``decay``,
            and trained as the others are.
    """

    def __init__(
        self,
        layout: tuple[int, ...],
        n_classes: int,
        maps: int = 16,
        hidden: int = 256,
        decay: float = 0.9,
        spike_grad: SpikeGrad = "fast-sigmoid",
        slope: float = 3.0,
        gain: float = 2.0,
        dropout: float = 0.0,
        norm: Literal["batch", "none"] = "batch",
        evidence: Literal["membrane", "softmax"] = "membrane",
        analogue_stages: int = 0,
        depth: Depth = 4,
        learn_decay: bool = True,
        reset: Reset = "subtract",
        readout_decay: float | None = None,
    ) -> None:
        if not (0 <= decay <= 1 and slope > 0 and gain > 0):
            raise InputError(
                f"decay must lie in [0, 1], slope and gain above 0, got {decay:g}, {slope:g} and {gain:g}"
            )
        plan = stages(layout, maps, depth)
        if not 0 <= analogue_stages <= len(plan):
            raise InputError(f"analogue_stages must lie in 0..{len(plan)}, got {analogue_stages}")
        if hidden < 0 or (hidden == 0 and (dropout > 0 or analogue_stages == len(plan))):
            raise InputError(
                "hidden must be at least 1, or 0 where a spiking stage is left to reach the output and no "
                f"dropout is asked for, got {hidden} with analogue_stages={analogue_stages} and "
                f"dropout={dropout:g}"
            )
        if readout_decay is not None and not 0 <= readout_decay <= 1:
            raise InputError(f"readout_decay must lie in [0, 1], got {readout_decay:g}")
        neuron = Spiking(decay, spike_grad, slope, reset, learn_decay=learn_decay)
        n_features = math.prod(plan[-1].outputs)
        front, order = _front(plan[:analogue_stages], plan[analogue_stages:], norm, gain, neuron)
        head: dict[str, nn.Module] = {"flatten": nn.Flatten()}
        if hidden:
            head["hidden_synapses"] = Linear(n_features, hidden, bias=False)
            head["hidden_norm"] = normalisation(norm, hidden)
            head["hidden_neurons"] = Leaky((hidden,), neuron)
            head["dropout"] = Dropout(hidden, dropout)
            _scale(head["hidden_synapses"], gain)
        head["readout"] = Linear(hidden or n_features, n_classes)
        if readout_decay is None:
            head["output"] = Readout(n_classes, decay, learn_decay=learn_decay)
        elif readout_decay:
            head["output"] = Readout(n_classes, readout_decay, learn_decay=False)
        super().__init__(
            {"images": Images(plan[0].inputs), **front, **head},
            layout=layout,
            evidence=evidence_kind(evidence),
            order=["images", *order, *head],
        )


def _front(
    analogue: Sequence[Stage], spiking: Sequence[Stage], norm: Norm, gain: float, neuron: Spiking
) -> tuple[dict[str, nn.Module], list[str]]:
    """Return the convolutional layers, and their names in the order in which they are passed."""
    layers, order = analogue_layers(analogue, norm)
    convolutions, norms, names = front_end(spiking, norm, "spiking_")
    neurons = {f"neurons{number}": Leaky(stage.outputs, neuron) for number, stage in enumerate(spiking, 1)}
    for convolution in convolutions.values():
        _scale(convolution, gain)
    order += [name for pair, own in zip(names, neurons, strict=True) for name in (*pair, own)]
    return {**layers, **convolutions, **norms, **neurons}, order


def _scale(layer: nn.Module, gain: float) -> None:
    with torch.no_grad():
        for weight in layer.parameters():
            weight.mul_(gain)
