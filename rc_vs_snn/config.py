"""The frozen configuration of one run: plug-ins by name, how to train, a seed. Imports no torch."""

import dataclasses
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry.identity import UNKNOWN, identity_of

PART_NAMES = ("dataset", "augmentation", "encoder", "model", "rule", "objective")
RUN_KEYS = ("label", "seed", *PART_NAMES, "training")

# The option under which a callable given in Python records a hash of its source.
SOURCE_HASH = "source_sha256"

Plain = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A plug-in by name, with its options.

    Attributes:
        name: a registered name or a ``module:attribute`` path.
        options: keyword arguments of its factory.
        target: a callable given in Python instead of a name; ``name`` then tells where it lives.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    target: Callable[..., Any] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, value: "str | Part | Callable[..., Any]") -> "Part":
        """Return a part from a registered name, a part, or any callable (used as it is).

        A callable is recorded by its module path and its identity (``registry.identity``), so that a
        finished run is not mistaken for one of other code, or of other values in it.
        """
        if isinstance(value, Part):
            return value
        if isinstance(value, str):
            return cls(value)
        described = value if inspect.isroutine(value) or inspect.isclass(value) else type(value)
        options = {entry.name: getattr(value, entry.name) for entry in _fields(value)}
        name = f"{described.__module__}:{described.__qualname__}"
        return cls(name, {**options, SOURCE_HASH: identity_of(value)}, target=value)

    @property
    def is_identified(self) -> bool:
        """Whether it can be told from other code: a run of what cannot is never taken as finished."""
        return self.options.get(SOURCE_HASH) != UNKNOWN

    def to_table(self) -> Plain:
        """Return name and options as one plain table."""
        return {"name": self.name, **self.options}


