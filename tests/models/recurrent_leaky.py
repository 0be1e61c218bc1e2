"""A layer from outside the package: leaky neurons whose spikes come back to them a step later."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rc_vs_snn.kernels.synapses import Synapses
from rc_vs_snn.models import Operations
from rc_vs_snn.models.cost import Signal
from rc_vs_snn.models.layers import Leaky
from rc_vs_snn.models.layers.leaky import LeakyState


class RecurrentState(NamedTuple):
    """Spikes of the step before ``(B, n)`` and the neurons' own state."""

    spikes: Tensor
    neurons: LeakyState


class RecurrentLeaky(nn.Module):
    """``S' = leaky(I + V S)``: currents in, spikes out.

    Args:
        width: number of neurons.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.recurrent = Synapses(width, width, bias=False, sparse=True, by_source=True)
        self.neurons = Leaky((width,))

    def initial_state(self, batch: int, like: Tensor) -> RecurrentState:
        neurons = self.neurons.initial_state(batch, like)
        return RecurrentState(torch.zeros_like(neurons.membrane), neurons)

    def step(self, x: Tensor, state: RecurrentState, step: int) -> tuple[Tensor, RecurrentState]:
        if step > 0:
            x = self.recurrent(state.spikes, onto=x)
        spikes, neurons = self.neurons.step(x, state.neurons, step)
        return spikes, RecurrentState(spikes, neurons)

    def operations(
        self, x: Signal, before: RecurrentState, after: RecurrentState, step: int
    ) -> tuple[Operations, Signal]:
        back = x.then(lambda: before.spikes, analogue=False)
        width = self.recurrent.n_outputs
        own, _ = self.neurons.operations(x, before.neurons, after.neurons, step)
        return own + back.synaptic(torch.full((width,), float(width))), x.then(lambda: after.spikes, False)
