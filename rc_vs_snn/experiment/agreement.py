"""Whether a graph decides in another simulator as it does here, spike by spike, and why not where not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.contracts import Decision
from rc_vs_snn.decision.evidence import Evidence, evidence_of_trace
from rc_vs_snn.decision.rules import Rule, decide, thresholds_of
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.models.adapters.forms import Over
from rc_vs_snn.models.exchange.graphs import Link
from rc_vs_snn.models.exchange.neurons import GraphNeurons
from rc_vs_snn.models.exchange.simulators import Simulation
from rc_vs_snn.models.exchange.simulators.running import Told, neuron_links
from rc_vs_snn.models.layers import Readout
from rc_vs_snn.models.layers.snntorch_neuron import NeuronLayer, features_first
from rc_vs_snn.models.stack import Stack

KINDS = (NeuronLayer, GraphNeurons, Readout)
"""Our layers of neurons."""


class FirstSpike(NamedTuple):
    """The first spike of a sample that one of two simulators alone has.

    Attributes:
        step: when.
        layer: name of the node.
        neuron: which, counted through the layer.
        here: whether it is ours.
        distance: of our membrane from the neuron's threshold.
    """

    step: int
    layer: str
    neuron: int
    here: bool
    distance: float

    def __str__(self) -> str:
        where = "here" if self.here else "there"
        return (
            f"neuron {self.neuron} of {self.layer} fires at step {self.step} {where} alone, its membrane "
            f"{self.distance:.1e} from its threshold"
        )


@dataclass
class Compared:
    """What two simulators made of the same samples.

    Attributes:
        readouts: ours and the other's, ``(N, T, K)`` each.
        ours, theirs, both: hidden spikes that each emitted, and those that both did.
        first: of each sample, its first spike that differs, if any.
    """

    readouts: tuple[list[np.ndarray], list[np.ndarray]] = field(default_factory=lambda: ([], []))
    ours: int = 0
    theirs: int = 0
    both: int = 0
    first: list[FirstSpike | None] = field(default_factory=list)

    @property
    def equal_spikes(self) -> float:
        """Of all spikes that either emitted, the share that both did."""
        either = self.ours + self.theirs - self.both
        return self.both / either if either else 1.0


class Difference(NamedTuple):
    """A sample that is decided otherwise.

    Attributes:
        sample: its id.
        ours, theirs: label and step.
        reason: in words.
    """

    sample: int
    ours: tuple[int, int]
    theirs: tuple[int, int]
    reason: str


@dataclass(frozen=True)
class Agreement:
    """How far two simulators agree.

    Attributes:
        n_samples: number of samples.
        n_equal: of them, decided with the same label at the same step.
        equal_spikes: share of hidden spikes, see ``Compared``.
        n_unlike: samples of which a hidden spike differs.
        farthest: of the first such spike of each, how far a membrane was from its threshold at most.
        largest: the largest difference between two readouts.
        differences: every sample that is decided otherwise.
    """

    n_samples: int
    n_equal: int
    equal_spikes: float
    n_unlike: int
    farthest: float
    largest: float
    differences: tuple[Difference, ...]


def compare_steps(compared: Compared, model: Stack, graph: Any, code: Encoded, other: Simulation) -> None:
    """Run a batch here and there, and note what each did.

    Args:
        compared: what is added to.
        model: the graph as a model of ours.
        graph: the graph.
        code: the batch.
        other: the graph in another simulator.
    """
    frames = torch.stack([code.at(step) for step in range(code.n_steps)])  # (T, B, C)
    links = neuron_links(graph)
    shape = tuple(int(side) for side in graph.nodes["input"].input_type["input"])
    first: list[FirstSpike | None] = [None] * frames.shape[1]
    own: list[Tensor] = []
    foreign: list[Tensor] = []
    theirs = other.run(frames.unflatten(2, shape))
    for step, ((readout, mine), (output, seen)) in enumerate(
        zip(observed(model, frames, links), theirs, strict=True)
    ):
        own.append(readout)
        integrates = bool(np.isinf(getattr(links[-1].node, "v_threshold", 0)).all())
        foreign.append(seen[links[-1].name][1] if integrates else output)
        for link in links[:-1] if integrates else links:
            _note(compared, first, step, link, mine[link.name], seen[link.name])
    compared.first += first
    for kept, readouts in zip(compared.readouts, (own, foreign), strict=True):
        kept.append(torch.stack(readouts, 1).cpu().numpy())


@torch.no_grad()
def observed(model: Stack, frames: Tensor, links: Sequence[Link]) -> Iterator[tuple[Tensor, dict[str, Told]]]:
    """Yield a model's readout at each step, and what its neurons did, by the names of their nodes."""
    layers = [name for name, layer in model.passed() if isinstance(layer, KINDS)]
    names = dict(zip(layers, (link.name for link in links), strict=True))
    state = model.initial_state(frames.shape[1], frames.device)
    for frame in frames:
        seen = {}
        x, kept = frame, {}
        layer: Any
        for name, layer in model.passed():
            if name not in state.layers:
                x = layer(x)
                continue
            x, kept[name] = layer.step(x, state.layers[name], state.step)
            if name in names:
                own = kept[name].membrane
                seen[names[name]] = x, features_first(own) if isinstance(layer, NeuronLayer) else own
        state = state._replace(step=state.step + 1, layers=kept)
        yield x, seen


