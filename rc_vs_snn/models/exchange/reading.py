"""A NIR graph as a model of ours."""

import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import nn

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.errors import InputError, blamed, did_you_mean
from rc_vs_snn.models.adapters.forms import Over
from rc_vs_snn.models.exchange.building import Reading, layers_of
from rc_vs_snn.models.exchange.constants import DT
from rc_vs_snn.models.exchange.graphs import Link, chain, kind, read_graph
from rc_vs_snn.models.exchange.neurons import GraphReset, Total
from rc_vs_snn.models.exchange.synapses import GraphInput
from rc_vs_snn.models.exchange.writing import FORM
from rc_vs_snn.models.stack import Stack


def from_nir(
    source: Any,
    *,
    dt: float | None = None,
    reset: GraphReset = "zero",
    over: Over = "each",
    evidence: EvidenceKind | None = None,
) -> Stack:
    """Return a NIR graph as a model of ours, which ``judge``, ``Decider`` and the rules take.

    A graph that ``to_nir`` wrote becomes the layers it was made of, to the bit. Of another one neurons step
    as NIR's equations say, in Euler steps of ``dt``; see ``models/exchange/neurons.py``.

    Args:
        source: a ``.nir`` file, or a ``nir.NIRGraph``.
        dt: length of a step in seconds (None: what the graph says, else 1e-4). An ``IF`` or ``I`` whose r
            is 1 is in steps, whatever ``dt``.
        reset: what a spike of a neuron from elsewhere does to its membrane: sets it to v_reset ("zero", as
            NIR says), or subtracts v_threshold - v_reset ("subtract"); where its metadata does not say.
        over: the readout of a step is the output's own, or the "sum" (spike counts) or "mean" up to it.
        evidence: what the rule reads of it (None: what the graph says, else "membrane": the readout itself).

    Returns:
        The model, in eval mode.

    Raises:
        InputError: no such file, a damaged one, a node or a connection that we cannot express, or nir is not
            installed.
    """
    for value, allowed in ((reset, GraphReset), (over, Over), (evidence or "membrane", EvidenceKind)):
        if value not in get_args(allowed):
            raise InputError(f"there is no '{value}'; {did_you_mean(str(value), get_args(allowed))}")
    graph = read_graph(source) if isinstance(source, str | Path) else source
    if kind(graph) != "NIRGraph":
        raise InputError(f"a graph is a .nir file or a nir.NIRGraph, got {type(graph).__name__}")
    told = graph.metadata if isinstance(graph.metadata, dict) else {}
    form = str(told.get("form", ""))
    if form.startswith("rc_vs_snn") and form != FORM:
        raise InputError(f"the graph is in the form {form}, this version reads {FORM}; update rc_vs_snn")
    ours = form == FORM
    with blamed("the graph's dt"):
        step = float(told["dt"]) if dt is None and ours else DT if dt is None else float(dt)
    if not (math.isfinite(step) and step > 0):
        raise InputError(f"dt must be a number of seconds above 0, got {step:g}")
    with blamed("the graph"):
        links = chain(graph)
    layers, layout, width = _layers(links, Reading(step, reset, ours))
    if over != "each":
        layers["total"] = Total(width, over == "mean")
    reads: Any = evidence or (told.get("evidence") if ours else None) or "membrane"
    if reads not in get_args(EvidenceKind):
        raise InputError(f"the graph says its evidence is {reads!r}; say another")
    model = Stack(layers, layout=layout, evidence=reads)
    if next(model.parameters(), None) is None:
        raise InputError("the graph holds no synapses")
    model.origin = Path(source).name if isinstance(source, str | Path) else str(told.get("label") or "graph")
    return model.eval()


def _layers(links: list[Link], reading: Reading) -> tuple[dict[str, nn.Module], tuple[int, ...], int]:
    """Return the layers by name, the shape of the input, and the number of classes."""
    layout = _input_shape(links[0])
    shape = layout
    layers: dict[str, nn.Module] = {"graph_input": GraphInput(layout)}
    for link in links[1:-1]:
        with blamed(f"node '{link.name}'"):
            made = list(layers_of(link, shape, reading))
        for name, layer in made:
            key = _key(name, layers)
            layers[key] = layer
            shape = _shape_after(link.name, layer, shape)
    if len(shape) != 1:
        raise InputError(f"the graph's output has the shape {shape}; a readout is one number per class")
    return layers, layout, shape[0]


def _input_shape(link: Link) -> tuple[int, ...]:
    told = link.node.input_type.get("input") if isinstance(link.node.input_type, dict) else None
    if told is None or np.size(told) == 0 or any(side is None for side in np.ravel(told).tolist()):
        raise InputError(f"node '{link.name}' does not say what shape the input has")
    with blamed(f"node '{link.name}'"):
        shape = tuple(int(side) for side in np.ravel(told).tolist())
    if min(shape) < 1:
        raise InputError(f"node '{link.name}' says the input has the shape {shape}")
    return shape


def _shape_after(name: str, layer: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of what a layer that keeps nothing makes of one sample of zeros."""
    if hasattr(layer, "initial_state"):
        return shape
    try:
        with torch.no_grad():
            return tuple(layer(torch.zeros(1, *shape)).shape[1:])
    except Exception as error:
        told = " ".join(str(error).split())[:120]
        raise InputError(f"node '{name}' does not fit its input of shape {shape}: {told}") from error


def _key(name: str, taken: dict[str, nn.Module]) -> str:
    """Return a name that torch takes for a layer, and no other layer has."""
    key = name.replace(".", "_") or "node"
    if hasattr(nn.ModuleDict, key) or key in taken:
        key = f"node_{key}"
    if key in taken:
        raise InputError(f"two nodes are called '{name}'")
    return key