@dataclass(frozen=True)
class Training:
    """How a model is trained.

    Attributes:
        epochs: passes over the training split.
        batch_size: samples per step.
        learning_rate: peak of the schedule (AdamW).
        weight_decay: AdamW's decoupled weight decay.
        schedule: "one-cycle", "cosine" or "constant", stepped per batch.
        clip_norm: largest gradient norm; 0 switches clipping off.
        patience: epochs without a better validation accuracy before stopping; 0 never stops early.
        keep: "best": the weights of the epoch with the best validation accuracy; "last": those of the last
            epoch, for a control whose objective is not what validation judges.
        ema_decay: per-batch decay of a running mean of the weights, which is what is validated and
            kept; 0 keeps the weights themselves.
        threshold_warmup: epochs over which the threshold seen by training rises from 0 to the rule's;
            an untrained model then decides at once, so the first epochs cost one step and not T.
        precision: "float32", or "bfloat16" for the products of training (quicker on processors that
            have it); validation and test always run in float32.
    """

    epochs: int = 15
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    clip_norm: float = 1.0
    patience: int = 0
    keep: Literal["best", "last"] = "best"
    ema_decay: float = 0.0
    threshold_warmup: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        faults = []
        for name, least in (("epochs", 1), ("batch_size", 1), ("patience", 0), ("threshold_warmup", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                faults.append(f"training.{name} must be a whole number of at least {least}, got {value!r}")
        for name in ("learning_rate", "weight_decay", "clip_norm"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
                faults.append(f"training.{name} must be a number of at least 0, got {value!r}")
        if self.learning_rate == 0:
            faults.append("training.learning_rate must be above 0")
        if not isinstance(self.ema_decay, int | float) or not 0 <= self.ema_decay < 1:
            faults.append(f"training.ema_decay must lie in [0, 1), got {self.ema_decay!r}")
        choices = {
            "schedule": ("one-cycle", "cosine", "constant"),
            "keep": ("best", "last"),
            "precision": ("float32", "bfloat16"),
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed:
                faults.append(f"unknown training.{name} '{value}'; {did_you_mean(str(value), allowed)}")
        if faults:
            raise InputError("; ".join(faults))

    def to_table(self) -> Plain:
        """Return the fields by name, without ``keep`` at its default: runs from before it have none."""
        table = dataclasses.asdict(self)
        return table if self.keep != "best" else {key: table[key] for key in table if key != "keep"}


@dataclass(frozen=True)
class RunConfig:
    """One model trained once: everything that determines its result.

    Attributes:
        label: the model's name in tables and figures.
        seed: base seed of every generator.
        dataset, augmentation, encoder, model, rule, objective: plug-ins with options; augmentation
            changes training samples before they are encoded.
        training: how it is trained.
    """

    label: str
    dataset: Part
    encoder: Part
    model: Part
    rule: Part
    objective: Part
    augmentation: Part = Part("none")
    training: Training = Training()
    seed: int = 0

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "RunConfig":
        """Build from nested plain values.

        Raises:
            InputError: naming every unknown key, missing table and wrong value at once.
        """
        faults = [
            f"unknown key '{key}'; {did_you_mean(key, RUN_KEYS)}" for key in table if key not in RUN_KEYS
        ]
        required = [name for name in PART_NAMES if name != "augmentation"]
        faults += [f"[{name}] is missing" for name in required if name not in table]
        values: Plain = {}
        for name in PART_NAMES:
            if name in table:
                values[name] = _collect(faults, _part, name, table[name])
        values["training"] = _collect(faults, training_from, table.get("training", {}))
        seed = table.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            faults.append(f"seed must be a whole number of at least 0, got {seed!r}")
        label = table.get("label", values["model"].name if values.get("model") else "")
        if not isinstance(label, str) or not slug(label):
            faults.append(f"label must be a text with letters or digits, got {label!r}")
        if faults:
            raise InputError("; ".join(faults))
        return cls(label=label, seed=seed, **values)

    def to_table(self) -> Plain:
        """Return nested plain values, as stored in ``config.json``."""
        return {
            "label": self.label,
            "seed": self.seed,
            **{name: getattr(self, name).to_table() for name in PART_NAMES},
            "training": self.training.to_table(),
        }

    @property
    def folder_name(self) -> str:
        """Return the name of this run's folder."""
        return f"{slug(self.label)}-seed{self.seed}"


def slug(label: str) -> str:
    """Return a label as a folder name: lower case letters, digits and single dashes."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def canonical(table: Mapping[str, Any]) -> str:
    """Return a table as text that is equal exactly when the content is."""
    return json.dumps(table, sort_keys=True, default=str)


def differences(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield ``key: a -> b`` for every leaf in which two tables differ."""
    for key in sorted({*one, *other}):
        a, b = one.get(key), other.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            yield from differences(a, b, f"{prefix}{key}.")
        elif canonical({"": a}) != canonical({"": b}):
            yield f"{prefix}{key}: {a!r} -> {b!r}"


def _part(kind: str, value: Any) -> Part:
    if isinstance(value, str):
        return Part(value)
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        raise InputError(
            f'{kind} must be a name or a table with a name, such as {{ name = "..." }}, got {value!r}'
        )
    return Part(value["name"], {key: option for key, option in value.items() if key != "name"})


def _fields(value: Any) -> tuple[dataclasses.Field, ...]:
    is_instance = dataclasses.is_dataclass(value) and not isinstance(value, type)
    return dataclasses.fields(value) if is_instance else ()


def training_from(table: Mapping[str, Any]) -> Training:
    """Build from plain values; unknown keys are named with the nearest allowed one."""
    allowed = [entry.name for entry in dataclasses.fields(Training)]
    unknown = [key for key in table if key not in allowed]
    if unknown:
        raise InputError(
            "; ".join(f"unknown key 'training.{key}'; {did_you_mean(key, allowed)}" for key in unknown)
        )
    return Training(**table)


def _collect(faults: list[str], build: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return build(*arguments)
    except InputError as error:
        faults.append(str(error))
        return None
