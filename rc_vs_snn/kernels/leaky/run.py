"""The compiled run of a leaky layer with a readout: weights in, decisions and gradients out."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.given import Given, in_parts
from rc_vs_snn.kernels.leaky import loops
from rc_vs_snn.kernels.leaky.cell import Neuron, as_gradient, only_within, sums_of
from rc_vs_snn.kernels.pairs import Pairs, Room, WholeRun, decisions, differentiable, entries, entries_of
from rc_vs_snn.kernels.synapses import bias_gradient, weight_gradient


class LeakyWeights(NamedTuple):
    """A leaky layer of H neurons and its output neurons, by source.

    Attributes:
        synapses: ``(C, H)``.
        bias: ``(H,)``.
        decay: of the hidden membranes, per step ``(H,)``, clamped to [0, 1] where it is used.
        threshold: of the hidden neurons ``(H,)``.
        recurrent: synapses of the hidden spikes of the step before ``(H, H)``, or of no rows for none.
        readout: ``(H, K)``.
        readout_bias: ``(K,)``.
        output_decay: of the output membranes ``(K,)``.
    """

    synapses: Tensor
    bias: Tensor
    decay: Tensor
    threshold: Tensor
    recurrent: Tensor
    readout: Tensor
    readout_bias: Tensor
    output_decay: Tensor


def run(
    given: Given[Tensor],
    thresholds: np.ndarray,
    softmax: bool,
    weights: LeakyWeights,
    neuron: Neuron,
    mask: Tensor,
) -> WholeRun:
    """Advance every row to its decision by its output membranes.

    Args:
        given: the input.
        thresholds: the rule's threshold at every step ``(T,)`` float32.
        softmax: whether the evidence is the softmax of the output membranes.
        weights: see there.
        neuron: reset and surrogate gradient of the hidden neurons.
        mask: dropout's factor on each row's hidden spikes ``(B, H)``, or of no rows for none.
    """
    if backend.recording(*weights):
        parts = _forward(given, thresholds, softmax, weights, neuron.reset, mask, keep=True)
        return differentiable(partial(_way_back, neuron), parts, *weights)
    in_force = torch.from_numpy(thresholds)
    return WholeRun(*to_decision(*given, in_force, softmax, *weights, neuron.reset, mask))


@torch.library.custom_op("rc_vs_snn::leaky_to_decision", mutates_args=(), device_types="cpu")
def to_decision(
    times: Tensor, frames: Tensor, hold: bool, lengths: Tensor, thresholds: Tensor, softmax: bool,
    synapses: Tensor, bias: Tensor, decay: Tensor, threshold: Tensor, recurrent: Tensor, readout: Tensor,
    readout_bias: Tensor, output_decay: Tensor, reset: int, mask: Tensor,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return each row's decision step ``(B,)`` and the output membranes there ``(B, K)``; see ``run``.

    An operator of torch: another device's kernel is registered with ``to_decision.register_kernel``.
    """
    weights = LeakyWeights(synapses, bias, decay, threshold, recurrent, readout, readout_bias, output_decay)
    given = Given(times, frames, hold, lengths)
    return decisions(_forward(given, thresholds.numpy(), softmax, weights, reset, mask, keep=False))


def _forward(
    given: Given[Tensor], thresholds: np.ndarray, softmax: bool, weights: LeakyWeights, reset: int,
    mask: Tensor, *, keep: bool,
) -> list[Pairs]:  # fmt: skip
    synapses, bias, decay, threshold, recurrent, readout, readout_bias, output_decay = (
        weight.detach().contiguous().numpy() for weight in _clamped(weights)
    )
    parts = []
    for some, factors in in_parts(given, mask):
        *shared, membrane, fired_start, fired, value = loops.forward(
            *some, thresholds, softmax, synapses, bias, decay, threshold, recurrent, readout, readout_bias,
            output_decay, reset, factors, keep, Room.pairs,
        )  # fmt: skip
        parts.append(Pairs(factors, some.frames, (membrane, fired_start, fired, value), *shared))
    return parts


def _clamped(weights: LeakyWeights) -> LeakyWeights:
    return weights._replace(
        decay=weights.decay.detach().clamp(0, 1), output_decay=weights.output_decay.detach().clamp(0, 1)
    )


def _way_back(
    neuron: Neuron, parts: Sequence[Pairs], gradients: Sequence[Tensor], saved: Sequence[Tensor]
) -> tuple[Tensor | None, ...]:
    weights = LeakyWeights(*saved)
    clamped = _clamped(weights)
    recurrent, readout = (each.t().contiguous().numpy() for each in (weights.recurrent, weights.readout))
    recurs = len(weights.recurrent) > 0
    to_decay, to_threshold, to_output_decay = (
        sums_of(each) for each in (weights.decay, weights.threshold, weights.output_decay)
    )
    by_synapse, by_recurrent, by_readout = [], [], []
    for pairs, from_output in zip(parts, gradients, strict=True):
        membrane, fired_start, fired, value = pairs.kept
        first, end = int(pairs.bounds[1]), int(pairs.bounds[-1])
        to_current = np.empty((end, membrane.shape[1]), np.float32)
        to_into = np.empty((end, from_output.shape[1]), np.float32)
        loops.backward(
            from_output.numpy(), pairs.bounds, pairs.row, pairs.before, pairs.mask, membrane, pairs.readouts,
            clamped.decay.numpy(), clamped.threshold.numpy(), neuron.reset, neuron.surrogate,
            np.float32(neuron.slope), recurrent, readout, clamped.output_decay.numpy(), to_current, to_into,
            to_decay.numpy(), to_threshold.numpy(), to_output_decay.numpy(),
        )  # fmt: skip
        into = torch.from_numpy(to_current)
        by_synapse.append((pairs.inputs(), into))
        if recurs:
            by_recurrent.append((entries_of(fired_start, fired, pairs.before[first:end]), into[first:]))
        hidden = entries(fired_start, fired, end, value if len(value) else None)
        by_readout.append((hidden, torch.from_numpy(to_into)))
    return (
        weight_gradient(by_synapse, weights.synapses), bias_gradient(by_synapse),
        only_within(weights.decay, to_decay), as_gradient(to_threshold),
        weight_gradient(by_recurrent, weights.recurrent) if recurs else None,
        weight_gradient(by_readout, weights.readout), bias_gradient(by_readout),
        only_within(weights.output_decay, to_output_decay),
    )  # fmt: skip
