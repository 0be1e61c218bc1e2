"""Synapses and neurons in whole numbers, as layers; ``kernels/fixed`` has the arithmetic.

A ``Block`` is what leaves for hardware: the synapses of a layer, normalisation folded in, and its neurons.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.fixed.cell import EXACT, advance, exact_type
from rc_vs_snn.kernels.fixed.reference import Arithmetic, Reset
from rc_vs_snn.models.cost import Operations, Signal
from rc_vs_snn.models.layers.conv import Stage
from rc_vs_snn.models.layers.snntorch_neuron import features_first, features_last


@dataclass(frozen=True, eq=False)
class Block:
    """Synapses and neurons of one layer in whole numbers, ``n`` of them: neurons, or maps of a convolution.

    Attributes:
        name: of the layer of neurons.
        weight: ``(n, in)``, or ``(n, channel, height, width)``.
        bias: ``(n,)``, added at every step.
        shift: by which power of two each sum is multiplied to become a current ``(n,)``.
        decay: of membranes, in units of 2^-decay_bits ``(n,)``.
        threshold: ``(n,)``; that of neurons that never fire is not read.
        reset: what a spike does; "none" for output neurons.
        exponent: a membrane of 1 is the number 2^exponent.
        current_decay: likewise, of synaptic currents; None for neurons without.
        recurrent: of a layer onto itself ``(n, n)``; None for none.
        stage: of a convolution, else None.
    """

    name: str
    weight: np.ndarray
    bias: np.ndarray
    shift: np.ndarray
    decay: np.ndarray
    threshold: np.ndarray
    reset: Reset
    exponent: int
    current_decay: np.ndarray | None = None
    recurrent: np.ndarray | None = None
    stage: Stage | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the layer, ``(n,)`` or ``(map, H, W)``."""
        return (len(self.weight),) if self.stage is None else self.stage.outputs

    @property
    def largest_sum(self) -> int:
        """The largest sum there can be where every synapse carries one spike."""
        own = np.abs(self.bias) + np.abs(self.weight).reshape(len(self.weight), -1).sum(1, dtype=np.int64)
        back = 0 if self.recurrent is None else np.abs(self.recurrent).sum(1, dtype=np.int64)
        return int((own + back).max())

    @property
    def accumulator_bits(self) -> int:
        """The width of a sum that cannot overflow, sign included, where synapses carry one spike at most."""
        return math.ceil(math.log2(self.largest_sum + 1)) + 1


class FixedSynapses(nn.Module):
    """Spikes, or counts of spikes, to sums of whole numbers; fully connected, or a convolution.

    Args:
        block: see there.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.stage, self.largest_sum = block.stage, block.largest_sum
        self.weight, self.bias = _whole(block.weight), _whole(block.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return sums ``(B, n)`` or ``(B, map, H, W)``, exact, in floats.

        Raises:
            InputError: inputs that are no whole numbers, or too large to be summed exactly.
        """
        peak = float(x.abs().max()) if x.numel() else 0.0
        kind = exact_type(self.largest_sum * max(peak, 1.0), x.device)
        if not bool((x == x.round()).all()) or self.largest_sum * peak >= EXACT[torch.float64]:
            raise InputError(
                "a net in whole numbers reads spikes or counts, not real numbers; change the encoder"
            )
        weight, bias = self.weight.to(kind), self.bias.to(kind)
        if self.stage is None:
            return functional.linear(x.flatten(1).to(kind), weight, bias)
        images = x.reshape(-1, *self.stage.inputs).to(kind).contiguous(memory_format=torch.channels_last)
        weight = weight.contiguous(memory_format=torch.channels_last)
        return functional.conv2d(images, weight, bias, self.stage.stride, self.stage.padding).round()

    def connections(self) -> Tensor:
        """Return how many synapses each input enters; see ``Layer``."""
        if self.stage is None:
            return torch.full((self.weight.shape[1],), float(len(self.weight)))
        return self.stage.connections()


