"""A stack of our layers as a NIR graph.

Synapses become ``Linear``, ``Affine`` and ``Conv2d``, with a normalisation that follows folded into them;
neurons ``LIF`` and ``CubaLIF``; recurrent synapses a ``Linear`` from a layer to itself; output neurons, which
integrate and never fire, ``LIF`` with an infinite threshold: no reader of norse, snnTorch and SpikingJelly
knows NIR's integrator ``LI``.

What NIR has no word for lies in the nodes' metadata, which other readers pass over: which reset, and that it
comes with the next step; a surrogate gradient; decays to the bit; weights as they were before a fold.
"""

from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.models.exchange.constants import DT, time_constant
from rc_vs_snn.models.exchange.package import the_nir
from rc_vs_snn.models.layers import (
    Conv,
    Dropout,
    Linear,
    Readout,
    RecurrentLeaky,
    RecurrentSynaptic,
    Synaptic,
)
from rc_vs_snn.models.layers.conv import Images
from rc_vs_snn.models.layers.norm import FirstStepNorm, Shift
from rc_vs_snn.models.layers.snntorch_neuron import NeuronLayer, Surrogate
from rc_vs_snn.models.stack import Stack

FORM = "rc_vs_snn-1"
"""The version of what is written into metadata."""

LeakyForm = Literal["LIF", "CubaLIF"]

RECURRENT = (RecurrentLeaky, RecurrentSynaptic)


def to_nir(model: nn.Module, *, dt: float = DT, leaky: LeakyForm = "LIF") -> Any:
    """Return a spiking network as a ``nir.NIRGraph``.

    Args:
        model: a stack of our layers, of which every one is synapses, neurons, or a normalisation that is an
            affine map at inference.
        dt: length of a step in seconds, by which decays become time constants.
        leaky: what a neuron without a synaptic current becomes: "LIF", which most read; or "CubaLIF" with a
            current that lasts one step, since norse's reader minds r there alone.

    Returns:
        The graph. ``from_nir`` makes the same model of it, to the bit.

    Raises:
        InputError: the model is no such stack, or nir is not installed.
    """
    if not isinstance(model, Stack):
        raise InputError(f"{type(model).__name__} is no stack of our layers, which NIR is written from")
    nir = the_nir()
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    layers = list(model.passed())
    images = next((layer for _, layer in layers if isinstance(layer, Images)), None)
    shape = images.shape if images is not None else (model.n_channels,)
    nodes["input"], last = nir.Input({"input": np.array(shape)}), "input"
    if leaky not in get_args(LeakyForm):
        raise InputError(f"there is no form '{leaky}'; {did_you_mean(str(leaky), get_args(LeakyForm))}")
    for name, node, back in _nodes(layers, tuple(shape), dt, leaky):
        node.metadata |= {"name": name}
        key = f"{name}_neurons" if name in ("input", "output") else name
        nodes[key] = node if back is None else _recurrent(node, back)
        edges.append((last, key))
        last = key
    (n_classes,) = nodes[last].output_type.values()
    nodes["output"] = nir.Output({"output": np.array(n_classes)})
    edges.append((last, "output"))
    metadata = {"form": FORM, "dt": dt, "evidence": model.evidence}
    return nir.NIRGraph(nodes, edges, metadata=metadata, type_check=False)


def _recurrent(node: Any, back: Any) -> Any:
    """Return neurons and their synapses onto themselves as a graph of its own, as snnTorch writes them."""
    nir = the_nir()
    (shape,) = node.input_type.values()
    ends = {"input": nir.Input({"input": shape}), "output": nir.Output({"output": shape})}
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    return nir.NIRGraph({**ends, "lif": node, "w_rec": back}, edges)


