"""Graphs in SpikingJelly, whose reader takes one time constant and one threshold a layer.

It fires where a membrane is at its threshold, too, where NIR, norse, snnTorch and we ask for more.
"""

from typing import Any

import numpy as np
from torch import nn

from rc_vs_snn.models.exchange.graphs import kind
from rc_vs_snn.models.exchange.simulators.running import (
    Lost,
    Simulation,
    Simulator,
    Told,
    copied,
    layers_in,
    neuron_links,
    package,
    reading,
    reset_lost,
)


def read(graph: Any, dt: float) -> Simulation:
    """Read a graph by SpikingJelly's own reader."""
    exchange = package("spikingjelly.activation_based.nir_exchange")
    with reading("spikingjelly"):
        net = exchange.import_from_nir(copied(graph), dt=dt)
        return Simulation("spikingjelly", net, layers_in(net, graph), _told)


def _told(layer: nn.Module, returned: Any) -> Told:
    spikes, states = returned
    return spikes, states[0]


def losses(graph: Any) -> list[Lost]:
    """See ``Simulator``."""
    found = []
    for name, node, _ in neuron_links(graph):
        if kind(node) in ("LI", "CubaLI", "I"):
            found.append(Lost(name, f"there is no {kind(node)}"))
        several = [
            field for field in ("tau", "tau_mem", "tau_syn", "v_threshold")
            if hasattr(node, field) and np.unique(getattr(node, field)).size > 1
        ]  # fmt: skip
        if several:
            found.append(Lost(name, f"one {several[0]} a layer is all it takes, this has one a neuron"))
    return found + reset_lost(graph)


SPIKINGJELLY = Simulator("spikingjelly", read, None, losses)
