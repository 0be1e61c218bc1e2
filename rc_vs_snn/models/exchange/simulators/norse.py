"""Graphs in norse.

Its reader takes the r of a ``LIF`` for 1 and a spike's reset for "zero". Put right, a layer is norse's own
integrator ``LIBoxCell`` and threshold; what a spike takes from its membrane comes in with the next step's
current, as an inhibition of its own.
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
    clears,
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
    """Read a graph by norse's own reader."""
    norse = package("norse.torch")
    with reading("norse"):
        net = with_batch(norse.from_nir(copied(graph), ignore_warnings=True, dt=dt))
        return Simulation("norse", net, layers_in(net, graph), _told)


def put_right(graph: Any, dt: float) -> Simulation:
    """Return a graph in norse's own cells, set as its metadata says."""
    nir, nirtorch = package("nir"), package("nirtorch")
    package("norse.torch")
    with reading("norse"):
        straight, backs = straightened(graph)

        def cell(node: Any) -> nn.Module:
            return Cell(node, backs.get(id(node)), dt)

        kinds = {**torch_synapses(), nir.LIF: cell, nir.CubaLIF: cell}
        net = with_batch(nirtorch.nir_to_torch(straight, kinds))
        return Simulation("norse", net, layers_in(net, graph), _told)


def _told(layer: nn.Module, returned: Any) -> Told:
    spikes, state = returned
    if isinstance(layer, Cell):
        return spikes, state[1].v
    return spikes, (state if hasattr(state, "v") else state[1]).v


class Cell(nn.Module):
    """norse's integrator, threshold and reset, one after the other.

    Args:
        node: LIF or CubaLIF.
        back: recurrent synapses, or None.
        dt: length of a step in seconds.
    """

    def __init__(self, node: Any, back: Any, dt: float) -> None:
        super().__init__()
        box = package("norse.torch.module.leaky_integrator_box")

        def integrator(tau: Any) -> nn.Module:
            return box.LIBoxCell(box.LIBoxParameters(1 / to_tensor(tau), to_tensor(node.v_leak)), dt=dt)

        is_cuba = kind(node) == "CubaLIF"
        self.synapse = integrator(node.tau_syn) if is_cuba else None
        self.membrane = integrator(node.tau_mem if is_cuba else node.tau)
        self.recurrent = None if back is None else linear(back)
        self.w_in = to_tensor(node.w_in if is_cuba else 1)
        self.r, self.threshold, self.v_reset = map(to_tensor, (node.r, node.v_threshold, node.v_reset))
        self.never = bool(torch.isinf(self.threshold).all())
        self.reset, self.waits, self.clears = reset_of(node), waits(node), clears(node)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return spikes, and currents, membranes and spikes as state."""
        threshold = package("norse.torch.functional.threshold").threshold
        syn, mem, fired = (None, None, torch.zeros_like(x)) if state is None else state
        if self.recurrent is not None:
            x = x + self.recurrent(fired)
        if self.synapse is not None:
            x, syn = self.synapse(self.w_in * x, syn)
        x = self.r * x
        if self.waits and self.reset == "subtract":
            x = x - self.r * fired * self.threshold
        v, mem = self.membrane(x, mem)
        if self.clears:
            mem = mem._replace(v=v * (1 - fired))
        if self.never:
            return torch.zeros_like(mem.v), (syn, mem, torch.zeros_like(mem.v))
        spikes = threshold(mem.v - self.threshold, "heaviside", 0.0)
        return spikes, (syn, mem._replace(v=self._reset(mem.v, spikes)), spikes)

    def _reset(self, v: Tensor, spikes: Tensor) -> Tensor:
        """Return membranes after what a spike does at once."""
        if self.clears or (self.waits and self.reset == "subtract"):
            return v
        after = self.v_reset if self.reset == "zero" else v - (self.threshold - self.v_reset)
        return torch.where(spikes > 0, after, v)


def losses(graph: Any) -> list[Lost]:
    """See ``Simulator``."""
    found = []
    for name, node, _ in neuron_links(graph):
        if kind(node) == "LIF" and (node.r != 1).any():
            found.append(Lost(name, "r is taken for 1: currents come in too small, each by its 1 - decay"))
        if kind(node) in ("LI", "CubaLI", "I"):
            found.append(Lost(name, f"there is no {kind(node)}"))
    return found + reset_lost(graph)


NORSE = Simulator("norse", read, put_right, losses)
