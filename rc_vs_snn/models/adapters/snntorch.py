"""Networks of snnTorch neurons, as its tutorials write them: a loop in ``forward``, or hidden states.

Source: Eshraghian et al. 2023, arXiv 2109.12894, and the tutorials of snnTorch 1.0.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.state import State

# What its neurons call their states, and how many of them decay at a step.
STATES = ("spk", "syn", "syn_exc", "syn_inh", "mem")
DECAYING = {
    "Leaky": 1, "Lapicque": 1, "RLeaky": 1, "Synaptic": 2, "RSynaptic": 2, "Alpha": 2, "SLSTM": 1,
    "SConv2dLSTM": 1,
}  # fmt: skip


class NeuronKeeper:
    """State of a neuron: after a call it lies in its buffers, whether it was given or hidden."""

    by_argument = False

    def clear(self, module: Any) -> None:
        """Empty the buffers; a neuron that meets another shape than it holds begins at zero."""
        for name in names_of(module):
            setattr(module, name, torch.zeros(0, device=module.threshold.device))
        module.reset = None

    def reads(self, module: Any, x: Tensor) -> tuple[int, int]:
        """Return steps and rows."""
        return 1, len(x)

    def is_given(self, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Return whether a state comes with the input."""
        return len(args) + len(kwargs) > 1

    def put(self, module: Any, args: tuple[Any, ...], state: State) -> tuple[Any, ...]:
        """Put the state into the buffers and return the input alone."""
        for name, part in state.items():
            setattr(module, name, part)
        return args

    def taken(self, module: Any, output: Any) -> State:
        """Return the buffers by name."""
        return {name: getattr(module, name) for name in names_of(module)}

    def leaks(self, module: Any, state: State) -> float | None:
        """Return the potentials and currents that decay."""
        decaying = DECAYING.get(type(module).__name__)
        return None if decaying is None else float(decaying * state["mem"][:1].numel())


def names_of(neuron: nn.Module) -> list[str]:
    """Return the names of a neuron's states."""
    return [name for name in STATES if name in neuron._buffers]


def keeper_of(module: nn.Module) -> NeuronKeeper | None:
    """Return how a neuron of snnTorch keeps its state; None for any other module.

    Raises:
        InputError: a neuron that computes all steps at once.
    """
    home = type(module).__mro__
    if not any(each.__module__.startswith("snntorch._neurons") for each in home):
        return None
    if "mem" not in module._buffers:
        raise InputError(
            f"snnTorch's {type(module).__name__} computes all steps at once and cannot be stepped; judge a "
            "network of neurons with a membrane of their own (Leaky, Synaptic, ...)"
        )
    return NeuronKeeper()
