"""Comparisons: several models under one encoding and rule, from presets, files, ``--set`` or Python.

A comparison file has shared tables (dataset, encoder, rule, objective, training) and one
``[[models]]`` entry per curve, which has a label and a model and may override any shared table.
An entry that is ``like`` an earlier one starts from that. With ``extends`` a file starts from another
comparison: its tables lie over that one's, its entries may be like models there, and without entries
it has all of them. Imports no torch.
"""

import copy
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from rc_vs_snn.config import PART_NAMES, RUN_KEYS, Part, RunConfig, Table, slug, training_from
from rc_vs_snn.errors import InputError, did_you_mean

COMPARISON_KEYS = ("name", "seeds", "match_parameters", "extends", "models", *RUN_KEYS[2:])


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
        _, merged = _entries(table)
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
        runs = tuple(replace(run, training=training_from(vars(run.training) | changes)) for run in self.runs)
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
    return Comparison.from_table({"name": name, **_preset_table(name)}, settings)


def load_file(path: Path | str, settings: Sequence[str] = ()) -> Comparison:
    """Return the comparison in a TOML file (see ``load_preset``).

    A file named after ``extends`` is looked for beside it.
    """
    path = Path(path)
    return Comparison.from_table({"name": path.stem, **_file_table(path)}, settings)


def preset_summary(name: str) -> str:
    """Return the first comment line of a preset."""
    first = (_preset_folder() / f"{name}.toml").read_text().partition("\n")[0]
    return first.lstrip("# ")


def _preset_folder() -> Any:
    return resources.files("rc_vs_snn") / "presets"


def _preset_table(name: str) -> Table:
    return tomllib.loads((_preset_folder() / f"{name}.toml").read_text())


def _file_table(path: Path) -> Table:
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error
    base = table.get("extends")
    if isinstance(base, str) and base.endswith(".toml"):
        table["extends"] = str(path.parent / base)
    return table


def _base_table(name: Any) -> Table:
    if name in preset_names():
        return _preset_table(name)
    if not isinstance(name, str) or not name.endswith(".toml"):
        hint = did_you_mean(str(name), preset_names())
        raise InputError(f"extends must name a preset or a .toml file, got {name!r}; {hint}")
    return _file_table(Path(name))


def _entries(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> tuple[Table, list[Table]]:
    """Return the shared tables of a comparison and each model's merged ones.

    Args:
        table: content of a comparison file.
        above: the comparisons that extend this one.
    """
    unknown = [key for key in table if key not in COMPARISON_KEYS]
    if unknown:
        raise InputError(
            "; ".join(f"unknown key '{key}'; {did_you_mean(key, COMPARISON_KEYS)}" for key in unknown)
        )
    shared = {key: value for key, value in table.items() if key in RUN_KEYS}
    below: Table = {}
    inherited: list[Table] = []
    if "extends" in table:
        base = table["extends"]
        if base in above:
            raise InputError(f"comparisons extend one another in a circle: {' -> '.join((*above, base))}")
        below, inherited = _entries(_base_table(base), (*above, base))
        inherited = [_merge(entry, shared) for entry in inherited]
    shared = _merge(below, shared)
    if "models" not in table:
        return shared, inherited
    entries = table["models"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError("models must be written as [[models]] entries")
    merged: list[Table] = []
    for entry in entries:
        own = {key: value for key, value in entry.items() if key != "like"}
        merged.append(_merge(_start(entry, shared, [*inherited, *merged]), own))
    return shared, merged


def _start(entry: Table, shared: Table, known: Sequence[Table]) -> Table:
    """Return what an entry lies over: the shared tables, or the model it is like."""
    if "like" not in entry:
        return shared
    models = {str(model.get("label")): model for model in known}
    if entry["like"] not in models:
        raise InputError(
            f"like: no model '{entry['like']}' before this one or in what the comparison extends; "
            f"{did_you_mean(str(entry['like']), list(models))}"
        )
    return models[entry["like"]]


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
