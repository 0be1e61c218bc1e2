"""Spiking networks in the forms of others: NIR, the graph that simulators and hardware exchange."""

from rc_vs_snn.models.exchange.graphs import read_graph
from rc_vs_snn.models.exchange.reading import from_nir
from rc_vs_snn.models.exchange.writing import to_nir

__all__ = ["from_nir", "read_graph", "to_nir"]
