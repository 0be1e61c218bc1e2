"""Trained spiking networks as ``.nir`` files, and how other simulators decide with them."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rc_vs_snn.config import slug
from rc_vs_snn.contracts import Samples
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.agreement import Agreement, Compared, agreement, compare_steps
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.judging import restore, stored_config, trace_split
from rc_vs_snn.experiment.locks import locked_folder
from rc_vs_snn.experiment.pretrained import best_runs
from rc_vs_snn.models.exchange import from_nir, read_graph, to_nir
from rc_vs_snn.models.exchange.constants import DT
from rc_vs_snn.models.exchange.package import the_nir
from rc_vs_snn.models.exchange.simulators import Lost, Simulator, simulator
from rc_vs_snn.records import Record
from rc_vs_snn.training.task import Task

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


@dataclass(frozen=True)
class ExportedGraph:
    """A ``.nir`` file, and how it was checked.

    Attributes:
        path: the file.
        label: of the model.
        n_samples: test samples it was checked on.
        same: whether, read again, it gives readouts equal to the bit.
        checked: what other simulators make of it.
    """

    path: Path
    label: str
    n_samples: int
    same: bool
    checked: tuple[Checked, ...]


def export_nir(
    runs: Sequence[Record],
    out: Path | str,
    execution: Execution | None = None,
    *,
    check: Sequence[str] = (),
    n_samples: int = 1000,
) -> Iterator[ExportedGraph]:
    """Write each configuration's best seed, by validation accuracy, as ``.nir``; read it again, and check it.

    Args:
        runs: runs of any status, or model folders; of one label, the finished one that validated best.
        out: the folder of the files.
        execution: threads, data root. Graphs are checked on the CPU.
        check: simulators that decide with it: "norse", "snntorch", "spikingjelly".
        n_samples: test samples, from the first, on which it is checked.

    Yields:
        Every file, when it is written and checked.

    Raises:
        InputError: no finished run, none of a spiking network, a network with a layer that NIR has no form
            for, an unknown simulator, one that is not installed, or ``out`` cannot be written.
    """
    execution = execution or Execution(device="cpu")
    simulators = [simulator(name) for name in check]
    the_nir()
    if n_samples < 1:
        raise InputError(f"samples must be at least 1, got {n_samples}")
    best = best_runs(runs)
    Path(out).mkdir(parents=True, exist_ok=True)
    with locked_folder(Path(out)):
        for label, record in best.items():
            path = Path(out) / f"{slug(label)}.nir"
            yield _export(record, label, path, execution, simulators, n_samples)


def _export(
    record: Record, label: str, path: Path, execution: Execution, simulators: Sequence[Simulator], most: int
) -> ExportedGraph:
    config = stored_config(record, execution)
    with torch_settings(execution):
        splits, task = restore(config, record.folder, replace(execution, device="cpu"))
        try:
            graph = to_nir(task.model.eval())
        except InputError as error:
            raise InputError(f"{label}: {error}") from error
        graph.metadata |= {"label": label}
        the_nir().write(str(path), graph)
        graph = read_graph(path)
        again = from_nir(graph)
        test = splits.test.select(np.arange(min(most, len(splits.test))))
        same = _same(task, again, test)
        checked = [each for one in simulators for each in _check(one, graph, again, task, test)]
    return ExportedGraph(path, label, len(test), same, tuple(checked))


def _same(task: Task, again: torch.nn.Module, test: Samples) -> bool:
    """Return whether a model gives the same readouts as the task's own, to the bit."""
    own: Any = trace_split(task, test, "test").readouts
    other = replace(task, model=again)
    found: Any = trace_split(other, test, "test").readouts
    return bool(np.array_equal(own, found))


def _check(one: Simulator, graph: Any, model: Any, task: Task, test: Samples) -> Iterator[Checked]:
    name = f"{one.name} {importlib.metadata.version(one.name)}"
    lost = tuple(one.losses(graph))
    yield _checked(name, "as it reads the graph", one.read, lost, graph, model, task, test)
    if lost and one.put_right is not None:
        yield _checked(name, "put right", one.put_right, (), graph, model, task, test)


def _checked(
    name: str, how: str, read: Any, lost: tuple[Lost, ...], graph: Any, model: Any, task: Task, test: Samples
) -> Checked:
    dt = float(graph.metadata.get("dt", DT))
    try:
        other = read(graph, dt)
    except InputError as error:
        return Checked(name, how, None, str(error), lost)
    compared, lengths = Compared(), []
    for code, _ in task.batches(test, np.arange(len(test)), BATCH, "test"):
        compare_steps(compared, model, graph, code, other)
        every = torch.full((len(code),), code.n_steps)
        lengths.append((every if code.lengths is None else code.lengths).numpy())
    found = agreement(compared, model, task.rule, test.ids, np.concatenate(lengths))
    return Checked(name, how, found, "", lost)
