"""The LSTM layer.

    i, f, g, o = W x + b + U h
    c' = sigmoid(f) c + sigmoid(i) tanh(g)
    h' = sigmoid(o) tanh(c')

Source: Hochreiter and Schmidhuber 1997; forget gate of Gers et al. 2000.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rc_vs_snn.kernels.lstm.cell import cells
from rc_vs_snn.kernels.synapses import Synapses
from rc_vs_snn.models.cost import Operations, Signal, gated


class LSTMState(NamedTuple):
    """Output h and cells c, ``(B, H)`` each."""

    h: Tensor
    c: Tensor


class LSTM(nn.Module):
    """One LSTM layer, gate order and parameter shapes as in ``torch.nn.LSTM`` (i, f, g, o).

    Args:
        n_inputs: width of the input.
        hidden: number of units H.
    """

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.input = Synapses(n_inputs, 4 * hidden, sparse=True, by_source=True)
        self.recurrent = Synapses(hidden, 4 * hidden, bias=False, by_source=True)
        bound = 1 / math.sqrt(hidden)
        for parameter in self.input.parameters():
            nn.init.uniform_(parameter, -bound, bound)
        with torch.no_grad():  # drawn target by target, which decides which weight gets which draw
            self.recurrent.weight.copy_(torch.empty(4 * hidden, hidden).uniform_(-bound, bound))

    def initial_state(self, batch: int, like: Tensor) -> LSTMState:
        """Return zeros; see ``Layer``."""
        zeros = like.new_zeros(batch, self.hidden)
        return LSTMState(zeros, zeros)

    def step(self, x: Tensor, state: LSTMState, step: int) -> tuple[Tensor, LSTMState]:
        """See ``Layer``; the output is h."""
        gates = self.input(x)
        if step > 0:  # from a zero state the product is known
            gates = self.recurrent(state.h, onto=gates)
        h, c = cells(gates, state.c)
        return h, LSTMState(h, c)

    def operations(
        self, x: Signal, before: LSTMState, after: LSTMState, step: int
    ) -> tuple[Operations, Signal]:
        """See ``Layer``; a cell leaks by its forget gate."""
        return gated(x, self.input.n_inputs, self.hidden, 4, before.h, after.h, step)
