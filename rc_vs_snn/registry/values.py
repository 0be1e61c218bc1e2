"""Values of options: numbers that a record can hold, and what fits an annotation."""

import inspect
import math
import numbers
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from rc_vs_snn.errors import InputError

MOST = 2**63 - 1
"""The largest whole number that files and generators hold."""


def plain(value: Any, where: str, *, name_others: bool = False) -> Any:
    """Return a value with its numbers, NumPy's too, as Python's own.

    Args:
        value: of an option; mappings, lists and tuples are searched.
        where: what it is of, as an error names it.
        name_others: whether what files do not hold is named by its type, and not refused.

    Raises:
        InputError: a number in it is not finite, or larger than 64 bits hold; or a value of another type.
    """
    if isinstance(value, bool | str | None):
        return value
    if isinstance(value, numbers.Integral):
        if not -MOST <= int(value) <= MOST:
            raise InputError(f"{where} must lie within 64 bits, up to {MOST}")
        return int(value)
    if isinstance(value, numbers.Real):
        if not math.isfinite(value):
            raise InputError(f"{where} must be a finite number, got {value}")
        return float(value)
    if isinstance(value, Mapping):
        return {
            str(key): plain(entry, f"{where}.{key}", name_others=name_others) for key, entry in value.items()
        }
    if isinstance(value, list | tuple):
        entries = [plain(entry, where, name_others=name_others) for entry in value]
        return tuple(entries) if type(value) is tuple else entries
    if name_others:
        return f"<{type(value).__name__}>"
    raise InputError(
        f"{where} must be a number, a text, true, false, a list or a table, got {type(value).__name__}"
    )


def is_whole(value: Any, least: int = 0, most: int = MOST) -> bool:
    """Return whether a value is a whole number, NumPy's too, in ``least..most``."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and least <= int(value) <= most


def is_number(value: Any, least: float, below: float) -> bool:
    """Return whether a value is a real number, NumPy's too, in ``[least, below)``."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and least <= value < below  # type: ignore[operator]


def hints_of(factory: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of a factory's parameters; none where they cannot be resolved."""
    target = factory.__init__ if inspect.isclass(factory) else factory
    try:
        return typing.get_type_hints(target)
    except (NameError, TypeError):  # a plug-in with unresolvable annotations is used unchecked
        return {}


def return_hint(function: Any) -> Any:
    """Return what a function is annotated to return; None where that cannot be resolved."""
    try:
        return typing.get_type_hints(function).get("return")
    except (NameError, TypeError, AttributeError):
        return None


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value is of the type that an annotation names."""
    if hint is Any:  # a class to inspect, but not to isinstance
        return True
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return any(value == allowed and type(value) is type(allowed) for allowed in typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, part) for part in typing.get_args(hint))
    if origin in (tuple, list):
        return isinstance(value, tuple | list)
    if hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, numbers.Real) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return isinstance(value, hint) if inspect.isclass(hint) else True


def spelt(hint: Any) -> str:
    """Return what an annotation asks for, as an error says it."""
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(map(repr, typing.get_args(hint)))
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return names.get(hint, str(hint))
