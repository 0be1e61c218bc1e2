"""In which units a net's whole numbers are: chosen on samples of the training split, never on test.

Of hidden neurons the power of two under which, given the same input spikes, most of a layer's spikes are what
they were, and of output neurons the one under which most decisions are.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.contracts import Samples
from rc_vs_snn.decision.batch import iterate, run_to_decision
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.errors import InputError
from rc_vs_snn.models.fixed_point import FixedPointNet, Widths
from rc_vs_snn.models.layers.fixed import Block
from rc_vs_snn.models.layers.snntorch_neuron import features_first
from rc_vs_snn.models.quantising import best_exponent, blocks_of, possible_exponents
from rc_vs_snn.models.stack import Stack
from rc_vs_snn.models.state import select
from rc_vs_snn.training.task import Task

N_SAMPLES = 500
"""Training samples on which units are chosen."""
BATCH = 250
OUTPUTS = range(-2, 7)
"""Units of output neurons that are tried, in powers of two below the one of the least squared error."""


@torch.no_grad()
def calibrated(task: Task, train: Samples, widths: Widths) -> tuple[FixedPointNet, list[Block]]:
    """Return a task's net in whole numbers, and its layers.

    Args:
        task: its parts, the net trained.
        train: the training split.
        widths: see there.

    Raises:
        InputError: a layer without such a form, by name.
    """
    net: Stack = task.model.eval()
    possible = possible_exponents(net, widths)
    rows = np.unique(np.linspace(0, len(train) - 1, N_SAMPLES).round().astype(np.int64))
    batches = [encoded for encoded, _ in task.batches(train, rows, BATCH, "calibration")]
    if batches[0].analogue:
        raise InputError("the code is of real numbers, which neurons in whole numbers do not read")
    *hidden, last = possible
    exponents = {name: possible[name][0] for name in hidden}
    least: dict[str, int] = {}
    for at in range(max((len(possible[name]) for name in hidden), default=0)):
        tried = {name: found[min(at, len(found) - 1)] for name, found in possible.items()}
        wrong = _wrong_spikes(net, _net(net, tried, widths), hidden, batches[0])
        for name in hidden:
            if wrong[name] <= least.get(name, wrong[name]):  # of equals the one with more room
                exponents[name], least[name] = tried[name], wrong[name]
    readouts = np.concatenate([m.readout.cpu().numpy().ravel() for e in batches for m in iterate(net, e)])
    nearest = best_exponent(readouts, widths.arithmetic.membrane_bits)
    decided = decisions(task, net, batches)
    equal = {}
    for exponent in (nearest + more for more in OUTPUTS):
        made = _net(net, {**exponents, last: exponent}, widths)
        equal[exponent] = int((decisions(task, made, batches) == decided).all(0).sum())
    exponents[last] = max(equal, key=lambda exponent: (equal[exponent], -exponent))
    return _net(net, exponents, widths), blocks_of(net, exponents, widths)


def _net(net: Stack, exponents: Mapping[str, int], widths: Widths) -> FixedPointNet:
    return FixedPointNet(blocks_of(net, exponents, widths), widths.arithmetic, net.evidence).eval()


@torch.no_grad()
def decisions(task: Task, net: Stack, batches: Iterable[Encoded]) -> Tensor:
    """Return labels and steps, ``(2, N)``, on the CPU."""
    found = [run_to_decision(net, encoded, task.rule) for encoded in batches]
    parts = [torch.stack([each.label, each.step]).cpu() for each in found]
    return torch.cat(parts, dim=1)


def _wrong_spikes(net: Stack, fixed: FixedPointNet, names: Sequence[str], encoded: Encoded) -> dict[str, int]:
    """Return how many spikes of each layer are others than the net's, where the layer is given the net's."""
    wrong = dict.fromkeys(names, 0)
    states = dict(fixed.initial_state(len(encoded), encoded.device).layers)
    left = torch.arange(len(encoded), device=encoded.device)
    for each in iterate(net, encoded):
        stay = torch.isin(left, each.rows)
        left, x = left[stay], each.x
        for name in names:
            sums = fixed[f"{name}_synapses"](x)
            spikes, states[name] = fixed[name].step(sums, select(states[name], stay), each.step)
            membrane = each.after.layers[name].membrane
            x = features_first((membrane > net[name].neuron.threshold).to(spikes.dtype))
            wrong[name] += int((spikes != x).sum())
    return wrong
