"""Running one configuration: the only place where all parts meet. It reads ``test`` once."""

import contextlib
import inspect
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from rc_vs_snn import records, registry, seeds
from rc_vs_snn.config import PART_NAMES, SOURCE_HASH, Part, RunConfig
from rc_vs_snn.contracts import Samples, SplitName, Splits, Trace
from rc_vs_snn.decision.batch import iterate
from rc_vs_snn.decision.calibration import calibrated
from rc_vs_snn.decision.evidence import evidence_of
from rc_vs_snn.decision.metrics import summarise
from rc_vs_snn.decision.rules import check_rule, decide
from rc_vs_snn.errors import InputError
from rc_vs_snn.interrupts import interrupts_outside_numba
from rc_vs_snn.models.cost import Operations, counter_of
from rc_vs_snn.models.old_names import renamed
from rc_vs_snn.provenance import provenance
from rc_vs_snn.training.loop import Report, Task, TrainingDivergedError, train


@dataclass(frozen=True)
class Execution:
    """Where and how runs are executed; nothing here changes which result is meant.

    Attributes:
        device: "auto", "cpu", "cuda" or "mps".
        threads: torch threads per run; results are repeatable for one number of threads.
        data_root: where the corpora lie (None: RC_VS_SNN_DATA, or the default).
    """

    device: str = "auto"
    threads: int = 1
    data_root: Path | None = None

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise InputError(f"threads must be at least 1, got {self.threads}")

    def torch_device(self) -> torch.device:
        """Return the device, after checking that it is there."""
        available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if self.device == "auto":
            return torch.device(next(name for name in ("cuda", "mps", "cpu") if available[name]))
        kind = self.device.partition(":")[0]
        if not available.get(kind, False):
            there = ", ".join(name for name, is_there in available.items() if is_there)
            raise InputError(f"device '{self.device}' is not available; available here: auto, {there}")
        return torch.device(self.device)


def build_part(kind: registry.Registry, part: Part, **context: Any) -> Any:
    """Return a plug-in built from its options, or the callable given in Python.

    Datasets and models are factories, so a callable of these kinds is called with the context.
    """
    target = part.target or _stored_callable(kind, part)
    if target is None:
        return kind.build(part.name, part.options, **context)
    return target(**context) if kind.context else target


def _stored_callable(kind: registry.Registry, part: Part) -> Any:
    """Return the callable that a stored configuration was run with, found again by its path."""
    if SOURCE_HASH not in part.options:
        return None
    found = kind.get(part.name)
    fields = {key: value for key, value in part.options.items() if key != SOURCE_HASH}
    revived: Any = found(**fields) if inspect.isclass(found) else found
    if Part.of(revived).options[SOURCE_HASH] != part.options[SOURCE_HASH]:
        raise InputError(f"{kind.kind} '{part.name}' is not the code this run was made with; run it again")
    return revived


def check_config(config: RunConfig) -> None:
    """Raise InputError with every unknown plug-in and wrong option of a configuration at once."""
    faults = []
    for name in PART_NAMES:
        part: Part = getattr(config, name)
        if part.target is not None or SOURCE_HASH in part.options:
            continue
        kind: registry.Registry = getattr(registry, f"{name}s")
        try:
            faults += kind.check(part.name, part.options)
        except InputError as error:
            faults.append(str(error))
    if faults:
        raise InputError(f"{config.label}: " + "; ".join(faults))


def load_splits(config: RunConfig, execution: Execution) -> Splits:
    """Return the configuration's dataset."""
    from rc_vs_snn.datasets.folders import data_root

    splits = build_part(registry.datasets, config.dataset, root=data_root(execution.data_root))
    if not isinstance(splits, Splits):
        raise InputError(f"dataset '{config.dataset.name}' returned {type(splits).__name__}, not Splits")
    return splits


