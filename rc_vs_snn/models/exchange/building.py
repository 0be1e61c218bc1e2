"""Nodes of NIR graphs as layers: ours where ``to_nir`` wrote them, else what NIR says of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.exchange.constants import decay_of, gain_of
from rc_vs_snn.models.exchange.graphs import NEURONS, Link, kind
from rc_vs_snn.models.exchange.neurons import Dynamics, GraphNeurons, GraphReset
from rc_vs_snn.models.exchange.ours import linear, our_neurons, unfolded
from rc_vs_snn.models.exchange.synapses import GraphConv, Scaled, SumPool, pair
from rc_vs_snn.models.exchange.writing import to_tensor
from rc_vs_snn.models.layers import Linear

KNOWN = (*NEURONS, "Linear", "Affine", "Scale", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten")

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """How a graph is read.

    Attributes:
        dt: length of a step in seconds.
        reset: what a spike does to its membrane, where metadata does not say.
        ours: whether ``to_nir`` wrote the graph.
    """

    dt: float
    reset: GraphReset
    ours: bool


def layers_of(link: Link, shape: Shape, reading: Reading) -> Iterator[tuple[str, nn.Module]]:
    """Yield the layers of a node, with their names.

    Args:
        link: the node.
        shape: of its input.
        reading: how the graph is read.

    Raises:
        InputError: a node that we cannot express, or that does not fit its input.
    """
    name, node, back = link
    what = kind(node)
    if what not in KNOWN:
        raise InputError(f"node '{name}' is a {what}, which we cannot express; known are {', '.join(KNOWN)}")
    told = node.metadata if reading.ours else {}
    called = str(told.get("name", name))
    if what in NEURONS:
        _require_shape(name, node, shape)
        if "layer" in told:
            yield called, our_neurons(name, node, back, shape, reading.dt)
        else:
            yield called, _neurons(name, node, back, shape, reading)
    elif what in ("Linear", "Affine", "Conv2d"):
        _require_finite(name, node, ("weight", "bias"))
        layer = _conv(name, node, shape) if what == "Conv2d" else _linear(name, node, shape)
        pair = unfolded(name, node, shape) if reading.ours else None
        if pair is None:
            yield called, layer
        else:
            yield called, pair[0]
            yield str(told["norm_name"]), pair[1]
    else:
        yield called, _other(name, what, node, shape)


def _linear(name: str, node: Any, shape: Shape) -> Linear:
    weight = to_tensor(node.weight)
    if weight.ndim != 2 or shape != (weight.shape[1],):
        raise InputError(
            f"node '{name}' has weights of shape {tuple(weight.shape)} (out, in), and its input is {shape}"
        )
    return linear(weight, to_tensor(node.bias) if kind(node) == "Affine" else None)


def _conv(name: str, node: Any, shape: Shape) -> nn.Module:
    weight, padding = to_tensor(node.weight), node.padding
    if isinstance(padding, str | bytes):
        word = padding.decode() if isinstance(padding, bytes) else padding
        if word != "valid":
            raise InputError(
                f"node '{name}' has the padding '{word}', which tells no numbers; write it with numbers"
            )
        padding = 0
    groups = int(node.groups)
    if len(shape) != 3 or weight.ndim != 4 or shape[0] != weight.shape[1] * groups:
        raise InputError(
            f"node '{name}' has weights of shape {tuple(weight.shape)} (maps, channels, height, width), and "
            f"its input is {shape}"
        )
    bias = torch.zeros(len(weight)) if node.bias is None else to_tensor(node.bias)
    sides = [pair(value) for value in (node.stride, padding, node.dilation)]
    channels, height, width = shape
    return GraphConv(weight, bias, (channels, height, width), sides[0], sides[1], sides[2], groups)


def _other(name: str, what: str, node: Any, shape: Shape) -> nn.Module:
    if what == "Flatten":
        first, last = int(node.start_dim), int(node.end_dim)
        return nn.Flatten(first + 1 if first >= 0 else first, last + 1 if last >= 0 else last)
    if what == "Scale":
        return Scaled(to_tensor(node.scale))
    if len(shape) != 3:
        raise InputError(f"node '{name}' pools maps (channel, height, width), and its input is {shape}")
    kernel, stride, padding = (pair(value) for value in (node.kernel_size, node.stride, node.padding))
    return SumPool(kernel, stride, padding) if what == "SumPool2d" else nn.AvgPool2d(kernel, stride, padding)


def _neurons(name: str, node: Any, back: Any, shape: Shape, reading: Reading) -> GraphNeurons:
    recurrent = None
    if back is not None:
        _require_finite(name, back, ("weight", "bias"))
        recurrent = _linear(f"{name}' (its recurrent synapses) of '{name}", back, shape)
    told = node.metadata.get("reset")
    reset: GraphReset = told if told in get_args(GraphReset) else reading.reset
    return GraphNeurons(dynamics(name, node, shape, reading.dt), reset, recurrent)


def dynamics(name: str, node: Any, shape: Shape, dt: float) -> Dynamics:
    """Return what a step of ``dt`` does to a node's neurons; see ``neurons.py``.

    Raises:
        InputError: a time constant below ``dt``, or a constant that is no number.
    """
    what = kind(node)

    def spread(value: Any) -> Tensor:
        return torch.broadcast_to(to_tensor(value), shape).clone()

    zeros, ones = torch.zeros(shape), torch.ones(shape)
    if what in ("I", "IF"):  # written in steps where r is 1, as sinabs, norse and snnTorch do
        in_steps = bool(np.all(np.asarray(node.r) == 1))
        decay, gain, rest = ones, ones if in_steps else spread(np.asarray(node.r, np.float64) * dt), zeros
    else:
        tau = node.tau_mem if what.startswith("Cuba") else node.tau
        _require_slow(name, tau, dt)
        decay, gain = spread(decay_of(tau, dt)), spread(gain_of(node.r, tau, dt))
        rest = (1 - decay) * spread(node.v_leak)
    syn_decay, syn_gain = None, ones
    if what.startswith("Cuba"):
        _require_slow(name, node.tau_syn, dt)
        syn_decay = spread(decay_of(node.tau_syn, dt))
        syn_gain = spread(gain_of(node.w_in, node.tau_syn, dt))
    fires = what in ("LIF", "CubaLIF", "IF")
    start = spread(node.v_leak) if hasattr(node, "v_leak") else zeros
    return Dynamics(
        decay, gain, rest, spread(node.v_threshold) if fires else None,
        spread(node.v_reset) if fires else zeros, syn_decay, syn_gain, start,
    )  # fmt: skip


def _require_slow(name: str, tau: Any, dt: float) -> None:
    shortest = float(np.min(tau))
    if not shortest >= dt * (1 - 1e-6):
        raise InputError(
            f"node '{name}' has a time constant of {shortest:g} s, shorter than a step of {dt:g} s; give a "
            "shorter dt"
        )


def _require_finite(name: str, node: Any, fields: tuple[str, ...]) -> None:
    for field in fields:
        value = getattr(node, field, None)
        if value is not None and not np.isfinite(np.asarray(value, np.float64)).all():
            raise InputError(f"node '{name}' holds a {field} that is no finite number")


def _require_shape(name: str, node: Any, shape: Shape) -> None:
    """Raise InputError unless a neuron's constants are numbers, and fit the currents that arrive."""
    for field, value in vars(node).items():
        if not isinstance(value, np.ndarray | float | int):
            continue
        own = np.shape(value)
        if np.size(value) != 1 and own != shape:
            raise InputError(f"node '{name}' has {field} of shape {own}, and its input is {shape}")
        if field != "v_threshold" and not np.isfinite(np.asarray(value, np.float64)).all():
            raise InputError(f"node '{name}' holds a {field} that is no finite number")
        if np.isnan(np.asarray(value, np.float64)).any():
            raise InputError(f"node '{name}' holds a {field} that is no number")
