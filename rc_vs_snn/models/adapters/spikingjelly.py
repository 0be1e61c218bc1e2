"""Networks of SpikingJelly: neurons that keep named memories, in single-step or multi-step mode.

Source: Fang et al. 2023, SpikingJelly 2.0.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from rc_vs_snn.models.state import State

RECORDS = ("v_seq",)
"""Memories that are no state but a record of it."""
DECAYING = {"IFNode": 0, "LIFNode": 1, "ParametricLIFNode": 1}


class MemoryKeeper:
    """State of a module with memories."""

    by_argument = False

    def clear(self, module: Any) -> None:
        """Set the memories to what they were when the module was made."""
        module.reset()

    def reads(self, module: Any, x: Tensor) -> tuple[int, int]:
        """Return steps and rows."""
        return (x.shape[0], x.shape[1]) if module.step_mode == "m" else (1, len(x))

    def is_given(self, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Return False: the state lies on the module."""
        return False

    def put(self, module: Any, args: tuple[Any, ...], state: State) -> tuple[Any, ...]:
        """Put the state into the memories and return the input alone."""
        module._memories.update(state)
        return args

    def taken(self, module: Any, output: Any) -> State:
        """Return the memories by name."""
        return {name: value for name, value in module._memories.items() if name not in RECORDS}

    def leaks(self, module: Any, state: State) -> float | None:
        """Return the membranes that decay, of neurons of which that is known."""
        decaying = DECAYING.get(type(module).__name__)
        return None if decaying is None else float(decaying * state["v"][:1].numel())


def keeper_of(module: nn.Module) -> MemoryKeeper | None:
    """Return how a module of SpikingJelly keeps its state; None for any other module."""
    bases = {f"{each.__module__}.{each.__name__}" for each in type(module).__mro__}
    is_memory = any(name.startswith("spikingjelly.") and name.endswith(".MemoryModule") for name in bases)
    return MemoryKeeper() if is_memory and getattr(module, "_memories", None) else None
