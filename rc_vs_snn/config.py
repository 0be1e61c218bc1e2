"""Frozen run configurations, read from TOML presets, files, ``--set`` and Python. Imports no torch.

A comparison file has shared tables (dataset, encoder, rule, objective, training) and one
``[[models]]`` entry per curve, which has a label and a model and may override any shared table.
"""

import copy
import dataclasses
import hashlib
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from rc_vs_snn.errors import InputError, did_you_mean

PART_NAMES = ("dataset", "augmentation", "encoder", "model", "rule", "objective")
RUN_KEYS = ("label", "seed", *PART_NAMES, "training")
COMPARISON_KEYS = ("name", "seeds", "match_parameters", "models", *RUN_KEYS[2:])

# The option under which a callable given in Python records a hash of its source.
SOURCE_HASH = "source_sha256"

Table = dict[str, Any]


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

        A callable is recorded by its module path and a hash of its source, so that a finished run
        is not mistaken for a run of a since edited function.
        """
        if isinstance(value, Part):
            return value
        if isinstance(value, str):
            return cls(value)
        described = value if inspect.isroutine(value) or inspect.isclass(value) else type(value)
        options = {entry.name: getattr(value, entry.name) for entry in _fields(value)}
        try:
            source = inspect.getsource(described)
        except (OSError, TypeError):
            source = repr(value)
        digest = hashlib.sha256(source.encode()).hexdigest()[:12]
        name = f"{described.__module__}:{described.__qualname__}"
        return cls(name, {**options, SOURCE_HASH: digest}, target=value)

    def to_table(self) -> Table:
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
        choices = {"schedule": ("one-cycle", "cosine", "constant"), "precision": ("float32", "bfloat16")}
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed:
                faults.append(f"unknown training.{name} '{value}'; {did_you_mean(str(value), allowed)}")
        if faults:
            raise InputError("; ".join(faults))


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
        values: Table = {}
        for name in PART_NAMES:
            if name in table:
                values[name] = _collect(faults, _part, name, table[name])
        values["training"] = _collect(faults, _training, table.get("training", {}))
        seed = table.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            faults.append(f"seed must be a whole number of at least 0, got {seed!r}")
        label = table.get("label", values["model"].name if values.get("model") else "")
        if not isinstance(label, str) or not slug(label):
            faults.append(f"label must be a text with letters or digits, got {label!r}")
        if faults:
            raise InputError("; ".join(faults))
        return cls(label=label, seed=seed, **values)

    def to_table(self) -> Table:
        """Return nested plain values, as stored in ``config.json``."""
        return {
            "label": self.label,
            "seed": self.seed,
            **{name: getattr(self, name).to_table() for name in PART_NAMES},
            "training": dataclasses.asdict(self.training),
        }

    @property
    def folder_name(self) -> str:
        """Return the name of this run's folder."""
        return f"{slug(self.label)}-seed{self.seed}"


