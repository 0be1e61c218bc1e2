"""How a trained net of ours becomes whole numbers.

Weights of one neuron (or feature map) share a power of two, its bias too; membranes and thresholds of one
layer share another. So a sum becomes a current by a shift, which hardware has in place of a multiplication,
and no neuron's weights are rounded coarser because a neighbour has a larger one. Membranes of a layer share
theirs because thresholds do, and those of output neurons because the rule compares them with one another.

A neuron's weights take the power of two that leaves the least squared error: clipping a few large ones can
leave less than rounding all of them coarser. Which one membranes take is measured
(``experiment/fixed_units.py``).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.fixed.reference import Arithmetic, Reset
from rc_vs_snn.kernels.synapses import Synapses
from rc_vs_snn.models.fixed_point import Widths
from rc_vs_snn.models.layers import (
    Conv,
    Dropout,
    Linear,
    Readout,
    RecurrentLeaky,
    RecurrentSynaptic,
    Synaptic,
)
from rc_vs_snn.models.layers.conv import Images, Stage
from rc_vs_snn.models.layers.fixed import Block
from rc_vs_snn.models.layers.norm import FirstStepNorm, Shift
from rc_vs_snn.models.layers.snntorch_neuron import NeuronLayer
from rc_vs_snn.models.stack import Stack

MOST_SHIFT = 15
"""Weights more than so many powers of two below a membrane's unit are rounded to fewer bits."""
MOST_TRIED = 11
"""How many powers of two below the finest are tried as a layer's unit."""


def nearest(values: np.ndarray) -> np.ndarray:
    """Return the nearest whole numbers, halves away from zero."""
    return np.asarray(np.sign(values) * np.floor(np.abs(values) + 0.5)).astype(np.int64)


def clipped(values: np.ndarray, bits: int) -> np.ndarray:
    """Return the nearest whole numbers of so many bits that are there with either sign."""
    most = 2 ** (bits - 1) - 1
    return nearest(np.clip(values, -most, most))


