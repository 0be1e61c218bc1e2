"""The GRU layer.

    r = sigmoid(W_r x + b_r + U_r h + d_r)
    z = sigmoid(W_z x + b_z + U_z h + d_z)
    n = tanh(W_n x + b_n + r (U_n h + d_n))
    h' = (1 - z) n + z h

Source: Cho et al. 2014, arXiv 1406.1078.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rc_vs_snn.kernels.synapses import Synapses
from rc_vs_snn.models.cost import Operations, Signal, gated


class GRUState(NamedTuple):
    """Output h, ``(B, H)``."""

    h: Tensor


class GRU(nn.Module):
    """One GRU layer, gate order and parameter shapes as in ``torch.nn.GRU`` (r, z, n).

    Args:
        n_inputs: width of the input.
        hidden: number of units H.
    """

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.input = Synapses(n_inputs, 3 * hidden, sparse=True, by_source=True)
        self.recurrent = Synapses(hidden, 3 * hidden)
        bound = 1 / math.sqrt(hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def initial_state(self, batch: int, like: Tensor) -> GRUState:
        """Return zeros; see ``Layer``."""
        return GRUState(like.new_zeros(batch, self.hidden))

    def step(self, x: Tensor, state: GRUState, step: int) -> tuple[Tensor, GRUState]:
        """See ``Layer``; the output is h."""
        input_r, input_z, input_n = self.input(x).chunk(3, dim=1)
        recurrent_r, recurrent_z, recurrent_n = self.recurrent(state.h).chunk(3, dim=1)
        r = torch.sigmoid(input_r + recurrent_r)
        z = torch.sigmoid(input_z + recurrent_z)
        n = torch.tanh(input_n + r * recurrent_n)
        h = (1 - z) * n + z * state.h
        return h, GRUState(h)

    def operations(
        self, x: Signal, before: GRUState, after: GRUState, step: int
    ) -> tuple[Operations, Signal]:
        """See ``Layer``; an output leaks by its update gate."""
        return gated(x, self.input.n_inputs, self.hidden, 3, before.h, after.h, step)