def _note(
    compared: Compared, first: list[FirstSpike | None], step: int, link: Link, mine: Told, seen: Told
) -> None:
    here, there = mine[0].flatten(1) > 0, seen[0].flatten(1) > 0
    compared.ours += int(here.sum())
    compared.theirs += int(there.sum())
    compared.both += int((here & there).sum())
    unlike = here != there
    for row in unlike.any(1).nonzero()[:, 0].tolist():
        if first[row] is None:
            neuron = int(unlike[row].nonzero()[0, 0])
            threshold = float(np.ravel(link.node.v_threshold)[neuron])
            distance = abs(float(mine[1][row].flatten()[neuron]) - threshold)
            first[row] = FirstSpike(step, link.name, neuron, bool(here[row, neuron]), distance)


def agreement(
    compared: Compared, reads: Evidence, rule: Rule, ids: np.ndarray, lengths: np.ndarray, over: Over = "each"
) -> Agreement:
    """Return how far two simulators agree, decided by one rule.

    Args:
        compared: what they made of the samples.
        reads: what the rule reads of readouts.
        rule: the rule.
        ids: of the samples ``(N,)``.
        lengths: each sample's own number of steps ``(N,)``.
        over: whether the readout of a step is the sum, or mean, of all up to it.
    """
    readouts = [_over(np.concatenate(each), over) for each in compared.readouts]
    evidence = [evidence_of_trace(each, reads, lengths) for each in readouts]
    ours, theirs = (decide(each, rule, lengths) for each in evidence)
    same = (ours.label == theirs.label) & (ours.step == theirs.step)
    thresholds = thresholds_of(rule, evidence[0].shape[1])
    differences = []
    for row in np.flatnonzero(~same).tolist():
        until = max(_at(ours, row)[1], _at(theirs, row)[1])
        spike = compared.first[row]
        if spike is not None and spike.step <= until:
            reason = str(spike)
        else:
            step = min(_at(ours, row)[1], _at(theirs, row)[1])
            gap = abs(float(evidence[0][row, step].max()) - float(thresholds[step]))
            reason = f"same spikes; at step {step} the evidence is {gap:.1e} from the rule's threshold"
        differences.append(Difference(int(ids[row]), _at(ours, row), _at(theirs, row), reason))
    largest = float(np.abs(readouts[0] - readouts[1]).max())
    unlike = [spike.distance for spike in compared.first if spike is not None]
    return Agreement(
        len(ids), int(same.sum()), compared.equal_spikes, len(unlike), max(unlike, default=0.0), largest,
        tuple(differences),
    )  # fmt: skip


def _over(readouts: np.ndarray, over: Over) -> np.ndarray:
    if over == "each":
        return readouts
    sums = readouts.cumsum(1)
    return sums if over == "sum" else sums / np.arange(1, sums.shape[1] + 1)[:, None]


def _at(decision: Decision, row: int) -> tuple[int, int]:
    return int(decision.label[row]), int(decision.step[row])
