"""What the layers of a network made elsewhere cost, seen by hooks; the definitions are of ``models.cost``.

A layer is counted by what it is given. Whole numbers are spikes, or counts of them, and cost accumulates;
anything else costs multiply-accumulates. A layer that was given real numbers once, on the samples the network
was checked on, is one of real numbers, whatever one row of them happens to be.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
LAYERS = (nn.Linear, *CONVOLUTIONS)
ACTIVATIONS = (nn.ReLU, nn.Sigmoid)
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class Read(NamedTuple):
    """What one call of a layer with synapses was given.

    Attributes:
        name: the layer's, and which call of the step it was.
        layer: the layer.
        x: its input, rows first; None where rows cannot be told apart.
        recurrent: its own output of the step before, rows first: ``(B, layer, H)`` or ``(B, H)``.
    """

    name: tuple[str, int]
    layer: Any
    x: Tensor | None
    recurrent: Tensor | None = None


class Watch:
    """What the layers of a network are given in one forward.

    Args:
        module: the network.
        n_rows: rows of the batch.
        started: whether there was a step before: without one, recurrent synapses cost nothing.
    """

    def __init__(self, module: nn.Module, n_rows: int, started: bool) -> None:
        self._module, self._n_rows, self._started = module, n_rows, started
        self._calls: Counter[str] = Counter()
        self.reads: list[Read] = []
        self.outputs: list[Tensor] = []

    @contextmanager
    def hooked(self, neurons: tuple[nn.Module, ...] = ()) -> Iterator["Watch"]:
        """Put hooks on every layer with synapses, and on ``neurons``, whose outputs are kept."""
        handles = [
            layer.register_forward_pre_hook(self._read(name))
            for name, layer in self._module.named_modules()
            if isinstance(layer, (*LAYERS, nn.RNNBase, nn.RNNCellBase))
        ]
        handles += [neuron.register_forward_hook(self._fired) for neuron in neurons]
        try:
            yield self
        finally:
            for handle in handles:
                handle.remove()

    def _read(self, name: str) -> Any:
        def read(layer: nn.Module, args: tuple[Any, ...]) -> None:
            call = (name, self._calls[name])
            self._calls[name] += 1
            time_first = not getattr(layer, "batch_first", True)
            x = args[0].detach()
            rows = x.transpose(0, 1) if time_first else self._rows_first(layer, x)
            self.reads.append(Read(call, layer, rows, self._recurrent(layer, args)))

        return read

    def _rows_first(self, layer: nn.Module, x: Tensor) -> Tensor | None:
        if isinstance(layer, CONVOLUTIONS) and x.ndim == layer.weight.ndim + 1:  # a time axis of one step
            x = x.flatten(0, 1)
        if len(x) == self._n_rows:
            return x
        return x[0] if x.ndim > 1 and len(x) == 1 and x.shape[1] == self._n_rows else None

    def _recurrent(self, layer: nn.Module, args: tuple[Any, ...]) -> Tensor | None:
        given = args[1] if len(args) > 1 else None
        if given is None or not self._started:
            return None
        h: Tensor = given[0] if isinstance(given, tuple) else given
        return (h.transpose(0, 1) if isinstance(layer, nn.RNNBase) else h).detach()

    def _fired(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self.outputs.append((output[0] if isinstance(output, tuple) else output).detach())


def uncounted(module: nn.Module, reads: list[Read], counted_elsewhere: tuple[nn.Module, ...]) -> str:
    """Return why a network's operations cannot be counted by hooks; "" where they can.

    Args:
        module: the network.
        reads: of a whole step.
        counted_elsewhere: modules whose own parameters are no synapses (neurons with their decays).
    """
    called = {read.name[0] for read in reads}
    for name, part in module.named_modules():
        matrices = [each for each, weight in part.named_parameters(recurse=False) if weight.ndim > 1]
        known = isinstance(part, (*LAYERS, nn.RNNBase, nn.RNNCellBase))
        if known and name not in called:
            return f"{name} was not called as a module"
        if matrices and not known and part not in counted_elsewhere:
            return f"{name or 'itself'} has the weights {matrices[0]} in no Linear, Conv or RNN layer"
    unclear = next((read.name[0] for read in reads if read.x is None), None)
    return f"{unclear} is given an input whose first axis is not the batch" if unclear else ""


def reals(reads: list[Read]) -> set[tuple[str, int]]:
    """Return the calls of a step that were given numbers other than whole ones."""
    return {read.name for read in reads if read.x is not None and not bool(_whole(read.x).all())}


@torch.no_grad()
def operations(reads: list[Read], real: set[tuple[str, int]], like: Tensor) -> tuple[Tensor, Tensor]:
    """Return accumulates and multiply-accumulates of a step, ``(B,)`` each.

    Args:
        reads: what the layers were given.
        real: the calls that are given real numbers.
        like: tells rows, type and device.
    """
    acs, macs = like.new_zeros(len(like)), like.new_zeros(len(like))
    for x, fan_out, is_input, name in _synapses(reads, ones=True):
        spiking = _whole(x) & (is_input and name not in real)
        entered = (x.abs() * fan_out).flatten(1).sum(1)
        acs = acs + torch.where(spiking, entered, 0)
        macs = macs + torch.where(spiking, 0, float(fan_out.expand(x[:1].shape).sum()))
    return acs, macs


class Effective(NamedTuple):
    """NeuroBench's synaptic operations of a step, and activations, ``(B,)`` each.

    Attributes:
        macs: at synapses that are not 0, of activations that are neither 0 nor 1 (or -1).
        acs: likewise, of layers whose activations are 0 and 1.
        dense: at all synapses, whatever the activation.
        silent: activations that are 0.
        activations: all of them.
    """

    macs: Tensor
    acs: Tensor
    dense: Tensor
    silent: Tensor
    activations: Tensor


@torch.no_grad()
def effective(watch: Watch, real: set[tuple[str, int]], like: Tensor) -> Effective:
    """Return a step's operations as NeuroBench defines them."""
    zeros = like.new_zeros(len(like))
    macs, acs, dense, silent, activations = (zeros.clone() for _ in range(5))
    for (x, fan_out, is_input, name), (_, every, _, _) in zip(
        _synapses(watch.reads, ones=False), _synapses(watch.reads, ones=True), strict=True
    ):
        found = ((x != 0) * fan_out).flatten(1).sum(1)
        binary = ((x == 0) | (x.abs() == 1)).flatten(1).all(1) & (is_input and name not in real)
        acs, macs = acs + torch.where(binary, found, 0), macs + torch.where(binary, 0, found)
        dense = dense + float(every.expand(x[:1].shape).sum())
    for output in watch.outputs:
        rows = output if len(output) == len(like) else output.flatten(0, 1)
        silent = silent + (rows == 0).flatten(1).sum(1)
        activations = activations + float(rows[0].numel())
    return Effective(macs, acs, dense, silent, activations)


