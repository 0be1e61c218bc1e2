"""The last few undecided rows of a batch: all their remaining steps in one autograd node.

A handful of rows that stay undecided cost little arithmetic and, step by step through autograd, much
dispatch. Here compiled loops take them to their decisions and back; the weight gradients join those of
the rest of the batch in ``deferred``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rc_vs_snn.encoded import Encoded, SpikeTimes
from rc_vs_snn.models import tail_kernels as kernels
from rc_vs_snn.models.deferred import Remembered, token_of
from rc_vs_snn.models.interface import Model, State
from rc_vs_snn.models.rc_lstm import LSTMCell
from rc_vs_snn.models.recurrent import RecurrentClassifier
from rc_vs_snn.models.sparse import Spikes

# Up to this many rows the compiled loops are the quicker way (break-even at about 48).
MOST_ROWS = 32


@dataclass(frozen=True, eq=False)
class Tail:
    """Readouts of every pair (row, step), step by step, and where each row decided.

    Attributes:
        readouts: ``(pairs, K)`` with gradient.
        row: row of each pair, ``(pairs,)``.
        bounds: where each step's pairs begin, from the first step on, and the end.
        last: the pair of each row's decision, ``(rows,)``.
        step: each row's decision step, ``(rows,)``.
        spikes: classes at or above the threshold there, ``(rows, K)``.
    """

    readouts: Tensor
    row: Tensor
    bounds: np.ndarray
    last: Tensor
    step: Tensor
    spikes: Tensor


def supports_tail(model: Model, encoded: Encoded) -> bool:
    """Return whether ``run_tail`` is to be used: in training, with a model and an input it knows.

    Inference keeps the model's own step, the one a full trace takes: these loops sum in another order.
    """
    if not torch.is_grad_enabled():
        return False
    if not (isinstance(encoded, SpikeTimes) and isinstance(model, RecurrentClassifier)):
        return False
    if len(model.cells) != 1 or not isinstance(model.cells[0], LSTMCell):
        return False
    if encoded.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return False
    return torch.get_default_dtype() == torch.float32 and all(
        parameter.dtype == torch.float32 and parameter.requires_grad for parameter in model.parameters()
    )


def run_tail(model: Model, encoded: Encoded, state: State, start: int, thresholds: np.ndarray) -> Tail:
    """Advance every row from step ``start`` to its decision; for what ``supports_tail`` accepts."""
    assert isinstance(model, RecurrentClassifier)
    assert isinstance(encoded, SpikeTimes)
    cell = model.cells[0]
    assert isinstance(cell, LSTMCell)
    h, c = state[:2]
    mask = state[2] if len(state) == 3 else torch.ones_like(h)
    tokens = [token_of(layer) for layer in (cell.input, cell.recurrent, model.readout)]
    plan = _Plan(encoded, mask, start, thresholds, [remembered for _, remembered in tokens])
    readouts = _LSTMTail.apply(
        h, c, *(token for token, _ in tokens), cell.input.weight.detach(), cell.input.bias.detach(),
        cell.recurrent.weight.detach(), model.readout.weight.detach(), model.readout.bias.detach(), plan,
    )  # fmt: skip
    last = torch.from_numpy(plan.last)
    step = start + np.searchsorted(plan.bounds, plan.last, side="right") - 1
    return Tail(
        readouts, torch.from_numpy(plan.row), plan.bounds, last, torch.from_numpy(step),
        torch.from_numpy(plan.spikes),
    )  # fmt: skip


class _Plan:
    """What one tail reads besides weights, and what its forward pass records."""

    row: np.ndarray
    before: np.ndarray
    bounds: np.ndarray
    last: np.ndarray
    spikes: np.ndarray

    def __init__(
        self, encoded: SpikeTimes, mask: Tensor, start: int, thresholds: np.ndarray,
        remembered: list[Remembered],
    ) -> None:  # fmt: skip
        self.hold, self.start, self.thresholds, self.remembered = encoded.hold, start, thresholds, remembered
        self.mask = mask.numpy()
        self.offset, self.channel = kernels.events_of(encoded.steps.numpy(), encoded.n_steps, start)

    def spikes_of(self, pairs: int) -> Spikes:
        """Return the input spikes of every pair (a held channel's only at the step it comes on)."""
        step = self.start + np.searchsorted(self.bounds, np.arange(pairs), side="right") - 1
        begin, end = self.offset[self.row, step + 1], self.offset[self.row, step + 2]
        if self.hold:  # what came on before the tail counts at its first step
            begin = np.where(self.before < 0, self.offset[self.row, 0], begin)
        counts = end - begin
        edges = np.concatenate([[0], counts.cumsum()])
        at = np.arange(edges[-1]) + np.repeat(begin - edges[:-1], counts)
        return Spikes(edges, self.channel[at], np.ones(len(at), np.float32))


class _LSTMTail(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        h0, c0, _, _, _, weight, bias, recurrent, readout, readout_bias, plan = inputs
        rows, width = h0.shape
        n_steps = len(plan.thresholds) - plan.start
        most = rows * n_steps
        gates = np.empty((most, 4 * width), np.float32)
        h, c, tanh_c = (np.empty((most, width), np.float32) for _ in range(3))
        logits = np.empty((most, len(readout)), np.float32)
        row, before = np.empty(most, np.int64), np.empty(most, np.int64)
        plan.bounds = np.zeros(n_steps + 1, np.int64)
        plan.last = np.zeros(rows, np.int64)
        plan.spikes = np.zeros((rows, len(readout)), np.bool_)
        h0, c0 = h0.detach().contiguous().numpy(), c0.detach().contiguous().numpy()
        pairs = kernels.lstm_forward(
            plan.offset, plan.channel, plan.hold, plan.start, plan.thresholds, h0, c0, plan.mask,
            weight.t().contiguous().numpy(), bias.numpy(), recurrent.contiguous().numpy(),
            readout.contiguous().numpy(), readout_bias.numpy(), gates, h, c, tanh_c, logits, row, before,
            plan.bounds, plan.last, plan.spikes,
        )  # fmt: skip
        plan.row, plan.before = row[:pairs], before[:pairs]
        ctx.plan, ctx.kept = plan, (h0, c0, gates[:pairs], h[:pairs], c[:pairs], tanh_c[:pairs])
        ctx.save_for_backward(recurrent, readout)
        return torch.from_numpy(logits[:pairs])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        recurrent, readout = ctx.saved_tensors
        plan, (h0, c0, gates, h, c, tanh_c) = ctx.plan, ctx.kept
        from_logits = gradients[0].contiguous()
        to_gates = np.empty_like(gates)
        to_h, to_c = np.zeros_like(h0), np.zeros_like(c0)
        kernels.lstm_backward(
            from_logits.numpy(), plan.bounds, plan.row, plan.before, c0, plan.mask, gates, c, tanh_c,
            recurrent.contiguous().numpy(), readout.contiguous().numpy(), to_gates, to_h, to_c,
        )  # fmt: skip
        by_input, by_recurrent, by_readout = plan.remembered
        into = torch.from_numpy(to_gates)
        first = plan.before < 0
        incoming = h[plan.before]
        incoming[first] = h0[plan.row[first]]
        by_recurrent.append((torch.from_numpy(incoming), into))
        by_readout.append((torch.from_numpy(h * plan.mask[plan.row]), from_logits))
        spikes = plan.spikes_of(len(into))
        entries = 1
        if plan.hold:  # a held channel's weight meets the gates of its step and of every later one
            summed = to_gates.copy()
            for pair in range(len(summed) - 1, -1, -1):
                if plan.before[pair] >= 0:
                    summed[plan.before[pair]] += summed[pair]
            silent = Spikes(np.zeros_like(spikes.start), spikes.channel[:0], spikes.value[:0])
            by_input.append((silent, into - torch.from_numpy(summed)))  # the bias is not summed over time
            into, entries = torch.from_numpy(summed), 2
        by_input.append((spikes, into))
        ones = into.new_ones((), dtype=torch.float64)
        tokens = (entries * ones, ones, ones)
        return (torch.from_numpy(to_h), torch.from_numpy(to_c), *tokens, *(None,) * 6)