@dataclass(frozen=True)
class Comparison:
    """Several models under one encoding and one rule.

    Attributes:
        name: names the output folder.
        runs: one configuration per model, without seeds applied.
        seeds: base seeds; every run is made once per seed.
        match_parameters: whether ``hidden`` of the later models is set to match the first one's
            parameter count.
    """

    name: str
    runs: tuple[RunConfig, ...]
    seeds: tuple[int, ...] = (0,)
    match_parameters: bool = False

    def __post_init__(self) -> None:
        if not self.runs:
            raise InputError("a comparison needs at least one [[models]] entry")
        slugs = [slug(run.label) for run in self.runs]
        twice = sorted({name for name in slugs if slugs.count(name) > 1})
        if twice:
            raise InputError(f"labels must differ, these are used twice: {', '.join(twice)}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise InputError(f"seeds must be one or more different whole numbers, got {list(self.seeds)}")

    @classmethod
    def from_table(cls, table: Mapping[str, Any], settings: Sequence[str] = ()) -> "Comparison":
        """Build from a comparison file's content and ``key=value`` settings.

        Raises:
            InputError: naming what is unknown or wrong, with the nearest allowed name.
        """
        unknown = [key for key in table if key not in COMPARISON_KEYS]
        if unknown:
            raise InputError(
                "; ".join(f"unknown key '{key}'; {did_you_mean(key, COMPARISON_KEYS)}" for key in unknown)
            )
        shared = {key: value for key, value in table.items() if key in RUN_KEYS}
        entries = table.get("models", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise InputError("models must be written as [[models]] entries")
        merged = [_merge(shared, entry) for entry in entries]
        for setting in settings:
            _apply(setting, merged)
        return cls(
            name=table.get("name", "comparison"),
            runs=tuple(RunConfig.from_table(entry) for entry in merged),
            seeds=tuple(table.get("seeds", (0,))),
            match_parameters=table.get("match_parameters", False),
        )

    def with_encoder(self, encoder: "str | Part | Callable[..., Any]") -> "Comparison":
        """Return the comparison with every model reading ``encoder`` (a name, a part or any callable)."""
        return self._with_part("encoder", encoder)

    def with_dataset(self, dataset: "str | Part | Callable[..., Any]") -> "Comparison":
        """Return the comparison on another dataset."""
        return self._with_part("dataset", dataset)

    def with_seeds(self, *seeds: int) -> "Comparison":
        """Return the comparison with other base seeds."""
        return replace(self, seeds=seeds)

    def with_training(self, **changes: Any) -> "Comparison":
        """Return the comparison with fields of every run's ``Training`` changed."""
        runs = tuple(replace(run, training=_training(vars(run.training) | changes)) for run in self.runs)
        return replace(self, runs=runs)

    def add(self, label: str, *, like: str | None = None, **changes: Any) -> "Comparison":
        """Return the comparison with one more model.

        Args:
            label: its name.
            like: label of the run it copies (default: the first).
            changes: fields of ``RunConfig`` to change, such as ``encoder=my_encoder``.
        """
        source = next((run for run in self.runs if like in (None, run.label)), None)
        if source is None:
            raise InputError(
                f"no model '{like}'; {did_you_mean(str(like), [run.label for run in self.runs])}"
            )
        unknown = [key for key in changes if key not in RUN_KEYS]
        if unknown:
            raise InputError(f"unknown field '{unknown[0]}'; {did_you_mean(unknown[0], RUN_KEYS)}")
        parts = {key: Part.of(value) if key in PART_NAMES else value for key, value in changes.items()}
        run = RunConfig(**(vars(source) | parts | {"label": label}))
        return replace(self, runs=(*self.runs, run))

    def planned(self) -> list[RunConfig]:
        """Return one configuration per model and seed."""
        return [replace(run, seed=seed) for seed in self.seeds for run in self.runs]

    def _with_part(self, name: str, value: "str | Part | Callable[..., Any]") -> "Comparison":
        runs = [RunConfig(**(vars(run) | {name: Part.of(value)})) for run in self.runs]
        return replace(self, runs=tuple(runs))


def preset_names() -> list[str]:
    """Return the names of the built-in comparisons."""
    return sorted(path.name[:-5] for path in _preset_folder().iterdir() if path.name.endswith(".toml"))


def load_preset(name: str, settings: Sequence[str] = ()) -> Comparison:
    """Return a built-in comparison.

    Args:
        name: the preset's name.
        settings: ``key=value`` texts as after ``--set``.

    Raises:
        InputError: unknown preset or a faulty setting.
    """
    if name not in preset_names():
        raise InputError(f"unknown preset '{name}'; {did_you_mean(name, preset_names())}")
    text = (_preset_folder() / f"{name}.toml").read_text()
    return Comparison.from_table({"name": name, **tomllib.loads(text)}, settings)


def load_file(path: Path | str, settings: Sequence[str] = ()) -> Comparison:
    """Return the comparison in a TOML file (see ``load_preset``)."""
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error
    return Comparison.from_table({"name": path.stem, **table}, settings)


def preset_summary(name: str) -> str:
    """Return the first comment line of a preset."""
    first = (_preset_folder() / f"{name}.toml").read_text().partition("\n")[0]
    return first.lstrip("# ")


def slug(label: str) -> str:
    """Return a label as a folder name: lower case letters, digits and single dashes."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def canonical(table: Mapping[str, Any]) -> str:
    """Return a table as text that is equal exactly when the content is."""
    return json.dumps(table, sort_keys=True, default=str)


def _preset_folder() -> Any:
    return resources.files("rc_vs_snn") / "presets"


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


def _training(table: Mapping[str, Any]) -> Training:
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


def _merge(shared: Mapping[str, Any], entry: Mapping[str, Any]) -> Table:
    """Return ``entry`` over ``shared``, table by table; another name drops the shared one's options."""
    merged: Table = copy.deepcopy(dict(shared))
    for key, value in entry.items():
        below = _as_table(merged.get(key))
        if (
            isinstance(value, dict)
            and below is not None
            and value.get("name", below.get("name")) == below.get("name")
        ):
            merged[key] = below | value
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _as_table(value: Any) -> Table | None:
    if isinstance(value, str):
        return {"name": value}
    return value if isinstance(value, dict) else None


def _apply(setting: str, entries: list[Table]) -> None:
    """Apply ``key=value`` to every model's table, or with ``models.<label>.`` in front to one."""
    path, equals, text = setting.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise InputError(f"'--set {setting}' is not of the form key=value, such as training.epochs=3")
    chosen = entries
    if keys[0] == "models":
        labels = [slug(str(entry.get("label", ""))) for entry in entries]
        if len(keys) < 3 or keys[1] not in labels:
            got = keys[1] if len(keys) > 1 else ""
            raise InputError(f"'--set {setting}': no model '{got}'; {did_you_mean(got, labels)}")
        chosen, keys = [entries[labels.index(keys[1])]], keys[2:]
    if keys[0] not in RUN_KEYS or len(keys) > 2:
        raise InputError(
            f"'--set {setting}': unknown key '{'.'.join(keys)}'; {did_you_mean(keys[0], RUN_KEYS)}"
        )
    for entry in chosen:
        _set(entry, keys, _parse(text.strip()))


def _set(entry: Table, keys: list[str], value: Any) -> None:
    if len(keys) == 1:
        entry[keys[0]] = value
        return
    table = _as_table(entry.get(keys[0])) or {}
    if keys[1] == "name" and table.get("name") != value:
        table = {}  # another plug-in: the options of the last one do not apply
    entry[keys[0]] = table | {keys[1]: value}


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def differences(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield ``key: a -> b`` for every leaf in which two tables differ."""
    for key in sorted({*one, *other}):
        a, b = one.get(key), other.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            yield from differences(a, b, f"{prefix}{key}.")
        elif canonical({"": a}) != canonical({"": b}):
            yield f"{prefix}{key}: {a!r} -> {b!r}"
