"""Judging a trained model on a split: its trace, its decisions, its numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn import registry
from rc_vs_snn.config import Part, RunConfig
from rc_vs_snn.contracts import Samples, SplitName, Splits, Trace
from rc_vs_snn.decision.batch import at_every_step, iterate
from rc_vs_snn.decision.calibration import calibrated
from rc_vs_snn.decision.evidence import Evidence, Membrane, evidence_of_trace, read_by
from rc_vs_snn.decision.exits import judged
from rc_vs_snn.decision.metrics import plugged_in, summarise
from rc_vs_snn.decision.reading import arrays
from rc_vs_snn.decision.rules import Reading, check_rule, decide, thresholds_of
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.neurobench import static
from rc_vs_snn.experiment.parts import assemble, build_rule, count_parameters, load_splits
from rc_vs_snn.models.cost import Operations, counter_of
from rc_vs_snn.models.old_names import renamed
from rc_vs_snn.records import CONFIG, WEIGHTS, Record, Result, read_weights
from rc_vs_snn.training.task import Task


@torch.no_grad()
def trace_split(task: Task, samples: Samples, split: SplitName, batch_size: int = 500) -> Trace:
    """Run a split to its samples' last steps and keep readout, evidence and cost of each at every step."""
    task.model.eval()
    evidence = read_by(task.rule, task.model.evidence)
    batches: list[dict[str, Tensor]] = []
    step_ms = None
    for encoded, _ in task.batches(samples, np.arange(len(samples)), batch_size, split):
        batches.append(_trace_batch(task.model, encoded))
        step_ms = encoded.step_ms
    joined = {name: arrays(torch.cat([batch[name].cpu() for batch in batches])) for name in batches[0]}
    joined["evidence"] = _evidence(joined["readouts"], evidence, joined["lengths"])
    return Trace(labels=samples.labels, ids=samples.ids, step_ms=step_ms, **joined)


def _evidence(readouts: np.ndarray, evidence: Evidence, lengths: np.ndarray) -> np.ndarray:
    if isinstance(evidence, Membrane):
        return readouts  # read as it is, kept once
    return evidence_of_trace(readouts, evidence, lengths)


def _trace_batch(model: Any, encoded: Encoded) -> dict[str, Tensor]:
    """Return readouts ``(B, T, K)``, costs and events up to each step ``(B, T)``, and lengths ``(B,)``."""
    count = counter_of(model, encoded.analogue)
    found: dict[str, list[tuple[Tensor, Tensor]]] = defaultdict(list)
    spent = {kind: torch.zeros(len(encoded), dtype=torch.float64) for kind in ("acs", "macs", "leaks")}
    events = torch.zeros(len(encoded), dtype=torch.int64)
    for each in iterate(model, encoded):
        found["readouts"].append((each.rows, each.readout))
        not_counted = each.x.new_full((len(each.x),), torch.nan)
        cost = count(each.x, each.before, each.after) if count else Operations(*[not_counted] * 3)
        rows = each.rows.cpu()
        for kind, total in spent.items():
            total[rows] += getattr(cost, kind).double().cpu()
            found[kind].append((rows, total[rows]))
        events[rows] += each.encoded.events_at(each.step).cpu()
        found["input_events"].append((rows, events[rows]))
    every = torch.full((len(encoded),), encoded.n_steps)
    return {
        **{name: at_every_step(values, encoded).transpose(0, 1) for name, values in found.items()},
        "lengths": every if encoded.lengths is None else encoded.lengths,
    }


def judge(task: Task, splits: Splits, history: Sequence[Mapping[str, Any]]) -> Result:
    """Return what a run came to, with what was said of valid; see ``judge_test``."""
    valid = trace_split(task, splits.valid, "valid")
    return replace(judge_test(task, splits.test, history), valid=valid)


def judge_test(task: Task, test: Samples, history: Sequence[Mapping[str, Any]]) -> Result:
    """Read the test split and return what the run came to.

    Args:
        task: the parts, the model trained.
        test: the test split.
        history: of the training (empty if nothing was trained here).
    """
    trace = trace_split(task, test, "test")
    decision = decide(trace.evidence, task.rule, trace.lengths)
    numbers = summarise(trace, decision)
    metrics = {
        **plugged_in(trace, decision),
        **numbers,
        "evidence": registry.evidences.name_of(read_by(task.rule, task.model.evidence)),
        "parameters": count_parameters(task.model),
        "train_seconds": sum(entry["seconds"] for entry in history),
        "epochs_run": len(history),
        "neurobench": {**static(task.model), "classification_accuracy": numbers["accuracy"]},
    }
    return Result(metrics, weights_of(task.model), (trace, decision))


