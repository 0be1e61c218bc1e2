"""Graphs in snnTorch.

Its reader makes every reset "zero", at once. Put right, its neurons reset as they do by default: with the next
step.
"""

from typing import Any

import torch
from torch import Tensor, nn

from rc_vs_snn.models.exchange.graphs import kind
from rc_vs_snn.models.exchange.simulators.running import (
    Lost,
    Simulation,
    Simulator,
    Told,
    copied,
    neuron_links,
    package,
    reading,
    reset_lost,
    reset_of,
    waits,
    with_batch,
)
from rc_vs_snn.models.exchange.writing import to_tensor


def read(graph: Any, dt: float) -> Simulation:
    """Read a graph by snnTorch's own reader, for which a step is 1e-4 s long."""
    snn = package("snntorch")
    reader = package("snntorch.import_nir")
    before = list(snn.SpikingNeuron.instances)
    with reading("snntorch"):
        net = with_batch(reader.import_from_nir(copied(graph)))
    snn.SpikingNeuron.instances[:] = before  # it would keep every network of the process alive
    found = {link.name: _layer_in(net, link.name) for link in neuron_links(graph)}
    return Simulation(net, found, _told, _forget)


def put_right(graph: Any, dt: float) -> Simulation:
    """Return a graph in snnTorch's own neurons, set as its metadata says."""
    snn = package("snntorch")
    reader = package("snntorch.import_nir")
    before = list(snn.SpikingNeuron.instances)
    with reading("snntorch"):
        net = with_batch(reader.import_from_nir(copied(graph)))
        found = {}
        for name, node, back in neuron_links(graph):
            read_as: Any = _layer_in(net, name)
            layer = read_as if back is None and not told(node) else _again(read_as, node, back)
            found[name] = layer
            key = name.split(".")[0]
            setattr(net, key, layer if back is None else _Passing(layer))
    snn.SpikingNeuron.instances[:] = before
    return Simulation(net, found, _told, _forget)


def _again(neuron: Any, node: Any, back: Any) -> nn.Module:
    """Return a neuron with the reset, and with the recurrent synapses, of its node."""
    snn = package("snntorch")
    options: dict[str, Any] = {"alpha": neuron.alpha} if hasattr(neuron, "alpha") else {}
    make = snn.Synaptic if options else snn.Leaky
    if back is not None:
        make = snn.RSynaptic if options else snn.RLeaky
        options |= {"all_to_all": True, "linear_features": len(back.weight)}
    found = make(
        beta=neuron.beta, threshold=neuron.threshold, reset_mechanism=reset_of(node), init_hidden=True,
        reset_delay=waits(node), **options,
    )  # fmt: skip
    if back is not None:
        bias = getattr(back, "bias", None)
        found.recurrent.weight.data = to_tensor(back.weight)
        found.recurrent.bias.data = torch.zeros(len(back.weight)) if bias is None else to_tensor(bias)
    return found.eval()


class _Passing(nn.Module):
    """A neuron that keeps its own state, in the place of a graph that is handed one."""

    def __init__(self, neuron: nn.Module) -> None:
        super().__init__()
        self.neuron = neuron

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return spikes, and the state as it is."""
        return self.neuron(x), state


def told(node: Any) -> bool:
    """Return whether a node's metadata names a reset."""
    return "reset" in node.metadata


def _layer_in(net: Any, name: str) -> nn.Module:
    """Return a layer; snnTorch's reader puts what recurs into a graph named by what stands before the dot."""
    head, _, tail = name.partition(".")
    inner = getattr(net, head)
    if not tail:
        return inner
    return getattr(inner, tail, None) or getattr(inner, name.replace(".", "_"))


def _told(layer: nn.Module, returned: Any) -> Told:
    return returned, layer.mem  # type: ignore[return-value]


def _forget(layer: nn.Module) -> None:
    for name in ("mem", "syn", "spk"):
        if hasattr(layer, name):
            setattr(layer, name, torch.zeros(0))


def losses(graph: Any) -> list[Lost]:
    """See ``Simulator``."""
    found = []
    for name, node, _ in neuron_links(graph):
        if kind(node) in ("LI", "CubaLI", "I"):
            found.append(Lost(name, f"there is no {kind(node)}", False))
        if kind(node) == "IF":
            found.append(Lost(name, "an IF becomes a leaky neuron of decay 0.9", False))
    return found + reset_lost(graph)


SNNTORCH = Simulator("snntorch", read, put_right, losses)
