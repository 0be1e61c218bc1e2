"""Settings over the tables of a comparison: ``key=value`` texts, and tables that lie over others."""

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from rc_vs_snn.config import RUN_KEYS, Plain, slug
from rc_vs_snn.errors import InputError, did_you_mean


def merge(shared: Mapping[str, Any], entry: Mapping[str, Any]) -> Plain:
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


def apply_setting(setting: str, entries: Sequence[Plain]) -> None:
    """Apply ``key=value`` to every model's table, or with ``models.<label>.`` in front to one."""
    keys, text = split_setting("--set", setting, "training.epochs=3")
    chosen, keys = addressed(f"'--set {setting}'", keys, entries)
    for entry in chosen:
        set_key(entry, keys, parsed(text))


def split_setting(option: str, setting: str, example: str) -> tuple[list[str], str]:
    """Return the parts of the key and the text of the value of ``key=value``."""
    path, equals, text = setting.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise InputError(f"'{option} {setting}' is not of the form key=value, such as {example}")
    return keys, text.strip()


def addressed(what: str, keys: list[str], entries: Sequence[Plain]) -> tuple[list[Plain], list[str]]:
    """Return the models that a key means, and the key within a model.

    Args:
        what: names the setting in an error.
        keys: the parts of the key, maybe with ``models`` and a label in front.
        entries: the tables of the models there are.

    Raises:
        InputError: no such model, or no such key.
    """
    chosen = list(entries)
    if keys[0] == "models":
        labels = [slug(label_of(entry)) for entry in entries]
        if len(keys) < 3 or keys[1] not in labels:
            got = keys[1] if len(keys) > 1 else ""
            raise InputError(f"{what}: no model '{got}'; {did_you_mean(got, labels)}")
        chosen, keys = [entries[labels.index(keys[1])]], keys[2:]
    if keys[0] not in RUN_KEYS or len(keys) > 2:
        raise InputError(f"{what}: unknown key '{'.'.join(keys)}'; {did_you_mean(keys[0], RUN_KEYS)}")
    return chosen, keys


def label_of(entry: Mapping[str, Any]) -> str:
    """Return the label of a model's table: what it says, or the name of its model."""
    model = _as_table(entry.get("model")) or {}
    return str(entry.get("label", model.get("name", "")))


def set_key(entry: Plain, keys: Sequence[str], value: Any) -> None:
    """Set one key of a model's table in place; another name drops the options of the last one."""
    if len(keys) == 1:
        entry[keys[0]] = value
        return
    table = _as_table(entry.get(keys[0])) or {}
    if keys[1] == "name" and table.get("name") != value:
        table = {}  # another plug-in: the options of the last one do not apply
    entry[keys[0]] = table | {keys[1]: value}


def parsed(text: str) -> Any:
    """Return a value as TOML reads it, or else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # no TOML, or a number of thousands of digits
        return text


def _as_table(value: Any) -> Plain | None:
    if isinstance(value, str):
        return {"name": value}
    return value if isinstance(value, dict) else None
