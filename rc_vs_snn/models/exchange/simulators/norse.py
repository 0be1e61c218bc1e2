"""Graphs in norse.

Its reader takes the r of a ``LIF`` for 1 and a spike's reset for "zero". Put right, a layer is norse's own
integrator ``LIBoxCell`` and threshold; what a spike takes from its membrane comes in with the next step's
current, as an inhibition of its own.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from rc_vs_snn.models.exchange.graphs import kind
from rc_vs_snn.models.exchange.simulators.running import (
    Lost,
    Simulation,
    Simulator,
    Told,
    clears,
    copied,
    layer_in,
    neuron_links,
    package,
    reading,
    reset_lost,
    reset_of,
    torch_synapses,
    waits,
    with_batch,
)
from rc_vs_snn.models.exchange.writing import to_tensor


def read(graph: Any, dt: float) -> Simulation:
    """Read a graph by norse's own reader."""
    norse = package("norse.torch")
    with reading("norse"):
        net = with_batch(norse.from_nir(copied(graph), ignore_warnings=True, dt=dt))
    return Simulation(net, _found(net, graph), _told)


def put_right(graph: Any, dt: float) -> Simulation:
    """Return a graph in norse's own cells, set as its metadata says."""
    nir, nirtorch = package("nir"), package("nirtorch")
    package("norse.torch")
    make = partial(Cell, dt=dt)
    with reading("norse"):
        cells = {nir.LIF: make, nir.CubaLIF: make}
        net = with_batch(nirtorch.nir_to_torch(copied(graph), {**torch_synapses(), **cells}))
    return Simulation(net, _found(net, graph), _told)


def _found(net: nn.Module, graph: Any) -> dict[str, nn.Module]:
    return {link.name: layer_in(net, link.name) for link in neuron_links(graph)}


def _told(layer: nn.Module, returned: Any) -> Told:
    spikes, state = returned
    if isinstance(layer, Cell):
        return spikes, state[1].v
    return spikes, (state if hasattr(state, "v") else state[1]).v


class Cell(nn.Module):
    """norse's integrator, threshold and reset, one after the other.

    Args:
        node: LIF or CubaLIF.
        dt: length of a step in seconds.
    """

    def __init__(self, node: Any, dt: float) -> None:
        super().__init__()
        box = package("norse.torch.module.leaky_integrator_box")

        def integrator(tau: Any) -> nn.Module:
            return box.LIBoxCell(box.LIBoxParameters(1 / to_tensor(tau), to_tensor(node.v_leak)), dt=dt)

        is_cuba = kind(node) == "CubaLIF"
        self.synapse = integrator(node.tau_syn) if is_cuba else None
        self.membrane = integrator(node.tau_mem if is_cuba else node.tau)
        self.w_in = to_tensor(node.w_in) if is_cuba else None
        self.r, self.threshold, self.v_reset = map(to_tensor, (node.r, node.v_threshold, node.v_reset))
        self.never = bool(torch.isinf(self.threshold).all())
        self.reset, self.waits = reset_of(node), waits(node)
        self.clears = clears(node)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return spikes, and currents, membranes and spikes as state."""
        threshold = package("norse.torch.functional.threshold").threshold
        syn, mem, fired = (None, None, torch.zeros_like(x)) if state is None else state
        if self.synapse is not None:
            x, syn = self.synapse(self.w_in * x, syn)
        if self.waits and self.reset == "subtract":
            x = x - fired * self.threshold
        v, mem = self.membrane(self.r * x, mem)
        if self.clears:
            mem = mem._replace(v=v * (1 - fired))
        if self.never:
            return torch.zeros_like(mem.v), (syn, mem, torch.zeros_like(mem.v))
        spikes = threshold(mem.v - self.threshold, "heaviside", 0.0)
        if self.reset == "zero" and not self.clears:
            mem = mem._replace(v=torch.where(spikes > 0, self.v_reset, mem.v))
        return spikes, (syn, mem, spikes)


def losses(graph: Any) -> list[Lost]:
    """See ``Simulator``."""
    found = []
    for name, node, _ in neuron_links(graph):
        if kind(node) == "LIF" and (node.r != 1).any():
            found.append(Lost(name, "r is taken for 1: currents come in too small, each by its 1 - decay", True))
        if kind(node) in ("LI", "CubaLI", "I"):
            found.append(Lost(name, f"there is no {kind(node)}", False))
    return found + reset_lost(graph)


NORSE = Simulator("norse", read, put_right, losses)
