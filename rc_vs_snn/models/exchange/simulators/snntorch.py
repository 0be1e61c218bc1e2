"""Graphs in snnTorch.

Its reader makes every reset "zero", at once. Put right, its neurons reset as they do by default: with the
next step.
"""

from typing import Any

import torch
from torch import Tensor, nn

from rc_vs_snn.models.exchange.constants import decay_of, gain_of
from rc_vs_snn.models.exchange.graphs import kind
from rc_vs_snn.models.exchange.simulators.running import (
    Lost,
    Simulation,
    Simulator,
    Told,
    copied,
    layers_in,
    linear,
    neuron_links,
    package,
    reading,
    reset_lost,
    reset_of,
    straightened,
    torch_synapses,
    waits,
    with_batch,
)
from rc_vs_snn.models.exchange.writing import to_tensor


def read(graph: Any, dt: float) -> Simulation:
    """Read a graph by snnTorch's own reader, for which a step is 1e-4 s long."""
    snn = package("snntorch")
    reader = package("snntorch.import_nir")
    before = list(snn.SpikingNeuron.instances)
    try:
        with reading("snntorch"):
            net = with_batch(reader.import_from_nir(copied(graph)))
            return Simulation("snntorch", net, layers_in(net, graph), _told, _forget)
    finally:
        snn.SpikingNeuron.instances[:] = before  # it would keep every network of the process alive


def put_right(graph: Any, dt: float) -> Simulation:
    """Return a graph in snnTorch's own neurons, set as its metadata says."""
    nir, nirtorch, snn = package("nir"), package("nirtorch"), package("snntorch")
    before = list(snn.SpikingNeuron.instances)
    try:
        with reading("snntorch"):
            straight, backs = straightened(graph)

            def neuron(node: Any) -> nn.Module:
                return _neuron(node, backs.get(id(node)), dt)

            kinds = dict.fromkeys((nir.LIF, nir.CubaLIF, nir.IF), neuron)
            net = with_batch(nirtorch.nir_to_torch(straight, {**torch_synapses(), **kinds}))
            return Simulation("snntorch", net, layers_in(net, graph), _told, _forget)
    finally:
        snn.SpikingNeuron.instances[:] = before


def _neuron(node: Any, back: Any, dt: float) -> nn.Module:
    """Return snnTorch's neuron of a node."""
    snn = package("snntorch")
    is_cuba = kind(node) == "CubaLIF" and (node.tau_syn > dt).any()  # else its current lasts one step
    tau: Any = getattr(node, "tau_mem", getattr(node, "tau", None))
    options: dict[str, Any] = {
        "beta": 1.0 if tau is None else torch.from_numpy(decay_of(tau, dt)),
        "threshold": to_tensor(node.v_threshold),
        "reset_mechanism": reset_of(node),
        "reset_delay": waits(node),
        "init_hidden": True,
    }
    if is_cuba:
        options["alpha"] = torch.from_numpy(decay_of(node.tau_syn, dt))
    if back is not None and waits(node):
        make = snn.RSynaptic if is_cuba else snn.RLeaky
        found = make(all_to_all=True, linear_features=len(back.weight), **options)
        synapses = linear(back)
        if synapses.bias is None:  # its own synapses always have one
            synapses.bias = nn.Parameter(torch.zeros(len(back.weight)))
        found.recurrent = synapses
    else:
        found = snn.Synaptic(**options) if is_cuba else snn.Leaky(**options)
        if back is not None:
            found = Recurrent(found, linear(back))
    if is_cuba:
        return Scaling(found, to_tensor(gain_of(node.w_in, node.tau_syn, dt)))
    return Scaling(found, to_tensor(1 if tau is None else gain_of(node.r, tau, dt)))


class Recurrent(nn.Module):
    """A neuron that resets at once, with recurrent synapses: snnTorch 1.0's ``RSynaptic`` does not reset so.

    Args:
        neuron: Leaky or Synaptic.
        synapses: of its spikes onto itself.
    """

    def __init__(self, neuron: nn.Module, synapses: nn.Module) -> None:
        super().__init__()
        self.neuron, self.synapses = neuron, synapses
        self.spk = torch.zeros(0)

    @property
    def mem(self) -> Tensor:
        """Membranes."""
        return self.neuron.mem  # type: ignore[return-value]

    def forward(self, x: Tensor) -> Tensor:
        """Return spikes."""
        fired = self.spk if self.spk.shape == x.shape else torch.zeros_like(x)
        self.spk = self.neuron(x + self.synapses(fired))
        return self.spk


class Scaling(nn.Module):
    """A neuron whose currents are scaled on their way in, as r and w_in say.

    Args:
        neuron: the neuron.
        gain: factor of a current.
    """

    def __init__(self, neuron: nn.Module, gain: Tensor) -> None:
        super().__init__()
        self.neuron, self.gain = neuron, gain

    @property
    def mem(self) -> Tensor:
        """Membranes."""
        return self.neuron.mem  # type: ignore[return-value]

    def forward(self, x: Tensor) -> Tensor:
        """Return spikes."""
        return self.neuron(self.gain * x)


def _told(layer: nn.Module, returned: Any) -> Told:
    membrane: Tensor = layer.mem  # type: ignore[assignment]
    return returned, membrane


def _forget(layer: nn.Module) -> None:
    for part in layer.modules():
        for name in ("syn", "spk") if isinstance(part, Recurrent | Scaling) else ("mem", "syn", "spk"):
            if hasattr(part, name):
                setattr(part, name, torch.zeros(0))


def losses(graph: Any) -> list[Lost]:
    """See ``Simulator``."""
    found = []
    for name, node, back in neuron_links(graph):
        if kind(node) in ("LI", "CubaLI", "I"):
            found.append(Lost(name, f"there is no {kind(node)}"))
        if kind(node) == "IF":
            found.append(Lost(name, "an IF becomes a leaky neuron of decay 0.9"))
        if back is not None:
            found.append(Lost(name, "recurrent spikes come back through nirtorch, and not through RLeaky"))
    return found + reset_lost(graph)


SNNTORCH = Simulator("snntorch", read, put_right, losses)
