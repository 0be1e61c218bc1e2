"""Convolutional rank-coded spiking networks: spiking throughout, or with analogue first stages."""

import math
from collections.abc import Callable, Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.conv import (
    AnalogueBlock,
    Depth,
    Shape,
    as_images,
    convolution,
    convolution_operations,
    stages,
)
from rc_vs_snn.models.deferred import linear
from rc_vs_snn.models.dropout import check_dropout, held_mask
from rc_vs_snn.models.interface import State, synaptic_operations
from rc_vs_snn.models.norm import normalisation
from rc_vs_snn.models.rank_snn import SpikeGrad, SpikingLayer, evidence_kind, leaky_layer
from rc_vs_snn.registry import models
from rc_vs_snn.rules import EvidenceKind


def maps_last(shape: Shape) -> Shape:
    """Return ``(map, H, W)`` as ``(H, W, map)``, the order in which membranes lie in memory."""
    return (shape[1], shape[2], shape[0])


@models.register("conv-rank-snn")
class ConvRankSNN(nn.Module):
    """Convolutions and perhaps a hidden layer of spiking neurons; the first output spike decides.

    With analogue stages it is a hybrid, to be named as such wherever it is compared: its first stages
    are the RC-LSTM's, normalised ReLUs that multiply.

    Args:
        layout: shape of the input channels, ``(H, W)`` or ``(channel, H, W)``.
        n_classes: number of classes K.
        maps: feature maps of the first two convolutions (the others have twice as many).
        hidden: spiking neurons of the hidden layer; 0: the last stage's spikes reach the output neurons.
        decay: initial membrane decay per step, in [0, 1]; trained, one per map or neuron.
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
        depth: number of convolutions, 4 or 6; see ``models.conv``.
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
    ) -> None:
        super().__init__()
        check_dropout(dropout)
        if not (0 <= decay <= 1 and slope > 0 and gain > 0):
            raise InputError(
                f"decay must lie in [0, 1], slope and gain above 0, got {decay:g}, {slope:g} and {gain:g}"
            )
        parts = stages(layout, maps, depth)
        if not 0 <= analogue_stages <= len(parts):
            raise InputError(f"analogue_stages must lie in 0..{len(parts)}, got {analogue_stages}")
        if hidden < 0 or (hidden == 0 and (dropout > 0 or analogue_stages == len(parts))):
            raise InputError(
                "hidden must be at least 1, or 0 where a spiking stage is left to reach the output and no "
                f"dropout is asked for, got {hidden} with analogue_stages={analogue_stages} and "
                f"dropout={dropout:g}"
            )
        self.evidence: EvidenceKind = evidence_kind(evidence)
        self.dropout = dropout
        self.analogue = AnalogueBlock(parts[:analogue_stages], norm)
        self.spiking_stages = parts[analogue_stages:]
        self.inputs = parts[0].inputs
        self.convolutions = nn.ModuleList(convolution(stage, bias=False) for stage in self.spiking_stages)
        self.norms = nn.ModuleList(normalisation(norm, stage.maps) for stage in self.spiking_stages)
        self.neurons = nn.ModuleList(
            leaky_layer(maps_last(stage.outputs), decay, spike_grad, slope) for stage in self.spiking_stages
        )
        n_features = math.prod(parts[-1].outputs)
        if hidden:
            self.synapse = nn.Linear(n_features, hidden, bias=False)
            self.hidden_norm = normalisation(norm, hidden)
            self.hidden = leaky_layer((hidden,), decay, spike_grad, slope)
        self.n_hidden = hidden
        self.readout = nn.Linear(hidden or n_features, n_classes)
        self.output = leaky_layer((n_classes,), decay, spike_grad, slope, reset="none")
        with torch.no_grad():
            for layer in [*self.convolutions, *([self.synapse] if hidden else [])]:
                cast(nn.Conv2d | nn.Linear, layer).weight.mul_(gain)

    def initial_state(self, batch: int, device: torch.device | str) -> State:
        """Return the state before step 0.

        Zero membranes ``(B, H, W, map)`` and ``(B, neuron)``, in training with dropout its mask, and a
        mark of step 0, ``(B, 1)``.
        """
        dtype = self.readout.weight.dtype
        layers = [*self._layers(), *([self.hidden] if self.n_hidden else []), self.output]
        state: State = tuple(torch.zeros(batch, *layer.shape, device=device, dtype=dtype) for layer in layers)
        if self._drops():
            state += (held_mask(state[-1], self.n_hidden, self.dropout),)
        return (*state, torch.ones(batch, 1, device=device, dtype=dtype))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance one time step; see ``Model.step``. The readout is the output membranes, ``(B, K)``."""
        fresh, state = state[-1], state[:-1]
        first = bool(fresh[0])
        x = self.analogue(as_images(x, self.inputs), first)
        new: State = ()
        for index, layer in enumerate(self._layers()):
            current = self._convolve(x, index, first).permute(0, 2, 3, 1)  # (B, H, W, map)
            x, membrane = layer(current, state[index : index + 1])
            x = x.permute(0, 3, 1, 2)  # (B, map, H, W), channels last in memory
            new += membrane
        x = x.flatten(1)
        if self.n_hidden:
            current = self.hidden_norm(linear(self.synapse, x), first)
            x, membrane = self.hidden(current, state[len(new) : len(new) + 1])
            new += membrane
        if self._drops():
            x = x * state[-1]
        _, membrane = self.output(linear(self.readout, x), state[len(new) : len(new) + 1])
        new += membrane
        return membrane[0], (*new, *state[len(new) :], torch.zeros_like(fresh))

    def operations(self, x: Tensor, before: State, after: State) -> tuple[Tensor, Tensor]:
        """Count synaptic operations: every spike costs its fan-out, every analogue value multiplies."""
        acs, macs, x = self.analogue.operations(as_images(x, self.inputs))
        for index, (layer, stage) in enumerate(zip(self._layers(), self.spiking_stages, strict=True)):
            more_acs, more_macs = convolution_operations(x, stage)
            acs, macs = acs + more_acs, macs + more_macs
            x = layer.spikes(after[index : index + 1]).permute(0, 3, 1, 2)
        x = x.flatten(1)
        if self.n_hidden:
            more_acs, more_macs = synaptic_operations(x, self.n_hidden)
            acs, macs = acs + more_acs, macs + more_macs
            n_stages = len(self.spiking_stages)
            x = self.hidden.spikes(after[n_stages : n_stages + 1])
        more_acs, more_macs = synaptic_operations(x, self.output.shape[0])
        return acs + more_acs, macs + more_macs

    def _convolve(self, x: Tensor, index: int, first: bool) -> Tensor:
        x = cast(Sequence[Callable[[Tensor], Tensor]], self.convolutions)[index](x)
        return cast(Sequence[Callable[[Tensor, bool], Tensor]], self.norms)[index](x, first)

    def _layers(self) -> Sequence[SpikingLayer]:
        return cast(Sequence[SpikingLayer], self.neurons)

    def _drops(self) -> bool:
        return self.training and self.dropout > 0
