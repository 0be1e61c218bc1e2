"""RC-GRU: another recurrent cell is one small file."""

import math

import torch
from torch import Tensor, nn

from rc_vs_snn.models.deferred import linear
from rc_vs_snn.models.interface import State
from rc_vs_snn.models.recurrent import RecurrentClassifier
from rc_vs_snn.models.sparse import fan_out_major
from rc_vs_snn.registry import models


class GRUCell(nn.Module):
    """One GRU layer, gate order and parameter shapes as in ``torch.nn.GRU`` (r, z, n).

    Args:
        n_inputs: width of the input.
        hidden: number of units H.

    Source: Cho et al. 2014, arXiv 1406.1078.
    """

    n_states = 1
    n_gates = 3

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__()
        self.input = fan_out_major(nn.Linear(n_inputs, 3 * hidden))
        self.recurrent = nn.Linear(hidden, 3 * hidden)
        bound = 1 / math.sqrt(hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, state: State) -> State:
        """Return the new ``(h,)``, ``(B, H)``."""
        (h,) = state
        input_r, input_z, input_n = linear(self.input, x, spikes=True).chunk(3, dim=1)
        recurrent_r, recurrent_z, recurrent_n = linear(self.recurrent, h).chunk(3, dim=1)
        r = torch.sigmoid(input_r + recurrent_r)
        z = torch.sigmoid(input_z + recurrent_z)
        n = torch.tanh(input_n + r * recurrent_n)
        return ((1 - z) * n + z * h,)


@models.register("rc-gru")
def rc_gru(
    layout: tuple[int, ...], n_classes: int, hidden: int = 256, layers: int = 1, dropout: float = 0.0
) -> RecurrentClassifier:
    """GRU with a linear readout; softmax probabilities are the evidence.

    Args:
        layout: shape of the input channels.
        n_classes: number of classes K.
        hidden: GRU units per layer.
        layers: number of GRU layers.
        dropout: probability of dropping a layer's output unit in training, held over time steps.
    """
    return RecurrentClassifier(GRUCell, math.prod(layout), n_classes, hidden, layers, dropout)
