"""What the simulators share: a graph that was read, one step at a time, and what its neurons did."""

import contextlib
import copy
import importlib
import io
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.exchange.graphs import NEURONS, Link, chain, kind
from rc_vs_snn.models.exchange.synapses import SumPool, pair
from rc_vs_snn.models.exchange.writing import to_tensor

Told = tuple[Tensor, Tensor]
"""What neurons did at a step: spikes and membranes, ``(B, ...)`` each."""


class Lost(NamedTuple):
    """What a simulator's reader makes other than the graph says.

    Attributes:
        node: of which node.
        what: in words, such as "the reset 'subtract' comes back as 'zero'".
    """

    node: str
    what: str


class Simulation:
    """A graph in a simulator.

    Args:
        name: of the simulator.
        net: what was read: ``net(x, state)`` returns an output and the new state.
        neurons: its layers of neurons, by the names of their nodes.
        told: ``(layer, what its forward returned) -> spikes and membranes``.
        restart: called before step 0.
    """

    def __init__(
        self,
        name: str,
        net: nn.Module,
        neurons: Mapping[str, nn.Module],
        told: Callable[[nn.Module, Any], Told],
        restart: Callable[[nn.Module], None] = lambda layer: None,
    ) -> None:
        self.name = name
        self._net, self._neurons, self._told, self._restart = net.eval(), dict(neurons), told, restart

    @torch.no_grad()
    def run(self, frames: Tensor) -> Iterator[tuple[Tensor, dict[str, Told]]]:
        """Yield the output of each step, and what every layer of neurons did, by the name of its node.

        Args:
            frames: input ``(T, B, ...)`` in the graph's shape.

        Raises:
            InputError: the simulator raises.
        """
        for layer in self._neurons.values():
            self._restart(layer)
        state: Any = None
        for frame in frames:
            seen: dict[str, Told] = {}
            with contextlib.ExitStack() as hooks:
                for name, layer in self._neurons.items():
                    hook = layer.register_forward_hook(self._noting(seen, name))
                    hooks.callback(hook.remove)
                with reading(self.name):
                    output, state = self._net(frame, state)
            yield output, seen

    def _noting(self, seen: dict[str, Told], name: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(layer: nn.Module, given: Any, returned: Any) -> None:
            seen[name] = self._told(layer, returned)

        return note


@dataclass(frozen=True)
class Simulator:
    """A simulator that reads graphs.

    Attributes:
        name: of its package, in lower case.
        read: ``(graph, dt) -> Simulation``, by its own reader.
        put_right: the same, of the simulator's own neurons set as the graph's metadata says; None: they
            cannot be.
        losses: what its reader makes other than the graph says.
    """

    name: str
    read: Callable[[Any, float], Simulation]
    put_right: Callable[[Any, float], Simulation] | None
    losses: Callable[[Any], list[Lost]]


def package(name: str) -> Any:
    """Import a simulator.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing = name.partition(".")[0]
        raise InputError(f"{missing} is not installed; install it, or leave it out") from error


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Read a graph with a simulator's own reader, whose words and warnings are its own.

    Raises:
        InputError: it does not take the graph.
    """
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Exception as error:  # simulators raise errors of many kinds
        told = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputError(f"{name} does not take the graph: {told}") from error


def straightened(graph: Any) -> tuple[Any, dict[int, Any]]:
    """Return a copy without recurrent synapses, its nodes in order, and these by ``id`` of their neurons."""
    nir = package("nir")
    links = chain(copied(graph))
    nodes = {link.name.replace(".", "_"): link.node for link in links}
    backs = {id(link.node): link.back for link in links if link.back is not None}
    return nir.NIRGraph(nodes, list(itertools.pairwise(nodes)), type_check=False), backs


def copied(graph: Any) -> Any:
    """Return a copy: some readers change the graph that they are given."""
    return copy.deepcopy(graph)


def neuron_links(graph: Any) -> list[Link]:
    """Return the graph's layers of neurons, from its input to its output."""
    return [link for link in chain(graph) if kind(link.node) in NEURONS]


def with_batch(net: nn.Module) -> nn.Module:
    """Return the network with its ``Flatten`` counting the batch, too.

    NIR's dimensions are those of one sample; norse and snnTorch hand them to torch as they are.
    """
    for layer in net.modules():
        if isinstance(layer, nn.Flatten) and layer.start_dim >= 0:
            layer.start_dim += 1
            layer.end_dim += 1 if layer.end_dim >= 0 else 0
    return net


def layer_in(net: Any, name: str) -> nn.Module:
    """Return the layer that a reader made of a node; a dot may lead into a graph of its own."""
    flat: Any = getattr(net, name.replace(".", "_"), None)
    if flat is not None:
        return flat
    head, _, tail = name.partition(".")
    inner: Any = getattr(net, head)
    return getattr(inner, tail, None) or getattr(inner, name.replace(".", "_"))


def layers_in(net: nn.Module, graph: Any) -> dict[str, nn.Module]:
    """Return the layers of neurons that a reader made, by the names of their nodes."""
    return {link.name: layer_in(net, link.name) for link in neuron_links(graph)}


def reset_of(node: Any) -> str:
    """Return the reset that a node's metadata names, "zero" where it names none."""
    return str(node.metadata.get("reset", "zero"))


def waits(node: Any) -> bool:
    """Return whether a node's reset comes with the next step."""
    return str(node.metadata.get("reset_at", "")) == "next step"


def clears(node: Any) -> bool:
    """Return whether what arrives at the step after a spike is lost: "zero" of all of ours but ``Leaky``."""
    return waits(node) and reset_of(node) == "zero" and node.metadata.get("layer") != "Leaky"


def reset_lost(graph: Any) -> list[Lost]:
    """Return which resets a reader loses that knows "zero", at once, alone."""
    found = []
    for name, node, _ in neuron_links(graph):
        if reset_of(node) == "subtract":
            found.append(Lost(name, "the reset 'subtract' comes back as 'zero'"))
        elif clears(node):
            found.append(Lost(name, "what arrives at the step after a spike is kept, and not lost"))
    return found


def torch_synapses() -> dict[Any, Callable[[Any], nn.Module]]:
    """Return torch's layers for the nodes that keep nothing, as ``nirtorch.nir_to_torch`` asks for them."""
    nir = package("nir")
    pools = {nir.SumPool2d: _sum_pool}
    return {nir.Linear: linear, nir.Affine: linear, nir.Conv2d: _conv, nir.Flatten: _flatten, **pools}


def linear(node: Any) -> nn.Module:
    """Return torch's layer for a Linear or Affine node."""
    weight, bias = to_tensor(node.weight), getattr(node, "bias", None)
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.weight.data = weight
    if bias is not None:
        layer.bias.data = to_tensor(bias)
    return layer


def _conv(node: Any) -> nn.Module:
    weight = to_tensor(node.weight)
    stride, padding, dilation = (pair(side) for side in (node.stride, node.padding, node.dilation))
    groups, (maps, channels, height, width) = int(node.groups), weight.shape
    layer = nn.Conv2d(channels * groups, maps, (height, width), stride, padding, dilation, groups)
    layer.weight.data, layer.bias = weight, nn.Parameter(to_tensor(node.bias))
    return layer


def _sum_pool(node: Any) -> nn.Module:
    return SumPool(pair(node.kernel_size), pair(node.stride), pair(node.padding))


def _flatten(node: Any) -> nn.Module:
    return nn.Flatten(int(node.start_dim), int(node.end_dim))
