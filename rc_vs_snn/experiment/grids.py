"""Grids: a model's table becomes many, one for each combination of the values of some axes. Imports no torch.

A ``[grid]`` names axes with lists of values, of which every combination is a point; a ``[zip]`` names lists
of one length whose values go together, and counts as one axis. Several ``[[grid]]`` tables give the points
of each, one grid after another. The first axis changes slowest.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rc_vs_snn.config import Plain, canonical
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.settings import addressed, label_of, merge, parsed, set_key, split_setting
from rc_vs_snn.experiment.spelling import point_label, spelt, value_texts

MOST_POINTS = 10_000
GRID_KEYS = ("grid", "zip")
OF_ALL = ("label", "seed")


@dataclass(frozen=True)
class Axis:
    """A setting and the values it takes.

    Attributes:
        key: as after ``--set``.
        values: at least one, all different.
        where: names the axis in an error.
    """

    key: str
    values: tuple[Any, ...]
    where: str

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError(f"{self.where} has no value; give a list of some, such as [5, 10, 20]")
        written = set[str]()
        for value in self.values:
            text = canonical({"": value})
            if text in written:
                raise InputError(f"{self.where} has the value {spelt(value)} twice; give it once")
            written.add(text)
        if self.key.split(".")[-1] in OF_ALL and self.key.count(".") in (0, 2):
            raise InputError(
                f"{self.where}: no axis can be over the label, which names a point, nor over the seed, which "
                "is of all models: see --seeds"
            )


@dataclass(frozen=True)
class Grid:
    """Axes, of which every combination is a point.

    Attributes:
        bundles: each some axes whose values go together, so that a bundle of one is an axis by itself.
        label: how points are called: a text with ``{label}`` for the model's and ``{axis}`` for values.
            None: the model's label and all values.
        names: what values are called in labels.
    """

    bundles: tuple[tuple[Axis, ...], ...]
    label: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def points(self, entry: Plain) -> Iterator[Plain]:
        """Yield the tables of one model at every point."""
        axes = [axis for bundle in self.bundles for axis in bundle]
        said = {axis.key: value_texts(axis.values, self.names) for axis in axes}
        for places in itertools.product(*(range(len(bundle[0].values)) for bundle in self.bundles)):
            at = {
                axis.key: place for bundle, place in zip(self.bundles, places, strict=True) for axis in bundle
            }
            point = with_values(entry, {axis.key: axis.values[at[axis.key]] for axis in axes})
            texts = {key: said[key][place] for key, place in at.items()}
            yield point | {"label": point_label(label_of(entry), texts, self.label)}


def with_values(entry: Plain, values: Mapping[str, Any]) -> Plain:
    """Return a model's table with some settings: whole parts first, then names, then options."""
    point = dict(entry)
    split = {tuple(key.split(".")): value for key, value in values.items()}
    for keys, value in sorted(split.items(), key=lambda each: (len(each[0]), each[0][-1] != "name")):
        if len(keys) == 1 and isinstance(value, dict):
            point = merge(point, {keys[0]: value})
        else:
            set_key(point, keys, value)
    return point


def expanded(entries: Sequence[Plain], grids: Sequence[Grid]) -> list[Plain]:
    """Return the points of every model: of each of the grids that have an axis for it, or the model as it is.

    Raises:
        InputError: an axis over what there is not, too many points, or two of one configuration.
    """
    if not grids:
        return list(entries)
    reached = [_reached(grid, entries) for grid in grids]
    count = sum(max(1, sum(map(_size, fitting))) for fitting in zip(*reached, strict=True))
    require_few(count)
    found: list[Plain] = []
    for entry, fitting in zip(entries, zip(*reached, strict=True), strict=True):
        points = [point for grid in fitting if grid.bundles for point in grid.points(entry)]
        found += points or [entry]
    require_different(found)
    return found


def require_few(count: int) -> None:
    """Raise InputError if a grid has more points than anybody means to have."""
    if count > MOST_POINTS:
        raise InputError(
            f"the grid has {count:,} points, and at most {MOST_POINTS:,} are made; take some out"
        )


def _size(grid: Grid) -> int:
    return math.prod(len(bundle[0].values) for bundle in grid.bundles) if grid.bundles else 0