def assemble(config: RunConfig, splits: Splits, execution: Execution) -> Task:
    """Build encoder, model, objective and rule for a dataset, and check that they fit.

    Raises:
        InputError: unknown plug-in or option, or a threshold the evidence cannot meet.
    """
    check_config(config)
    device = execution.torch_device()
    encoder = build_part(registry.encoders, config.encoder)
    probe = encoder(splits.train.select(slice(0, 1)), 0)
    torch.manual_seed(seeds.seed_for(config.seed, "weights", config.model.name))
    model = build_part(registry.models, config.model, layout=probe.layout, n_classes=splits.n_classes)
    rule = build_part(registry.rules, config.rule)
    try:
        check_rule(rule, model.evidence, probe.n_steps)
    except InputError as error:
        raise InputError(f"{config.label}: {error}") from error
    objective = build_part(registry.objectives, config.objective)
    augmentation = build_part(registry.augmentations, config.augmentation)
    return Task(model.to(device), augmentation, encoder, objective, rule, config.seed, device)


@contextlib.contextmanager
def torch_settings(execution: Execution) -> Iterator[None]:
    """Set threads for one run and leave torch's global state as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(execution.threads)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(before)


def check_run(config: RunConfig, execution: Execution) -> None:
    """Raise InputError if a run could not start: everything is built, nothing is trained."""
    with torch_settings(execution):
        assemble(config, load_splits(config, execution), execution)


@torch.no_grad()
def trace_split(task: Task, samples: Samples, split: SplitName, batch_size: int = 500) -> Trace:
    """Run a split to the last step and keep evidence and cost of every sample at every step."""
    task.model.eval()
    batches: list[dict[str, Tensor]] = []
    for encoded, _ in task.batches(samples, np.arange(len(samples)), batch_size, split):
        count = counter_of(task.model, encoded.analogue)
        evidence, costs = [], []
        for readout, x, before, after in iterate(task.model, encoded):
            evidence.append(evidence_of(readout, task.model.evidence))
            not_counted = x.new_full((len(x),), torch.nan)
            costs.append(count(x, before, after) if count else Operations(*[not_counted] * 3))
        events = [encoded.events_until(step) for step in range(encoded.n_steps)]
        batches.append(
            {
                "evidence": torch.stack(evidence, 1),  # (B, T, K)
                "input_events": torch.stack(events, 1),  # (B, T)
                **{
                    kind: torch.stack([getattr(cost, kind) for cost in costs], 1).double().cumsum(1)  # (B, T)
                    for kind in ("acs", "macs", "leaks")
                },
            }
        )
    joined = {name: torch.cat([batch[name].cpu() for batch in batches]).numpy() for name in batches[0]}
    return Trace(labels=samples.labels, ids=samples.ids, **joined)


def run(
    config: RunConfig,
    folder: Path,
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
        InputError: a faulty configuration, missing data, an existing or unwritable folder.
    """
    execution = execution or Execution()
    check_config(config)
    with (
        interrupts_outside_numba(),
        torch_settings(execution),
        records.atomic_folder(folder, replace=replace) as working,
    ):
        splits = load_splits(config, execution)
        task = assemble(config, splits, execution)
        records.require_space(working, _expected_bytes(task, splits))
        started = time.time()
        epochs: list[dict[str, Any]] = []

        def keep(entry: dict[str, Any]) -> None:
            epochs.append(entry)
            if on_epoch is not None:
                on_epoch(entry)

        torch.manual_seed(seeds.seed_for(config.seed, "dropout"))
        try:
            train(task, splits.train, splits.valid, config.training, report, keep)
            metrics = judge(task, splits.test, working, epochs)
            status: dict[str, Any] = {"status": "done"}
        except TrainingDivergedError as error:
            metrics, status = {}, {"status": "failed", "reason": str(error)}
        records.write_json(working / records.CONFIG, config.to_table())
        records.write_json(working / records.HISTORY, epochs)
        records.write_json(working / records.METRICS, metrics)
        write_provenance(working, config, task, execution, started, **status)
    return records.read_record(folder)


def write_provenance(
    working: Path, config: RunConfig, task: Task, execution: Execution, started: float, **facts: Any
) -> None:
    """Write where a run came from into its folder, with ``facts``, the status among them."""
    context = {"seed": config.seed, "device": str(task.device), "threads": execution.threads}
    records.write_json(
        working / records.PROVENANCE,
        {"schema_version": records.SCHEMA_VERSION, **facts, **context, **provenance(started)},
    )