_Synapses = tuple[Tensor, Tensor, bool, tuple[str, int]]


def _synapses(reads: list[Read], ones: bool) -> Iterator[_Synapses]:
    """Yield values ``(B, ...)``, the synapses each enters, whether they are the call's input, and its name.

    Args:
        reads: of a step.
        ones: whether synapses of weight 0 are counted.
    """
    for name, layer, x, recurrent in reads:
        if x is None:
            continue
        if isinstance(layer, LAYERS):
            weight = layer.weight.detach()
            weight = torch.ones_like(weight) if ones else (weight != 0).to(x)
            fan_out = weight.sum(0) if isinstance(layer, nn.Linear) else _entered(layer, x, weight)
            yield x, fan_out.to(x), True, name
            continue
        cell = isinstance(layer, nn.RNNCellBase)
        for depth in range(1 if cell else layer.num_layers):
            end = "" if cell else f"_l{depth}"
            into, within = (_kept(getattr(layer, f"weight_{kind}{end}"), ones) for kind in ("ih", "hh"))
            flat = x if cell else x.reshape(len(x), -1)
            if depth == 0:
                yield flat, into.to(x), True, name
            else:  # the layer below gives real numbers, whatever they are
                yield flat.new_ones(len(x), into.numel()), into.to(x), False, name
            if recurrent is not None:
                given = recurrent if cell else recurrent[:, depth]
                yield given, within.to(x), False, name
            if getattr(layer, "proj_size", 0):
                onto = _kept(getattr(layer, f"weight_hr{end}"), ones)
                yield flat.new_ones(len(x), onto.numel()), onto.to(x), False, name


def _kept(weight: Tensor, ones: bool) -> Tensor:
    """Return how many synapses each input of a matrix ``(out, in)`` enters, ``(in,)``."""
    return (torch.ones_like(weight) if ones else (weight != 0).float()).detach().sum(0)


def _entered(layer: Any, x: Tensor, weight: Tensor) -> Tensor:
    """Return how many synapses each value of a convolution's input enters, of the shape of one row."""
    with torch.enable_grad():
        one = x.new_ones(1, *x.shape[1:]).requires_grad_()
        (found,) = torch.autograd.grad(layer._conv_forward(one, weight, None).sum(), one)
    return found[0]


def _whole(x: Tensor) -> Tensor:
    """Return which rows hold nothing but whole numbers, ``(B,)``."""
    return (x == x.round()).flatten(1).all(1)
