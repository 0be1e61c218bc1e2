"""One weight gradient per run, not one per time step.

Backpropagation through time sums a weight's gradient over steps. Autograd makes that sum from one
full-size product per step: at a late step with three rows still undecided, the gradient of an
800,000-weight layer costs as much as with three hundred. Inside ``deferred_gradients`` a linear layer
only remembers each step's input and output gradient; when the backward pass has visited every step,
one product over all remembered rows gives the same sum.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from rc_vs_snn.models.sparse import Spikes, add_weight_gradient, compress, project

Remembered = list[tuple[Tensor | Spikes, Tensor]]

_tokens: ContextVar[dict[nn.Linear, tuple[Tensor, Remembered]] | None] = ContextVar("tokens", default=None)


@contextmanager
def deferred_gradients() -> Iterator[None]:
    """Let ``linear`` sum its weight gradients over the calls made inside the context."""
    reset = _tokens.set({})
    try:
        yield
    finally:
        _tokens.reset(reset)


def linear(layer: nn.Linear, x: Tensor, *, spikes: bool = False) -> Tensor:
    """Return ``layer(x)``, ``(rows, out)``; inside ``deferred_gradients`` its gradient comes in one product.

    Args:
        layer: weights ``(out, in)``, with or without bias.
        x: input, ``(rows, in)``.
        spikes: whether x may be mostly zero, so that a product over its spikes alone is tried.
    """
    if x.shape[-1] != layer.in_features:
        return layer(x)  # which says what is wrong; compiled loops do not look
    tokens = _tokens.get()
    compressed = compress(x) if spikes and not torch.is_autocast_enabled(x.device.type) else None
    if torch.is_grad_enabled() and tokens is not None and layer.weight.requires_grad:
        token, remembered = token_of(layer)
        return _Step.apply(x, token, layer.weight.detach(), layer.bias, remembered, compressed)
    if not torch.is_grad_enabled() and (compressed is not None or by_rows(x)):
        return project(x if compressed is None else compressed, layer.weight, layer.bias)
    return layer(x)


def by_rows(x: Tensor) -> bool:
    """Return whether inference takes the sums of ``products.py``: in float32 on the CPU."""
    return x.dtype == torch.float32 and x.device.type == "cpu" and not torch.is_autocast_enabled("cpu")


def token_of(layer: nn.Linear) -> tuple[Tensor, Remembered]:
    """Return what a node that uses the layer's weights must take as input, and where it remembers."""
    tokens = _tokens.get()
    if tokens is None:
        raise RuntimeError("token_of is called inside deferred_gradients only")
    if layer not in tokens:
        remembered: Remembered = []
        tokens[layer] = (_Collect.apply(layer.weight, layer.bias, remembered), remembered)
    return tokens[layer]


class _Collect(torch.autograd.Function):
    """Hands out a token that every step takes; so its backward runs after all of theirs.

    The token's gradient counts the steps of the backward pass: what an earlier pass remembered that
    did not ask for the weights' gradient is not this pass's.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor | None, remembered: Remembered) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.remembered, ctx.has_bias = remembered, bias is not None
        return weight.new_zeros((), dtype=torch.float64)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        steps = ctx.remembered[-int(gradients[0]) :]
        ctx.remembered.clear()
        dense = [(x, into) for x, into in steps if isinstance(x, Tensor)]
        sparse = [(x, into) for x, into in steps if isinstance(x, Spikes)]
        to_bias = sum(into.sum(0) for _, into in steps).to(weight.dtype) if ctx.has_bias else None
        if dense:
            into = _joined([into for _, into in dense])  # (all rows, out)
            transposed = _joined([x for x, _ in dense]).to(into.dtype).t() @ into  # (in, out)
            transposed = transposed.to(weight.dtype)
        else:
            transposed = weight.new_empty(weight.shape[1], weight.shape[0])
        for index, (x, into) in enumerate(sparse):
            add_weight_gradient(x, into, transposed, fresh=not dense and index == 0)
        return transposed.t(), to_bias, None


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


class _Step(torch.autograd.Function):
    """The linear layer at one step; its backward remembers instead of multiplying."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        token: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        remembered: Remembered,
        compressed: Spikes | None,
    ) -> Tensor:
        ctx.save_for_backward(x if compressed is None else None, weight)
        ctx.remembered, ctx.compressed = remembered, compressed
        if compressed is not None:
            return project(compressed, weight, bias)
        return functional.linear(x, weight, None if bias is None else bias.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        (from_output,) = gradients
        ctx.remembered.append((x if ctx.compressed is None else ctx.compressed, from_output))
        to_x = (
            (from_output @ weight.to(from_output.dtype)).to(weight.dtype) if ctx.needs_input_grad[0] else None
        )
        return to_x, from_output.new_ones((), dtype=torch.float64), None, None, None, None
