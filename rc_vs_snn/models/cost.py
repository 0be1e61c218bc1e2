"""What a step costs in operations of neurons and synapses, counted layer by layer.

- ``acs``: accumulates. A spike costs one for each of its synapses, a count of n spikes n of them.
- ``macs``: multiply-accumulates. A real number costs one for each of its synapses, whatever its value.
- ``leaks``: multiplications of a state by its decay, one for each membrane, current, cell or accumulated
  logit that decays, at every step and whether anything arrives or not.

At step 0 there is no output of a step before, so recurrent synapses cost nothing there. Normalisation that
folds into weights, and the elementwise functions of a unit, are not counted.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from rc_vs_snn.models.state import State


@dataclass(frozen=True, eq=False)
class Operations:
    """Operations of one step.

    Attributes:
        acs: accumulates ``(B,)``.
        macs: multiply-accumulates ``(B,)``.
        leaks: leak multiplications ``(B,)``; NaN where a model does not count them.
    """

    acs: Tensor
    macs: Tensor
    leaks: Tensor

    def __add__(self, other: "Operations") -> "Operations":
        return Operations(self.acs + other.acs, self.macs + other.macs, self.leaks + other.leaks)


class Signal:
    """What one layer hands to the next at one step, computed only if somebody counts it.

    Args:
        make: returns the values ``(B, ...)``.
        analogue: whether they are real numbers, and not spikes or counts of spikes.
        zeros: ``(B,)`` of 0.
    """

    def __init__(self, make: Callable[[], Tensor], analogue: bool, zeros: Tensor) -> None:
        self._make, self.analogue, self.zeros = make, analogue, zeros

    @cached_property
    def values(self) -> Tensor:
        """The values ``(B, ...)``."""
        return self._make()

    def then(self, make: Callable[[], Tensor], analogue: bool) -> "Signal":
        """Return what a layer makes of it."""
        return Signal(make, analogue, self.zeros)

    def through(self, layer: Any) -> "tuple[Operations | None, Signal]":
        """Return what it costs in a layer that keeps no state, and what that makes of it."""
        connections = getattr(layer, "connections", None)
        made = self.then(lambda: layer(self.values), self.analogue or connections is not None)
        return (self.synaptic(connections()) if connections else None), made

    def synaptic(self, synapses: Tensor) -> Operations:
        """Return what it costs at the synapses it enters.

        Args:
            synapses: how many each value enters, of a shape that fits the values of one row.
        """
        if self.analogue:
            return Operations(self.zeros, self.zeros + float(synapses.sum()), self.zeros)
        acs = (self.values.abs() * synapses.to(self.values)).flatten(1).sum(1)
        return Operations(acs, self.zeros, self.zeros)

    def leaking(self, n_states: int) -> Operations:
        """Return what the decay of ``n_states`` numbers costs."""
        return Operations(self.zeros, self.zeros, self.zeros + float(n_states))


def gated(
    x: Signal, n_inputs: int, hidden: int, gates: int, before: Tensor, after: Tensor, step: int
) -> tuple[Operations, Signal]:
    """Return cost and output of a gated recurrent layer.

    Args:
        x: its input, of ``n_inputs`` values.
        n_inputs: see there.
        hidden: number of units, each of which leaks by a gate.
        gates: number of gates of a unit.
        before: output at the step before ``(B, hidden)``.
        after: output ``(B, hidden)``.
        step: 0-based.
    """
    fan_out = float(gates * hidden)
    total = x.synaptic(torch.full((n_inputs,), fan_out)) + x.leaking(hidden)
    if step > 0:
        total = total + x.then(lambda: before, analogue=True).synaptic(torch.full((hidden,), fan_out))
    return total, x.then(lambda: after, analogue=True)


Counter = Callable[[Tensor, State, State], Operations]
"""``(input of a step, state before, state after) -> its operations``."""


def counter_of(model: Any, analogue: bool) -> Counter | None:
    """Return what counts a model's operations, or None where the model does not.

    Args:
        model: its ``operations(x, before, after)`` returns ``Operations``, or ``(acs, macs)`` as long as it
            knows no leaks; it may take ``analogue``.
        analogue: whether the input is real numbers.
    """
    count = getattr(model, "operations", None)
    if count is None:
        return None
    options = {"analogue": analogue} if "analogue" in inspect.signature(count).parameters else {}

    def counted(x: Tensor, before: State, after: State) -> Operations:
        found = count(x, before, after, **options)
        if isinstance(found, Operations):
            return found
        acs, macs = found
        return Operations(acs, macs, torch.full_like(acs, torch.nan))

    return counted


def synaptic_operations(values: Tensor, fan_out: float) -> tuple[Tensor, Tensor]:
    """Count the operations that one layer's inputs cause, telling spikes by their values.

    For models from outside the package that do not know what arrives: an integer n costs its fan-out n
    times in accumulates, any other number its fan-out in multiply-accumulates.

    Args:
        values: what the layer receives, ``(B, n)``.
        fan_out: the number of synapses of each input.

    Returns:
        ``(acs, macs)``, each ``(B,)``.
    """
    whole = values == values.round()
    acs = torch.where(whole, values.abs(), 0).sum(1) * fan_out
    macs = (~whole).sum(1).to(values.dtype) * fan_out
    return acs, macs
