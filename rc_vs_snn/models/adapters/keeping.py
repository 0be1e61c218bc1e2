"""How a module of another library keeps its state between steps, and one forward in which it is taken out.

A network made elsewhere keeps its state on its neurons, or makes it anew at the start of its ``forward``.
Hooks on these modules put the stored state in place of that one, and read what the module has made of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.state import State, mapped, tensors

Slots = tuple[State, ...]
"""A module's state, one entry for each call of it in a step."""


class Keeper(Protocol):
    """How one kind of module keeps its state."""

    @property
    def by_argument(self) -> bool:
        """Whether the state is always an argument, and never left on the module."""
        ...

    def clear(self, module: Any) -> None:
        """Forget what the module has kept."""
        ...

    def reads(self, module: Any, x: Tensor) -> tuple[int, int]:
        """Return how many steps and rows there are in what a call is given."""
        ...

    def is_given(self, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Return whether a call brings the state to go on from."""
        ...

    def put(self, module: Any, args: tuple[Any, ...], state: State) -> tuple[Any, ...]:
        """Return the arguments of a call that goes on from ``state``."""
        ...

    def taken(self, module: Any, output: Any) -> State:
        """Return the state after a call, the batch first."""
        ...

    def leaks(self, module: Any, state: State) -> float | None:
        """Return how many numbers of a row decay at a step; None where that is not known."""
        ...


Kept = Mapping[str, tuple[nn.Module, Keeper]]
"""The modules of a network that keep something, by their names."""


class EnoughError(Exception):
    """A network that repeats its input is through with one step."""


class Passage:
    """One forward of a network, in which every kept module goes on from a given state.

    Args:
        kept: see there.
        before: the state of each kept module; empty: each begins as the network's forward has it.
        one_step: whether the forward is stopped when the first module is called again.
    """

    def __init__(self, kept: Kept, before: Mapping[str, Slots], one_step: bool = False) -> None:
        self._kept, self._before, self._one_step = kept, before, one_step
        self._calls: Counter[str] = Counter()
        self._first: str | None = None
        self.after: dict[str, list[State]] = defaultdict(list)
        self.leaks: float | None = 0.0
        self.read: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.last: Any = None

    @contextmanager
    def hooked(self) -> Iterator["Passage"]:
        """Put hooks on the kept modules; what the modules keep is forgotten before and after."""
        handles = []
        self._clear()
        try:
            for name, (module, keeper) in self._kept.items():
                handles.append(module.register_forward_pre_hook(self._put(name, keeper), with_kwargs=True))
                handles.append(module.register_forward_hook(self._take(name, keeper)))
            yield self
        finally:
            for handle in handles:
                handle.remove()
            self._clear()

    def _clear(self) -> None:
        for module, keeper in self._kept.values():
            keeper.clear(module)

    def _put(self, name: str, keeper: Keeper) -> Any:
        def put(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if self._one_step and name == self._first:
                raise EnoughError
            self._first = self._first or name
            call = self._calls[name]
            self._calls[name] += 1
            given = args[0] if args else next(iter(kwargs.values()), None)
            if not isinstance(given, Tensor):
                raise InputError(
                    f"{name} is called with {type(given).__name__}; only tensors can be given step by step "
                    "(a packed sequence cannot)"
                )
            self.read[name].append(keeper.reads(module, given))
            if name not in self._before or (call and not keeper.is_given(module, args, kwargs)):
                return None
            slots = self._before[name]
            if call >= len(slots):
                raise InputError(f"{name} is called {call + 1} times at a step, and was {len(slots)} before")
            slot = slots[call] if keeper.is_given(module, args, kwargs) else slots[-1]
            return keeper.put(module, (given,), slot), {}

        return put

    def _take(self, name: str, keeper: Keeper) -> Any:
        def take(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            state = mapped(keeper.taken(module, output), _own)
            self.after[name].append(state)
            self.last = output
            count = keeper.leaks(module, state)
            self.leaks = None if count is None or self.leaks is None else self.leaks + count

        return take

    def states(self, n_rows: int) -> dict[str, Slots]:
        """Return what the kept modules hold after the forward, the batch of ``n_rows`` first."""
        for name, slots in self.after.items():
            for part in tensors(tuple(slots)):
                if part.ndim < 1 or len(part) != n_rows:
                    raise InputError(
                        f"the state of {name} has the shape {tuple(part.shape)}; the batch of {n_rows} must "
                        "come first in it, so that decided rows can leave"
                    )
        return {name: tuple(slots) for name, slots in self.after.items()}


def _own(part: Tensor) -> Tensor:
    """Return a tensor that the module cannot change any more: some neurons work in place."""
    return part.clone()
