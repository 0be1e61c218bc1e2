"""The axes along which runs differ, told from their configurations: a run folder stores nothing for it.

So the axes of a grid, of a comparison written by hand and of runs made one by one are found alike.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rc_vs_snn.analysis.groups import Group, flat
from rc_vs_snn.config import canonical, short_key

OF_FAMILIES = ("dataset.name", "model.name")
"""Whatever differs in one of these is another family: the best of each is a result by itself."""
DEFAULT = "default"


@dataclass(frozen=True)
class RunAxis:
    """One setting that differs, with those that go along with it.

    Attributes:
        keys: the settings, such as "encoder.n_steps"; the first names the axis.
        name: what it is called in a figure.
        values: what its values are called, in their order.
        numbers: the values, where all are numbers.
        places: for each group, which value it has.
    """

    keys: tuple[str, ...]
    name: str
    values: tuple[str, ...]
    numbers: tuple[float, ...] | None
    places: tuple[int, ...]

    @property
    def is_of_families(self) -> bool:
        """Whether it tells families apart: models, corpora."""
        return any(key in OF_FAMILIES for key in self.keys)

    def text(self, group: int) -> str:
        """Return the value of a group."""
        return self.values[self.places[group]]

    def told(self, group: int) -> str:
        """Return the value of a group, with the axis' name where the value does not speak for itself."""
        text = self.text(group)
        return text if self.keys[0].endswith(".name") else f"{self.name} = {text}"


@dataclass(frozen=True)
class RunGrid:
    """Axes of some groups.

    Attributes:
        axes: in the order of a configuration.
    """

    axes: tuple[RunAxis, ...]

    @cached_property
    def varied(self) -> tuple[RunAxis, ...]:
        """The axes of a grid: along which at least half of the groups differ from another in nothing else.

        So what differs here and there, as in an ablation, is no axis of a grid; nor are models and corpora.
        """
        return tuple(axis for axis in self.axes if not axis.is_of_families and self._is_varied(axis))

    def _is_varied(self, axis: RunAxis) -> bool:
        rest = [other.places for other in self.axes if other is not axis]
        elsewhere = Counter(zip(*rest, strict=True)) if rest else Counter({(): len(axis.places)})
        return 2 * sum(count for count in elsewhere.values() if count > 1) >= len(axis.places)

    def others(self, *used: RunAxis) -> tuple[RunAxis, ...]:
        """Return the axes that are not among ``used``."""
        return tuple(axis for axis in self.axes if axis not in used)

    def family(self, group: int) -> tuple[int, ...]:
        """Return which family a group is of."""
        return tuple(axis.places[group] for axis in self.axes if axis.is_of_families)


def run_grid(groups: Sequence[Group]) -> RunGrid:
    """Return the axes of some groups; none if they are one."""
    configs = [_config(group) for group in groups]
    differing = _differing(configs)
    bundles = _bundles(differing)
    short = [short_key(keys[0]) for keys in bundles]
    axes = []
    for keys, name in zip(bundles, short, strict=True):
        named = [key for key in keys if key.endswith(".name")]
        first = keys[0].removesuffix(".name") if short.count(name) > 1 else name
        more = [] if named else [short_key(key) for key in keys[1:]]
        axes.append(_axis(keys, ", ".join([first, *more]), named[:1] or list(keys), configs))
    return RunGrid(tuple(axes))


def _config(group: Group) -> dict[str, Any]:
    found = flat(group.runs[0].record.config)
    found.setdefault("encoder.n_steps", group.facts["n_steps"])  # its default, or given by the data
    return found


def _differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, ...]]:
    """Return the settings that differ, each with the groups' values as numbers of first appearance."""
    keys = dict.fromkeys(key for config in configs for key in config)
    found = {}
    for key in sorted(keys, key=lambda key: not key.endswith(".name")):  # names come first
        seen: dict[str, int] = {}
        texts = [canonical({"": config[key]}) if key in config else "" for config in configs]
        found[key] = tuple(seen.setdefault(text, len(seen)) for text in texts)
    return {key: places for key, places in found.items() if any(places)}


def _bundles(differing: Mapping[str, tuple[int, ...]]) -> list[tuple[str, ...]]:
    """Return the settings that go together: what another one tells already is no axis of its own.

    A name is one of its own unless another name tells it: a size that only one of two models varies tells
    which of them it is, but it is the models that are compared.
    """
    bundles: dict[str, list[str]] = {}
    for key, places in differing.items():
        leader = next((other for other in bundles if _tells(differing[other], places)), None)
        if leader is not None:
            bundles[leader].append(key)
            continue
        options = [] if key.endswith(".name") else [each for each in bundles if not each.endswith(".name")]
        told = [other for other in options if _tells(places, differing[other])]
        bundles[key] = [key, *(each for other in told for each in bundles.pop(other))]
    return [tuple(keys) for keys in bundles.values()]


def _tells(one: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether the value of one setting is never met with two of the other."""
    return len(set(zip(one, other, strict=True))) == len(set(one))


def _axis(
    keys: tuple[str, ...], name: str, told: Sequence[str], configs: Sequence[Mapping[str, Any]]
) -> RunAxis:
    """Return an axis whose values are called by some of its settings, sorted where the first is a number."""
    met: dict[str, Any] = {}
    texts = []
    for config in configs:
        texts.append(", ".join(str(config.get(key, DEFAULT)) for key in told))
        met.setdefault(texts[-1], config.get(keys[0]))
    numeric = all(_is_number(value) or value is None for value in met.values())
    if numeric:
        met = dict(sorted(met.items(), key=lambda item: (item[1] is not None, item[1] or 0)))
    values = tuple(met)
    numbers = tuple(map(float, met.values())) if numeric and None not in met.values() else None
    if numbers is not None and len(set(numbers)) < len(numbers):
        numbers = None
    return RunAxis(keys, name, values, numbers, tuple(map(values.index, texts)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
