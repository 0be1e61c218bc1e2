"""Judging a network that was made elsewhere, as if it had been trained here. Nothing is trained."""

import inspect
import time as clock
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import nn

from rc_vs_snn import registry
from rc_vs_snn.config import Part
from rc_vs_snn.contracts import EvidenceKind, Splits
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.decision.rules import check_rule
from rc_vs_snn.encoded import Encoded, Frames, SpikeTimes
from rc_vs_snn.errors import InputError, blamed, did_you_mean
from rc_vs_snn.experiment.elsewhere import UNKNOWN_TRAINING, Named, part_of, write_elsewhere
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.judging import judge as judge_task
from rc_vs_snn.experiment.neurobench import neurobench
from rc_vs_snn.experiment.parts import build_part, build_rule
from rc_vs_snn.models.adapters import adapter_for
from rc_vs_snn.models.adapters.stepping import Adapted
from rc_vs_snn.records import Record
from rc_vs_snn.registry.paths import distributions_of
from rc_vs_snn.testing.models import check_steps, require_model
from rc_vs_snn.training.task import judging_task

N_SAMPLES = 7
ADAPTING = ("time", "shape", "output", "over", "evidence")
JUDGED = Path("runs") / "judged"


def judge(
    module: nn.Module,
    splits: "Splits | str | Part | Mapping[str, Any]",
    encoder: Any,
    *,
    rule: Any = "first-spike",
    reads: Any = None,
    label: str | None = None,
    out: Path | str = JUDGED,
    seed: int = 0,
    dataset: str = "given",
    adapter: Callable[..., nn.Module] | None = None,
    execution: Execution | None = None,
    overwrite: bool = False,
    **adapting: Any,
) -> Record:
    """Judge a trained network of any make on a test split, and write its run folder beside others.

    A network with ``initial_state`` and ``step`` (``Model``) is taken as it is. Any other gets the adapter of
    what it is made of: see ``models.adapters.from_snntorch`` and its like.

    Args:
        module: the network, with its weights. It is put into eval mode, and onto the device, for the time
            being.
        splits: the data: splits, or the name (with options, a table or ``Part``) of a registered dataset.
        encoder: what makes codes of samples: a name, a table, or any encoder.
        rule: the decision rule, likewise.
        reads: what the rule reads in place of the network's own evidence, likewise, such as "margin".
        label: its name in tables and figures; by default that of its class.
        out: the folder of run folders in which its own is written; what was judged there before under the
            same label and seed is replaced.
        seed: which repetition it is, of networks trained alike.
        dataset: what tables call the data, where splits are given.
        adapter: makes a ``Model`` of the network and an encoded example; by default found.
        execution: device, threads, data root.
        overwrite: whether a run that was trained there is replaced.
        adapting: ``time``, ``shape``, ``output``, ``over``, ``evidence``: see ``from_snntorch``.

    Returns:
        The record; ``made`` in its provenance is "judged".

    Raises:
        InputError: a network that cannot be stepped, or whose steps are not its own forward; data, encoder
            and network that do not fit; a rule its evidence can never meet; or a folder that is not replaced.
    """
    execution = execution or Execution()
    if not isinstance(module, nn.Module):
        raise InputError(f"a network must be an nn.Module with its weights, got {type(module).__name__}")
    unknown = [name for name in adapting if name not in ADAPTING]
    if unknown:
        raise InputError(f"unknown option '{unknown[0]}'; {did_you_mean(unknown[0], ADAPTING)}")
    named = Named(type(module).__name__ if label is None else label, seed, Path(out), overwrite)
    started = clock.time()
    encoder_part, rule_part = part_of(registry.encoders, encoder), part_of(registry.rules, rule)
    reads_part = None if reads is None else part_of(registry.evidences, reads)
    encode, decides = build_part(registry.encoders, encoder_part), build_rule(rule_part, reads_part)
    data, dataset_part = _data(splits, dataset, execution)
    device = execution.torch_device()
    with torch_settings(execution), _evaluating(module, device):
        example = _example(encode, data, encoder_part.name)
        model = _stepped(module, example, adapter, adapting)
        _check(model, example.to(device), data.n_classes, named.label)
        check_rule(decides, model.evidence, example.n_steps)
        task = judging_task(model, encode, decides, seed, device)
        outcome = judge_task(task, data, [])
        metrics = {**outcome.metrics, **UNKNOWN_TRAINING, "neurobench": neurobench(task, data.test, outcome)}
    parts = {
        "dataset": dataset_part.to_table(),
        "encoder": encoder_part.to_table(),
        "model": _model_table(module, model),
        "rule": rule_part.to_table(),
        **({} if reads_part is None else {"evidence": reads_part.to_table()}),
    }
    facts = {"device": str(device), "threads": execution.threads, "network": _home(module)}
    if isinstance(model, Adapted) and model.uncounted:
        facts["not_counted"] = model.uncounted
    outcome = replace(outcome, metrics=metrics)
    return write_elsewhere(named, parts, outcome, "judged", started, facts, _packages(module))


