"""The recurrent family: gated cells stacked over the input, a linear readout, softmax as evidence.

Source: Jeffares et al., ICLR 2022, arXiv 2110.02865. We depart from the authors' sample code in
training on the logits with softmax cross-entropy where it puts cross-entropy on sigmoid outputs.
"""

from collections.abc import Callable, Iterable
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.deferred import linear
from rc_vs_snn.models.dropout import check_dropout, held_mask
from rc_vs_snn.models.interface import State, synaptic_operations
from rc_vs_snn.rules import EvidenceKind


class Cell(Protocol):
    """One recurrent layer: ``n_states`` state tensors ``(B, hidden)``, the output first."""

    n_states: int
    n_gates: int

    def __call__(self, x: Tensor, state: State) -> State:
        """Return the new state."""
        ...


class RecurrentClassifier(nn.Module):
    """Stacked recurrent cells and a linear readout.

    Args:
        cell: builds one layer from ``(n_inputs, hidden)``; a module that is a ``Cell``.
        n_channels: number of input channels C.
        n_classes: number of classes K.
        hidden: units per layer.
        layers: number of layers.
        dropout: probability of dropping a layer's output unit, one mask per sample held over time.
    """

    evidence: EvidenceKind = "probability"

    def __init__(
        self,
        cell: Callable[[int, int], nn.Module],
        n_channels: int,
        n_classes: int,
        hidden: int,
        layers: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes(hidden, layers)
        check_dropout(dropout)
        self.dropout = dropout
        widths = [n_channels] + [hidden] * layers
        self.hidden = hidden
        self.cells = nn.ModuleList(cell(widths[i], hidden) for i in range(layers))
        self.readout = nn.Linear(hidden, n_classes)

    def initial_state(self, batch: int, device: torch.device | str) -> State:
        """Return zeros, ``n_states`` tensors ``(B, hidden)`` per layer (and a dropout mask in training)."""
        zeros = torch.zeros(batch, self.hidden, device=device, dtype=self.readout.weight.dtype)
        state: State = ()
        for cell in self._cells():
            state += (zeros,) * cell.n_states
            if self._drops():
                state += (held_mask(zeros, self.hidden, self.dropout),)
        return state

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance one time step; see ``Model.step``."""
        new: State = ()
        for cell in self._cells():
            part, state = state[: cell.n_states], state[cell.n_states :]
            part = cell(x, part)
            x = part[0]
            new += part
            if self._drops():
                mask, *rest = state
                state = tuple(rest)
                x = x * mask
                new += (mask,)
        return linear(self.readout, x), new

    def _drops(self) -> bool:
        return self.training and self.dropout > 0

    def operations(self, x: Tensor, before: State, after: State) -> tuple[Tensor, Tensor]:
        """Count synaptic operations: input and recurrent synapses of every gate, and the readout."""
        acs, macs = x.new_zeros(len(x)), x.new_zeros(len(x))
        at = 0
        for cell in self._cells():
            for source in (x, before[at]):
                layer_acs, layer_macs = synaptic_operations(source, cell.n_gates * self.hidden)
                acs, macs = acs + layer_acs, macs + layer_macs
            x = after[at]
            at += cell.n_states
        readout_acs, readout_macs = synaptic_operations(x, self.readout.out_features)
        return acs + readout_acs, macs + readout_macs

    def _cells(self) -> Iterable[Cell]:
        return cast(Iterable[Cell], self.cells)


def check_sizes(hidden: int, layers: int) -> None:
    """Raise InputError unless both are at least 1."""
    if hidden < 1 or layers < 1:
        raise InputError(f"hidden and layers must be at least 1, got hidden={hidden}, layers={layers}")