def evaluate(
    record: Record,
    execution: Execution | None = None,
    *,
    split: SplitName = "test",
    rule: Part | None = None,
    evidence: Part | None = None,
    mean_step: float | None = None,
) -> dict[str, Any]:
    """Load a finished run's weights and judge a split again.

    Args:
        record: a finished run.
        execution: device, threads, data root.
        split: "valid" or "test" (or "train").
        rule: another decision rule; by default the run's own.
        evidence: what that rule reads; by default what it or the model says, or with the run's own rule the
            run's own evidence.
        mean_step: shift the rule's thresholds so that the mean decision step on valid is at most this.

    Returns:
        The metrics, as in ``metrics.json``, and the ``thresholds`` in force at the first and last step
        ("never" where nothing may decide).

    Raises:
        InputError: the run is not finished, its plug-ins are not importable, its weights do not fit, or
            no threshold decides as soon as ``mean_step``.
    """
    execution = execution or Execution()
    record.require_done()
    config = stored_config(record, execution)
    with torch_settings(execution):
        splits, task = restore(config, record.folder, execution)
        own = config.evidence if rule is None else None
        chosen = build_rule(rule or config.rule, evidence or own)
        # The trace's evidence is what the run's rule reads, which another rule need not.
        chosen = Reading(chosen, read_by(chosen, task.model.evidence))
        samples: Samples = getattr(splits, split)
        trace = trace_split(task, samples, split)
        check_rule(chosen, task.model.evidence, trace.n_steps)
        if mean_step is not None:
            on_valid = trace if split == "valid" else trace_split(task, splits.valid, "valid")
            chosen = calibrated(on_valid, chosen, task.model.evidence, mean_step)
        decision = judged(trace, chosen)
        metrics = {**plugged_in(trace, decision), **summarise(trace, decision)}
    thresholds = thresholds_of(chosen, trace.n_steps)[[0, -1]]
    return {
        "split": split, "thresholds": spelt(thresholds), **metrics, "parameters": count_parameters(task.model)
    }  # fmt: skip


def spelt(thresholds: np.ndarray) -> list[float | str]:
    """Return thresholds as ``per-step`` takes them, with "never" where nothing may decide."""
    return ["never" if each == np.inf else each for each in thresholds.tolist()]


def weights_of(model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return copies of a model's parameters and buffers by name, as arrays."""
    tensors = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    # numpy has no bfloat16; float32 holds the same numbers
    return {
        name: (value.float() if value.dtype == torch.bfloat16 else value).numpy()
        for name, value in tensors.items()
    }


def stored_config(record: Record, execution: Execution) -> RunConfig:
    """Return the configuration of a stored run, if nothing that only a file names would run.

    Raises:
        InputError: it is none, or it is of something made elsewhere, or a part is code named by its path and
            ``execution.trust`` is not set.
    """
    if record.made != "trained":
        what = "the network" if record.made == "judged" else "predictions, with their validation readouts,"
        raise InputError(
            f"{record.folder} is of a network that was made elsewhere ({record.made}), which cannot be built "
            f"from it; judge {what} again with `rc-vs-snn judge`"
        )
    try:
        config = RunConfig.from_table(record.config)
    except InputError as error:
        raise InputError(f"{record.folder / CONFIG}: {error}") from error
    require_trust(config, record.folder, execution)
    return config


def require_trust(config: RunConfig, folder: Path, execution: Execution) -> None:
    """Raise InputError where code that a stored configuration names by its path would run untrusted."""
    named = [f"{name} = '{part.name}'" for name, part in config.parts.items() if ":" in part.name]
    if named and not execution.trust:
        raise InputError(
            f"{folder} names code ({', '.join(named)}), which would run; if you trust where it comes "
            "from, say --trust, or Execution(trust=True)"
        )


def restore(config: RunConfig, folder: Path, execution: Execution) -> tuple[Splits, Task]:
    """Return the data and the parts of a stored run, the model with its weights."""
    splits = load_splits(config, execution)
    task = assemble(config, splits, execution)
    load_weights(task.model, folder / WEIGHTS)
    return splits, task


def load_weights(model: torch.nn.Module, path: Path) -> None:
    """Load safetensors weights into a model.

    Raises:
        InputError: the file is missing, damaged or of another architecture.
    """
    try:
        stored = {name: torch.tensor(value) for name, value in read_weights(path).items()}
        model.load_state_dict(renamed(stored, model.state_dict()))
    except RuntimeError as error:
        raise InputError(f"weights {path} are of another architecture than the configuration") from error
