"""Graphs in other simulators, on the samples and by the rule of a run."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rc_vs_snn import registry
from rc_vs_snn.config import Part, RunConfig
from rc_vs_snn.contracts import Samples
from rc_vs_snn.decision.evidence import read_by
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.agreement import Agreement, Compared, agreement, compare_steps
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.parts import build_part, build_rule, load_splits
from rc_vs_snn.models.adapters.forms import Over
from rc_vs_snn.models.exchange import from_nir, read_graph
from rc_vs_snn.models.exchange.constants import DT
from rc_vs_snn.models.exchange.simulators import Lost, Simulator, simulator
from rc_vs_snn.models.exchange.simulators.running import neuron_links
from rc_vs_snn.training.task import Task, judging_task

BATCH = 100


@dataclass(frozen=True)
class Checked:
    """A graph in another simulator.

    Attributes:
        simulator: its name and version.
        how: "as it reads the graph", or "put right".
        found: how far it agrees with us; None where it does not take the graph.
        refused: why it does not.
        lost: what its reader makes other than the graph says.
    """

    simulator: str
    how: str
    found: Agreement | None
    refused: str = ""
    lost: tuple[Lost, ...] = ()


def check_graph(
    path: Path | str,
    config: RunConfig,
    rule: Part,
    execution: Execution,
    *,
    check: Sequence[str],
    n_samples: int,
    **reading: Any,
) -> list[Checked]:
    """Decide the first test samples with a graph here and in other simulators.

    Args:
        path: the ``.nir`` file.
        config: whose data and encoder are taken.
        rule: the rule.
        execution: threads, data root.
        check: names of simulators.
        n_samples: number of test samples.
        reading: options of ``from_nir``.

    Raises:
        InputError: an unknown simulator, or one that is not installed.
    """
    simulators = [simulator(name) for name in check]
    if n_samples < 1:
        raise InputError(f"samples must be at least 1, got {n_samples}")
    over: Over = reading.pop("over", "each")
    graph = read_graph(path)
    for link in neuron_links(graph):
        link.node.metadata.setdefault("reset", reading.get("reset", "zero"))
    with torch_settings(execution):
        model = from_nir(graph, **reading)
        encode, decides = build_part(registry.encoders, config.encoder), build_rule(rule, config.evidence)
        task = judging_task(model, encode, decides, config.seed, torch.device("cpu"))
        test = load_splits(config, execution).test
        test = test.select(np.arange(min(n_samples, len(test))))
        dt = reading.get("dt")
        return [each for one in simulators for each in check_in(one, graph, model, task, test, over, dt)]


def check_in(
    one: Simulator, graph: Any, model: Any, task: Task, test: Samples, over: Over = "each",
    dt: float | None = None,
) -> Iterator[Checked]:  # fmt: skip
    """Yield how a graph does in a simulator: as it reads it, and put right where something is lost.

    Args:
        one: the simulator.
        graph: the graph.
        model: the same as a model of ours, whose readout is each step's own.
        task: whose encoder and rule are taken.
        test: the samples.
        over: see ``from_nir``.
        dt: length of a step in seconds; None: what the graph says, else 1e-4.
    """
    name = f"{one.name} {importlib.metadata.version(one.name)}"
    lost = tuple(one.losses(graph))
    step = float(graph.metadata.get("dt", DT)) if dt is None else dt
    ways = [("as it reads the graph", one.read, lost)]
    if one.put_right is not None:
        ways.append(("put right", one.put_right, ()))
    for how, read, own in ways:
        try:
            found = _agreement(read(graph, step), graph, model, task, test, over)
        except InputError as error:
            yield Checked(name, how, None, str(error), own)
            continue
        yield Checked(name, how, found, "", own)
        if not lost:
            return


def _agreement(other: Any, graph: Any, model: Any, task: Task, test: Samples, over: Over) -> Agreement:
    compared, lengths = Compared(), []
    for code, _ in task.batches(test, np.arange(len(test)), BATCH, "test"):
        compare_steps(compared, model, graph, code, other)
        every = torch.full((len(code),), code.n_steps)
        lengths.append((every if code.lengths is None else code.lengths).numpy())
    reads = read_by(task.rule, model.evidence)
    return agreement(compared, reads, task.rule, test.ids, np.concatenate(lengths), over)
