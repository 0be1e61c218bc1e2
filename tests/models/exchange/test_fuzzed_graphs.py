"""Graphs that somebody or something has changed are read, or refused in one line; nothing else."""

import copy
import random

import nir
import numpy as np
import pytest
import torch
from exchange_nets import NETS, net

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.exchange import from_nir, to_nir

VALUES = [
    None, "x", b"y", np.zeros(0), np.zeros((2, 3)), np.float64(3), np.nan, np.array(np.inf), -1, 0, 10**9, {},
    [1, 2], np.array(["a"]), True, np.int64(-5), np.full(5, np.nan),
]  # fmt: skip


def nodes(graph):
    for name, node in graph.nodes.items():
        yield graph, name, node
        if isinstance(node, nir.NIRGraph):
            yield from nodes(node)


def change(graph, draws):
    inside, name, node = draws.choice(list(nodes(graph)))
    kind = draws.choice(["field", "field", "told", "gone", "edge"])
    if kind == "field":
        fields = [each for each in vars(node) if each not in ("nodes", "edges")]
        setattr(node, draws.choice(fields), draws.choice(VALUES))
    elif kind == "told" and isinstance(node.metadata, dict) and node.metadata:
        key = draws.choice(list(node.metadata))
        node.metadata[key] = draws.choice(VALUES)
        if draws.random() < 0.4:
            del node.metadata[key]
    elif kind == "gone":
        del inside.nodes[name]
    else:
        inside.edges.append((name, draws.choice(list(inside.nodes))))


def is_read(source):
    """Return whether a graph is read and steps; it may be refused, in one line."""
    try:
        model = from_nir(source, over="sum")
    except InputError as error:
        if "\n" in str(error):
            pytest.fail(f"not one line: {error}")
        return False
    with torch.no_grad():
        model.step(torch.zeros(2, model.n_channels), model.initial_state(2, "cpu"))
    return True


def test_changed_nodes_edges_and_metadata():
    draws = random.Random(0)
    graphs = [to_nir(net(name), leaky=leaky) for name in NETS for leaky in ("LIF", "CubaLIF")]
    found = []
    for _ in range(300):
        graph = copy.deepcopy(draws.choice(graphs))
        change(graph, draws)
        found.append(is_read(graph))
    assert 30 < sum(found) < 270


def test_changed_bytes(tmp_path):
    draws = random.Random(0)
    path = tmp_path / "net.nir"
    nir.write(path, to_nir(net("recurrent synaptic, zero")))
    whole = path.read_bytes()
    found = []
    for _ in range(60):
        changed = bytearray(whole)
        for _ in range(draws.choice([1, 5, 20])):
            changed[draws.randrange(len(changed))] = draws.randrange(256)
        path.write_bytes(changed)
        found.append(is_read(path))
    assert 0 < sum(found) < 60
