"""One small registry for datasets, encoders, models, evidence, rules, objectives, metrics and figures.

A thing is found by its registered name, by an entry point of another installed package, or by a
``module:attribute`` path. Its options are the keyword arguments of its factory and are checked here. The
TOML files that come with the package are found by name, too.
"""

import importlib
import inspect
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.metadata import entry_points
from importlib.resources.abc import Traversable
from typing import Any

from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry.interface import Interface
from rc_vs_snn.registry.paths import OURS, at_path, distributions_of
from rc_vs_snn.registry.values import fits, hints_of, spelt

Factory = Callable[..., Any]


@dataclass
class Registry:
    """Named factories of one kind.

    Attributes:
        kind: what is registered, singular, as an error names it ("encoder").
        builtins: the module whose import registers the built-in ones.
        group: the entry-point group plug-ins use, or "" for none.
        context: parameter names the toolkit supplies itself, so never options.
        arguments: what a part is called with, where it is an object and not what a factory makes.
        method: the method of it that is called so.
    """

    kind: str
    builtins: str
    group: str = ""
    context: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    method: str = "__call__"
    _factories: dict[str, Factory] = field(default_factory=dict)
    _broken: dict[str, str] = field(default_factory=dict)
    _distributions: dict[str, str] = field(default_factory=dict)
    _loaded: bool = False

    @property
    def interface(self) -> Interface:
        """What a part of this kind offers."""
        return Interface(self.method, self.arguments, self.context)

    def register(self, name: str) -> Callable[[Factory], Factory]:
        """Return a decorator that registers a factory as ``name``; a second one of that name raises."""

        def add(factory: Factory) -> Factory:
            self._add(name, factory)
            return factory

        return add

    def _add(self, name: str, factory: Factory) -> None:
        if name in self._factories:
            raise InputError(
                f"{self.kind} '{name}' is already registered ({self._factories[name]!r}); choose another name"
            )
        self._factories[name] = factory

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        importlib.import_module(self.builtins)
        if not self.group:
            return
        for point in entry_points(group=self.group):
            try:
                self._add(point.name, point.load())
                if point.dist is not None:
                    self._distributions[point.name] = point.dist.name
            except (Exception, SystemExit) as error:  # a broken plug-in must not take the toolkit down
                self._broken[point.name] = f"{type(error).__name__}: {error}"

    def names(self) -> list[str]:
        """Return every usable name, sorted."""
        self._load()
        return sorted(self._factories)

    def broken(self) -> dict[str, str]:
        """Return the entry points that could not be loaded, with the reason."""
        self._load()
        return dict(self._broken)

    def get(self, name: str) -> Factory:
        """Return the factory called ``name``, or the object at ``module:attribute``.

        Raises:
            InputError: unknown name (with the nearest one), a plug-in that failed to load, or a path that
                names no plug-in of this kind.
        """
        self._load()
        if name in self._factories:
            return self._factories[name]
        if name in self._broken:
            raise InputError(f"{self.kind} plug-in '{name}' failed to load: {self._broken[name]}")
        if ":" in name:
            found = at_path(name, self.kind)
            fitting = self.interface.makes(found) or self.interface.is_ready(found)
            if (self.context or self.arguments) and not fitting:
                raise InputError(f"'{name}' is no {self.kind}, which is {self.interface}, or a class of such")
            return found
        raise InputError(f"unknown {self.kind} '{name}'; {did_you_mean(name, self._factories)}")

    def name_of(self, part: Any) -> str:
        """Return the registered name of a part's class, or its ``module:attribute`` path."""
        self._load()
        made_by = type(part)
        known = (name for name, factory in self._factories.items() if factory is made_by)
        return next(known, f"{made_by.__module__}:{made_by.__qualname__}")

    def distributions(self, name: str) -> list[str]:
        """Return the installed distributions a plug-in's code is from; none if it is ours or a script's.

        Args:
            name: a registered name or a ``module:attribute`` path.
        """
        self._load()
        if name in self._distributions:
            return [self._distributions[name]]
        home = name.partition(":")[0] if ":" in name else self.get(name).__module__
        package = home.partition(".")[0]
        return [] if package == OURS else distributions_of(package)

    def summary(self, name: str) -> str:
        """Return the first line of the factory's docstring."""
        return (inspect.getdoc(self.get(name)) or "").partition("\n")[0]

    def options(self, name: str) -> dict[str, inspect.Parameter]:
        """Return the parameters a user may set, by name."""
        found = self.get(name)
        if name not in self._factories:
            return self.interface.options(found)
        parameters = inspect.signature(found).parameters
        return {key: value for key, value in parameters.items() if key not in self.context}

    def build(self, name: str, options: Mapping[str, Any], **context: Any) -> Any:
        """Call the factory with checked options.

        Args:
            name: a registered name or a ``module:attribute`` path.
            options: keyword arguments from the user.
            context: keyword arguments from the toolkit (named in ``self.context``).

        Raises:
            InputError: unknown name, or options that are unknown or of a wrong type (all at once).
        """
        factory = self.get(name)
        faults = self.check(name, options)
        if faults:
            raise InputError("; ".join(faults))
        hints = hints_of(factory)
        # A file's `decay = 1` is a number like 1.0: a tensor filled with it must not become one of integers.
        given = {
            key: float(value) if hints.get(key) is float else value for key, value in options.items()
        }  # fmt: skip
        if name not in self._factories:
            return self.interface.made(factory, given, context)
        return factory(**context, **given)

    def check(self, name: str, options: Mapping[str, Any]) -> list[str]:
        """Return every fault of ``options`` for ``name``, as sentences."""
        allowed = self.options(name)
        hints = hints_of(self.get(name))
        takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in allowed.values())
        faults = []
        for key, value in options.items():
            if key not in allowed and takes_any:
                continue  # which others there are, only the factory knows
            if key not in allowed:
                faults.append(f"{self.kind} '{name}' has no option '{key}'; {did_you_mean(key, allowed)}")
            elif key in hints and not fits(value, hints[key]):
                faults.append(f"{self.kind} '{name}': {key} must be {spelt(hints[key])}, got {value!r}")
        required = [
            key for key, parameter in allowed.items()
            if parameter.default is inspect.Parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            and key not in options
        ]  # fmt: skip
        faults += [f"{self.kind} '{name}' needs the option '{key}'" for key in required]
        return faults


