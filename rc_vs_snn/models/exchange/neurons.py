"""Neurons as NIR writes them, in Euler steps: ``constants`` tells what is made of their time constants.

    C' = syn_decay C + syn_gain I              (CubaLIF, CubaLI; of all others C' = I)
    U  = decay U' + gain C' + rest             rest = (1 - decay) v_leak
    S  = 1 if U > v_threshold, else 0          (LIF, CubaLIF, IF; an integrator's output is U)
    U' = v_reset where S = 1                   (or, with reset "subtract": U - S (v_threshold - v_reset))

A spike resets its own membrane at once, where snnTorch's neurons and ours wait for the next step.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from rc_vs_snn.models.cost import Operations, Signal
from rc_vs_snn.models.layers import Linear

GraphReset = Literal["zero", "subtract"]


@dataclass(frozen=True)
class Dynamics:
    """The constants of a layer, each of its shape.

    Attributes:
        decay: share of the membrane that is left after a step.
        gain: what a current of 1 adds to it.
        rest: what is added at every step.
        threshold: above it a neuron fires; None: it never does, and its membrane is its output.
        reset: where a spike leaves the membrane.
        syn_decay: share of the synaptic current that is left; None: there is none.
        syn_gain: what an input of 1 adds to it.
        start: membrane before step 0.
    """

    decay: Tensor
    gain: Tensor
    rest: Tensor
    threshold: Tensor | None
    reset: Tensor
    syn_decay: Tensor | None
    syn_gain: Tensor
    start: Tensor


class GraphState(NamedTuple):
    """Synaptic currents and membranes, of the layer's shape; spikes of the step before."""

    current: Tensor
    membrane: Tensor
    spikes: Tensor


class GraphNeurons(nn.Module):
    """Currents in; spikes out, or membranes.

    Args:
        dynamics: the constants.
        reset: whether a spike sets the membrane, or subtracts from it.
        recurrent: synapses of the layer's spikes onto itself, one step later.
    """

    decay: Tensor
    gain: Tensor
    rest: Tensor
    threshold: Tensor | None
    reset: Tensor
    syn_decay: Tensor | None
    syn_gain: Tensor
    start: Tensor

    def __init__(
        self, dynamics: Dynamics, reset: GraphReset = "zero", recurrent: Linear | None = None
    ) -> None:
        super().__init__()
        for name in Dynamics.__dataclass_fields__:
            self.register_buffer(name, getattr(dynamics, name))
        self.method: GraphReset = reset
        self.recurrent = recurrent

    def initial_state(self, batch: int, like: Tensor) -> GraphState:
        """Return membranes at rest; see ``Layer``."""
        membrane = self.start.expand(batch, *self.start.shape).clone()
        return GraphState(torch.zeros_like(membrane), membrane, torch.zeros_like(membrane))

    def step(self, x: Tensor, state: GraphState, step: int) -> tuple[Tensor, GraphState]:
        """See ``Layer``."""
        if self.recurrent is not None:
            x = x + self.recurrent(state.spikes)
        current = x if self.syn_decay is None else self.syn_decay * state.current + self.syn_gain * x
        membrane = self.decay * state.membrane + self.gain * current + self.rest
        if self.threshold is None:
            return membrane, GraphState(current, membrane, state.spikes)
        spikes = (membrane > self.threshold).to(membrane.dtype)
        if self.method == "zero":
            after = torch.where(spikes > 0, self.reset, membrane)
        else:
            after = torch.where(spikes > 0, membrane - (self.threshold - self.reset), membrane)
        return spikes, GraphState(current, after, spikes)

    def operations(
        self, x: Signal, before: GraphState, after: GraphState, step: int
    ) -> tuple[Operations, Signal]:
        """See ``Layer``; a membrane whose decay is 1 does not leak."""
        n_leaking = int((self.decay != 1).sum())
        n_leaking += 0 if self.syn_decay is None else int((self.syn_decay != 0).sum())
        total = x.leaking(n_leaking)
        if self.recurrent is not None and step > 0:
            back = x.then(lambda: before.spikes, analogue=False)
            total = total + back.synaptic(self.recurrent.connections())
        if self.threshold is None:
            return total, x.then(lambda: after.membrane, analogue=True)
        return total, x.then(lambda: after.spikes, analogue=False)


class TotalState(NamedTuple):
    """The sum of all readouts so far, ``(B, K)``, and of how many steps, ``(B, 1)``."""

    total: Tensor
    steps: Tensor


class Total(nn.Module):
    """The sum or mean of a layer's outputs up to each step: counts, or rates, of output spikes.

    Args:
        n_classes: number of classes K.
        mean: whether the sum is divided by the number of steps.
    """

    def __init__(self, n_classes: int, mean: bool) -> None:
        super().__init__()
        self.n_classes, self.mean = n_classes, mean

    def initial_state(self, batch: int, like: Tensor) -> TotalState:
        """Return zeros; see ``Layer``."""
        return TotalState(like.new_zeros(batch, self.n_classes), like.new_zeros(batch, 1))

    def step(self, x: Tensor, state: TotalState, step: int) -> tuple[Tensor, TotalState]:
        """See ``Layer``."""
        new = TotalState(state.total + x, state.steps + 1)
        return (new.total / new.steps if self.mean else new.total), new

    def operations(
        self, x: Signal, before: TotalState, after: TotalState, step: int
    ) -> tuple[Operations | None, Signal]:
        """See ``Layer``; counting is no cost of the network."""
        return None, x.then(lambda: after.total, analogue=True)
