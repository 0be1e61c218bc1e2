"""Layers one after another: the one loop over them, and their states by name."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.one_sample import Advance
from rc_vs_snn.kernels.pairs import WholeRun
from rc_vs_snn.models.cost import Operations, Signal


class Layer(Protocol):
    """A layer that keeps something between steps, a module; its state is a small tuple, the batch first.

    A layer that keeps nothing is any module: a function of one step's input. If it has synapses, its
    ``connections()`` returns how many of them each value of a row enters.
    """

    def initial_state(self, batch: int, like: Tensor) -> Any:
        """Return the state before step 0, of the device and type of ``like``."""
        ...

    def step(self, x: Tensor, state: Any, step: int) -> tuple[Tensor, Any]:
        """Return the output ``(B, ...)`` of step ``step``, counted from 0, and the new state."""
        ...

    def operations(self, x: Signal, before: Any, after: Any, step: int) -> tuple[Operations | None, Signal]:
        """Return what the step cost (None for nothing) and its output.

        Args:
            x: the input that ``step`` was given.
            before: the state that it was given.
            after: the state that it returned.
            step: 0-based.
        """
        ...


class StackState(NamedTuple):
    """The state of a stack.

    Attributes:
        step: the 0-based step that comes next, of every row.
        layers: the state of each layer that keeps one, by its name.
    """

    step: int
    layers: dict[str, Any]


@dataclass(frozen=True)
class Compiled:
    """What is compiled of one kind of stack.

    Attributes:
        run: ``(stack, code, thresholds (T,)) -> WholeRun``.
        one_sample: ``(stack, thresholds (T,), hold) -> Advance``.
    """

    run: Callable[["Stack", Encoded, np.ndarray], WholeRun] | None = None
    one_sample: Callable[["Stack", np.ndarray, bool], Advance] | None = None


class Stack(nn.Module):
    """A temporal classifier made of layers; the last one's output is the readout. See ``Model``.

    Args:
        layers: by name, in the order in which their parameters are listed, by which an optimiser and a
            gradient's norm go.
        layout: shape of the input channels.
        evidence: what the rule reads of the readout.
        order: names in the order in which the layers are passed, if that is another.
        compiled: what is compiled of this very stack.

    Attributes:
        origin: the file that it was made of, if that was somebody's description of a network.
    """

    origin = ""

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        *,
        layout: tuple[int, ...],
        evidence: EvidenceKind,
        order: Sequence[str] | None = None,
        compiled: Compiled = Compiled(),
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(layers)
        self.n_channels = math.prod(layout)
        self.evidence: EvidenceKind = evidence
        self._order = tuple(order or layers)
        self._keeping = {name for name, layer in layers.items() if hasattr(layer, "initial_state")}
        self._compiled = compiled

    def __getitem__(self, name: str) -> Any:
        return self.layers[name]

    def passed(self) -> list[tuple[str, nn.Module]]:
        """Return names and layers in the order in which they are passed."""
        return [(name, self.layers[name]) for name in self._order]

    def initial_state(self, batch: int, device: torch.device | str) -> StackState:
        """Return the state before step 0; see ``Model``. In training it holds the dropout masks."""
        like = next(self.parameters()).detach().new_empty(0, device=device)
        kept = [name for name in self._order if name in self._keeping]
        return StackState(0, {name: self[name].initial_state(batch, like) for name in kept})

    def step(self, x: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        """Advance one time step; see ``Model``."""
        new = {}
        for name in self._order:
            if name in self._keeping:
                x, new[name] = self[name].step(x, state.layers[name], state.step)
            else:
                x = self[name](x)
        return x, StackState(state.step + 1, new)

    def operations(
        self, x: Tensor, before: StackState, after: StackState, analogue: bool = False
    ) -> Operations:
        """Return what one step cost.

        Args:
            x: the step's input, ``(B, C)``.
            before: the state given to ``step``.
            after: the state ``step`` returned.
            analogue: whether the input is real numbers, which cost MACs, and not spikes.
        """
        zeros = x.new_zeros(len(x))
        signal, total = Signal(lambda: x, analogue, zeros), Operations(zeros, zeros, zeros)
        for name in self._order:
            if name in self._keeping:
                states = before.layers[name], after.layers[name]
                cost, signal = self[name].operations(signal, *states, before.step)
            else:
                cost, signal = signal.through(self[name])
            total = total if cost is None else total + cost
        return total

    def run(self, encoded: Encoded, thresholds: np.ndarray) -> WholeRun | None:
        """Run a batch to its decisions in compiled loops; None where there are none for it.

        Args:
            encoded: a batch.
            thresholds: the rule's threshold at every step, ``(T,)`` float32.
        """
        run = self._compiled.run
        if run is None or encoded.n_channels != self.n_channels:
            return None  # of another width, the layers' own step says what is wrong
        usable = len(encoded) and backend.runs_whole(encoded.device, self.parameters())
        return run(self, encoded, thresholds) if usable else None

    def one_sample(self, thresholds: np.ndarray, hold: bool) -> Advance | None:
        """Return what advances one sample by one step in compiled loops; None where there are none.

        The weights are copied.

        Args:
            thresholds: the rule's threshold at every step, ``(T,)``.
            hold: whether channels stay on.
        """
        build = self._compiled.one_sample
        usable = build is not None and all(backend.reads(weight) for weight in self.parameters())
        return cast(Any, build)(self, thresholds, hold) if usable else None


MOST_LAYERS = 1000


def check_sizes(hidden: int, layers: int) -> None:
    """Raise InputError unless both are at least 1, and no more layers than one can wait for."""
    if hidden < 1 or not 1 <= layers <= MOST_LAYERS:
        raise InputError(
            f"hidden and layers must be at least 1, and layers at most {MOST_LAYERS}, got hidden={hidden}, "
            f"layers={layers}"
        )
