"""Trained models to keep: exported with a card, loaded again without training.

A model folder holds ``weights.safetensors``, the run's ``config.json``, ``metrics.json``, ``history.json``
and ``provenance.json``, and a card, ``README.md``.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from rc_vs_snn import records
from rc_vs_snn.config import slug
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.judging import judge, restore, stored_config, weights_of
from rc_vs_snn.experiment.locks import locked_folder
from rc_vs_snn.experiment.workers import results
from rc_vs_snn.records import Record, Result
from rc_vs_snn.records.model_card import model_card
from rc_vs_snn.records.provenance import run_provenance
from rc_vs_snn.training.loop import validate


def default_folder() -> Path:
    """Return the checkout's ``models/``, which lies beside the package."""
    return Path(__file__).resolve().parent.parent.parent / "models"


def find_pretrained(root: Path | str) -> list[Path]:
    """Return every model folder below ``root``, sorted.

    Raises:
        InputError: there is none.
    """
    found = sorted(path.parent for path in Path(root).rglob(records.WEIGHTS))
    if not found:
        raise InputError(
            f"{root} holds no trained model; export some with `rc-vs-snn export RUNS --out {root}`, or name "
            "the models/ folder of a checkout after --pretrained"
        )
    return found


def export(runs: Sequence[Record], out: Path | str, execution: Execution | None = None) -> list[Path]:
    """Write each configuration's best seed, by validation accuracy, as a model folder.

    Weights are halved to 16 bits where that changes no validation accuracy.

    Args:
        runs: runs of any status; of one label, the finished one that validated best is taken.
        out: the folder of the model folders; those of the same name are replaced.
        execution: device, threads, data root.

    Returns:
        The model folders.

    Raises:
        InputError: no finished run, or ``out`` cannot be written.
    """
    execution = execution or Execution()
    best: dict[str, Record] = {}
    for record in runs:
        if record.status == "done" and (
            record.label not in best or best_valid(record) > best_valid(best[record.label])
        ):
            best[record.label] = record
    if not best:
        raise InputError("no finished run to export; run `rc-vs-snn compare` first")
    with locked_folder(Path(out)):
        return [_export(record, Path(out) / slug(label), execution) for label, record in best.items()]


def best_valid(record: Record) -> float:
    """Return the validation accuracy of the weights a run kept."""
    return max(float(entry["valid_accuracy"]) for entry in record.history)


def judge_pretrained(
    folders: Sequence[Path], out: Path | str, execution: Execution | None = None, *, jobs: int = 1
) -> list[Record]:
    """Judge the test split with stored weights, each model in a run folder below ``out``.

    Args:
        folders: model folders, see ``find_pretrained``.
        out: folder of the run folders, replaced where they exist.
        execution: device, threads, data root.
        jobs: models judged side by side.

    Returns:
        One record per folder. They have no history, since nothing was trained.

    Raises:
        InputError: a damaged folder, missing data, or ``out`` cannot be written.
    """
    execution = execution or Execution()
    out = Path(out).absolute()
    calls = [(folder.absolute(), out, execution) for folder in folders]
    with locked_folder(out):
        if jobs == 1:
            return [_judge(*call) for call in calls]
        return results(_judge, calls, jobs)


def _judge(folder: Path, out: Path, execution: Execution) -> Record:
    config = stored_config(records.read_record(folder), execution)
    target = out / f"{slug(folder.parent.name)}-{config.folder_name}"
    with torch_settings(execution), records.atomic_folder(target, replace=True) as working:
        started = time.time()
        splits, task = restore(config, folder, execution)
        outcome = judge(task, splits.test, [])
        facts = {"status": "done", "weights": str(folder)}
        origin = run_provenance(config, started, str(task.device), execution.threads, facts)
        records.write_run(working, config.to_table(), [], origin, outcome)
    return records.read_record(target)


def _export(record: Record, target: Path, execution: Execution) -> Path:
    config = stored_config(record, execution)
    with torch_settings(execution), records.atomic_folder(target, replace=True) as working:
        splits, task = restore(config, record.folder, execution)
        full = validate(task, splits.valid).means("valid")
        weights = weights_of(task.model)
        halved = {name: _half(value) for name, value in weights.items()}
        task.model.load_state_dict({name: torch.from_numpy(value) for name, value in halved.items()})
        small = validate(task, splits.valid).means("valid")
        kept, bits = (halved, 16) if small["valid_accuracy"] == full["valid_accuracy"] else (weights, 32)
        outcome = Result(record.metrics, kept)
        records.write_run(working, record.config, record.history, record.provenance, outcome)
        (working / records.CARD).write_text(model_card(record, bits, best_valid(record)))
    return target


def _half(value: np.ndarray) -> np.ndarray:
    return value.astype(np.float16) if value.dtype == np.float32 else value