class FixedState(NamedTuple):
    """Membranes, int32, features last; and synaptic currents, or None."""

    membrane: Tensor
    current: Tensor | None


class FixedNeurons(nn.Module):
    """Sums in; spikes out, or of neurons that never fire the membranes as real numbers.

    Args:
        block: see there.
        arithmetic: widths and rounding.
    """

    shift: Tensor
    threshold: Tensor

    def __init__(self, block: Block, arithmetic: Arithmetic) -> None:
        super().__init__()
        self.shape, self.reset, self.arithmetic = block.shape, block.reset, arithmetic
        self.unit = 2.0**-block.exponent
        self.has_current = block.current_decay is not None
        self.largest_sum = block.largest_sum
        keeps = bool(
            block.decay.any()
        )  # a readout that is each step's own decays to nothing, and costs nothing
        self.n_leaks = (keeps + self.has_current) * math.prod(self.shape)
        self.decay = _whole(block.decay)
        self.current_decay = _whole(np.zeros(0) if block.current_decay is None else block.current_decay)
        self.recurrent = None if block.recurrent is None else _whole(block.recurrent)
        self.register_buffer("shift", torch.as_tensor(block.shift, dtype=torch.int32))
        self.register_buffer("threshold", torch.as_tensor(block.threshold, dtype=torch.int32))

    def initial_state(self, batch: int, like: Tensor) -> FixedState:
        """Return zeros; see ``Layer``."""
        shape = (batch, *self.shape[1:], self.shape[0])
        zeros = torch.zeros(shape, dtype=torch.int32, device=like.device)
        return FixedState(zeros, zeros if self.has_current else None)

    def step(self, x: Tensor, state: FixedState, step: int) -> tuple[Tensor, FixedState]:
        """See ``Layer``."""
        sums = features_last(x)
        if self.recurrent is not None and step > 0:
            kind = exact_type(self.largest_sum, x.device)  # with the input's sums: both are exact
            back = functional.linear(self._fired(state.membrane).to(kind), self.recurrent.to(kind))
            sums = sums.to(torch.float64) + back.to(torch.float64)
        constants = (self.shift, self.decay.int(), self.threshold, self.current_decay.int())
        new = FixedState(
            *advance(sums, state.membrane, state.current, constants, self.reset, self.arithmetic)
        )
        return self._output(new), new

    def _fired(self, membrane: Tensor) -> Tensor:
        return (membrane > self.threshold).to(torch.float32)

    def _output(self, state: FixedState) -> Tensor:
        if self.reset == "none":
            return state.membrane.to(torch.float32) * self.unit
        return features_first(self._fired(state.membrane))

    def operations(
        self, x: Signal, before: FixedState, after: FixedState, step: int
    ) -> tuple[Operations, Signal]:
        """See ``Layer``; what leaks and what comes back are counted as in the layer that it was."""
        total = x.leaking(self.n_leaks)
        if self.recurrent is not None and step > 0:
            back = x.then(lambda: self._fired(before.membrane), analogue=False)
            total = total + back.synaptic(torch.full((len(self.recurrent),), float(len(self.recurrent))))
        return total, x.then(lambda: self._output(after), analogue=self.reset == "none")


def narrow(values: Any) -> np.ndarray:
    """Return whole numbers in the narrowest type with a sign that holds them all.

    Raises:
        InputError: more than 32 bits.
    """
    found = np.asarray(values)
    for kind in (np.int8, np.int16, np.int32):
        if np.abs(found).max(initial=0) <= np.iinfo(kind).max:
            return found.astype(kind)
    raise InputError("a whole number of more than 32 bits; choose fewer bits")


def _whole(values: Any) -> nn.Parameter:
    """Return whole numbers that count as parameters and are not trained."""
    return nn.Parameter(torch.from_numpy(np.array(narrow(values))), requires_grad=False)
