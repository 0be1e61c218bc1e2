"""Trained spiking networks as ``.nir`` files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rc_vs_snn.config import slug
from rc_vs_snn.contracts import Samples
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.checked_graphs import Checked, check_in
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.judging import restore, stored_config, trace_split
from rc_vs_snn.experiment.locks import locked_folder
from rc_vs_snn.experiment.pretrained import best_runs
from rc_vs_snn.models.exchange import from_nir, read_graph, to_nir
from rc_vs_snn.models.exchange.package import the_nir
from rc_vs_snn.models.exchange.simulators import Simulator, simulator
from rc_vs_snn.models.exchange.writing import LeakyForm
from rc_vs_snn.records import Record
from rc_vs_snn.training.task import Task


@dataclass(frozen=True)
class ExportedGraph:
    """A ``.nir`` file, and how it was checked.

    Attributes:
        path: the file.
        label: of the model.
        n_samples: test samples it was checked on.
        same: whether, read again, it gives readouts equal to the bit.
        checked: what other simulators make of it.
        refused: why there is no file: the network has a layer that NIR has no form for.
    """

    path: Path
    label: str
    n_samples: int = 0
    same: bool = False
    checked: tuple[Checked, ...] = ()
    refused: str = ""


def export_nir(
    runs: Sequence[Record],
    out: Path | str,
    execution: Execution | None = None,
    *,
    check: Sequence[str] = (),
    n_samples: int = 1000,
    leaky: LeakyForm = "LIF",
) -> Iterator[ExportedGraph]:
    """Write each configuration's best seed, by validation accuracy, as ``.nir``; read it again, and check it.

    Args:
        runs: runs of any status, or model folders; of one label, the finished one that validated best.
        out: the folder of the files.
        execution: threads, data root. Graphs are checked on the CPU.
        check: simulators that decide with it: "norse", "snntorch", "spikingjelly".
        n_samples: test samples, from the first, on which it is checked.
        leaky: see ``to_nir``.

    Yields:
        Every file, when it is written and checked.

    Raises:
        InputError: no finished run, none of a network that NIR has a form for, an unknown simulator, one that
            is not installed, or ``out`` cannot be written.
    """
    execution = replace(execution or Execution(), device="cpu")
    simulators = [simulator(name) for name in check]
    the_nir()
    if n_samples < 1:
        raise InputError(f"samples must be at least 1, got {n_samples}")
    best = best_runs(runs)
    with locked_folder(Path(out)):
        refused = 0
        for label, record in best.items():
            path = Path(out) / f"{slug(label)}.nir"
            try:
                found = _export(record, label, path, execution, simulators, n_samples, leaky)
            except _NoFormError as error:
                refused += 1
                if refused == len(best):
                    raise InputError(str(error)) from error
                found = ExportedGraph(path, label, refused=str(error))
            yield found


class _NoFormError(InputError):
    """A network that NIR has no form for."""


def _export(
    record: Record, label: str, path: Path, execution: Execution, simulators: Sequence[Simulator], most: int,
    leaky: LeakyForm,
) -> ExportedGraph:  # fmt: skip
    config = stored_config(record, execution)
    with torch_settings(execution):
        splits, task = restore(config, record.folder, execution)
        try:
            graph = to_nir(task.model.eval(), leaky=leaky)
        except InputError as error:
            raise _NoFormError(f"{label}: {error}") from error
        graph.metadata |= {"label": label}
        _write(path, graph)
        graph = read_graph(path)
        again = from_nir(graph)
        test = splits.test.select(np.arange(min(most, len(splits.test))))
        same = _same(task, again, test)
        checked = [each for one in simulators for each in check_in(one, graph, again, task, test)]
    return ExportedGraph(path, label, len(test), same, tuple(checked))


def _write(path: Path, graph: Any) -> None:
    """Write a graph whole, or not at all."""
    working = path.with_suffix(".part")
    try:
        the_nir().write(str(working), graph)
        working.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error}") from error
    finally:
        working.unlink(missing_ok=True)


def _same(task: Task, again: torch.nn.Module, test: Samples) -> bool:
    """Return whether a model gives the same readouts as the task's own, to the bit."""
    own: Any = trace_split(task, test, "test").readouts
    found: Any = trace_split(replace(task, model=again), test, "test").readouts
    return bool(np.array_equal(own, found))
