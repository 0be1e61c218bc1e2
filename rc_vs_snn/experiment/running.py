"""Running one configuration: the only place where all parts meet. It reads ``test`` once."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from rc_vs_snn import records, seeds
from rc_vs_snn.config import RunConfig
from rc_vs_snn.contracts import Splits
from rc_vs_snn.errors import DivergedError
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.interrupts import interrupts_outside_numba
from rc_vs_snn.experiment.judging import judge, restore, trace_split, weights_of
from rc_vs_snn.experiment.locks import locked_run, require_held
from rc_vs_snn.experiment.parts import assemble, check_config, count_parameters, exits_named, load_splits
from rc_vs_snn.experiment.probing import probe
from rc_vs_snn.records.provenance import run_provenance
from rc_vs_snn.records.underway import Teller
from rc_vs_snn.training.loop import SILENT, Report, is_silent, train
from rc_vs_snn.training.task import Task

TEST_NOT_READ = "trained, and judged on valid alone: its test split has not been read"


def run(
    config: RunConfig,
    folder: Path | str,
    execution: Execution | None = None,
    *,
    replace: bool = False,
    report: Report | None = None,
    on_epoch: Report | None = None,
) -> records.Record:
    """Train and judge one model and write its run folder.

    Args:
        config: what to run.
        folder: the run folder to make; it appears whole or not at all.
        execution: device, threads, data root.
        replace: whether an existing folder is replaced.
        report: called after every batch with running means.
        on_epoch: called after every epoch with its history entry.

    Returns:
        The record; its status is "failed" if the training diverged.

    Raises:
        InputError: a faulty configuration, missing data, an existing or unwritable folder, or one that
            another command is writing.
    """
    folder = Path(folder)
    with locked_run(folder):
        return train_and_judge(
            config, folder, execution or Execution(), replace=replace, report=report, on_epoch=on_epoch
        )


def train_and_judge(
    config: RunConfig,
    folder: Path,
    execution: Execution,
    *,
    replace: bool,
    report: Report | None,
    on_epoch: Report | None,
    order: int | None = None,
    test: bool = True,
) -> records.Record:
    """Do what ``run`` does, in a folder that the caller holds (``locks.locked_run``).

    The ``order``, if there is one, is the run's place in its comparison. Without ``test`` that split is not
    read: the run is left as skipped, and ``judge_later`` can finish it.
    """
    check_config(config)
    with (
        interrupts_outside_numba(),
        exits_named(config),
        torch_settings(execution),
        records.atomic_folder(folder, replace=replace, held=True) as working,
    ):
        teller = Teller(working, config.label, config.seed, config.training.epochs)
        splits = load_splits(config, execution)
        task = assemble(config, splits, execution)
        probe(config, task, splits.train)
        records.require_space(working, _expected_bytes(task, splits))
        started = time.time()
        epochs: list[dict[str, Any]] = []

        def keep(entry: dict[str, Any]) -> None:
            epochs.append(entry)
            teller.epoch(len(epochs))
            if on_epoch is not None:
                on_epoch(entry)

        torch.manual_seed(seeds.seed_for(config.seed, "dropout"))
        try:
            train(task, splits.train, splits.valid, config.training, report, keep)
            outcome, status = _judged(task, splits, epochs, test)
            if all(map(is_silent, epochs)):
                status["warning"] = SILENT.format(len(epochs))
        except DivergedError as error:
            outcome, status = records.Result(), {"status": "failed", "reason": str(error)}
        facts: dict[str, Any] = {**status} if order is None else {**status, "order": order}
        origin = run_provenance(config, started, str(task.device), execution.threads, facts)
        records.write_run(working, config.to_table(), epochs, origin, outcome)
        require_held(folder)
    return records.read_record(folder, quick=True)


def judge_later(config: RunConfig, folder: Path, execution: Execution) -> records.Record:
    """Read the test split for a run that was trained without it: it becomes what ``run`` would have made.

    Args:
        config: of the run.
        folder: its folder, which the caller holds.
        execution: device, threads, data root.
    """
    record = records.read_record(folder)
    with (
        interrupts_outside_numba(),
        exits_named(config),
        torch_settings(execution),
        records.atomic_folder(folder, replace=True, held=True) as working,
    ):
        splits, task = restore(config, folder, execution)
        outcome, facts = _judged(task, splits, record.history)
        origin = {key: value for key, value in record.provenance.items() if key not in ("reason", "files")}
        records.write_run(working, config.to_table(), record.history, {**origin, **facts}, outcome)
        require_held(folder)
    return records.read_record(folder, quick=True)


def _judged(
    task: Task, splits: Splits, history: Sequence[Mapping[str, Any]], test: bool = True
) -> tuple[records.Result, dict[str, Any]]:
    """Return what a trained model comes to, and the run's status."""
    if test:
        return judge(task, splits, history), {"status": "done"}
    outcome = records.Result(weights=weights_of(task.model), valid=trace_split(task, splits.valid, "valid"))
    return outcome, {"status": "skipped", "reason": TEST_NOT_READ}


def keep_failure(
    config: RunConfig,
    folder: Path,
    execution: Execution,
    epochs: Sequence[Mapping[str, Any]],
    started: float,
    reason: str,
) -> records.Record:
    """Write and return the record of a run that came to nothing, in a folder that the caller holds.

    Args:
        config: what was run.
        folder: the run's folder, replaced if it is there.
        execution: device, threads.
        epochs: the history entries that were heard of.
        started: when, in seconds since the epoch.
        reason: what became of it.
    """
    with records.atomic_folder(folder, replace=True, held=True) as working:
        device = str(execution.torch_device())
        status = {"status": "failed", "reason": reason}
        origin = run_provenance(config, started, device, execution.threads, status)
        records.write_run(working, config.to_table(), epochs, origin, records.Result())
    return records.read_record(folder)


def _expected_bytes(task: Task, splits: Splits) -> int:
    """Return an upper estimate of a run folder's size: traces, decisions, weights, and 1 MB for the rest."""
    n_steps = task.encoder(splits.train.select(slice(0, 1)), 0).n_steps
    per_sample = n_steps * (8 * splits.n_classes + 4 * 8) + 100
    return (len(splits.test) + len(splits.valid)) * per_sample + 4 * count_parameters(task.model) + 1_000_000
