"""Weights between two layers: how they lie in memory, products over spikes alone, one gradient per run.

Backpropagation through time sums a weight's gradient over steps. Autograd makes that sum from one
full-size product per step: at a late step with three rows still undecided, the gradient of an
800,000-weight layer costs as much as with three hundred. Inside ``deferred_gradients`` synapses only
remember each step's input and output gradient; when the backward pass has visited every step, one
product over all remembered rows gives the same sum.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.compiling import compiled
from rc_vs_snn.kernels.spikes import Spikes, compress
from rc_vs_snn.kernels.sums import add_entries, add_outer, add_product

Source = Tensor | Spikes
"""What a product reads: rows ``(rows, in)``, or their spikes."""


class Synapses(nn.Module):
    """``x @ weight.T + bias`` with the initial weights of ``torch.nn.Linear``, draw for draw.

    Checkpoints hold ``weight`` ``(out, in)`` and ``bias`` ``(out,)``, as torch's do, however they are stored.

    Args:
        n_inputs: number of sources.
        n_outputs: number of targets.
        bias: whether there is one.
        sparse: whether inputs may be mostly 0, so that a product over their spikes alone is tried.
        by_source: whether all synapses that leave one source lie together, ``(in, out)``: what a spike
            reads, and what the optimiser, which treats every entry alike, then need not copy.
    """

    bias: Tensor | None

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        bias: bool = True,
        sparse: bool = False,
        by_source: bool = False,
    ) -> None:
        super().__init__()
        drawn = nn.Linear(n_inputs, n_outputs, bias=bias)
        weight = drawn.weight.detach()
        self.n_inputs, self.n_outputs = n_inputs, n_outputs
        self.sparse, self.by_source = sparse, by_source
        self.stored = nn.Parameter(weight.t().contiguous() if by_source else weight)
        self.register_parameter("bias", drawn.bias)

    @property
    def weight(self) -> Tensor:
        """The weights ``(out, in)``, a view."""
        return self.stored.t() if self.by_source else self.stored

    @property
    def fan_out(self) -> Tensor:
        """The weights ``(in, out)``, a view."""
        return self.stored if self.by_source else self.stored.t()

    def forward(self, x: Tensor, onto: Tensor | None = None) -> Tensor:
        """Return the products, ``(rows, out)``.

        At inference each row is to the bit what it is in any other batch, and with ``onto`` one sum.

        Args:
            x: ``(rows, in)``.
            onto: ``(rows, out)`` that they are added to, and which may be overwritten.
        """
        if x.shape[-1] != self.n_inputs:
            return functional.linear(x, self.weight, self.bias)  # which says what is wrong
        spikes = compress(x) if self.sparse else None
        deferring = _tokens.get()
        if backend.recording(self.stored) and deferring is not None:
            token, remembered = _token_of(self, deferring)
            product = _Step.apply(x, token, self.weight.detach(), self.bias, remembered, spikes)
        elif backend.at_inference() and (spikes is not None or backend.sums_in_order(x)):
            return project(x if spikes is None else spikes, self.fan_out, self.bias, onto)
        else:
            product = functional.linear(x, self.weight, self.bias)
        return product if onto is None else onto + product

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        stored = destination.pop(f"{prefix}stored")
        destination[f"{prefix}weight"] = stored.t() if self.by_source else stored

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *others: Any) -> None:
        weight = state_dict.pop(f"{prefix}weight", None)
        if weight is not None:
            state_dict[f"{prefix}stored"] = weight.t() if self.by_source else weight
        super()._load_from_state_dict(state_dict, prefix, *others)


def project(x: Source, fan_out: Tensor, bias: Tensor | None, onto: Tensor | None = None) -> Tensor:
    """Return ``x @ fan_out + bias``, ``(rows, out)``, in the order of ``sums.py``.

    Args:
        x: ``(rows, in)``, or its spikes: the result is the same.
        fan_out: ``(in, out)``.
        bias: ``(out,)`` or None.
        onto: sums to go on from, overwritten.
    """
    rows = len(x.start) - 1 if isinstance(x, Spikes) else len(x)
    if onto is None:
        out = fan_out.new_zeros(rows, fan_out.shape[1]) if bias is None else bias.detach().repeat(rows, 1)
    else:
        out = onto if bias is None else onto + bias.detach()
    synapses = fan_out.detach().contiguous().numpy()
    if isinstance(x, Spikes):
        _add_all(x.start, x.channel, x.value, synapses, out.numpy())
    else:
        add_product(x.detach().contiguous().numpy(), synapses, out.numpy())
    return out


@compiled(error_model="numpy")
def _add_all(start, channel, value, synapses, out):  # type: ignore[no-untyped-def]
    for row in range(len(out)):
        add_entries(channel, value, start[row], start[row + 1], synapses, out[row])


def weight_gradient(steps: Sequence[tuple[Source, Tensor]], like: Tensor) -> Tensor:
    """Return the gradient of weights by source, ``(in, out)``, summed over steps in one product.

    Args:
        steps: each step's input ``(rows, in)`` and the gradient of its output ``(rows, out)``.
        like: the weights ``(in, out)``.
    """
    dense = [(x, into) for x, into in steps if isinstance(x, Tensor)]
    sparse = [(x, into) for x, into in steps if isinstance(x, Spikes)]
    if dense:
        into = _joined([into for _, into in dense])  # (all rows, out)
        gradient = (_joined([x for x, _ in dense]).to(into.dtype).t() @ into).to(like.dtype)  # (in, out)
    else:
        gradient = torch.empty(like.shape, dtype=like.dtype, device=like.device)
    for index, (x, into) in enumerate(sparse):
        rows, fresh = into.contiguous().numpy(), not dense and index == 0
        add_outer(x.start, x.channel, x.value, rows, gradient.numpy(), fresh)
    return gradient


def bias_gradient(steps: Sequence[tuple[Source, Tensor]]) -> Tensor:
    """Return the gradient of a bias ``(out,)``, summed over steps; see ``weight_gradient``."""
    return reduce(torch.add, [into.sum(0) for _, into in steps])


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


Remembered = list[tuple[int, Source, Tensor]]
"""The backward pass, the input and the output gradient of every step that a pass has visited."""

_tokens: ContextVar[dict[Synapses, tuple[Tensor, Remembered]] | None] = ContextVar("tokens", default=None)


@contextmanager
def deferred_gradients() -> Iterator[None]:
    """Let synapses sum their weight gradients over the calls made inside the context."""
    reset = _tokens.set({})
    try:
        yield
    finally:
        _tokens.reset(reset)


def _token_of(
    synapses: Synapses, tokens: dict[Synapses, tuple[Tensor, Remembered]]
) -> tuple[Tensor, Remembered]:
    """Return what every step that uses the weights takes as input, and where it remembers."""
    if synapses not in tokens:
        remembered: Remembered = []
        token = _Collect.apply(synapses.stored, synapses.bias, synapses.by_source, remembered)
        tokens[synapses] = (token, remembered)
    return tokens[synapses]


def _backward_pass() -> int:
    # What a pass remembered that did not ask for the weights' gradient is not the next one's.
    return torch._C._current_graph_task_id()


class _Collect(torch.autograd.Function):
    """Hands out a token that every step takes; so its backward runs after all of theirs."""

    @staticmethod
    def forward(
        ctx: Any, stored: Tensor, bias: Tensor | None, by_source: bool, remembered: Remembered
    ) -> Tensor:
        ctx.save_for_backward(stored)
        ctx.by_source, ctx.has_bias, ctx.remembered = by_source, bias is not None, remembered
        return stored.new_zeros(())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (stored,) = ctx.saved_tensors
        now = _backward_pass()
        steps = [(x, into) for of, x, into in ctx.remembered if of == now]
        ctx.remembered.clear()
        by_source = weight_gradient(steps, stored if ctx.by_source else stored.t())
        to_bias = bias_gradient(steps).to(stored.dtype) if ctx.has_bias else None
        return by_source if ctx.by_source else by_source.t(), to_bias, None, None


class _Step(torch.autograd.Function):
    """The product at one step; its backward remembers instead of multiplying."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        token: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        remembered: Remembered,
        spikes: Spikes | None,
    ) -> Tensor:
        ctx.save_for_backward(x if spikes is None else None, weight)
        ctx.remembered, ctx.spikes = remembered, spikes
        if spikes is not None:
            return project(spikes, weight.t(), bias)
        return functional.linear(x, weight, None if bias is None else bias.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        (from_output,) = gradients
        ctx.remembered.append((_backward_pass(), x if ctx.spikes is None else ctx.spikes, from_output))
        to_x = (
            (from_output @ weight.to(from_output.dtype)).to(weight.dtype) if ctx.needs_input_grad[0] else None
        )
        return to_x, weight.new_zeros(()), None, None, None, None
