"""A model's state: any nest of tuples, mappings and dataclasses whose tensors have the batch first."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

State = Any
"""What ``initial_state`` and ``step`` return; numbers and None in it belong to the whole batch."""


def select(state: State, rows: Tensor) -> State:
    """Return the state of the rows at ``rows`` (indices or a mask), in that order."""
    return mapped(state, lambda part: part[rows])


def mapped(state: State, change: Callable[[Tensor], Tensor]) -> State:
    """Return the state with every tensor in it changed."""
    if isinstance(state, Tensor):
        return change(state)
    if isinstance(state, dict):
        return {name: mapped(part, change) for name, part in state.items()}
    if isinstance(state, tuple):
        parts = [mapped(part, change) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    if dataclasses.is_dataclass(state) and not isinstance(state, type):
        fields = [field.name for field in dataclasses.fields(state)]
        changed: dict[str, Any] = {name: mapped(getattr(state, name), change) for name in fields}
        return dataclasses.replace(state, **changed)
    return state


def tensors(state: State) -> Iterator[Tensor]:
    """Yield every tensor of a state, in the order in which ``mapped`` changes them."""
    for _, part in named_tensors(state):
        yield part


def named_tensors(state: State, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """Yield every tensor of a state with the keys, fields and places that lead to it."""
    if isinstance(state, Tensor):
        yield path, state
    elif isinstance(state, dict):
        for name, part in state.items():
            yield from named_tensors(part, (*path, str(name)))
    elif isinstance(state, tuple):
        names = getattr(state, "_fields", range(len(state)))
        for name, part in zip(names, state, strict=True):
            yield from named_tensors(part, (*path, str(name)))
    elif dataclasses.is_dataclass(state) and not isinstance(state, type):
        for field in dataclasses.fields(state):
            yield from named_tensors(getattr(state, field.name), (*path, field.name))
