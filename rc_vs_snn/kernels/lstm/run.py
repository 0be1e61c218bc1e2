"""The compiled run of an LSTM layer with a readout: weights in, decisions and gradients out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.given import Given, in_parts
from rc_vs_snn.kernels.lstm import loops
from rc_vs_snn.kernels.pairs import Pairs, Room, WholeRun, decisions, differentiable
from rc_vs_snn.kernels.synapses import bias_gradient, weight_gradient


class LSTMWeights(NamedTuple):
    """An LSTM layer of H units and its readout, by source; the gates are i, f, g, o.

    Attributes:
        synapses: ``(C, 4H)``.
        bias: ``(4H,)``.
        recurrent: ``(H, 4H)``.
        readout: ``(H, K)``.
        readout_bias: ``(K,)``.
    """

    synapses: Tensor
    bias: Tensor
    recurrent: Tensor
    readout: Tensor
    readout_bias: Tensor


def run(given: Given[Tensor], thresholds: np.ndarray, weights: LSTMWeights, mask: Tensor) -> WholeRun:
    """Advance every row to its decision by the softmax of its readout.

    Args:
        given: the input.
        thresholds: the rule's threshold at every step ``(T,)`` float32.
        weights: see there.
        mask: dropout's factor on each row's outputs ``(B, H)``, or of no rows for none.
    """
    if backend.recording(*weights):
        return differentiable(_way_back, _forward(given, thresholds, weights, mask, keep=True), *weights)
    return WholeRun(*to_decision(*given, torch.from_numpy(thresholds), *weights, mask))


@torch.library.custom_op("rc_vs_snn::lstm_to_decision", mutates_args=(), device_types="cpu")
def to_decision(
    times: Tensor, frames: Tensor, hold: bool, lengths: Tensor, thresholds: Tensor, synapses: Tensor,
    bias: Tensor, recurrent: Tensor, readout: Tensor, readout_bias: Tensor, mask: Tensor,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return each row's decision step ``(B,)`` and the readout there ``(B, K)``; see ``run``.

    An operator of torch: another device's kernel is registered with ``to_decision.register_kernel``.
    """
    weights = LSTMWeights(synapses, bias, recurrent, readout, readout_bias)
    given = Given(times, frames, hold, lengths)
    return decisions(_forward(given, thresholds.numpy(), weights, mask, keep=False))


def _forward(
    given: Given[Tensor], thresholds: np.ndarray, weights: LSTMWeights, mask: Tensor, *, keep: bool
) -> list[Pairs]:
    synapses, bias, recurrent, readout, readout_bias = (
        weight.detach().contiguous().numpy() for weight in weights
    )
    parts = []
    for some, factors in in_parts(given, mask):
        *shared, gates, incoming, h, c, tanh_c = loops.forward(
            *some, thresholds, synapses, bias, recurrent, readout, readout_bias, factors, keep, Room.pairs
        )
        parts.append(Pairs(factors, some.frames, (gates, incoming, h, c, tanh_c), *shared))
    return parts


def _way_back(
    parts: Sequence[Pairs], gradients: Sequence[Tensor], saved: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    weights = LSTMWeights(*saved)
    recurrent, readout = (each.t().contiguous().numpy() for each in (weights.recurrent, weights.readout))
    by_input, by_recurrent, by_readout = [], [], []
    for pairs, from_logits in zip(parts, gradients, strict=True):
        gates, incoming, h, c, tanh_c = pairs.kept
        first, end = int(pairs.bounds[1]), int(pairs.bounds[-1])
        to_gates = np.empty((end, gates.shape[1]), np.float32)
        loops.backward(
            from_logits.numpy(), pairs.bounds, pairs.row, pairs.before, pairs.mask, gates, c, tanh_c,
            recurrent, readout, to_gates,
        )  # fmt: skip
        into, shown = torch.from_numpy(to_gates), h[:end]
        if len(pairs.mask):
            shown = shown * pairs.mask[pairs.row[:end]]
        by_input.append((pairs.inputs(), into))
        by_recurrent.append((torch.from_numpy(incoming[first:end]), into[first:]))  # at step 0 from zeros
        by_readout.append((torch.from_numpy(shown), from_logits))
    return (
        weight_gradient(by_input, weights.synapses), bias_gradient(by_input),
        weight_gradient(by_recurrent, weights.recurrent),
        weight_gradient(by_readout, weights.readout), bias_gradient(by_readout),
    )  # fmt: skip
