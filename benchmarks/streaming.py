"""One sample at a time: our Decider against a loop over steps that breaks at the decision."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import setup
from benchmarks.harness import Result, Row, race
from rc_vs_snn.decision.stream import Decider, events_by_step

Loop = Callable[[Tensor], int]


def run(scale: setup.Scale) -> Result:
    rows: list[Row] = []
    loops = {"rank-snn": snntorch_loop, "rc-lstm": lstm_cell_loop}
    for family, loop in loops.items():
        rows += _at(family, loop, scale)
    return Result(
        f"one sample at a time to its decision, T = {scale.n_steps}, {scale.dataset} test, "
        f"mean of {scale.singles} samples",
        "time of a decision / ours (above 1: ours is quicker)",
        "ours (Decider)",
        rows,
        models=[setup.trained(family, scale.n_steps, scale).about for family in loops],
    )


def snntorch_loop(model: Any, threshold: float) -> Loop:
    """SnnTorch neurons in a loop, with an early break."""
    import snntorch as snn

    hidden = snn.Leaky(beta=setup.DECAY, threshold=1.0, reset_mechanism="zero")
    output = snn.Leaky(beta=setup.DECAY, threshold=1.0, reset_mechanism="none")
    synapse, readout = _usual(model["synapses1"]), _usual(model["readout"])

    @torch.inference_mode()
    def decide(x: Tensor) -> int:  # (T, 1, C)
        membrane, potential = hidden.init_leaky(), output.init_leaky()
        for step in range(len(x)):
            fired, membrane = hidden(synapse(x[step]), membrane)
            _, potential = output(readout(fired), potential)
            if potential.max() >= threshold:
                break
        return int(potential.argmax())

    return decide


def lstm_cell_loop(model: Any, threshold: float) -> Loop:
    """`torch.nn.LSTMCell` in a loop, with an early break."""
    ours = model["cell1"]
    cell, readout = nn.LSTMCell(ours.input.n_inputs, ours.hidden), _usual(model["readout"])
    with torch.no_grad():
        cell.weight_ih.copy_(ours.input.weight)
        cell.bias_ih.copy_(ours.input.bias)
        cell.weight_hh.copy_(ours.recurrent.weight)
        cell.bias_hh.zero_()

    @torch.inference_mode()
    def decide(x: Tensor) -> int:  # (T, 1, C)
        state = None
        for step in range(len(x)):
            state = cell(x[step], state)
            probability = readout(state[0]).softmax(1)
            if probability.max() >= threshold:
                break
        return int(probability.argmax())

    return decide


def _at(family: str, build: Callable[[Any, float], Loop], scale: setup.Scale) -> list[Row]:
    found = setup.trained(family, scale.n_steps, scale)
    encoded, _ = setup.test_batch(scale, scale.n_steps, scale.singles)
    events = events_by_step(encoded)
    samples = setup.sequence(encoded).split(1, dim=1)
    decider = Decider(found.model, found.rule, scale.n_steps)
    loop = build(found.model, found.rule.threshold)

    def ours() -> list[int]:
        labels = []
        for sample in events:
            decider.reset()
            for channels in sample:
                decided = decider.push(channels)
                if decided is not None:
                    labels.append(decided.label)
                    break
        return labels

    def theirs() -> list[int]:
        return [loop(x) for x in samples]

    # A probability that meets the threshold to the last digit may decide a step apart.
    assert np.mean(np.array(ours()) == np.array(theirs())) >= 0.97
    decider.reset()
    mean_step = decider.decide_all(encoded).step.mean()
    name = "snnTorch loop, early break" if family == "rank-snn" else "nn.LSTMCell loop, early break"
    rows = race(
        f"{family}, mean step {mean_step:.2f}", {"ours (Decider)": ours, name: theirs}, rounds=scale.rounds
    )
    return [_per_sample(row, scale.singles) for row in rows]


def _per_sample(row: Row, count: int) -> Row:
    low, high = row.quartiles
    return Row(
        row.case, row.contender, row.median / count, (low / count, high / count), row.n, row.unit,
        row.ratio, row.ratio_quartiles,
    )  # fmt: skip


def _usual(layer: Any) -> nn.Linear:
    """Return a copy with the weights laid out as a new layer's."""
    copy = nn.Linear(layer.n_inputs, layer.n_outputs)
    with torch.no_grad():
        copy.weight.copy_(layer.weight)
        copy.bias.copy_(layer.bias)
    return copy