def _reached(grid: Grid, entries: Sequence[Plain]) -> list[Grid]:
    """Return for every model the grid of those axes that are over its settings."""
    found: list[list[tuple[Axis, ...]]] = [[] for _ in entries]
    for bundle in grid.bundles:
        of_entry: dict[int, list[Axis]] = {}
        for axis in bundle:
            chosen, keys = addressed(axis.where, axis.key.split("."), entries)
            for each in chosen:
                of_entry.setdefault(id(each), []).append(replace(axis, key=".".join(keys)))
        for entry, bundles in zip(entries, found, strict=True):
            if id(entry) in of_entry:
                bundles.append(tuple(of_entry[id(entry)]))
    for bundles in found:
        keys = [axis.key for bundle in bundles for axis in bundle]
        twice = next((key for at, key in enumerate(keys) if key in keys[:at]), None)
        if twice is not None:
            raise InputError(f"two axes of the grid are over {twice}; make them one")
    return [replace(grid, bundles=tuple(bundles)) for bundles in found]


def require_different(entries: Sequence[Plain]) -> None:
    """Raise InputError if two models are the same but for their labels: an axis had no effect."""
    seen: dict[str, Plain] = {}
    for entry in entries:
        same = canonical({key: value for key, value in entry.items() if key != "label"})
        if (other := seen.setdefault(same, entry)) is not entry:
            raise InputError(
                f"'{label_of(other)}' and '{label_of(entry)}' are one configuration: what an axis of the "
                "grid varies is set again, by --set, --grid or another grid"
            )


def grids_of(table: Mapping[str, Any], where: str = "") -> list[Grid]:
    """Return the grids in a comparison's or a model's table.

    Args:
        table: with ``grid`` and ``zip``, or without.
        where: what stands before ``grid`` in an error.

    Raises:
        InputError: naming the axis that is none.
    """
    if not any(key in table for key in GRID_KEYS):
        return []
    bundles = _zips(table.get("zip", []), f"{where}zip")
    return [_grid(each, f"{where}grid", bundles) for each in _tables(table.get("grid") or {}, f"{where}grid")]


def typed_grids(texts: Sequence[str]) -> list[Grid]:
    """Return the grid of texts as after ``--grid``: ``key=value,value``, or ``label=`` and a template."""
    values: Plain = {}
    for text in texts:
        keys, value = split_setting("--grid", text, "encoder.n_steps=5,10,20")
        key = ".".join(keys)
        if key in values:
            raise InputError(f"'--grid {text}': {key} is given twice; give all its values at once")
        values[key] = value if key == "label" else typed_values(value)
    return [_grid(values, "--grid", [])] if values else []


def _grid(table: Plain, where: str, shared: Sequence[tuple[Axis, ...]]) -> Grid:
    label, names = table.get("label"), table.get("names", {})
    if label is not None and not isinstance(label, str):
        raise InputError(f"{where}: label must be a text such as '{{label}}, T = {{n_steps}}', got {label!r}")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise InputError(f"{where}: names must be a table of texts by value, got {names!r}")
    values = {key: value for key, value in table.items() if key not in ("label", "names", "zip")}
    axes = [(axis,) for axis in _axes(values, where)]
    bundles = (*axes, *_zips(table.get("zip", []), f"{where}.zip"), *shared)
    if not bundles:
        raise InputError(f"{where} has no axis; give one, such as encoder.n_steps = [5, 10, 20]")
    return Grid(bundles, label, names)


def _zips(value: Any, where: str) -> list[tuple[Axis, ...]]:
    found = []
    for table in _tables(value, where):
        axes = tuple(_axes(table, where))
        lengths = {axis.key: len(axis.values) for axis in axes}
        if not axes:
            raise InputError(f"{where} has no axis; give some, of as many values each")
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{key} has {length}" for key, length in lengths.items())
            raise InputError(f"{where}: values that go together must be as many: {told}")
        found.append(axes)
    return found


def _tables(value: Any, where: str) -> list[Plain]:
    tables = value if isinstance(value, list) else [value]
    if not all(isinstance(table, dict) for table in tables):
        raise InputError(f"{where} must be a table of axes, such as encoder.n_steps = [5, 10, 20]")
    return tables


def _axes(table: Plain, where: str, above: str = "") -> Iterator[Axis]:
    for key, value in table.items():
        named = f"{where}: {above}{key}"
        if isinstance(value, dict):
            yield from _axes(value, where, f"{above}{key}.")
        elif isinstance(value, list):
            yield Axis(f"{above}{key}", tuple(value), named)
        else:
            raise InputError(f"{named} must be a list of values, such as [5, 10, 20], got {value!r}")


def typed_values(text: str) -> list[Any]:
    """Return the values between the commas of a text; of TOML, or texts."""
    found = parsed(f"[{text}]") if text else []
    if isinstance(found, list):
        return found[0] if len(found) == 1 and isinstance(found[0], list) else found
    return [parsed(part.strip()) for part in text.split(",") if part.strip()]
