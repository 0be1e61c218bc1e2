"""RC-LSTM: the paper's recurrent network."""

import math

import torch
from torch import Tensor, nn

from rc_vs_snn.models.interface import State
from rc_vs_snn.models.recurrent import RecurrentClassifier
from rc_vs_snn.registry import models


class LSTMCell(nn.Module):
    """One LSTM layer, gate order and parameter shapes as in ``torch.nn.LSTM`` (i, f, g, o).

    Args:
        n_inputs: width of the input.
        hidden: number of units H.

    Source: Hochreiter and Schmidhuber 1997; forget gate of Gers et al. 2000.
    """

    n_states = 2
    n_gates = 4

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__()
        self.input = nn.Linear(n_inputs, 4 * hidden)
        self.recurrent = nn.Linear(hidden, 4 * hidden, bias=False)
        bound = 1 / math.sqrt(hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, state: State) -> State:
        """Return the new ``(h, c)``, each ``(B, H)``."""
        h, c = state
        i, f, g, o = (self.input(x) + self.recurrent(h)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


@models.register("rc-lstm")
def rc_lstm(
    layout: tuple[int, ...], n_classes: int, hidden: int = 256, layers: int = 1, dropout: float = 0.0
) -> RecurrentClassifier:
    """LSTM with a linear readout; softmax probabilities are the evidence (the paper's network).

    Args:
        layout: shape of the input channels.
        n_classes: number of classes K.
        hidden: LSTM units per layer.
        layers: number of LSTM layers.
        dropout: probability of dropping a layer's output unit in training, held over time steps.
    """
    return RecurrentClassifier(LSTMCell, math.prod(layout), n_classes, hidden, layers, dropout)
