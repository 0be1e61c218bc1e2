"""Integrate-and-fire neurons with a decaying synaptic current.

    I' = synaptic_decay I + input
    U' = decay U + I' - S threshold        (or, with reset "zero": nothing of U is left after a spike)
    S' = 1 if U' > threshold, else 0

Source: Eshraghian et al. 2023, arXiv 2109.12894 (snnTorch ``Synaptic``).
"""

from typing import NamedTuple

import snntorch as snn
import torch
from torch import Tensor

from rc_vs_snn.models.cost import Operations, Signal
from rc_vs_snn.models.layers.snntorch_neuron import (
    DEFAULT,
    NeuronLayer,
    Spiking,
    features_first,
    features_last,
)


class SynapticState(NamedTuple):
    """Synaptic currents and membrane potentials, features last."""

    current: Tensor
    membrane: Tensor


class Synaptic(NeuronLayer):
    """Inputs in, spikes out.

    Args:
        shape: shape of the layer, ``(neuron,)`` or ``(map, H, W)``.
        options: see ``Spiking``.
        synaptic_decay: initial decay of the current per step; trained where the membrane's is.
    """

    def __init__(
        self, shape: tuple[int, ...], options: Spiking = DEFAULT, synaptic_decay: float = 0.5
    ) -> None:
        current = {"alpha": torch.full(shape[:1], synaptic_decay), "learn_alpha": options.learn_decay}
        super().__init__(snn.Synaptic, shape, options, current)

    def initial_state(self, batch: int, like: Tensor) -> SynapticState:
        """Return zeros; see ``Layer``."""
        zeros = self.zeros(batch, like)
        return SynapticState(zeros, zeros)

    def step(self, x: Tensor, state: SynapticState, step: int) -> tuple[Tensor, SynapticState]:
        """See ``Layer``."""
        spikes, current, membrane = self.fire(features_last(x), *state)
        return features_first(spikes), SynapticState(current, membrane)

    def operations(
        self, x: Signal, before: SynapticState, after: SynapticState, step: int
    ) -> tuple[Operations, Signal]:
        """See ``Layer``; current and membrane leak."""
        return x.leaking(2 * before.membrane[:1].numel()), self.spikes(x, after.membrane)
