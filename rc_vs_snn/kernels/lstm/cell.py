"""The cells of an LSTM layer at one step: from gates to the new state, forward and backward."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.compiling import compiled
from rc_vs_snn.kernels.elementwise import sigmoid, tanh


def cells(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Return the new ``(h, c)``, ``(B, H)`` each.

    Args:
        gates: i, f, g, o before their nonlinearity ``(B, 4H)``; overwritten at inference.
        c: cells at the step before ``(B, H)``.
    """
    if not backend.sums_in_order(gates):
        return _Cells.apply(gates, c)
    new_h, new_c = torch.empty_like(c), torch.empty_like(c)
    _advance_rows(gates.numpy(), c.contiguous().numpy(), new_c.numpy(), new_h.numpy())
    return new_h, new_c


class _Cells(torch.autograd.Function):
    """The step in torch: a dozen autograd nodes in one."""

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


@compiled(error_model="numpy")
def _advance_rows(gates, old, c, h):  # type: ignore[no-untyped-def]
    tanh_c = np.empty(old.shape[1], np.float32)
    for row in range(len(gates)):
        advance_cells(gates[row], old[row], c[row], tanh_c, h[row])


@compiled(error_model="numpy")
def advance_cells(gates, old, c, tanh_c, h):  # type: ignore[no-untyped-def]
    """Turn one row's gates i, f, g, o ``(4H,)`` into their values, in place; fill the new state ``(H,)``."""
    width = len(c)
    i, f, g, o = gates[:width], gates[width : 2 * width], gates[2 * width : 3 * width], gates[3 * width :]
    for n in range(2 * width):
        gates[n] = sigmoid(gates[n])
    for n in range(width):
        g[n] = tanh(g[n])
    for n in range(width):
        o[n] = sigmoid(o[n])
    for n in range(width):
        c[n] = f[n] * old[n] + i[n] * g[n]
    for n in range(width):
        tanh_c[n] = tanh(c[n])
        h[n] = o[n] * tanh_c[n]


@compiled(error_model="numpy", fastmath={"contract"})
def cells_backward(to_h, to_c, old, gates, tanh_c, to_gates):  # type: ignore[no-untyped-def]
    """Fill one row's gradients of its gates; ``to_c`` is that of the new cells, then of the old ones."""
    width = len(old)
    one = np.float32(1)
    i, f, g, o = gates[:width], gates[width : 2 * width], gates[2 * width : 3 * width], gates[3 * width :]
    to_i, to_f = to_gates[:width], to_gates[width : 2 * width]
    to_g, to_o = to_gates[2 * width : 3 * width], to_gates[3 * width :]
    for n in range(width):
        to_o[n] = to_h[n] * tanh_c[n] * o[n] * (one - o[n])
    for n in range(width):
        to_c[n] += to_h[n] * o[n] * (one - tanh_c[n] * tanh_c[n])
    for n in range(width):
        to_i[n] = to_c[n] * g[n] * i[n] * (one - i[n])
    for n in range(width):
        to_g[n] = to_c[n] * i[n] * (one - g[n] * g[n])
    for n in range(width):
        to_f[n] = to_c[n] * old[n] * f[n] * (one - f[n])
        to_c[n] *= f[n]
