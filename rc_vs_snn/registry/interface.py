"""What a plug-in of a kind looks like, told by methods and signatures, before anything of it runs."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rc_vs_snn.registry.values import return_hint


@dataclass(frozen=True)
class Interface:
    """What a kind of plug-in has to offer.

    Attributes:
        method: what is called of a part: "__call__" (a function will do) or another name.
        arguments: what it is called with, by position.
        context: names that a factory is called with, where a part is no object but what a factory makes.
    """

    method: str = "__call__"
    arguments: tuple[str, ...] = ()
    context: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.context:
            return f"a callable that takes {' and '.join(self.context)}"
        of_object = f"an object with {self.method}({', '.join(self.arguments)})"
        if self.method != "__call__":
            return of_object
        return f"a function ({', '.join(self.arguments)}), or {of_object}"

    def is_met(self, value: Any) -> bool:
        """Return whether a value is a part of the kind (or where there is a context, a factory)."""
        if self.context:
            return callable(value) and _takes(value, names=self.context)
        return self._called(value) and _takes(self._method(value), self.arguments)

    def makes(self, value: Any) -> bool:
        """Return whether a value is a factory of parts: a class of them, or a function that says so."""
        if self.context:
            return self.is_met(value)
        made = value if inspect.isclass(value) else return_hint(value)
        if not inspect.isclass(made):
            return False
        method = next((vars(base)[self.method] for base in made.__mro__ if self.method in vars(base)), None)
        return callable(method) and _takes(method, ("self", *self.arguments))

    def is_ready(self, value: Any) -> bool:
        """Return whether what a path names is a part as it is, but for options: nothing has to make it."""
        if self.context or self.makes(value) or not self._called(value):
            return False
        return _takes(self._method(value), self.arguments, whole=False) and _asks(value)

    def options(self, value: Any) -> dict[str, inspect.Parameter]:
        """Return the parameters of what a path names that a user may set, by name."""
        if not self.is_ready(value):
            parameters = inspect.signature(value).parameters
            return {key: entry for key, entry in parameters.items() if key not in self.context}
        if not inspect.isroutine(value):
            return {}  # an object has its fields already
        return dict(list(inspect.signature(value).parameters.items())[len(self.arguments) :])

    def made(self, value: Any, options: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
        """Return the part that a path names."""
        if not self.is_ready(value):
            return value(**context, **options)
        return functools.partial(value, **options) if options else value

    def _method(self, value: Any) -> Any:
        is_it = self.method == "__call__" and inspect.isroutine(value)
        return value if is_it else getattr(value, self.method, None)

    def _called(self, value: Any) -> bool:
        return not inspect.isclass(value) and callable(self._method(value))


def _takes(
    value: Callable[..., Any],
    arguments: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
    whole: bool = True,
) -> bool:
    """Return whether a call with these arguments binds, and unless ``whole`` more of them, by name."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # compiled code keeps none
        return True
    bind = signature.bind if arguments and whole else signature.bind_partial
    try:
        bind(*arguments, **dict.fromkeys(names))
    except TypeError:
        return False
    return True


def _asks(value: Any) -> bool:
    """Return whether a function's first parameter has to be given, as a part's has and a factory's not."""
    if not inspect.isroutine(value):
        return True
    try:
        first = next(iter(inspect.signature(value).parameters.values()))
    except (StopIteration, TypeError, ValueError):
        return False
    return first.default is inspect.Parameter.empty