@contextmanager
def _evaluating(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Put a network into eval mode and onto a device; then each part back into its mode, and all back."""
    modes = {part: part.training for part in module.modules()}
    home = next((tensor.device for tensor in (*module.parameters(), *module.buffers())), device)
    module.eval().to(device)
    try:
        yield
    finally:
        module.to(home)
        for part, training in modes.items():
            part.training = training


def _data(splits: Any, dataset: str, execution: Execution) -> tuple[Splits, Part]:
    if isinstance(splits, Splits):
        return splits, Part(dataset)
    part = Part.of(splits)
    found = build_part(registry.datasets, part, root=data_root(execution.data_root))
    if not isinstance(found, Splits):
        raise InputError(f"dataset '{part.name}' returned {type(found).__name__}, not Splits")
    return found, part


def _example(encode: Any, data: Splits, name: str) -> Encoded:
    """Return the code of a few training samples; what is checked is not the test split."""
    rows = np.unique(np.linspace(0, len(data.train) - 1, N_SAMPLES).round().astype(np.int64))
    with blamed(f"encoder '{name}'"):
        code: Any = encode(data.train.select(rows).read(), 0)
    if not isinstance(code, SpikeTimes | Frames) or len(code) != len(rows):
        raise InputError(
            f"encoder '{name}' returned {type(code).__name__} for {len(rows)} samples; it returns SpikeTimes "
            "or Frames of rc_vs_snn.encoded, one row per sample"
        )
    return code


def _stepped(
    module: nn.Module, example: Encoded, adapter: Callable[..., nn.Module] | None, adapting: dict[str, Any]
) -> Any:
    """Return a network behind the ``Model`` interface, in eval mode."""
    if adapter is None and all(callable(getattr(module, name, None)) for name in ("initial_state", "step")):
        evidence = adapting.pop("evidence", getattr(module, "evidence", None))
        if adapting:
            raise InputError(
                f"{type(module).__name__} has a step of its own and is taken as it is; leave out "
                f"{', '.join(adapting)}"
            )
        if evidence != getattr(module, "evidence", None):
            raise InputError(
                f"{type(module).__name__} says that its evidence is {getattr(module, 'evidence', None)!r}; "
                "set that attribute, and leave out evidence"
            )
        return module
    if adapting.get("evidence", "probability") not in get_args(EvidenceKind):
        hint = did_you_mean(str(adapting["evidence"]), get_args(EvidenceKind))
        raise InputError(f"there is no evidence {adapting['evidence']!r}; {hint}")
    model = (adapter or adapter_for(module))(module, example, **adapting)
    return model.eval()


def _check(model: Any, example: Encoded, n_classes: int, label: str) -> None:
    """Raise InputError where a model breaks a promise, on the first steps of a few samples."""
    frames = torch.stack([example.at(step) for step in range(min(3, example.n_steps))])
    with blamed(label), torch.no_grad():
        try:
            require_model(model)
            check_steps(model, frames, n_classes)
        except AssertionError as error:
            raise InputError(f"{label}: {' '.join(str(error).split())}") from error


def _model_table(module: nn.Module, model: Any) -> dict[str, Any]:
    table: dict[str, Any] = {"name": getattr(module, "origin", "") or type(module).__name__}
    if isinstance(model, Adapted):
        table |= {"time": model.form.time, "output": model.form.output, "over": model.form.over}
    return table


def _home(module: nn.Module) -> str:
    """Return the file a network was made of, or where its class is written, as far as that can be told."""
    kind = type(module)
    if getattr(module, "origin", ""):
        return str(module.origin)
    try:
        source = Path(inspect.getsourcefile(kind) or "")
        return f"{kind.__module__}:{kind.__qualname__} in {source.name}"
    except (TypeError, OSError):  # made in a notebook or at a prompt
        return f"{kind.__module__}:{kind.__qualname__}"


def _packages(module: nn.Module) -> tuple[str, ...]:
    tops = {type(part).__module__.partition(".")[0] for part in module.modules()}
    return tuple(sorted({found for top in tops for found in distributions_of(top)}))
