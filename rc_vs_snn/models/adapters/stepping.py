"""A network made elsewhere as one of ours: its state is taken out after a step, put back before the next."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.errors import InputError, blamed
from rc_vs_snn.models.adapters import counting
from rc_vs_snn.models.adapters.forms import Form
from rc_vs_snn.models.adapters.keeping import EnoughError, Keeper, Kept, Passage, Slots
from rc_vs_snn.models.cost import Operations

KeeperOf = Callable[[nn.Module], Keeper | None]


class AdaptedState(NamedTuple):
    """What an adapted network goes on from.

    Attributes:
        step: the 0-based step that comes next.
        kept: the state of each of its modules that keeps one, by name; empty before step 0.
        total: the sum of the readouts so far, ``(B, K)``; ``(B, 0)`` where it is not needed.
        spent: what the last step cost: accumulates, multiply-accumulates and leaks, ``(B, 3)``.
    """

    step: int
    kept: dict[str, Slots]
    total: Tensor
    spent: Tensor


class Adapted(nn.Module):
    """A network made elsewhere behind the ``Model`` interface.

    A step is one forward of the network itself over one step of input, in which hooks give every neuron or
    cell the state that it had before. What else its forward may keep is lost: ``checking`` tells.

    Args:
        module: the network, not copied.
        kept: its modules that keep something.
        form: how it is called and read.
        evidence: what the rule reads of the readout.
    """

    def __init__(self, module: nn.Module, kept: Kept, form: Form, evidence: EvidenceKind) -> None:
        super().__init__()
        self.module = module
        self.form = form
        self.evidence: EvidenceKind = evidence
        self.n_channels = math.prod(form.shape)
        self.name = type(module).__name__
        self._kept = dict(kept)
        self.real: set[tuple[str, int]] = set()
        self.uncounted = ""

    @property
    def kept(self) -> Kept:
        """The modules that keep something, by name."""
        return self._kept

    def initial_state(self, batch: int, device: torch.device | str) -> AdaptedState:
        """Return the state before step 0; see ``Model``."""
        return AdaptedState(0, {}, torch.zeros(batch, 0, device=device), torch.zeros(batch, 3, device=device))

    def step(self, x: Tensor, state: AdaptedState) -> tuple[Tensor, AdaptedState]:
        """Advance one time step; see ``Model``."""
        readout, new, _ = self.watched_step(x, state)
        return readout, new

    def watched_step(
        self, x: Tensor, state: AdaptedState, neurons: Sequence[nn.Module] = ()
    ) -> tuple[Tensor, AdaptedState, counting.Watch]:
        """Advance one time step; return readout, state, and what the layers and ``neurons`` did.

        Raises:
            InputError: the network raised, or returned what is no readout.
        """
        if x.shape[1] != self.n_channels:
            raise InputError(
                f"{self.name} takes {self.n_channels} channels a step, as {self.form.shape}, and the input "
                f"has {x.shape[1]}; choose another encoder or shape="
            )
        passage = Passage(self._kept, state.kept, self.form.time == "held")
        watch = counting.Watch(self.module, len(x), state.step > 0)
        with blamed(f"{self.name}"), passage.hooked(), watch.hooked(tuple(neurons)):
            try:
                found = self.module(self.form.given(x[None]))
            except EnoughError:
                found = passage.last
        readout = self.form.readout(found, 1, len(x), self.name)
        readout = readout[0] if readout.ndim == 3 else readout
        total = state.total
        if self.form.over != "each":
            total = readout if state.step == 0 else total + readout
            readout = total if self.form.over == "sum" else total / (state.step + 1)
        spent = self._spent(x, passage, watch)
        return readout, AdaptedState(state.step + 1, passage.states(len(x)), total, spent), watch

    def _spent(self, x: Tensor, passage: Passage, watch: counting.Watch) -> Tensor:
        if self.uncounted:
            return x.new_full((len(x), 3), torch.nan)
        acs, macs = counting.operations(watch.reads, self.real, x)
        leaks = torch.full_like(acs, torch.nan if passage.leaks is None else passage.leaks)
        return torch.stack([acs, macs, leaks], 1)

    def operations(self, x: Tensor, before: AdaptedState, after: AdaptedState) -> Operations:
        """Return what one step cost (NaN: not counted); hooks have seen it at the step itself."""
        return Operations(*after.spent.unbind(1))

    def whole(self, frames: Tensor) -> Tensor:
        """Return the readouts of the network's own forward over ``(T, B, C)``, without any of ours.

        Returns:
            ``(T, B, K)``; of a network that returns one readout for all steps, those of the first 1..T steps.
        """
        n_steps, n_rows, _ = frames.shape
        self.clear()
        with blamed(self.name):
            if self.form.time == "step":
                found = torch.stack(self._own_steps(frames))
            else:
                found = self.module(self.form.given(frames))
                if self.form.time == "held":
                    n_steps = _steps_of(found, self.form.output, n_rows)
                found = self.form.readout(found, n_steps, n_rows, self.name)
                if found.ndim == 2:
                    return self._prefixes(frames)
        self.clear()
        sums = found.cumsum(0)
        counts = torch.arange(1, len(found) + 1, device=found.device)[:, None, None]
        return {"each": found, "sum": sums, "mean": sums / counts}[self.form.over]

    def _own_steps(self, frames: Tensor) -> list[Tensor]:
        readouts: list[Tensor] = []
        state: tuple[Any, ...] = ()
        for frame in frames:
            found = self.module(self.form.given(frame[None]), *state)
            if self.form.passes_state and isinstance(found, tuple):
                state = (found[-1],)
            readouts.append(self.form.readout(found, 1, len(frame), self.name).reshape(len(frame), -1))
        return readouts

    def _prefixes(self, frames: Tensor) -> Tensor:
        found = []
        for n_steps in range(1, len(frames) + 1):
            self.clear()
            given = self.form.given(frames[:n_steps])
            found.append(self.form.readout(self.module(given), n_steps, frames.shape[1], self.name))
        self.clear()
        return torch.stack(found)

    def clear(self) -> None:
        """Forget what the network's modules keep."""
        for module, keeper in self._kept.values():
            keeper.clear(module)


def _steps_of(found: Any, output: int, n_rows: int) -> int:
    """Return how many steps a network that repeats its input has made."""
    chosen = found[output] if isinstance(found, tuple | list) else found
    shape: tuple[int, ...] = tuple(getattr(chosen, "shape", ()))
    if len(shape) != 3:
        raise InputError(
            "a network that repeats its input must return the readout of every step, (time, batch, class); "
            f"got {tuple(shape)}"
        )
    return int(shape[1] if shape[0] == n_rows and shape[1] != n_rows else shape[0])


def kept_of(module: nn.Module, keepers: Sequence[KeeperOf], prefix: str = "") -> dict[str, Any]:
    """Return the outermost modules of a network that keep something, with how they do, by name."""
    found = next(filter(None, (keeper_of(module) for keeper_of in keepers)), None)
    if found is not None:
        return {prefix or "itself": (module, found)}
    return {
        name: entry
        for child, part in module.named_children()
        for name, entry in kept_of(part, keepers, f"{prefix}.{child}" if prefix else child).items()
    }
