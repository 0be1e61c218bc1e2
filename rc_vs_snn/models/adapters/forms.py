"""How a network made elsewhere reads time and what it returns, told by a trial."""

import contextlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError, did_you_mean, one_line
from rc_vs_snn.models.adapters.keeping import EnoughError, Kept, Passage

Time = Literal["first", "second", "step", "held"]
"""``forward`` takes (T, B, ...), (B, T, ...), (B, ...) of one step, or (B, ...) that it repeats itself."""
Over = Literal["each", "sum", "mean"]

TRIED_STEPS, TRIED_ROWS = 3, 2
CONVOLVED = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}


@dataclass(frozen=True)
class Form:
    """How a network is called and read.

    Attributes:
        time: where the time axis of its input is, see ``Time``.
        shape: shape of one sample at one step.
        output: which of several results is the readout.
        over: what the readout of a step is: its own ("each"), or the sum or mean of all up to it.
        passes_state: whether one step is given the state that the last one returned, beside its input.
    """

    time: Time
    shape: tuple[int, ...]
    output: int
    over: Over
    passes_state: bool = False

    def given(self, frames: Tensor) -> Tensor:
        """Return what ``forward`` takes for frames ``(T, B, C)`` (T = 1 but for whole sequences)."""
        shaped = frames.reshape(*frames.shape[:2], *self.shape)
        if self.time in ("step", "held"):
            return shaped[0]
        return shaped if self.time == "first" else shaped.transpose(0, 1)

    def readout(self, found: Any, n_steps: int, n_rows: int, name: str) -> Tensor:
        """Return ``(T, B, K)`` of what ``forward`` returned, or ``(B, K)`` if it returns one for all steps.

        Raises:
            InputError: it is no tensor of such a shape.
        """
        chosen = found
        if isinstance(found, tuple | list):
            if not -len(found) <= self.output < len(found):
                raise InputError(f"{name} returns {len(found)} values; output={self.output} is none of them")
            chosen = found[self.output]
        if not isinstance(chosen, Tensor) or not chosen.is_floating_point():
            raise InputError(
                f"{name} returns {_told(chosen)}, no real numbers; the readout must be logits, potentials or "
                "spikes (output= chooses among several results)"
            )
        if chosen.ndim == 3 and chosen.shape[:2] == (n_steps, n_rows):
            return chosen
        if chosen.ndim == 3 and chosen.shape[:2] == (n_rows, n_steps):
            return chosen.transpose(0, 1)
        if chosen.ndim == 2 and len(chosen) == n_rows:
            return chosen
        raise InputError(
            f"{name} returns the shape {tuple(chosen.shape)} for {n_steps} steps of {n_rows} samples; the "
            "readout must be (time, batch, class), (batch, time, class) or (batch, class)"
        )


def find_form(
    module: nn.Module, kept: Kept, example: Tensor, time: Time | None, shape: tuple[int, ...], output: int,
    over: Over,
) -> Form:  # fmt: skip
    """Return how a network reads time, by calling it.

    Args:
        module: the network, in eval mode.
        kept: its modules that keep something.
        example: ``(T, B, C)``.
        time: where its time axis is, if that is known.
        shape: of a sample at a step.
        output: which of several results is the readout.
        over: see ``Form``.

    Raises:
        InputError: no way of calling it gives one step for each of the input's; what each gave.
    """
    for value, allowed, what in ((time, get_args(Time), "time"), (over, get_args(Over), "over")):
        if value is not None and value not in allowed:
            raise InputError(f"there is no {what} {value!r}; {did_you_mean(str(value), allowed)}")
    takes_two = len(inspect.signature(module.forward).parameters) > 1
    passes = takes_two and any(keeper.by_argument for _, keeper in kept.values())
    few = example[:, :TRIED_ROWS].repeat(TRIED_STEPS, TRIED_ROWS, 1)[:TRIED_STEPS, :TRIED_ROWS]
    told = []
    for each in get_args(Time) if time is None else [time]:
        form = Form(each, shape, output, over, passes and each == "step")
        seen = _tried(module, kept, form, few)
        wanted = TRIED_STEPS if each in ("first", "second") else None
        if isinstance(seen, str):
            told.append(f"{_spelt(each, shape)}: {seen}")
        elif (wanted and all(count == wanted for count in seen)) or (
            not wanted and (set(seen) == {1}) == (each == "step")
        ):
            return form
        else:
            told.append(f"{_spelt(each, shape)}: its neurons or cells see {max(seen)} step(s)")
    if time is not None:
        raise InputError(f"{type(module).__name__} does not read time as time= says; tried {told[0]}")
    raise InputError(
        f"cannot tell how {type(module).__name__} reads time; tried {'; '.join(told)}. Say it by time= and "
        "shape="
    )


def _tried(module: nn.Module, kept: Kept, form: Form, few: Tensor) -> Sequence[int] | str:
    """Return how many steps each kept module sees in one forward, or why it cannot be called so."""
    passage = Passage(kept, {})
    try:
        with torch.no_grad(), passage.hooked(), contextlib.suppress(EnoughError):
            module(form.given(few))
    except InputError as error:
        return str(error)
    except Exception as error:  # a network may raise anything at a shape that it does not take
        return one_line(error)
    rows = {rows for calls in passage.read.values() for _, rows in calls}
    if rows != {TRIED_ROWS}:
        return f"its neurons or cells see {'/'.join(map(str, sorted(rows))) or 'no'} rows for {TRIED_ROWS}"
    return [sum(steps for steps, _ in calls) for calls in passage.read.values()]


def shape_of_step(module: nn.Module, layout: tuple[int, ...], n_channels: int) -> tuple[int, ...]:
    """Return the shape in which a network takes a sample at a step: what its first layer convolves over.

    Raises:
        InputError: the layout has too few or too many sides for it.
    """
    known = (nn.Linear, nn.RNNBase, nn.RNNCellBase, *CONVOLVED)
    first = next((part for part in module.modules() if isinstance(part, known)), None)
    sides = next((count for kind, count in CONVOLVED.items() if isinstance(first, kind)), 0)
    if not sides:
        return (n_channels,)
    if len(layout) == sides:
        return (1, *layout)
    if len(layout) == sides + 1:
        return layout
    raise InputError(
        f"{type(module).__name__} begins with {type(first).__name__} and the input has the layout {layout}; "
        "say how a step's input is shaped, such as shape=(1, 28, 28)"
    )


def _spelt(time: Time, shape: tuple[int, ...]) -> str:
    axes = {"first": "T, B", "second": "B, T", "step": "B", "held": "B"}[time]
    name = "(" + ", ".join([axes, *map(str, shape)]) + ")"
    return f"{name}, repeated" if time == "held" else name


def _told(value: Any) -> str:
    return f"a tensor of {value.dtype}" if isinstance(value, Tensor) else type(value).__name__
