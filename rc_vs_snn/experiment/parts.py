"""The parts of a run, built from its configuration and checked to fit one another."""

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import torch

from rc_vs_snn import registry, seeds
from rc_vs_snn.config import SOURCE_HASH, Part, RunConfig
from rc_vs_snn.contracts import Splits
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.decision.rules import Reading, Rule, check_rule
from rc_vs_snn.encoded import Encoded, Frames, SpikeTimes
from rc_vs_snn.errors import InputError, blamed
from rc_vs_snn.experiment.corpora import corpus
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.memory import require_memory, require_memory_for_traces
from rc_vs_snn.experiment.probing import probe
from rc_vs_snn.testing.models import require_model
from rc_vs_snn.training.task import Task


def build_part(kind: registry.Registry, part: Part, **context: Any) -> Any:
    """Return a plug-in built from its options, or the callable given in Python.

    Datasets and models are factories, so a callable of these kinds is called with the context.
    """
    target = part.target or _stored_callable(kind, part)
    with blamed(f"{kind.kind} '{part.name}'"):
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
    if not part.is_identified or Part.of(revived).options[SOURCE_HASH] != part.options[SOURCE_HASH]:
        raise InputError(f"{kind.kind} '{part.name}' is not the code this run was made with; run it again")
    return revived


def build_rule(rule: Part, evidence: Part | None) -> Rule:
    """Return a rule that reads an evidence of its own, if one is given.

    Raises:
        InputError: the rule brings its evidence already.
    """
    built: Rule = build_part(registry.rules, rule)
    if evidence is None:
        return built
    if getattr(built, "reads", None) is not None:
        raise InputError(f"rule '{rule.name}' brings its own evidence; leave out [evidence]")
    return Reading(built, build_part(registry.evidences, evidence))


def check_config(config: RunConfig) -> None:
    """Raise InputError with every unknown plug-in and wrong option of a configuration at once."""
    faults = []
    for name, part in config.parts.items():
        kind = registry.KINDS[name]
        if part.target is not None and not kind.interface.is_met(part.target):
            faults.append(f"'{part.name}' is no {name}, which is {kind.interface}; got {part.target!r}")
        if part.target is not None or SOURCE_HASH in part.options:
            continue
        try:
            faults += kind.check(part.name, part.options)
        except InputError as error:
            faults.append(str(error))
    if faults:
        raise InputError(f"{config.label}: " + "; ".join(faults))


def load_splits(config: RunConfig, execution: Execution) -> Splits:
    """Return the configuration's dataset, which nobody may write into."""
    root = data_root(execution.data_root)
    splits = corpus(config.dataset, root, lambda: build_part(registry.datasets, config.dataset, root=root))
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
    code = _first_code(config, encoder, splits)
    context = {"layout": code.layout, "n_classes": splits.n_classes}
    require_memory(config, context, device)
    require_memory_for_traces(config, len(splits.test), code.n_steps, splits.n_classes)
    torch.manual_seed(seeds.seed_for(config.seed, "weights", config.model.name))
    model = build_part(registry.models, config.model, **context)
    rule = build_rule(config.rule, config.evidence)
    try:
        require_model(model)
        check_rule(rule, model.evidence, code.n_steps)
    except (AssertionError, InputError) as error:
        raise InputError(f"{config.label}: {error}") from error
    objective = build_part(registry.objectives, config.objective)
    augmentation = build_part(registry.augmentations, config.augmentation)
    return Task(model.to(device), augmentation, encoder, objective, rule, config.seed, device)


def _first_code(config: RunConfig, encoder: Any, splits: Splits) -> Encoded:
    """Return the code of one sample, which tells the layout and T."""
    with blamed(f"{config.label}: encoder '{config.encoder.name}'"):
        code: Any = encoder(splits.train.select(slice(0, 1)), 0)
    if not isinstance(code, SpikeTimes | Frames):
        raise InputError(
            f"{config.label}: encoder '{config.encoder.name}' returned {type(code).__name__}; it returns "
            "SpikeTimes or Frames of rc_vs_snn.encoded"
        )
    return code


def check_run(config: RunConfig, execution: Execution) -> None:
    """Raise InputError if a run could not start: everything is built, nothing is trained."""
    with torch_settings(execution), exits_named(config):
        check_config(config)
        splits = load_splits(config, execution)
        probe(config, assemble(config, splits, execution), splits.train)


@contextlib.contextmanager
def exits_named(config: RunConfig) -> Iterator[None]:
    """Raise InputError where a plug-in would end the whole process."""
    try:
        yield
    except SystemExit as stop:
        raise InputError(
            f"{config.label}: a plug-in called sys.exit({stop.code!r}); it must return or raise instead"
        ) from stop


def count_parameters(model: torch.nn.Module) -> int:
    """Return the number of trained parameters; whole numbers stand for parameters that were trained."""
    return sum(
        each.numel() for each in model.parameters() if each.requires_grad or not each.is_floating_point()
    )