def best_exponent(values: np.ndarray, bits: int) -> int:
    """Return the e for which values, as whole numbers of 2^-e in so many bits, change least."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return 0
    safe = math.floor(math.log2((2 ** (bits - 1) - 1) / largest))
    tried = range(safe, safe + 4)
    return min(
        tried, key=lambda e: float(np.square(clipped(values * 2.0**e, bits) * 2.0**-e - values).mean())
    )


@dataclass(frozen=True, eq=False)
class _Pending:
    """Synapses on their way to their neurons."""

    weight: np.ndarray
    bias: np.ndarray
    stage: Stage | None


def blocks_of(net: Stack, exponents: Mapping[str, int], widths: Widths) -> list[Block]:
    """Return the layers of a trained net in whole numbers.

    Args:
        net: of layers of ours, with its weights.
        exponents: of each layer's membranes by its name, see ``Block``; those of ``possible_exponents``.
        widths: see there.

    Raises:
        InputError: a layer that has no such form, by name.
    """
    blocks = []
    for name, synapses, layer in _pairs(net):
        blocks.append(_block(name, synapses, layer, exponents[name], widths))
    return blocks


def possible_exponents(net: Stack, widths: Widths) -> dict[str, list[int]]:
    """Return which exponents each layer's thresholds leave, by name, the finest first; of output neurons 0.

    Raises:
        InputError: a layer that has no form in whole numbers, or thresholds too far apart, by name.
    """
    found = {}
    for name, _, layer in _pairs(net):
        found[name] = _exponents(name, layer, widths.arithmetic.membrane_bits)
    return found


def _exponents(name: str, layer: Any, bits: int) -> list[int]:
    if not isinstance(layer, NeuronLayer):
        return [0]
    thresholds = _array(layer.neuron.threshold)
    lowest, highest = float(thresholds.min()), float(thresholds.max())
    if lowest > 0:
        finest = math.floor(math.log2((2 ** (bits - 1) - 2) / highest))
        coarsest = math.ceil(-math.log2(lowest))
        if coarsest <= finest:
            return list(range(finest, max(coarsest, finest - MOST_TRIED) - 1, -1))
    raise InputError(
        f"layer '{name}': membranes of {bits} bits cannot hold its thresholds from {lowest:g} to {highest:g}"
    )


def _pairs(net: Stack) -> Iterator[tuple[str, _Pending, Any]]:
    """Yield the name of each layer of neurons, its synapses with what folds into them, and the layer."""
    pending: _Pending | None = None
    name = ""
    for name, layer in net.passed():
        if isinstance(layer, Images | Dropout | nn.Flatten):
            continue
        if isinstance(layer, Linear | Conv):
            pending = _synapses(layer)
        elif isinstance(layer, FirstStepNorm | Shift) and pending is not None:
            pending = _folded(pending, layer)
        elif isinstance(layer, NeuronLayer | Readout) and pending is not None:
            yield name, pending, layer
            pending = None
        else:
            raise InputError(
                f"layer '{name}' ({type(layer).__name__}) has no form in whole numbers; export a net that "
                "spikes throughout"
            )
    if pending is not None:  # the readout is each step's own
        yield name, pending, None


def _synapses(layer: Linear | Conv) -> _Pending:
    weight = _array(layer.weight)
    bias = np.zeros(len(weight)) if layer.bias is None else _array(layer.bias)
    return _Pending(weight, bias, layer.stage if isinstance(layer, Conv) else None)


def _folded(pending: _Pending, norm: FirstStepNorm | Shift) -> _Pending:
    if isinstance(norm, Shift):
        return replace(pending, bias=pending.bias + _array(norm.bias))
    factor = _array(norm.scale())
    weight = pending.weight * factor.reshape(-1, *[1] * (pending.weight.ndim - 1))
    return replace(
        pending, weight=weight, bias=(pending.bias - _array(norm.running_mean)) * factor + _array(norm.bias)
    )


def _block(name: str, synapses: _Pending, layer: Any, exponent: int, widths: Widths) -> Block:
    n, arithmetic = len(synapses.weight), widths.arithmetic
    spikes = isinstance(layer, NeuronLayer)
    threshold = np.broadcast_to(_array(layer.neuron.threshold), n) if spikes else np.zeros(n)
    recurrent = _array(layer.recurrent.weight) if hasattr(layer, "recurrent") else None
    rows = [synapses.weight.reshape(n, -1), *([] if recurrent is None else [recurrent])]
    own = _weight_exponents(np.concatenate(rows, 1), synapses.bias, widths.weight_bits, exponent)

    def whole(weight: np.ndarray) -> np.ndarray:
        return clipped(weight * 2.0 ** own.reshape(-1, *[1] * (weight.ndim - 1)), widths.weight_bits)

    has_current = isinstance(layer, Synaptic | RecurrentSynaptic)
    decays = layer.neuron.beta if spikes else torch.zeros(n) if layer is None else layer.decay
    return Block(
        name, whole(synapses.weight), nearest(synapses.bias * 2.0**own), exponent - own,
        _decay(decays, n, arithmetic), nearest(threshold * 2.0**exponent), _reset(layer), exponent,
        _decay(layer.neuron.alpha, n, arithmetic) if has_current else None,
        None if recurrent is None else whole(recurrent), synapses.stage,
    )  # fmt: skip


def _weight_exponents(rows: np.ndarray, bias: np.ndarray, bits: int, exponent: int) -> np.ndarray:
    """Return the exponent of each neuron's weights ``(n,)``."""
    found = np.array([best_exponent(row, bits) for row in rows], np.int64)
    bound = 30 - np.ceil(np.log2(np.maximum(np.abs(bias), 2.0**-60))).astype(np.int64)  # a bias has 32 bits
    return np.minimum(np.minimum(found, exponent + MOST_SHIFT), bound)


def _decay(decay: Tensor, n: int, arithmetic: Arithmetic) -> np.ndarray:
    return nearest(np.broadcast_to(np.clip(_array(decay), 0, 1), n) * 2.0**arithmetic.decay_bits)


def _reset(layer: Any) -> Reset:
    if not isinstance(layer, NeuronLayer):
        return "none"
    if layer.neuron.reset_mechanism == "subtract":
        return "subtract"
    return "clear" if isinstance(layer, Synaptic | RecurrentSynaptic | RecurrentLeaky) else "zero"


def whole_weights(net: nn.Module, bits: int) -> dict[str, np.ndarray]:
    """Round the weights of a net, in place, and return them as whole numbers.

    Args:
        net: of layers of ours. Biases, normalisation and all arithmetic stay what they are.
        bits: of a weight, sign included.

    Returns:
        All of its ``state_dict`` by name: each weight as whole numbers, first axis its targets, with the e of
        each target as ``NAME.exponent`` ``(n,)``, where a number w stands for w 2^-e; all else as it is.
    """
    state = net.state_dict()
    found = {name: value.detach().cpu().numpy() for name, value in state.items()}
    for name, module in net.named_modules():
        if isinstance(module, Synapses | Conv):
            weight = _array(module.weight)
            own = np.array([best_exponent(row, bits) for row in weight], np.int64)
            scale = 2.0 ** own.reshape(-1, *[1] * (weight.ndim - 1))
            found[f"{name}.weight"] = clipped(weight * scale, bits)
            found[f"{name}.weight.exponent"] = own
            state[f"{name}.weight"] = torch.from_numpy(found[f"{name}.weight"] / scale).to(
                state[f"{name}.weight"]
            )
    net.load_state_dict(state)
    return found


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().double().numpy()
