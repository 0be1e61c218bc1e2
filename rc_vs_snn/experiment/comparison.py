"""Comparisons: several models under one encoding and rule, from presets, files, ``--set`` or Python."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rc_vs_snn.config import (
    PART_NAMES,
    RUN_KEYS,
    SOURCE_HASH,
    Part,
    RunConfig,
    check_seeds,
    slug,
    training_from,
)
from rc_vs_snn.display import html_table
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.comparison_files import file_table, merged_entries
from rc_vs_snn.experiment.grids import expanded, require_different, typed_grids
from rc_vs_snn.experiment.settings import apply_setting
from rc_vs_snn.registry import packaged_table

FOLDER_NAME = re.compile(r"\w[\w .-]{0,99}")


@dataclass(frozen=True)
class Comparison:
    """Several models under one encoding and one rule.

    Attributes:
        name: names the output folder.
        runs: one configuration per model, without seeds applied.
        seeds: base seeds; every run is made once per seed.
        match_parameters: whether ``hidden`` of the other models is set so that their numbers of trained
            parameters come closest to the first one's, or to that of the model with this label.
        folds: above 0: cross-validation of so many parts, in which the run of seed s tests on part s, the
            option ``fold`` of the dataset; what is then said over seeds is said over parts.
        search: ranges and choices of settings, which only a search reads.
    """

    name: str
    runs: tuple[RunConfig, ...]
    seeds: tuple[int, ...] = (0,)
    match_parameters: bool | str = False
    folds: int = 0
    search: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.runs:
            raise InputError("a comparison needs at least one [[models]] entry")
        slugs = Counter(slug(run.label) for run in self.runs)
        twice = sorted(name for name, count in slugs.items() if count > 1)
        if twice:
            raise InputError(f"labels must differ, these are used twice: {', '.join(twice)}")
        if not isinstance(self.name, str) or not FOLDER_NAME.fullmatch(self.name):
            raise InputError(
                f"name must be a folder's name of letters, digits, dots, dashes and spaces, got {self.name!r}"
            )
        labels = [run.label for run in self.runs]
        if not isinstance(self.match_parameters, bool) and self.match_parameters not in labels:
            raise InputError(
                f"match_parameters must be true, false or a model's label, got {self.match_parameters!r}; "
                f"{did_you_mean(str(self.match_parameters), labels)}"
            )
        object.__setattr__(self, "seeds", check_seeds(self.seeds))
        if not isinstance(self.folds, int) or isinstance(self.folds, bool) or self.folds < 0:
            raise InputError(f"folds must be a whole number of at least 0, got {self.folds!r}")
        if self.folds and max(self.seeds) >= self.folds:
            raise InputError(
                f"with folds={self.folds} a run's seed is its part, 0..{self.folds - 1}; got the seeds "
                f"{list(self.seeds)}"
            )

    @classmethod
    def from_table(
        cls, table: Mapping[str, Any], settings: Sequence[str] = (), grid: Sequence[str] = ()
    ) -> "Comparison":
        """Build from a comparison file's content, ``key=value`` settings and axes.

        Args:
            table: the content.
            settings: as after ``--set``.
            grid: as after ``--grid``: every model is made at every combination of the axes' values.

        Raises:
            InputError: naming what is unknown or wrong, with the nearest allowed name.
        """
        _, merged, is_grid, search = merged_entries(table)
        for setting in settings:
            apply_setting(setting, merged)
        merged = expanded(merged, typed_grids(grid))
        if is_grid:
            require_different(merged)
        if any("seed" in entry for entry in merged):
            raise InputError(
                "a seed is of all models: give seeds = [0, 1] above the models, --seed or --seeds"
            )
        return cls(
            name=table.get("name", "comparison"),
            runs=tuple(RunConfig.from_table(entry) for entry in merged),
            seeds=_seeds(table.get("seeds", (0,))),
            match_parameters=table.get("match_parameters", False),
            folds=table.get("folds", 0),
            search=search,
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
        parts: dict[str, Any] = {
            key: Part.of(value) if key in PART_NAMES else value for key, value in changes.items()
        }
        if isinstance(parts.get("training"), Mapping):  # as in a file: over what it is like
            parts["training"] = training_from(vars(source.training) | parts["training"])
        run = RunConfig(**(vars(source) | parts | {"label": label}))
        return replace(self, runs=(*self.runs, run))

    def planned(self) -> list[RunConfig]:
        """Return one configuration per model and seed."""
        return [replace(self._on_part(run, seed), seed=seed) for seed in self.seeds for run in self.runs]

    def _repr_html_(self) -> str:
        """Return what a notebook shows: one line per model."""
        head = ("label", "dataset", "encoder", "model", "objective", "rule", "epochs")
        rows = [
            [run.label, *(_told(getattr(run, name)) for name in head[1:-1]), run.training.epochs]
            for run in self.runs
        ]
        return html_table(f"{self.name}: seeds {', '.join(map(str, self.seeds))}", head, rows)

    def _on_part(self, run: RunConfig, part: int) -> RunConfig:
        if not self.folds:
            return run
        options = {**run.dataset.options, "fold": part, "n_folds": self.folds}
        return replace(run, dataset=replace(run.dataset, options=options))

    def _with_part(self, name: str, value: "str | Part | Callable[..., Any]") -> "Comparison":
        runs = [RunConfig(**(vars(run) | {name: Part.of(value)})) for run in self.runs]
        return replace(self, runs=tuple(runs))


def load_preset(name: str, settings: Sequence[str] = (), grid: Sequence[str] = ()) -> Comparison:
    """Return a built-in comparison.

    Args:
        name: the preset's name.
        settings: ``key=value`` texts as after ``--set``.
        grid: ``key=value,value`` texts as after ``--grid``: axes, of which every combination is made.

    Raises:
        InputError: unknown preset or a faulty setting.
    """
    return Comparison.from_table({"name": name, **packaged_table("presets", name, "preset")}, settings, grid)


def load_file(path: Path | str, settings: Sequence[str] = (), grid: Sequence[str] = ()) -> Comparison:
    """Return the comparison in a TOML file (see ``load_preset``).

    A file named after ``extends`` is looked for beside it, and so is a module that it names code of.
    """
    path = Path(path)
    found = Comparison.from_table({"name": path.stem, **file_table(path)}, settings, grid)
    if any(":" in part.name for run in found.runs for part in run.parts.values()):
        _make_importable(path)
    return found


def _make_importable(path: Path) -> None:
    """Let modules beside a comparison file, and beside what it extends, be imported, after all others.

    Worker processes start with this process's path.
    """
    folder = str(path.parent.resolve())
    if folder not in sys.path:
        sys.path.append(folder)
    base = file_table(path).get("extends")
    if isinstance(base, str) and base.endswith(".toml"):
        _make_importable(Path(base))


def _told(part: Part) -> str:
    options = ", ".join(f"{key}={value}" for key, value in part.options.items() if key != SOURCE_HASH)
    return f"{part.name} ({options})" if options else part.name


def _seeds(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InputError(f"seeds must be a list of whole numbers, such as [0, 1, 2], got {value!r}")
    return tuple(value)
