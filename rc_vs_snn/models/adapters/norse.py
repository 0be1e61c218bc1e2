"""Networks of norse: cells and layers that take a state and return it, in a ``SequentialState`` or a loop.

Source: Pehle and Pedersen 2021, norse 1.1.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from rc_vs_snn.models.state import State

OVER_TIME = ("SNN", "SNNRecurrent")
"""Base classes of what is given whole sequences, time first."""


class NorseKeeper:
    """State of a cell or layer: the second argument, and the second result.

    Args:
        over_time: whether it is given whole sequences.
    """

    by_argument = True

    def __init__(self, over_time: bool) -> None:
        self._over_time = over_time

    def clear(self, module: nn.Module) -> None:
        """Do nothing: it keeps nothing."""

    def reads(self, module: nn.Module, x: Tensor) -> tuple[int, int]:
        """Return steps and rows."""
        return (x.shape[0], x.shape[1]) if self._over_time else (1, len(x))

    def is_given(self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Return True: what a call does not bring begins at rest."""
        return True

    def put(self, module: nn.Module, args: tuple[Any, ...], state: State) -> tuple[Any, ...]:
        """Return input and state."""
        return (*args, state)

    def taken(self, module: nn.Module, output: Any) -> State:
        """Return the state."""
        return output[1]

    def leaks(self, module: nn.Module, state: State) -> None:
        """Return None: which of its numbers decay depends on the model, of which there are many."""
        return None


def keeper_of(module: nn.Module) -> NorseKeeper | None:
    """Return how a module of norse keeps its state; None for any other module."""
    if not type(module).__module__.startswith("norse.") or not hasattr(module, "state_fallback"):
        return None
    names = {each.__name__ for each in type(module).__mro__}
    return NorseKeeper(over_time=bool(names.intersection(OVER_TIME)))
