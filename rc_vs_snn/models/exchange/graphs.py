"""NIR graphs as files, and as chains of nodes: what our stacks are."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.exchange.package import the_nir

NEURONS = ("LIF", "CubaLIF", "IF", "LI", "CubaLI", "I")
SYNAPSES = ("Linear", "Affine")
ENDS = ("Input", "Output")


class Link(NamedTuple):
    """A node of a chain.

    Attributes:
        name: its name in the graph.
        node: the node.
        back: synapses of its spikes onto itself, one step later, or None.
    """

    name: str
    node: Any
    back: Any


def read_graph(path: Path | str) -> Any:
    """Return the graph of a ``.nir`` file.

    Raises:
        InputError: there is no such file, it is damaged or no NIR graph, or nir is not installed.
    """
    nir = the_nir()
    if not Path(path).is_file():
        raise InputError(f"cannot read {path}: there is no such file")
    try:
        return nir.read(str(path), type_check=False)
    except Exception as error:  # HDF5 and nir raise errors of many kinds
        told = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(
            f"{path} is no NIR graph that can be read ({told}); it may be damaged, or of another version"
        ) from error


def kind(node: Any) -> str:
    """Return what a node is, such as "LIF"."""
    return type(node).__name__


def chain(graph: Any) -> list[Link]:
    """Return a graph's nodes from its input to its output.

    Graphs in graphs are opened first. Synapses between a layer of neurons and itself belong to that layer.

    Raises:
        InputError: another form than a chain of such layers.
    """
    nodes, edges = _opened(graph)
    after, before = defaultdict(list), defaultdict(list)
    for source, target in edges:
        for name in (source, target):
            if name not in nodes:
                raise InputError(f"an edge of the graph names node '{name}', which is not in it")
        after[source].append(target)
        before[target].append(source)
    backs = _taken_back(nodes, after, before)
    starts = [name for name in nodes if kind(nodes[name]) == "Input"]
    if len(starts) != 1:
        raise InputError(f"a graph needs one Input, this one has {len(starts)}; {_listed(starts)}")
    links, at = [Link(starts[0], nodes[starts[0]], None)], starts[0]
    while kind(nodes[at]) != "Output":
        if len(after[at]) != 1:
            raise InputError(_forked(at, after[at], "leads to"))
        (at,) = after[at]
        if any(at == link.name for link in links) or len(before[at]) != 1:
            raise InputError(_forked(at, before[at], "is reached from"))
        links.append(Link(at, nodes[at], backs.get(at)))
    passed = {link.name for link in links} | {name for name in nodes if nodes[name] in backs.values()}
    missed = [name for name in nodes if name not in passed]
    if missed:
        raise InputError(f"node '{missed[0]}' does not lie between the graph's input and its output")
    return links


def _taken_back(
    nodes: Mapping[str, Any], after: dict[str, list[str]], before: dict[str, list[str]]
) -> dict[str, Any]:
    """Take the synapses of layers onto themselves out of the edges, and return them by layer."""
    backs: dict[str, Any] = {}
    for name, node in nodes.items():
        ends = set(after[name]) | set(before[name])
        if kind(node) not in SYNAPSES or len(ends) != 1 or after[name] != before[name]:
            continue
        (layer,) = ends
        if kind(nodes[layer]) not in NEURONS:
            raise InputError(f"node '{name}' leads back to '{layer}', a {kind(nodes[layer])}, no neurons")
        if layer in backs:
            raise InputError(f"node '{layer}' has two sets of recurrent synapses; one is what we can express")
        backs[layer] = node
        after[layer].remove(name)
        before[layer].remove(name)
    return backs


def _opened(graph: Any, prefix: str = "") -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return nodes and edges (each once) of a graph with the graphs inside it opened."""
    nodes: dict[str, Any] = {}
    edges = [(f"{prefix}{source}", f"{prefix}{target}") for source, target in dict.fromkeys(graph.edges)]
    for name, node in graph.nodes.items():
        if kind(node) != "NIRGraph":
            nodes[f"{prefix}{name}"] = node
            continue
        inner, own = _opened(node, f"{prefix}{name}.")
        ends = {end: [each for each in inner if kind(inner[each]) == end] for end in ENDS}
        for end, found in ends.items():
            if len(found) != 1:
                raise InputError(f"the graph in node '{prefix}{name}' needs one {end}, it has {len(found)}")
        (entry,), (exit_,) = ends["Input"], ends["Output"]
        own = _bridged(_bridged([*edges, *own], f"{prefix}{name}", entry, exit_), None, entry, exit_)
        edges = list(dict.fromkeys(own))
        nodes |= {each: inner[each] for each in inner if each not in (entry, exit_)}
    return nodes, edges


def _bridged(
    edges: list[tuple[str, str]], outer: str | None, entry: str, exit_: str
) -> list[tuple[str, str]]:
    """Return edges that lead into ``entry`` and out of ``exit_`` in place of ``outer``; then without both."""
    if outer is not None:
        return [
            (exit_ if source == outer else source, entry if target == outer else target)
            for source, target in edges
        ]
    kept = edges
    for gone in (entry, exit_):
        into = [source for source, target in kept if target == gone]
        out = [target for source, target in kept if source == gone]
        rest = [edge for edge in kept if gone not in edge]
        kept = rest + [(source, target) for source in into for target in out]
    return kept


def _forked(name: str, others: list[str], how: str) -> str:
    if not others:
        return f"node '{name}' {how} no other node: the graph is no chain from its input to its output"
    return (
        f"node '{name}' {how} {_listed(others)}: a stack is a chain of layers, in which the only loops are "
        "Linear or Affine synapses of a layer of neurons onto itself"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"
