"""RC-LSTM: the paper's recurrent network."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rc_vs_snn.models.deferred import by_rows, linear
from rc_vs_snn.models.interface import State
from rc_vs_snn.models.lstm_kernels import advance_rows
from rc_vs_snn.models.products import add_product
from rc_vs_snn.models.recurrent import RecurrentClassifier
from rc_vs_snn.models.sparse import by_source, fan_out_major
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
        self.input = fan_out_major(nn.Linear(n_inputs, 4 * hidden))
        self.recurrent = nn.Linear(hidden, 4 * hidden, bias=False)
        bound = 1 / math.sqrt(hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)
        fan_out_major(self.recurrent)  # last, since the layout decides which weight gets which draw

    def forward(self, x: Tensor, state: State) -> State:
        """Return the new ``(h, c)``, each ``(B, H)``."""
        h, c = state
        gates = linear(self.input, x, spikes=True)
        if not torch.is_grad_enabled() and by_rows(x):
            return self._advance(gates, h, c)
        if h.requires_grad or h.any():  # from a zero state, so at step 0, the product is known
            gates = gates + linear(self.recurrent, h)
        h, c = _Gates.apply(gates, c)
        return h, c

    def _advance(self, gates: Tensor, h: Tensor, c: Tensor) -> State:
        """Return the new state in the arithmetic of ``lstm_kernels.py``, to the bit."""
        if h.any():
            add_product(h.contiguous().numpy(), by_source(self.recurrent.weight), gates.numpy())
        new_h, new_c = torch.empty_like(h), torch.empty_like(c)
        advance_rows(gates.numpy(), c.contiguous().numpy(), new_c.numpy(), new_h.numpy())
        return new_h, new_c


class _Gates(torch.autograd.Function):
    """``(i, f, g, o before their nonlinearity, c) -> (h, new c)``: a dozen autograd nodes in one."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        gates = gates.to(c.dtype)
        i, f, g, o = gates.chunk(4, dim=1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        new_c = torch.addcmul(f * c, i, g)
        tanh_c = torch.tanh(new_c)
        ctx.save_for_backward(i, f, g, o, c, tanh_c)
        return o * tanh_c, new_c

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o, c, tanh_c = ctx.saved_tensors
        from_h, from_c = gradients
        to_c = torch.addcmul(from_c, from_h * o, 1 - tanh_c * tanh_c)
        to_gates = torch.cat(
            [
                to_c * g * i * (1 - i),
                to_c * c * f * (1 - f),
                to_c * i * (1 - g * g),
                from_h * tanh_c * o * (1 - o),
            ],
            dim=1,
        )
        return to_gates, to_c * f


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