def packaged(folder: str) -> dict[str, Traversable]:
    """Return the TOML files in a folder of this package by name, such as those of ``presets``."""
    files = (resources.files(OURS) / folder).iterdir()
    return {file.name[:-5]: file for file in files if file.name.endswith(".toml")}


def packaged_table(folder: str, name: str, kind: str) -> dict[str, Any]:
    """Return the content of one of them.

    Args:
        folder: the folder.
        name: the file's, without ending.
        kind: what it holds, as an error names it.

    Raises:
        InputError: there is no such file.
    """
    files = packaged(folder)
    if name not in files:
        raise InputError(f"unknown {kind} '{name}'; {did_you_mean(name, files)}")
    return tomllib.loads(files[name].read_text(encoding="utf-8"))


datasets = Registry("dataset", "rc_vs_snn.datasets", "rc_vs_snn.datasets", context=("root",))
encoders = Registry("encoder", "rc_vs_snn.encoders", "rc_vs_snn.encoders", arguments=("samples", "seed"))
models = Registry("model", "rc_vs_snn.models", "rc_vs_snn.models", context=("layout", "n_classes"))
rules = Registry(
    "rule", "rc_vs_snn.decision.rules", "rc_vs_snn.rules",
    arguments=("step", "n_steps"), method="threshold_at",
)  # fmt: skip
evidences = Registry(
    "evidence", "rc_vs_snn.decision.evidence", "rc_vs_snn.evidences",
    arguments=("readout", "state"), method="step",
)  # fmt: skip
augmentations = Registry(
    "augmentation", "rc_vs_snn.augmentations", "rc_vs_snn.augmentations", arguments=("samples", "generator")
)
objectives = Registry(
    "objective", "rc_vs_snn.training.objectives", "rc_vs_snn.objectives",
    arguments=("model", "encoded", "labels", "rule"),
)  # fmt: skip
metrics = Registry(
    "metric", "rc_vs_snn.decision.metrics", "rc_vs_snn.metrics", arguments=("trace", "decision")
)
figures = Registry(
    "figure", "rc_vs_snn.analysis.figures", "rc_vs_snn.figures", arguments=("table",), method="draw"
)

KINDS = {
    entry.kind: entry
    for entry in (
        datasets,
        augmentations,
        encoders,
        models,
        evidences,
        rules,
        objectives,
        metrics,
        figures,
    )
}
