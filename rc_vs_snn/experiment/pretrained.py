"""Trained models to keep: exported with a card, loaded again without training.

A model folder holds ``weights.safetensors``, the run's ``config.json``, ``metrics.json``, ``history.json``
and ``provenance.json``, and a card, ``README.md``.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rc_vs_snn import records
from rc_vs_snn.config import slug
from rc_vs_snn.contracts import Splits
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.engines import Engine, results
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.judging import judge, judge_test, load_weights, restore, stored_config, weights_of
from rc_vs_snn.experiment.locks import locked_folder
from rc_vs_snn.records import Record, Result
from rc_vs_snn.records.model_card import model_card
from rc_vs_snn.records.on_valid import ACCURACY, valid_number
from rc_vs_snn.records.provenance import provenance, run_provenance
from rc_vs_snn.training.loop import validate
from rc_vs_snn.training.task import Task


def default_folder() -> Path:
    """Return the checkout's ``models/``, which lies beside the package."""
    return Path(__file__).resolve().parent.parent.parent / "models"


def find_pretrained(root: Path | str) -> list[Path]:
    """Return every model folder below ``root``, sorted.

    Raises:
        InputError: there is none.
    """
    try:
        found = sorted(path.parent for path in Path(root).rglob(records.WEIGHTS))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {root}: {error}; give a folder of trained models") from error
    if not found:
        raise InputError(
            f"{root} holds no trained model; export some with `rc-vs-snn export RUNS --out {root}`, or name "
            "the models/ folder of a checkout after --pretrained"
        )
    return found


def export(runs: Sequence[Record], out: Path | str, execution: Execution | None = None) -> list[Path]:
    """Write each configuration's best seed, by validation accuracy, as a model folder.

    Weights are halved to 16 bits where that changes no validation accuracy. What was written is read again
    and judged on valid and test: these numbers, not the run's, are in the folder's records and card. A model
    folder can be exported too: its weights file stays as it is, and what is said of it is made anew.

    Args:
        runs: runs of any status; of one label, the finished one that validated best is taken.
        out: the folder of the model folders; those of the same name are replaced.
        execution: device, threads, data root.

    Returns:
        The model folders.

    Raises:
        InputError: no finished run, one that was not trained where it lies, or ``out`` cannot be written.
    """
    execution = execution or Execution()
    best = best_runs(runs)
    with locked_folder(Path(out)):
        return [_export(record, Path(out) / slug(label), execution) for label, record in best.items()]


def best_runs(runs: Sequence[Record]) -> dict[str, Record]:
    """Return, of every label, the finished run whose kept weights validated best.

    Raises:
        InputError: none is finished, or one was not trained where it lies.
    """
    best: dict[str, Record] = {}
    for record in runs:
        if record.status == "done":
            rival = best.get(record.label)
            if _validated(record) > (_validated(rival) if rival else -1):
                best[record.label] = record
    if not best:
        raise InputError("no finished run to export; run `rc-vs-snn compare` first")
    return best


def _validated(record: Record) -> float:
    accuracy = valid_number(record, ACCURACY)
    if math.isnan(accuracy):
        raise InputError(
            f"{record.folder} was not trained there (it has no history); give the run that was trained"
        )
    return accuracy


def judge_pretrained(
    folders: Sequence[Path], out: Path | str, execution: Execution | None = None, *, jobs: int = 1,
    engine: Engine | None = None,
) -> list[Record]:  # fmt: skip
    """Judge the test split with stored weights, each model in a run folder below ``out``.

    Args:
        folders: model folders, see ``find_pretrained``.
        out: folder of the run folders, replaced where they exist.
        execution: device, threads, data root.
        jobs: models judged side by side.
        engine: what judges them (default: this command).

    Returns:
        One record per folder. They have no history, since nothing was trained.

    Raises:
        InputError: a damaged folder, missing data, or ``out`` cannot be written.
    """
    execution = execution or Execution()
    out = Path(out).absolute()
    for folder in folders:  # before anything is judged
        stored_config(records.read_record(folder), execution)
    calls = [(order, folder.absolute(), out, execution) for order, folder in enumerate(folders)]
    engine = engine or Engine()
    with locked_folder(out):
        if engine.is_serial(jobs, len(calls)):
            return [_judge(*call) for call in calls]
        return results(_judge, calls, jobs, engine)


def _judge(order: int, folder: Path, out: Path, execution: Execution) -> Record:
    config = stored_config(records.read_record(folder), execution)
    target = out / f"{slug(folder.parent.name)}-{config.folder_name}"
    with torch_settings(execution), records.atomic_folder(target, replace=True) as working:
        started = time.time()
        splits, task = restore(config, folder, execution)
        outcome = judge(task, splits, [])
        facts = {"status": "done", "weights": str(folder), "order": order}
        origin = run_provenance(config, started, str(task.device), execution.threads, facts)
        records.write_run(working, config.to_table(), [], origin, outcome)
    return records.read_record(target)


def _export(record: Record, target: Path, execution: Execution) -> Path:
    config = stored_config(record, execution)
    with torch_settings(execution), records.atomic_folder(target, replace=True) as working:
        started = time.time()
        splits, task = restore(config, record.folder, execution)
        valid = _write_best(record, task, splits, working / records.WEIGHTS)
        judged = judge_test(task, splits.test, record.history)
        written = {
            **provenance(started),
            "weights": stored_precision(records.read_weights(working / records.WEIGHTS)),
            **valid,
        }
        origin = {**record.provenance, "export": written}
        records.write_run(working, record.config, record.history, origin, Result(judged.metrics))
        card = model_card(replace(record, metrics=dict(judged.metrics), provenance=origin))
        (working / records.CARD).write_text(card, encoding="utf-8", newline="\n")
    return target


def _write_best(record: Record, task: Task, splits: Splits, path: Path) -> dict[str, float]:
    """Write a task's weights, leave its model with those of the file, and return how they validate."""
    if (record.folder / records.CARD).is_file():  # exported before: the file is what it is
        path.write_bytes((record.folder / records.WEIGHTS).read_bytes())
        return validate(task, splits.valid).means("valid")
    full, weights = validate(task, splits.valid).means("valid"), weights_of(task.model)
    for kept in ({name: _half(value) for name, value in weights.items()}, weights):
        records.write_weights(path, kept)
        load_weights(task.model, path)
        valid = validate(task, splits.valid).means("valid")
        if valid["valid_accuracy"] == full["valid_accuracy"]:
            break
    return valid


def stored_precision(weights: Mapping[str, np.ndarray]) -> str:
    """Return in what precision parameters are stored, such as "16 bits"."""
    reals = [value for value in weights.values() if value.dtype.kind == "f"]
    if all(value.dtype == np.float16 for value in reals):
        return "16 bits"
    # Constants (thresholds, counters) are exact in any precision; what varies is so only if it was rounded.
    varied = [value for value in reals if value.size > 1 and np.ptp(value) > 0]
    rounded = sum(bool((value == value.astype(np.float16)).all()) for value in varied)
    note = f", {rounded} of {len(varied)} trained tensors rounded to 16 bits" if rounded else ""
    return f"32 bits{note}"


def _half(value: np.ndarray) -> np.ndarray:
    return value.astype(np.float16) if value.dtype == np.float32 else value
