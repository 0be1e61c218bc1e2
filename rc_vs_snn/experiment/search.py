"""A search space: settings with the ranges and choices they are looked for in. Imports no torch, no Optuna.

``[search]`` in a comparison file, or ``--search KEY=...``: a list is of choices, a table with ``from`` and
``to`` a range, of whole numbers where both ends are, on a logarithmic scale with ``log = true``, in steps
with ``step``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rc_vs_snn.config import Plain, RunConfig, canonical
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.grids import Axis, typed_values, with_values
from rc_vs_snn.experiment.settings import addressed, parsed, split_setting

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

RANGE_KEYS = ("from", "to", "log", "step")


@dataclass(frozen=True)
class Range:
    """A setting that takes a number between two, both included.

    Attributes:
        key: as after ``--set``.
        low, high: the ends; if both are whole, so are the values.
        log: whether factors count, not differences.
        step: between neighbouring values; None: any value.
    """

    key: str
    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether values are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def distribution(self) -> "BaseDistribution":
        """Return what Optuna draws from."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.is_whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def value(self, drawn: Any) -> Any:
        """Return the setting for what was drawn."""
        return drawn


@dataclass(frozen=True)
class Choices:
    """A setting that takes one of some values of any kind.

    Attributes:
        key: as after ``--set``.
        values: at least two, all different.
    """

    key: str
    values: tuple[Any, ...]

    def distribution(self) -> "BaseDistribution":
        """Return what Optuna draws from: texts, since it stores nothing else that is no number."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution([json.dumps(value) for value in self.values])

    def value(self, drawn: Any) -> Any:
        """Return the setting for what was drawn."""
        return json.loads(drawn)


@dataclass(frozen=True)
class Search:
    """What is varied of one run.

    Attributes:
        base: the run.
        space: at least one setting, each another.
    """

    base: RunConfig
    space: tuple[Range | Choices, ...]

    def config(self, number: int, drawn: Mapping[str, Any]) -> RunConfig:
        """Return the configuration of a trial.

        Args:
            number: of the trial, in its label.
            drawn: a value of Optuna for every setting.
        """
        values = {each.key: each.value(drawn[each.key]) for each in self.space}
        label = f"{self.base.label}, trial {number}"
        return RunConfig.from_table(with_values(self.base.to_table(), values) | {"label": label})

    @property
    def identity(self) -> str:
        """What must be the same for trials to be of one search."""
        return canonical({"base": self.base.to_table(), "space": [[repr(each)] for each in self.space]})


def search_of(base: RunConfig, table: Any, typed: Sequence[str] = ()) -> Search:
    """Return a search around a run.

    Args:
        base: the run.
        table: what a comparison file has under ``search``.
        typed: texts as after ``--search``, over it.

    Raises:
        InputError: naming what is no setting of the run, no range and no choice.
    """
    if not isinstance(table, dict):
        raise InputError(f"search must be a table of ranges and choices, got {table!r}")
    found = dict(_flat(table))
    for text in typed:
        keys, value = split_setting("--search", text, "training.learning_rate={from=1e-4,to=1e-2,log=true}")
        written = parsed(value)
        found[".".join(keys)] = written if isinstance(written, dict) else typed_values(value)
    if not found:
        raise InputError(
            "nothing to search: give [search] in the file, or --search, such as "
            "'model.hidden={from=16,to=128,log=true}'"
        )
    entry = base.to_table()
    space = tuple(_dimension(key, value, entry) for key, value in found.items())
    for each in space:  # what no configuration can hold would fail whenever it is drawn
        for value in (each.low, each.high) if isinstance(each, Range) else each.values:
            RunConfig.from_table(with_values(entry, {each.key: value}))
    return Search(base, space)


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and not {"from", "to"} & value.keys():
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _dimension(key: str, value: Any, entry: Plain) -> Range | Choices:
    where = f"search: {key}"
    key = ".".join(addressed(where, key.split("."), [entry])[1])
    if isinstance(value, list):
        Axis(key, tuple(value), where)
        if len(value) < 2:
            raise InputError(f"{where}: to choose, give at least two values")
        return Choices(key, tuple(value))
    Axis(key, (value,), where)  # not the label, nor the seed
    if not isinstance(value, dict):
        raise InputError(
            f"{where} must be a list of choices or a range, such as {{ from = 1e-4, to = 1e-2, log = true }},"
            f" got {value!r}"
        )
    return _range(key, value, where)


def _range(key: str, table: Plain, where: str) -> Range:
    for name in table:
        if name not in RANGE_KEYS:
            raise InputError(f"{where}: unknown key '{name}'; {did_you_mean(name, RANGE_KEYS)}")
    ends: list[Any] = [table.get(name) for name in RANGE_KEYS]
    low, high, log, step = ends
    if not (_is_number(low) and _is_number(high)) or low >= high:
        raise InputError(f"{where}: from must be a number below to, got {low!r} and {high!r}")
    if log not in (None, False, True) or (log and (low <= 0 or step is not None)):
        raise InputError(f"{where}: log must be true or false, and true only without step and from above 0")
    whole = isinstance(low, int) and isinstance(high, int)
    if step is not None and (not _is_number(step) or step <= 0 or (whole and not isinstance(step, int))):
        raise InputError(f"{where}: step must be a number above 0, whole where the ends are, got {step!r}")
    return Range(key, low, high, bool(log), step)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
