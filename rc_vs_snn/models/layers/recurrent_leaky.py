"""Recurrent layers of snnTorch's neurons: spikes of the step before come back through synapses of their own.

    J = I + V S                           what arrives from the layer below and from the layer itself
    U' = decay U + J - S threshold        (or, with reset "zero": (decay U + J) (1 - S))
    S' = 1 if U' > threshold, else 0

``RecurrentSynaptic`` puts a decaying current between the two:

    C' = synaptic_decay C + J
    U' = decay U + C' - S threshold       (or, with reset "zero": (decay U + C') (1 - S))

With "zero", what arrives at the step after a spike is lost: snnTorch's recurrent neurons differ in this from
its ``Leaky``. We depart from both in the recurrent synapses' bias, which would add to the input's.

Source: Eshraghian et al. 2023, arXiv 2109.12894 (snnTorch ``RLeaky`` and ``RSynaptic``).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import snntorch as snn
import torch
from torch import Tensor

from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.leaky.cell import CLEAR, ZERO, Neuron, leaky
from rc_vs_snn.kernels.synapses import Synapses
from rc_vs_snn.models.cost import Operations, Signal
from rc_vs_snn.models.layers.snntorch_neuron import DEFAULT, FUSED, NeuronLayer, Spiking


class RecurrentLeakyState(NamedTuple):
    """Spikes of the step before and membrane potentials, ``(B, neuron)`` each."""

    spikes: Tensor
    membrane: Tensor


class RecurrentSynapticState(NamedTuple):
    """Spikes of the step before, synaptic currents and membrane potentials, ``(B, neuron)`` each."""

    spikes: Tensor
    current: Tensor
    membrane: Tensor


class _Recurrent(NeuronLayer):
    """A layer of ``width`` neurons that all reach one another."""

    def __init__(
        self, make: Any, width: int, options: Spiking, gain: float, others: Mapping[str, Any]
    ) -> None:
        super().__init__(make, (width,), options, {"linear_features": width, **others})
        self.neuron.recurrent = Synapses(width, width, bias=False, sparse=True, by_source=True)
        with torch.no_grad():
            self.recurrent.stored.mul_(gain)

    @property
    def recurrent(self) -> Synapses:
        """The synapses of the layer's spikes onto itself."""
        return self.neuron.recurrent

    def _operations(
        self, x: Signal, spikes: Tensor, after: Tensor, n_states: int, step: int
    ) -> tuple[Operations, Signal]:
        """Count ``n_states`` that leak per neuron, and every spike of the step before at its fan-out."""
        width = self.shape[0]
        total = x.leaking(n_states * width)
        if step > 0:
            back = x.then(lambda: spikes, analogue=False)
            total = total + back.synaptic(torch.full((width,), float(self.recurrent.n_outputs)))
        return total, x.then(lambda: after, analogue=False)


class RecurrentLeaky(_Recurrent):
    """Currents in, spikes out; snnTorch's ``RLeaky``.

    Args:
        width: number of neurons.
        options: see ``Spiking``.
        gain: factor on the usual initial weights of the recurrent synapses.
    """

    def __init__(self, width: int, options: Spiking = DEFAULT, gain: float = 1.0) -> None:
        super().__init__(snn.RLeaky, width, options, gain, {})
        known = options.spike_grad in FUSED
        self.reset = CLEAR if self.reset == ZERO else self.reset
        self.fused = Neuron(self.reset, FUSED[options.spike_grad], options.slope) if known else None

    def initial_state(self, batch: int, like: Tensor) -> RecurrentLeakyState:
        """Return zeros; see ``Layer``."""
        zeros = self.zeros(batch, like)
        return RecurrentLeakyState(zeros, zeros)

    def step(self, x: Tensor, state: RecurrentLeakyState, step: int) -> tuple[Tensor, RecurrentLeakyState]:
        """See ``Layer``."""
        if self.fused is not None and backend.reads(state.membrane):
            current = self.recurrent(state.spikes, onto=x.clone()) if step > 0 else x
            neuron = self.neuron
            spikes, membrane = leaky(current, state.membrane, neuron.beta, neuron.threshold, self.fused)
        else:
            spikes, membrane = self.fire(x, *state)
        return spikes, RecurrentLeakyState(spikes, membrane)

    def operations(
        self, x: Signal, before: RecurrentLeakyState, after: RecurrentLeakyState, step: int
    ) -> tuple[Operations, Signal]:
        """See ``Layer``."""
        return self._operations(x, before.spikes, after.spikes, 1, step)


class RecurrentSynaptic(_Recurrent):
    """Inputs in, spikes out; snnTorch's ``RSynaptic``.

    Args:
        width: number of neurons.
        options: see ``Spiking``.
        gain: factor on the usual initial weights of the recurrent synapses.
        synaptic_decay: initial decay of the current per step; trained where the membrane's is.
    """

    def __init__(
        self, width: int, options: Spiking = DEFAULT, gain: float = 1.0, synaptic_decay: float = 0.5
    ) -> None:
        current = {"alpha": torch.full((width,), synaptic_decay), "learn_alpha": options.learn_decay}
        super().__init__(snn.RSynaptic, width, options, gain, current)

    def initial_state(self, batch: int, like: Tensor) -> RecurrentSynapticState:
        """Return zeros; see ``Layer``."""
        zeros = self.zeros(batch, like)
        return RecurrentSynapticState(zeros, zeros, zeros)

    def step(
        self, x: Tensor, state: RecurrentSynapticState, step: int
    ) -> tuple[Tensor, RecurrentSynapticState]:
        """See ``Layer``."""
        new = RecurrentSynapticState(*self.fire(x, *state))
        return new.spikes, new

    def operations(
        self, x: Signal, before: RecurrentSynapticState, after: RecurrentSynapticState, step: int
    ) -> tuple[Operations, Signal]:
        """See ``Layer``; current and membrane leak."""
        return self._operations(x, before.spikes, after.spikes, 2, step)
