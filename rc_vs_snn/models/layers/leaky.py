"""Leaky integrate-and-fire neurons of snnTorch.

    U' = decay U + I - S threshold         (or, with reset "zero": decay U (1 - S) + I)
    S' = 1 if U' > threshold, else 0

Source: Eshraghian et al. 2023, arXiv 2109.12894 (snnTorch ``Leaky``).
"""

from typing import NamedTuple

import snntorch as snn
from torch import Tensor

from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.leaky.cell import Neuron, leaky
from rc_vs_snn.models.cost import Operations, Signal
from rc_vs_snn.models.layers.snntorch_neuron import (
    DEFAULT,
    FUSED,
    NeuronLayer,
    Spiking,
    features_first,
    features_last,
)


class LeakyState(NamedTuple):
    """Membrane potentials, features last: ``(B, neuron)`` or ``(B, H, W, map)``."""

    membrane: Tensor


class Leaky(NeuronLayer):
    """Currents in, spikes out.

    Args:
        shape: shape of the layer, ``(neuron,)`` or ``(map, H, W)``.
        options: see ``Spiking``.
    """

    def __init__(self, shape: tuple[int, ...], options: Spiking = DEFAULT) -> None:
        super().__init__(snn.Leaky, shape, options, {})
        known = options.spike_grad in FUSED
        self.fused = Neuron(self.reset, FUSED[options.spike_grad], options.slope) if known else None

    def initial_state(self, batch: int, like: Tensor) -> LeakyState:
        """Return zeros; see ``Layer``."""
        return LeakyState(self.zeros(batch, like))

    def step(self, x: Tensor, state: LeakyState, step: int) -> tuple[Tensor, LeakyState]:
        """See ``Layer``."""
        current = features_last(x)
        if self.fused is not None and backend.reads(state.membrane):
            neuron = self.neuron
            spikes, membrane = leaky(current, state.membrane, neuron.beta, neuron.threshold, self.fused)
        else:
            spikes, membrane = self.fire(current, state.membrane)
        return features_first(spikes), LeakyState(membrane)

    def operations(
        self, x: Signal, before: LeakyState, after: LeakyState, step: int
    ) -> tuple[Operations, Signal]:
        """See ``Layer``."""
        return x.leaking(before.membrane[:1].numel()), self.spikes(x, after.membrane)
