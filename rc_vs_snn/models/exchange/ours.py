"""Nodes that ``to_nir`` wrote, as the layers they were made of.

Their metadata is believed as far as it makes the node that is there: whoever changes weights, thresholds or
time constants in a file gets what he wrote.
"""

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.exchange.constants import decay_of, time_constant
from rc_vs_snn.models.exchange.writing import folded, to_tensor
from rc_vs_snn.models.layers import (
    Conv,
    Leaky,
    Linear,
    Readout,
    RecurrentLeaky,
    RecurrentSynaptic,
    Synaptic,
)
from rc_vs_snn.models.layers.conv import Stage
from rc_vs_snn.models.layers.norm import FirstStepNorm, Shift
from rc_vs_snn.models.layers.snntorch_neuron import NeuronLayer, Reset, SpikeGrad, Spiking

KINDS = ("Leaky", "Synaptic", "RecurrentLeaky", "RecurrentSynaptic", "Readout")


def unfolded(name: str, node: Any, shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module] | None:
    """Return synapses and their normalisation as they were before they were folded, or None.

    Args:
        name: of the node.
        node: Affine or Conv2d.
        shape: of its input.
    """
    told = node.metadata
    if "weight" not in told or "norm" not in told:
        return None
    weight = to_tensor(told["weight"])
    if tuple(weight.shape) != tuple(node.weight.shape):
        return None
    norm = _norm(told, len(weight))
    again, bias = folded(weight, None, norm)
    if not (torch.equal(again, to_tensor(node.weight)) and bias is not None):
        return None
    if not torch.equal(bias, to_tensor(node.bias)):
        return None
    if weight.ndim == 2:
        return linear(weight, None), norm
    _, _, height, width = weight.shape
    stride = int(np.ravel(node.stride)[0])
    channels, rows, columns = shape
    conv = Conv(Stage((channels, rows, columns), len(weight), (height, width), stride))
    with torch.no_grad():
        conv.weight.copy_(weight)
    return conv, norm


def _norm(told: Mapping[str, Any], width: int) -> nn.Module:
    norm: nn.Module = Shift(width) if told["norm"] == "none" else FirstStepNorm(width)
    state = {name: to_tensor(told[f"norm_{name}"]) for name in norm.state_dict()}
    norm.load_state_dict(state)
    return norm


def linear(weight: Tensor, bias: Tensor | None) -> Linear:
    """Return synapses with these weights ``(out, in)`` and bias ``(out,)``."""
    n_outputs, n_inputs = weight.shape
    layer = Linear(n_inputs, n_outputs, bias=bias is not None, sparse=True, by_source=True)
    with torch.no_grad():
        layer.stored.copy_(weight.t())
        if bias is not None and layer.bias is not None:
            layer.bias.copy_(bias)
    return layer


def our_neurons(name: str, node: Any, back: Any, shape: tuple[int, ...], dt: float) -> nn.Module:
    """Return neurons as the layer they were.

    Args:
        name: of the node.
        node: LIF or CubaLIF whose metadata names the layer.
        back: recurrent synapses, or None.
        shape: of the layer.
        dt: length of a step in seconds.

    Raises:
        InputError: metadata that fits no layer of ours.
    """
    told = node.metadata
    kind = str(told.get("layer"))
    recurrent = kind.startswith("Recurrent")
    if kind not in KINDS or (back is not None) != recurrent:
        raise InputError(f"node '{name}' says it is a layer '{kind}', which it is not; write the graph again")
    _require_plain(name, node, dt)
    tau = node.tau_mem if hasattr(node, "tau_mem") else node.tau
    decay = decays(told.get("decay"), tau, dt)
    if kind == "Readout":
        layer = Readout(shape[0], 0.0, learn_decay=bool(told.get("learn_decay", True)))
        with torch.no_grad():
            layer.decay.copy_(decay)
        return layer
    return _spiking(name, node, back, shape, kind, decay, dt)


def _spiking(
    name: str, node: Any, back: Any, shape: tuple[int, ...], kind: str, decay: Tensor, dt: float
) -> NeuronLayer:
    told = node.metadata
    reset, spike_grad = str(told.get("reset")), str(told.get("spike_grad", "fast-sigmoid"))
    if reset not in get_args(Reset) or spike_grad not in get_args(SpikeGrad):
        raise InputError(f"node '{name}' has the reset '{reset}' and spike_grad '{spike_grad}', unknown here")
    chosen: dict[str, Any] = {
        "spike_grad": spike_grad,
        "slope": float(told.get("slope", 10.0)),
        "reset": reset,
    }
    chosen |= {name: bool(told.get(name, False)) for name in ("learn_decay", "learn_threshold")}
    options = Spiking(**chosen)
    make: dict[str, Any] = {
        "Leaky": lambda: Leaky(shape, options),
        "Synaptic": lambda: Synaptic(shape, options),
        "RecurrentLeaky": lambda: RecurrentLeaky(shape[0], options),
        "RecurrentSynaptic": lambda: RecurrentSynaptic(shape[0], options),
    }
    layer: NeuronLayer = make[kind]()
    with torch.no_grad():
        layer.neuron.beta.copy_(decay)
        layer.neuron.threshold.copy_(_first(node.v_threshold))
        if kind.endswith("Synaptic"):
            layer.neuron.alpha.copy_(decays(told.get("synaptic_decay"), node.tau_syn, dt))
        if back is not None:
            layer.neuron.recurrent.stored.copy_(to_tensor(back.weight).t())
    return layer


def _require_plain(name: str, node: Any, dt: float) -> None:
    """Raise InputError where a node was changed into what none of our layers is."""
    pairs = [("r", "tau_mem"), ("w_in", "tau_syn")] if hasattr(node, "tau_syn") else [("r", "tau")]
    for gain, tau in pairs:
        steps = np.asarray(getattr(node, tau), np.float64) / dt
        if not np.allclose(getattr(node, gain), steps, rtol=1e-6, atol=0):
            raise InputError(f"node '{name}' has {gain} other than {tau} / dt (dt = {dt:g} s); {CHANGED}")
    for field in ("v_leak", "v_reset"):
        if np.any(getattr(node, field)):
            raise InputError(f"node '{name}' has {field} other than 0; {CHANGED}")
    for field in ("v_threshold", *(tau for _, tau in pairs)):
        values = np.asarray(getattr(node, field))
        maps = values.reshape(len(values), -1)
        if (maps != maps[:, :1]).any():
            raise InputError(f"node '{name}' has several {field} in one map; {CHANGED}")


CHANGED = "our layer has not; take the node's metadata away, and it is read as a neuron of NIR"


def decays(told: Any, tau: np.ndarray, dt: float) -> Tensor:
    """Return one decay per neuron or map: what metadata says, if the time constants say the same."""
    first = np.asarray(_first(tau), np.float64)
    if told is not None:
        kept = np.asarray(told, np.float32)
        if kept.shape == first.shape and np.array_equal(time_constant(kept, dt), first):
            return to_tensor(kept)
    return to_tensor(decay_of(first, dt))


def _first(values: np.ndarray) -> Tensor:
    """Return the value of each neuron ``(n,)``, or of each map's first neuron ``(map,)``."""
    flat = np.asarray(values).reshape(len(values), -1)[:, 0]
    return torch.from_numpy(np.array(flat))
