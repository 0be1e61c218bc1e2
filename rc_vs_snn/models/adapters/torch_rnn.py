"""Classifiers around PyTorch's own recurrent layers: ``nn.LSTM``, ``nn.GRU``, ``nn.RNN`` and their cells."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.state import State


class LayerKeeper:
    """State of ``nn.LSTM`` and its kind: ``(layer, B, H)`` there, ``(B, layer, H)`` here."""

    by_argument = True

    def clear(self, module: nn.RNNBase) -> None:
        """Do nothing: it keeps nothing."""

    def reads(self, module: nn.RNNBase, x: Tensor) -> tuple[int, int]:
        """Return steps and rows."""
        if x.ndim != 3:
            raise InputError(f"{type(module).__name__} must be given a batch, got the shape {tuple(x.shape)}")
        steps, rows = (x.shape[1], x.shape[0]) if module.batch_first else x.shape[:2]
        return steps, rows

    def is_given(self, module: nn.RNNBase, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Return True: what a call does not bring begins at zero."""
        return True

    def put(self, module: nn.RNNBase, args: tuple[Any, ...], state: State) -> tuple[Any, ...]:
        """Return input and state."""
        parts = tuple(part.transpose(0, 1).contiguous() for part in state)
        return (*args, parts if len(parts) > 1 else parts[0])

    def taken(self, module: nn.RNNBase, output: Any) -> State:
        """Return h, or h and c."""
        found = output[1]
        parts = found if isinstance(found, tuple) else (found,)
        return tuple(part.transpose(0, 1) for part in parts)

    def leaks(self, module: nn.RNNBase, state: State) -> float:
        """Return the units: each leaks by a gate, but those of a plain RNN."""
        return 0.0 if module.mode.startswith("RNN") else float(module.hidden_size * module.num_layers)


class CellKeeper:
    """State of ``nn.LSTMCell`` and its kind."""

    by_argument = True

    def clear(self, module: nn.RNNCellBase) -> None:
        """Do nothing: it keeps nothing."""

    def reads(self, module: nn.RNNCellBase, x: Tensor) -> tuple[int, int]:
        """Return steps and rows."""
        if x.ndim != 2:
            raise InputError(f"{type(module).__name__} must be given a batch, got the shape {tuple(x.shape)}")
        return 1, len(x)

    def is_given(self, module: nn.RNNCellBase, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Return True: what a call does not bring begins at zero."""
        return True

    def put(self, module: nn.RNNCellBase, args: tuple[Any, ...], state: State) -> tuple[Any, ...]:
        """Return input and state."""
        return (*args, state if len(state) > 1 else state[0])

    def taken(self, module: nn.RNNCellBase, output: Any) -> State:
        """Return h, or h and c."""
        return output if isinstance(output, tuple) else (output,)

    def leaks(self, module: nn.RNNCellBase, state: State) -> float:
        """Return the units: each leaks by a gate, but those of a plain RNN."""
        return 0.0 if isinstance(module, nn.RNNCell) else float(module.hidden_size)


def keeper_of(module: nn.Module) -> LayerKeeper | CellKeeper | None:
    """Return how a layer of PyTorch keeps its state; None for any other module.

    Raises:
        InputError: a bidirectional one.
    """
    if isinstance(module, nn.RNNBase):
        if module.bidirectional:
            raise InputError(
                f"{type(module).__name__} is bidirectional: it reads the end of a sample before it says "
                "anything; judge a one-way network"
            )
        return LayerKeeper()
    return CellKeeper() if isinstance(module, nn.RNNCellBase) else None
