"""Presets and comparison files as plain tables, lying over one another. Imports no torch.

A comparison file has shared tables (dataset, encoder, rule, objective, training) and one
``[[models]]`` entry per curve, which has a label and a model and may override any shared table.
An entry that is ``like`` an earlier one starts from that. With ``extends`` a file starts from another
comparison: its tables lie over that one's, its entries may be like models there, and without entries
it has all of them. A ``[grid]`` or ``[zip]``, for all models or in an entry, makes many of each (``grids``);
what extends a comparison meets the points of its grid, as if they had been written one by one.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rc_vs_snn.config import RUN_KEYS, Plain, slug
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.grids import GRID_KEYS, expanded, grids_of, require_few
from rc_vs_snn.experiment.settings import label_of, merge
from rc_vs_snn.registry import packaged, packaged_table

COMPARISON_KEYS = (
    "name", "seeds", "match_parameters", "folds", "extends", "models", *GRID_KEYS, "search",
    *RUN_KEYS[2:],
)  # fmt: skip


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


class Merged(NamedTuple):
    """What a comparison's tables come to.

    Attributes:
        shared: what all models have.
        entries: one table per model, each point of a grid by itself.
        is_grid: whether any of them is a point of a grid.
        search: what a search may vary: the file's own, or that of what it extends.
    """

    shared: Plain
    entries: list[Plain]
    is_grid: bool
    search: Any


def merged_entries(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Merged:
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
    below = Merged({}, [], False, {})
    if "extends" in table:
        base = table["extends"]
        if base in above:
            raise InputError(f"comparisons extend one another in a circle: {' -> '.join((*above, base))}")
        below = merged_entries(_base_table(base), (*above, base))
    inherited = [merge(entry, shared) for entry in below.entries]
    shared = merge(below.shared, shared)
    entries = _own_entries(table, shared, inherited)
    found = _points(expanded(entries, grids_of(table)))
    is_grid = below.is_grid or any(key in each for each in (table, *entries) for key in GRID_KEYS)
    return Merged(shared, found, is_grid, table.get("search", below.search))


def _own_entries(table: Mapping[str, Any], shared: Plain, inherited: list[Plain]) -> list[Plain]:
    """Return what the ``[[models]]`` entries say, or without any what is inherited, or one model of all."""
    if "models" not in table:
        return inherited or ([shared] if any(key in table for key in GRID_KEYS) else [])
    entries = table["models"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError("models must be written as [[models]] entries")
    merged: list[Plain] = []
    for entry in entries:
        own = {key: value for key, value in entry.items() if key != "like"}
        start = _start(entry, shared, [*inherited, *merged])
        if any(key in own for key in GRID_KEYS):  # instead of that of the model it is like
            start = {key: value for key, value in start.items() if key not in GRID_KEYS}
        merged.append(merge(start, own))
    return merged


def _points(entries: Sequence[Plain]) -> list[Plain]:
    """Return every model's points of the grid that its own entry has, or itself."""
    found: list[Plain] = []
    for entry in entries:
        plain = {key: value for key, value in entry.items() if key not in GRID_KEYS}
        found += (
            expanded([plain], grids_of(entry, f"models.{slug(label_of(entry))}."))
            if len(plain) < len(entry)
            else [plain]
        )
    require_few(len(found))
    return found


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
