"""The frozen configuration of one run: plug-ins by name, how to train, a seed. Imports no torch."""

import dataclasses
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rc_vs_snn.config.training import Training, training_from
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry.identity import UNKNOWN, identity_of
from rc_vs_snn.registry.values import MOST, is_whole, plain

PART_NAMES = ("dataset", "augmentation", "encoder", "model", "evidence", "rule", "objective")
OPTIONAL = ("augmentation", "evidence")
"""Parts that a configuration may leave out: nothing is changed, the rule reads the model's own evidence."""
RUN_KEYS = ("label", "seed", *PART_NAMES, "training")

# The option under which a callable given in Python records a hash of its source.
SOURCE_HASH = "source_sha256"

# A label names a folder, and file systems hold names of up to 255 bytes.
LONGEST = 100

Plain = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A plug-in by name, with its options.

    Attributes:
        name: a registered name or a ``module:attribute`` path.
        options: keyword arguments of its factory.
        target: a callable given in Python instead of a name; ``name`` then tells where it lives.

    Raises:
        InputError: a name that is no text, or a number in the options that is not finite.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    target: Callable[..., Any] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or "\0" in self.name:
            raise InputError(f"a plug-in's name must be a text without NUL, got {self.name!r}")
        checked = {
            key: plain(value, f"'{self.name}': {key}", name_others=self.target is not None)
            for key, value in self.options.items()
        }
        object.__setattr__(self, "options", checked)

    @classmethod
    def of(cls, value: "str | Part | Mapping[str, Any] | Callable[..., Any]") -> "Part":
        """Return a part from a registered name, a table, a part, or any callable (used as it is).

        A callable is recorded by its module path and its identity (``registry.identity``), so that a
        finished run is not mistaken for one of other code, or of other values in it.
        """
        if isinstance(value, Part):
            return value
        if isinstance(value, str | Mapping):
            return _part("a plug-in", value)
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
class RunConfig:
    """One model trained once: everything that determines its result.

    Attributes:
        label: the model's name in tables and figures.
        seed: base seed of every generator.
        dataset, augmentation, encoder, model, rule, objective: plug-ins with options; augmentation
            changes training samples before they are encoded.
        evidence: what the rule reads, a plug-in with options; None: what the rule or the model says.
        training: how it is trained.

    Raises:
        InputError: naming every label, seed, part or training that is none.
    """

    label: str
    dataset: Part
    encoder: Part
    model: Part
    rule: Part
    objective: Part
    augmentation: Part = Part("none")
    evidence: Part | None = None
    training: Training = field(default_factory=Training)
    seed: int = 0

    def __post_init__(self) -> None:
        faults = _faults_of(self.label, self.seed)
        faults += [
            f"{name} must be a name, a table or a callable, got {getattr(self, name)!r}"
            for name in PART_NAMES
            if not isinstance(getattr(self, name), Part) and (name, getattr(self, name)) != ("evidence", None)
        ]
        if not isinstance(self.training, Training):
            faults.append(f"training must be a Training or a table of its fields, got {self.training!r}")
        if faults:
            raise InputError("; ".join(faults))
        object.__setattr__(self, "seed", int(self.seed))

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "RunConfig":
        """Build from nested plain values.

        Raises:
            InputError: naming every unknown key, missing table and wrong value at once.
        """
        faults = [
            f"unknown key '{key}'; {did_you_mean(key, RUN_KEYS)}" for key in table if key not in RUN_KEYS
        ]
        required = [name for name in PART_NAMES if name not in OPTIONAL]
        faults += [f"[{name}] is missing" for name in required if name not in table]
        values: Plain = {}
        for name in PART_NAMES:
            if name in table:
                values[name] = _collect(faults, _part, name, table[name])
        values["training"] = _collect(faults, training_from, table.get("training", {}))
        seed = table.get("seed", 0)
        label = table.get("label", values["model"].name if values.get("model") else "-")
        faults += _faults_of(label, seed) if "label" in table or values.get("model") else []
        if faults:
            raise InputError("; ".join(faults))
        return cls(label=label, seed=seed, **values)

    def to_table(self) -> Plain:
        """Return nested plain values, as stored in ``config.json``."""
        return {
            "label": self.label,
            "seed": self.seed,
            **{name: part.to_table() for name, part in self.parts.items()},
            "training": self.training.to_table(),
        }

    @property
    def parts(self) -> dict[str, Part]:
        """Return the parts that there are, by kind."""
        found = {name: getattr(self, name) for name in PART_NAMES}
        return {name: part for name, part in found.items() if part is not None}

    @property
    def folder_name(self) -> str:
        """Return the name of this run's folder."""
        return f"{slug(self.label)}-seed{self.seed}"


def check_seeds(seeds: Sequence[Any]) -> tuple[int, ...]:
    """Return base seeds; raise InputError unless they are different whole numbers of at least 0."""
    if not seeds or not all(map(is_whole, seeds)) or len(set(seeds)) != len(seeds):
        raise InputError(
            f"seeds must be one or more different whole numbers of at least 0 (up to {MOST}), got "
            f"{list(seeds)}"
        )
    return tuple(map(int, seeds))


def _faults_of(label: Any, seed: Any) -> list[str]:
    faults = []
    if not isinstance(label, str) or not label.isprintable() or not 0 < len(slug(label)) <= LONGEST:
        faults.append(
            f"label must be one line of text with letters or digits, at most {LONGEST} of them, got {label!r}"
        )
    if not is_whole(seed):
        faults.append(f"seed must be a whole number of at least 0 (up to {MOST}), got {seed!r}")
    return faults


def short_key(key: str) -> str:
    """Return the last part of a setting's key; of the name of a part, what it is a name of."""
    return key.removesuffix(".name").rpartition(".")[2]


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


def _collect(faults: list[str], build: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return build(*arguments)
    except InputError as error:
        faults.append(str(error))
        return None