def judge(task: Task, test: Samples, working: Path, epochs: list[dict[str, Any]]) -> dict[str, Any]:
    """Read the test split, write decisions, trace and weights, and return the metrics.

    Args:
        task: the parts, the model trained.
        test: the test split.
        working: the run folder in the making.
        epochs: the training history (empty if nothing was trained here).
    """
    trace = trace_split(task, test, "test")
    decision = decide(trace.evidence, task.rule)
    records.write_decisions(working / records.DECISIONS, trace, decision)
    records.write_trace(working / records.TRACE, trace)
    weights = {name: value.cpu().contiguous() for name, value in task.model.state_dict().items()}
    (working / records.WEIGHTS).write_bytes(save_tensors(weights))
    return {
        **summarise(trace, decision),
        "evidence": task.model.evidence,
        "parameters": count_parameters(task.model),
        "train_seconds": sum(entry["seconds"] for entry in epochs),
        "epochs_run": len(epochs),
    }


def _expected_bytes(task: Task, splits: Splits) -> int:
    """Return an upper estimate of a run folder's size: trace, decisions, weights, and 1 MB for the rest."""
    n_steps = task.encoder(splits.train.select(slice(0, 1)), 0).n_steps
    per_sample = n_steps * (4 * splits.n_classes + 3 * 8) + 100
    return len(splits.test) * per_sample + 4 * count_parameters(task.model) + 1_000_000


def count_parameters(model: torch.nn.Module) -> int:
    """Return the number of trained parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def evaluate(
    record: records.Record,
    execution: Execution | None = None,
    *,
    split: SplitName = "test",
    rule: Part | None = None,
    mean_step: float | None = None,
) -> dict[str, Any]:
    """Load a finished run's weights and judge a split again.

    Args:
        record: a finished run.
        execution: device, threads, data root.
        split: "valid" or "test" (or "train").
        rule: another decision rule; by default the run's own.
        mean_step: shift the rule's thresholds so that the mean decision step on valid is at most this.

    Returns:
        The metrics, as in ``metrics.json``, and the ``thresholds`` in force at the first and last step.

    Raises:
        InputError: the run is not finished, its plug-ins are not importable, its weights do not fit, or
            no threshold decides as soon as ``mean_step``.
    """
    execution = execution or Execution()
    if record.status != "done":
        raise InputError(f"{record.folder} is a {record.status} run ({record.reason}); run it again first")
    config = RunConfig.from_table(record.config)
    with torch_settings(execution):
        splits = load_splits(config, execution)
        task = assemble(config, splits, execution)
        load_weights(task.model, record.folder / records.WEIGHTS)
        chosen = build_part(registry.rules, rule or config.rule)
        samples: Samples = getattr(splits, split)
        trace = trace_split(task, samples, split)
        check_rule(chosen, task.model.evidence, trace.n_steps)
        if mean_step is not None:
            on_valid = trace if split == "valid" else trace_split(task, splits.valid, "valid")
            chosen = calibrated(on_valid.evidence, chosen, task.model.evidence, mean_step)
        metrics = summarise(trace, decide(trace.evidence, chosen))
    thresholds = [chosen.threshold_at(step, trace.n_steps) for step in (0, trace.n_steps - 1)]
    return {
        "split": split, "thresholds": thresholds, **metrics, "parameters": count_parameters(task.model)
    }  # fmt: skip


def load_weights(model: torch.nn.Module, path: Path) -> None:
    """Load safetensors weights into a model.

    Raises:
        InputError: the file is missing, damaged or of another architecture.
    """
    try:
        model.load_state_dict(renamed(load_tensors(path.read_bytes()), model.state_dict()))
    except OSError as error:
        raise InputError(f"cannot read weights {path}: {error.strerror}") from error
    except SafetensorError as error:
        raise InputError(f"weights {path} are damaged ({error}); run again") from error
    except RuntimeError as error:
        raise InputError(f"weights {path} are of another architecture than the configuration") from error