def _nodes(
    layers: list[tuple[str, nn.Module]], shape: tuple[int, ...], dt: float, leaky: LeakyForm
) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, node and recurrent synapses (or None) of each layer that is one."""
    nir = the_nir()
    folded = ""
    for (name, layer), (after_name, after) in zip(layers, [*layers[1:], ("", None)], strict=True):
        node = back = None
        if isinstance(layer, Linear | Conv):
            has_norm = isinstance(after, FirstStepNorm | Shift)
            node = synapses_node(layer, after if has_norm else None, shape)
            if has_norm:
                node.metadata["norm_name"] = folded = after_name
        elif isinstance(layer, NeuronLayer):
            node = neurons_node(layer, dt, leaky)
            if isinstance(layer, RECURRENT):
                back = nir.Linear(array(layer.recurrent.weight))
        elif isinstance(layer, Readout):
            node = readout_node(layer, dt, leaky)
        elif type(layer) is nn.Flatten:
            node = nir.Flatten({"input": np.array(shape)}, 0, -1)
        elif name != folded and not isinstance(layer, Dropout | Images):
            raise InputError(
                f"layer '{name}' ({type(layer).__name__}) has no form in NIR: it takes spiking networks, of "
                "Linear, Conv, Leaky, Synaptic and their recurrent kinds, Readout and batch normalisation"
            )
        if node is not None:
            shape = tuple(int(side) for side in node.output_type["output"])
            yield name, node, back


def synapses_node(layer: Linear | Conv, norm: nn.Module | None, shape: tuple[int, ...]) -> Any:
    """Return synapses as a node, the normalisation behind them folded in.

    Args:
        layer: the synapses.
        norm: what normalises their currents, or None.
        shape: of their input.
    """
    nir = the_nir()
    weight, bias = folded(layer.weight, layer.bias, norm)
    told = {} if norm is None else {"weight": array(layer.weight), **_told(norm)}
    if isinstance(layer, Conv):
        stage = layer.stage
        sides = [np.array(side) for side in (layer.stride, layer.padding, layer.dilation)]
        zeros = np.zeros(stage.maps, np.float32)
        node = nir.Conv2d(
            shape[1:], array(weight), *sides, 1, zeros if bias is None else array(bias), metadata=told
        )
        # nir 1.0.8 takes kernels for square
        node.output_type = {"output": np.array(stage.outputs)}
        return node
    if bias is None:
        return nir.Linear(array(weight), metadata=told)
    return nir.Affine(array(weight), array(bias), metadata=told)


def folded(weight: Tensor, bias: Tensor | None, norm: nn.Module | None) -> tuple[Tensor, Tensor | None]:
    """Return weights and bias that give the currents that ``norm`` makes of those of ``weight`` and ``bias``.

    Per target, norm(I) = scale (I - mean) + shift.
    """
    if norm is None:
        return weight.detach(), None if bias is None else bias.detach()
    own = weight.new_zeros(len(weight)) if bias is None else bias.detach()
    if isinstance(norm, Shift):
        return weight.detach(), own + norm.bias.detach()
    assert isinstance(norm, FirstStepNorm)
    mean, shift, scale = norm.running_mean.double(), norm.bias.detach().double(), norm.scale()
    aligned = scale.view(-1, *[1] * (weight.ndim - 1))
    return (weight.detach() * aligned).float(), (scale * (own - mean) + shift).float()


def _told(norm: nn.Module) -> dict[str, Any]:
    kept = {f"norm_{name}": array(value) for name, value in norm.state_dict().items()}
    return {"norm": "none" if isinstance(norm, Shift) else "batch", **kept}


def neurons_node(layer: NeuronLayer, dt: float, leaky: LeakyForm) -> Any:
    """Return neurons as a node, every constant of the layer's shape."""
    neuron = layer.neuron
    beta = array(neuron.beta)
    threshold = _spread(array(neuron.threshold), layer.shape).astype(np.float64)
    surrogate = neuron.spike_grad
    told: dict[str, Any] = {
        "layer": type(layer).__name__, "reset": neuron.reset_mechanism, "reset_at": "next step",
        "decay": beta,
        "learn_decay": isinstance(neuron.beta, nn.Parameter),
        "learn_threshold": isinstance(neuron.threshold, nn.Parameter),
    }  # fmt: skip
    if isinstance(surrogate, Surrogate):
        told |= {"spike_grad": surrogate.name, "slope": float(surrogate.slope)}
    alpha = None
    if isinstance(layer, Synaptic | RecurrentSynaptic):
        told["synaptic_decay"] = array(neuron.alpha)
        alpha = _spread(told["synaptic_decay"], layer.shape)
    elif leaky == "CubaLIF":
        alpha = np.zeros(layer.shape)
    return _neurons(_spread(beta, layer.shape), alpha, threshold, dt, told)


def readout_node(layer: Readout, dt: float, leaky: LeakyForm) -> Any:
    """Return output neurons as a node: they integrate, and never fire."""
    decay = array(layer.decay)
    never = np.full(decay.shape, np.inf)
    learned = isinstance(layer.decay, nn.Parameter)
    told = {"layer": "Readout", "reset": "none", "decay": decay, "learn_decay": learned}
    return _neurons(decay, np.zeros(decay.shape) if leaky == "CubaLIF" else None, never, dt, told)


def _neurons(
    decay: np.ndarray, syn_decay: np.ndarray | None, threshold: np.ndarray, dt: float, told: dict[str, Any]
) -> Any:
    """Return LIF, or of neurons with a synaptic current CubaLIF."""
    nir, tau = the_nir(), time_constant(decay, dt)
    zeros = np.zeros_like(tau)
    others = {"r": tau / dt, "v_leak": zeros, "v_threshold": threshold, "v_reset": zeros, "metadata": told}
    if syn_decay is None:
        return nir.LIF(tau=tau, **others)
    tau_syn = time_constant(syn_decay, dt)
    return nir.CubaLIF(tau_syn=tau_syn, tau_mem=tau, w_in=tau_syn / dt, **others)


def _spread(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return one value per neuron or map as one per neuron."""
    return np.broadcast_to(values.reshape(-1, *[1] * (len(shape) - 1)), shape).copy()


def array(tensor: Tensor) -> np.ndarray:
    """Return a copy of a tensor that lies as it is indexed."""
    return np.array(tensor.detach().cpu().numpy(), order="C")


def to_tensor(value: Any) -> Tensor:
    """Return an array as float32."""
    return torch.from_numpy(np.array(value, dtype=np.float32))
