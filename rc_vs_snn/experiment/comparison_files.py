"""Presets and comparison files as plain tables, lying over one another. Imports no torch.

A comparison file has shared tables (dataset, encoder, rule, objective, training) and one
``[[models]]`` entry per curve, which has a label and a model and may override any shared table.
An entry that is ``like`` an earlier one starts from that. With ``extends`` a file starts from another
comparison: its tables lie over that one's, its entries may be like models there, and without entries
it has all of them.
"""

import copy
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rc_vs_snn.config import RUN_KEYS, Plain, slug
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry import packaged, packaged_table

COMPARISON_KEYS = ("name", "seeds", "match_parameters", "folds", "extends", "models", *RUN_KEYS[2:])


def preset_names() -> list[str]:
    """Return the names of the built-in comparisons."""
    return sorted(packaged("presets"))


def preset_summary(name: str) -> str:
    """Return the first comment line of a preset."""
    first = packaged("presets")[name].read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ")


def file_table(path: Path) -> Plain:
    """Return the content of a comparison file; what it extends is looked for beside it.

    Raises:
        InputError: the file cannot be read or is not valid TOML.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors put a mark in front
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not in UTF-8, which TOML is: {error.reason}; save it as UTF-8"
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error
    except ValueError as error:  # NUL in the path, or a number of thousands of digits
        raise InputError(f"cannot read {str(path)!r}: {error}") from error
    base = table.get("extends")
    if isinstance(base, str) and base.endswith(".toml"):
        table["extends"] = str(path.parent / base)
    return table


def _base_table(name: Any) -> Plain:
    if name in preset_names():
        return packaged_table("presets", name, "preset")
    if not isinstance(name, str) or not name.endswith(".toml"):
        hint = did_you_mean(str(name), preset_names())
        raise InputError(f"extends must name a preset or a .toml file, got {name!r}; {hint}")
    return file_table(Path(name))


def merged_entries(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> tuple[Plain, list[Plain]]:
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
    below: Plain = {}
    inherited: list[Plain] = []
    if "extends" in table:
        base = table["extends"]
        if base in above:
            raise InputError(f"comparisons extend one another in a circle: {' -> '.join((*above, base))}")
        below, inherited = merged_entries(_base_table(base), (*above, base))
        inherited = [_merge(entry, shared) for entry in inherited]
    shared = _merge(below, shared)
    if "models" not in table:
        return shared, inherited
    entries = table["models"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError("models must be written as [[models]] entries")
    merged: list[Plain] = []
    for entry in entries:
        own = {key: value for key, value in entry.items() if key != "like"}
        merged.append(_merge(_start(entry, shared, [*inherited, *merged]), own))
    return shared, merged


def _start(entry: Plain, shared: Plain, known: Sequence[Plain]) -> Plain:
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


def _merge(shared: Mapping[str, Any], entry: Mapping[str, Any]) -> Plain:
    """Return ``entry`` over ``shared``, table by table; another name drops the shared one's options."""
    merged: Plain = copy.deepcopy(dict(shared))
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


def _as_table(value: Any) -> Plain | None:
    if isinstance(value, str):
        return {"name": value}
    return value if isinstance(value, dict) else None


def apply_setting(setting: str, entries: list[Plain]) -> None:
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


def _set(entry: Plain, keys: list[str], value: Any) -> None:
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
    except (ValueError, RecursionError):  # no TOML, or a number of thousands of digits
        return text
